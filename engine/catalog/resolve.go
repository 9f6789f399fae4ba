// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Expressions: a name is that of an index, an alias or a data stream, a date-math name (<logs-{now/d}>), or a pattern in
// which * stands for any text. "_all" and no expression at all mean every index. A later "-x" takes away what is matched
// so far. Hidden indices and aliases are matched by patterns only if hidden ones are asked for, or if name and pattern
// both begin with a dot.

// Resolve is the indices that expressions mean, by name. A concrete name that is missing is the 404
// index_not_found_exception unless o.IgnoreUnavailable; no index at all is one unless o.AllowNoIndices. With
// o.ForbidClosed a closed index is the 400 index_closed_exception (left out with o.IgnoreUnavailable).
func (s *State) Resolve(expressions []string, o wire.IndexOptions, now time.Time) ([]*Index, error) {
	r := resolver{state: s, o: o, now: now, streams: true}
	return r.indices(expressions)
}

// resolver resolves one request's expressions.
type resolver struct {
	state *State
	o     wire.IndexOptions
	now   time.Time
	// streams includes data streams and their hidden backing indices by the stream's name; without it such a name is
	// unknown, as it is to the APIs that change single indices.
	streams bool
	// aliases that are named are an error (deleting by alias).
	refuseAliases bool
}

func (r resolver) indices(expressions []string) ([]*Index, error) {
	names, err := r.names(expressions)
	if err != nil {
		return nil, err
	}
	found := map[string]*Index{}
	for _, name := range names {
		list := r.behind(name)
		if _, isAlias := r.state.aliases[name]; isAlias && r.o.ForbidAliasesToMany && len(list) > 1 {
			return nil, severalIndices(name, list)
		}
		for _, index := range list {
			found[index.Name] = index
		}
	}
	out := make([]*Index, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		index := found[name]
		if index.Closed && r.o.ForbidClosed {
			if r.o.IgnoreUnavailable || !r.concrete(expressions, index) {
				continue
			}
			return nil, ClosedError(index)
		}
		out = append(out, index)
	}
	if len(out) == 0 && !r.o.AllowNoIndices {
		return nil, fault.IndexNotFound(strings.Join(orAll(expressions), ","), "index_or_alias")
	}
	return out, nil
}

func orAll(expressions []string) []string {
	if len(expressions) == 0 {
		return []string{"_all"}
	}
	return expressions
}

// concrete reports whether an index was named, by itself or through an alias, rather than matched.
func (r resolver) concrete(expressions []string, index *Index) bool {
	for _, e := range expressions {
		name, err := wire.ResolveDateMath(e, r.now)
		if err != nil || wire.IsPattern(name) || name == "_all" {
			continue
		}
		if slices.Contains(r.behind(name), index) {
			return true
		}
	}
	return false
}

// ClosedError is the 400 for a closed index where an open one is needed.
func ClosedError(index *Index) error {
	return fault.New(400, "index_closed_exception", "closed").With("index", index.Name).With("index_uuid", index.UUID)
}

func severalIndices(alias string, list []*Index) error {
	return fault.Illegal("alias [%s] has more than one index associated with it [%s], can't execute a single index op", alias, strings.Join(namesOf(list), ", "))
}

func namesOf(list []*Index) []string {
	names := make([]string, len(list))
	for i, index := range list {
		names[i] = index.Name
	}
	return names
}

// behind is the indices of one name: an index, an alias's or a data stream's; nil if there are none.
func (r resolver) behind(name string) []*Index {
	if index := r.state.Indices[name]; index != nil {
		return []*Index{index}
	}
	if list := r.state.aliases[name]; list != nil {
		return list
	}
	if stream := r.state.DataStreams[name]; stream != nil && r.streams {
		out := make([]*Index, len(stream.Indices))
		for i, backing := range stream.Indices {
			out[i] = r.state.Indices[backing]
		}
		return out
	}
	return nil
}

// names turns expressions into names that exist: of indices, aliases and data streams.
func (r resolver) names(expressions []string) ([]string, error) {
	var out []string
	seenPattern := false
	for i, e := range orAll(expressions) {
		if e == "" {
			return nil, fault.IndexNotFound("", "index_or_alias")
		}
		minus := seenPattern && i > 0 && strings.HasPrefix(e, "-")
		if minus {
			e = e[1:]
		}
		name, err := wire.ResolveDateMath(e, r.now)
		if err != nil {
			return nil, err
		}
		matched, err := r.expand(name, minus)
		if err != nil {
			return nil, err
		}
		seenPattern = seenPattern || wire.IsPattern(name) || name == "_all"
		if minus {
			out = slices.DeleteFunc(out, func(n string) bool { return slices.Contains(matched, n) })
		} else {
			out = append(out, matched...)
		}
	}
	return out, nil
}

// expand is the names that one expression matches.
func (r resolver) expand(name string, minus bool) ([]string, error) {
	switch {
	case name == "_all":
		return r.match("*"), nil
	case wire.IsPattern(name):
		matched := r.match(name)
		if len(matched) == 0 && !r.o.AllowNoIndices && !minus {
			return nil, fault.IndexNotFound(name, "index_or_alias")
		}
		return matched, nil
	case minus:
		return []string{name}, nil
	case strings.HasPrefix(name, "_"):
		return nil, fault.New(400, "invalid_index_name_exception", "Invalid index name [%s], must not start with '_'.", name).
			With("index", name).With("index_uuid", "_na_")
	}
	if list, isAlias := r.state.aliases[name]; isAlias && list != nil && r.refuseAliases && !r.o.IgnoreUnavailable {
		return nil, fault.Illegal("The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", name)
	}
	if r.behind(name) == nil || (r.refuseAliases && r.state.aliases[name] != nil) {
		if r.o.IgnoreUnavailable {
			return nil, nil
		}
		return nil, fault.IndexNotFound(name, "index_or_alias")
	}
	return []string{name}, nil
}

// match is the names of indices that a pattern matches, by themselves or through an alias or data stream.
func (r resolver) match(pattern string) []string {
	found := map[string]bool{}
	for name, index := range r.state.Indices {
		if wire.Match(pattern, name) && r.wanted(index) && r.visible(name, pattern, index.Hidden()) {
			found[name] = true
		}
	}
	if !r.refuseAliases {
		for alias, list := range r.state.aliases {
			if !wire.Match(pattern, alias) || !r.visible(alias, pattern, list[0].Aliases[alias].Hidden()) {
				continue
			}
			r.add(found, list)
		}
	}
	if r.streams {
		for name, stream := range r.state.DataStreams {
			if wire.Match(pattern, name) && (r.o.Open || r.o.Closed) {
				r.add(found, r.behind(stream.Name))
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (r resolver) add(found map[string]bool, list []*Index) {
	for _, index := range list {
		if r.wanted(index) {
			found[index.Name] = true
		}
	}
}

// wanted reports whether patterns take an index of this state.
func (r resolver) wanted(index *Index) bool {
	return (index.Closed && r.o.Closed) || (!index.Closed && r.o.Open)
}

// visible reports whether a pattern takes a name that may be hidden.
func (r resolver) visible(name, pattern string, hidden bool) bool {
	return !hidden || r.o.Hidden || (strings.HasPrefix(name, ".") && strings.HasPrefix(pattern, "."))
}
