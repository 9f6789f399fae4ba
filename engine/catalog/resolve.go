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
// which * stands for any text. "_all" alone and no expression at all mean every index. After a pattern "-x" takes away
// what is matched so far. Hidden indices and aliases are matched by patterns only if hidden ones are asked for, or if name and pattern
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
	expressions = orAll(expressions)
	names, err := r.names(expressions)
	if err != nil {
		return nil, err
	}
	// A single name that is missing is a matter of allow_no_indices, one of several of ignore_unavailable.
	mustExist := !r.o.IgnoreUnavailable
	if len(expressions) == 1 {
		mustExist = !r.o.AllowNoIndices
	}
	found := map[string]*Index{}
	for _, name := range names {
		if err := r.collect(found, name, mustExist); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 && !r.o.AllowNoIndices {
		return nil, noIndices(expressions)
	}
	out := make([]*Index, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out, nil
}

// collect adds the indices behind one name.
func (r resolver) collect(found map[string]*Index, name string, mustExist bool) error {
	list := r.behind(name)
	_, isAlias := r.state.aliases[name]
	switch {
	case list == nil && mustExist && r.state.DataStreams[name] == nil:
		err := fault.IndexNotFound(name, "index_expression")
		if name == "_all" {
			err.Reason += " and no indices exist"
		}
		return err
	case isAlias && r.refuseAliases && mustExist:
		return aliasNotSupported(name)
	case isAlias && r.refuseAliases:
		return nil
	case r.o.ForbidAliasesToMany && len(list) > 1:
		return r.severalIndices(name, list)
	}
	for _, index := range list {
		if index.Closed && r.o.ForbidClosed {
			if !r.o.IgnoreUnavailable {
				return closedError(index)
			}
			continue
		}
		found[index.Name] = index
	}
	return nil
}

// noIndices is the 404 for expressions that mean no index, though each is good. It names no index, as OpenSearch's.
func noIndices(expressions []string) error {
	reason, id := "no such index [null]", any(expressions)
	if len(expressions) == 1 {
		id = expressions[0]
		if id == "_all" {
			reason += " and no indices exist"
		}
	}
	return fault.New(404, "index_not_found_exception", "%s", reason).With("resource.id", id).With("resource.type", "index_expression")
}

func aliasNotSupported(name string) error {
	return fault.Illegal("The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", name)
}

func orAll(expressions []string) []string {
	if len(expressions) == 0 {
		return []string{"_all"}
	}
	return expressions
}

// closedError is the 400 for a closed index where an open one is needed.
func closedError(index *Index) error {
	return fault.New(400, "index_closed_exception", "closed").With("index", index.Name).With("index_uuid", index.UUID)
}

func (r resolver) severalIndices(name string, list []*Index) error {
	kind := "alias"
	if r.state.DataStreams[name] != nil {
		kind = "data_stream"
	}
	return fault.Illegal("%s [%s] has more than one index associated with it [%s], can't execute a single index op", kind, name, strings.Join(namesOf(list), ", "))
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

// names turns expressions into names, of indices, aliases and data streams. Those that patterns gave exist.
func (r resolver) names(expressions []string) ([]string, error) {
	resolved := make([]string, len(expressions))
	for i, e := range expressions {
		name, err := wire.ResolveDateMath(e, r.now)
		if err != nil {
			return nil, err
		}
		resolved[i] = name
	}
	switch {
	case !r.o.Open && !r.o.Closed:
		return resolved, nil // patterns are names then
	case len(resolved) == 1 && (resolved[0] == "_all" || resolved[0] == "*"):
		return r.everything(), nil
	}
	x := expansion{resolver: r, names: map[string]bool{}}
	for _, name := range resolved {
		if err := x.apply(name); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(x.names)), nil
}

// everything is what "_all" alone means: a hidden index does not show through a visible alias.
func (r resolver) everything() []string {
	var out []string
	for name, index := range r.state.Indices {
		if r.wanted(index) && (!index.Hidden() || r.o.Hidden) {
			out = append(out, name)
		}
	}
	if r.streams {
		for _, stream := range r.state.DataStreams {
			for _, index := range r.behind(stream.Name) {
				if r.wanted(index) {
					out = append(out, index.Name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// expansion goes through the expressions of a request in their order.
type expansion struct {
	resolver
	names   map[string]bool
	pattern bool // there was one, so that a minus takes away
}

func (x *expansion) apply(e string) error {
	switch {
	case e == "":
		return fault.IndexNotFound("", "index_or_alias")
	case e[0] == '_':
		return fault.New(400, "invalid_index_name_exception", "Invalid index name [%s], must not start with '_'.", e).
			With("index", e).With("index_uuid", "_na_")
	case x.known(e):
		x.names[e] = true
		return nil
	}
	minus := e[0] == '-' && x.pattern
	if minus {
		e = e[1:]
	}
	matched := []string{e}
	if wire.IsPattern(e) {
		x.pattern = true
		var some bool
		if matched, some = x.match(e); !some && !x.o.AllowNoIndices {
			return fault.IndexNotFound(e, "index_or_alias")
		}
	} else if err := x.available(e); err != nil {
		return err
	}
	for _, name := range matched {
		if minus {
			delete(x.names, name)
		} else {
			x.names[name] = true
		}
	}
	return nil
}

// known reports whether a name is one that this request may name.
func (x *expansion) known(name string) bool {
	return x.behind(name) != nil && (x.state.aliases[name] == nil || !x.refuseAliases)
}

// available refuses a name that is not known, unless such names are passed over.
func (x *expansion) available(name string) error {
	switch {
	case x.o.IgnoreUnavailable || x.known(name):
		return nil
	case x.state.aliases[name] != nil:
		return aliasNotSupported(name)
	}
	return fault.IndexNotFound(name, "index_or_alias")
}

// match is the names of indices that a pattern matches, by themselves or through an alias or data stream. some is true if
// it matches names, be they all of hidden or unwanted indices.
func (r resolver) match(pattern string) (names []string, some bool) {
	found := map[string]bool{}
	take := func(name string, hidden bool, list ...*Index) {
		if !wire.Match(pattern, name) {
			return
		}
		some = true
		if !r.visible(name, pattern, hidden) {
			return
		}
		for _, index := range list {
			if r.wanted(index) {
				found[index.Name] = true
			}
		}
	}
	for name, index := range r.state.Indices {
		take(name, index.Hidden(), index)
	}
	if !r.refuseAliases {
		for alias, list := range r.state.aliases {
			take(alias, list[0].Aliases[alias].Hidden(), list...)
		}
	}
	if r.streams {
		for name := range r.state.DataStreams {
			take(name, false, r.behind(name)...)
		}
	}
	return slices.Sorted(maps.Keys(found)), some
}

// wanted reports whether patterns take an index of this state.
func (r resolver) wanted(index *Index) bool {
	return (index.Closed && r.o.Closed) || (!index.Closed && r.o.Open)
}

// visible reports whether a pattern takes a name that may be hidden.
func (r resolver) visible(name, pattern string, hidden bool) bool {
	return !hidden || r.o.Hidden || (strings.HasPrefix(name, ".") && strings.HasPrefix(pattern, "."))
}
