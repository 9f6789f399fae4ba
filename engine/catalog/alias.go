// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Alias is one alias of one index.
type Alias struct {
	// IsWrite says whether writes to the alias go to this index; nil if it was not said.
	IsWrite *bool `json:"is_write_index,omitempty"`
	// IsHidden says whether wildcards pass the alias over; nil if it was not said.
	IsHidden *bool `json:"is_hidden,omitempty"`
	// Filter is the query that searches through the alias also have to match; nil means none.
	Filter json.RawMessage `json:"filter,omitempty"`
	// IndexRouting and SearchRouting are the routing of writes and searches through the alias; "" means none.
	IndexRouting  string `json:"index_routing,omitempty"`
	SearchRouting string `json:"search_routing,omitempty"`
}

// Hidden reports whether wildcards pass the alias over.
func (a Alias) Hidden() bool { return a.IsHidden != nil && *a.IsHidden }

// Write reports whether is_write_index is true.
func (a Alias) Write() bool { return a.IsWrite != nil && *a.IsWrite }

// Object is the alias as answers show it.
func (a Alias) Object() wire.Object {
	o := wire.Object{}
	o.AddIf(a.Filter != nil, "filter", a.Filter)
	o.AddIf(a.IndexRouting != "", "index_routing", a.IndexRouting)
	o.AddIf(a.SearchRouting != "", "search_routing", a.SearchRouting)
	o.AddIf(a.IsWrite != nil, "is_write_index", a.IsWrite)
	o.AddIf(a.IsHidden != nil, "is_hidden", a.IsHidden)
	return o
}

// Equal reports whether two aliases say the same.
func (a Alias) Equal(b Alias) bool {
	same := func(x, y *bool) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return same(a.IsWrite, b.IsWrite) && same(a.IsHidden, b.IsHidden) && string(a.Filter) == string(b.Filter) &&
		a.IndexRouting == b.IndexRouting && a.SearchRouting == b.SearchRouting
}

// ParseAliases reads the "aliases" object of an index or template.
func ParseAliases(body []byte) (map[string]Alias, error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, err
	}
	out := map[string]Alias{}
	return out, p.Object(func(name string) error {
		if p.Token() != wire.StartObject {
			return fault.Illegal("No alias is specified")
		}
		var a Alias
		err := p.Object(func(member string) error {
			known, err := a.ParseMember(p, member)
			if err == nil && !known {
				err = p.Skip() // as OpenSearch does here, unlike in the alias APIs
			}
			return err
		})
		out[name] = a
		return err
	})
}

// ParseMember reads one member of an alias; known is false if it is none. "routing" stands for both routings that are
// not given themselves, whatever the order.
func (a *Alias) ParseMember(p *wire.Parser, name string) (known bool, err error) {
	switch name {
	case "filter":
		if p.Token() == wire.Null {
			return true, nil
		}
		raw, err := p.Raw()
		a.Filter = slices.Clone(raw)
		return true, err
	case "routing":
		text, err := p.Text()
		if a.IndexRouting == "" {
			a.IndexRouting = text
		}
		if a.SearchRouting == "" {
			a.SearchRouting = text
		}
		return true, err
	case "index_routing", "indexRouting", "index-routing":
		a.IndexRouting, err = p.Text()
		return true, err
	case "search_routing", "searchRouting", "search-routing":
		a.SearchRouting, err = p.Text()
		return true, err
	case "is_write_index":
		b, err := p.Bool()
		a.IsWrite = &b
		return true, err
	case "is_hidden":
		b, err := p.Bool()
		a.IsHidden = &b
		return true, err
	}
	return false, nil
}

// AliasAction is one action of an _aliases request.
type AliasAction struct {
	Kind AliasKind
	// Indices are expressions; Aliases are names, for Remove also patterns.
	Indices, Aliases []string
	// Alias is what Add adds.
	Alias Alias
	// MustExist says for Remove whether a missing alias is an error; nil: only if nothing else changes.
	MustExist *bool
}

// AliasKind is what an alias action does.
type AliasKind int

// The kinds.
const (
	AddAlias AliasKind = iota
	RemoveAlias
	RemoveIndex
)

// UpdateAliases runs actions in one change: all of them or none. A failure names the first action that cannot be done.
func (c *Catalog) UpdateAliases(ctx context.Context, actions []AliasAction) error {
	if len(actions) == 0 {
		return fault.Illegal("No action specified")
	}
	c.change.Lock()
	defer c.change.Unlock()
	var gone []*Index
	err := c.updateLocked(ctx, func(next *State) error {
		u := aliasUpdate{c: c, next: next}
		for _, a := range actions {
			if a.Kind == RemoveIndex {
				if err := u.run(a); err != nil {
					return err
				}
			}
		}
		for _, a := range actions {
			if a.Kind != RemoveIndex {
				if err := u.run(a); err != nil {
					return err
				}
			}
		}
		if !u.changed && u.missing != nil {
			return u.missing
		}
		next.indexAliases()
		gone = u.gone
		slices.Sort(u.touched)
		return next.checkAliases(slices.Compact(u.touched))
	})
	if err == nil {
		c.deleteShards(ctx, gone)
	}
	return err
}

// aliasUpdate is the state of one request.
type aliasUpdate struct {
	c       *Catalog
	next    *State
	changed bool
	missing error    // the first alias that was not there to remove
	touched []string // aliases
	gone    []*Index
}

func (u *aliasUpdate) run(a AliasAction) error {
	o := wire.IndexOptions{Open: true, Closed: true}
	r := resolver{state: u.next, o: o, now: u.c.clock.Now(), refuseAliases: true}
	indices, err := r.indices(a.Indices)
	if err != nil {
		return err
	}
	if a.Kind == RemoveIndex {
		u.changed = true
		u.gone = append(u.gone, indices...)
		return u.next.removeIndices(indices)
	}
	if err := u.next.Block(MetadataWrite, indices...); err != nil {
		return err
	}
	if a.Kind == AddAlias {
		return u.add(a, indices)
	}
	return u.remove(a, indices)
}

func (u *aliasUpdate) add(a AliasAction, indices []*Index) error {
	for _, index := range indices {
		if index.DataStream != "" {
			return fault.Illegal("The provided expressions [%s] match a backing index belonging to data stream [%s]. Data streams and their backing indices don't support aliases.", strings.Join(a.Indices, ","), index.DataStream)
		}
	}
	for _, alias := range a.Aliases {
		if err := u.next.checkAliasName(alias); err != nil {
			return err
		}
		if strings.Contains(a.Alias.IndexRouting, ",") {
			return fault.Illegal("alias [%s] has several index routing values associated with it", alias)
		}
		for _, index := range indices {
			u.changed = true
			u.touched = append(u.touched, alias)
			index = u.next.Indices[index.Name]
			if has, ok := index.Aliases[alias]; ok && has.Equal(a.Alias) {
				continue
			}
			draft := u.next.edit(index.Name)
			draft.Aliases[alias] = a.Alias
			draft.AliasesVersion++
		}
	}
	return nil
}

func (u *aliasUpdate) remove(a AliasAction, indices []*Index) error {
	found := map[string]bool{}
	for _, index := range indices {
		index = u.next.Indices[index.Name]
		for alias := range index.Aliases {
			for _, pattern := range a.Aliases {
				if pattern == "_all" || wire.Match(pattern, alias) {
					found[pattern] = true
					draft := u.next.edit(index.Name)
					delete(draft.Aliases, alias)
					draft.AliasesVersion++
					u.changed = true
				}
			}
		}
	}
	var missing []string
	for _, pattern := range a.Aliases {
		if !found[pattern] {
			missing = append(missing, pattern)
		}
	}
	mustExist := a.MustExist != nil && *a.MustExist
	lenient := a.MustExist != nil && !*a.MustExist
	switch {
	case len(missing) == 0 || lenient:
	case mustExist:
		return aliasesMissing(missing)
	case len(found) == 0 && u.missing == nil:
		u.missing = aliasesMissing(missing)
	}
	if lenient {
		u.changed = true
	}
	return nil
}

func aliasesMissing(names []string) error {
	return fault.New(404, "aliases_not_found_exception", "aliases [%s] missing", strings.Join(names, ", ")).
		With("resource.id", strings.Join(names, ",")).With("resource.type", "aliases")
}

// checkAliasName refuses a bad name, or that of an index or data stream.
func (s *State) checkAliasName(alias string) error {
	switch {
	case alias == "":
		return fault.Illegal("alias name is required")
	case strings.ContainsAny(alias, `\/*?"<>| ,`):
		return invalidAlias("", `Invalid alias name [%s]: must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`, alias)
	case strings.ContainsAny(alias, "#"):
		return invalidAlias("", "Invalid alias name [%s]: must not contain '#'", alias)
	case strings.ContainsAny(alias, ":"):
		return invalidAlias("", "Invalid alias name [%s]: must not contain ':'", alias)
	case alias[0] == '_' || alias[0] == '-' || alias[0] == '+':
		return invalidAlias("", "Invalid alias name [%s]: must not start with '_', '-', or '+'", alias)
	case alias == "." || alias == "..":
		return invalidAlias("", "Invalid alias name [%s]: must not be '.' or '..'", alias)
	case len(alias) > wire.MaxIndexName:
		return invalidAlias("", "Invalid alias name [%s]: index name is too long, (%d > %d)", alias, len(alias), wire.MaxIndexName)
	case s.Indices[alias] != nil:
		return invalidAlias(alias, "Invalid alias name [%s], an index exists with the same name as the alias", alias).With("index_uuid", s.Indices[alias].UUID)
	case s.DataStreams[alias] != nil:
		return fault.IllegalState("index and alias names need to be unique, but the following duplicates were found [%s (alias of [%s] conflicts with data stream)]", alias, alias)
	}
	return nil
}

func invalidAlias(index, format string, args ...any) *fault.Error {
	e := fault.New(400, "invalid_alias_name_exception", format, args...)
	if index != "" {
		e = e.With("index", index)
	}
	return e
}

// checkAliases refuses aliases with two write indices, or hidden for one index and not for another.
func (s *State) checkAliases(aliases []string) error {
	for _, alias := range aliases {
		var writers, hidden, shown []string
		for _, index := range s.aliases[alias] {
			a := index.Aliases[alias]
			if a.Write() {
				writers = append(writers, index.Name)
			}
			if a.Hidden() {
				hidden = append(hidden, index.Name)
			} else {
				shown = append(shown, index.Name)
			}
		}
		if len(writers) > 1 {
			return fault.IllegalState("alias [%s] has more than one write index [%s]", alias, strings.Join(writers, ","))
		}
		if len(hidden) > 0 && len(shown) > 0 {
			return fault.IllegalState("alias [%s] has is_hidden set to true on indices [%s] but does not have is_hidden set to true on indices [%s]; alias must have the same is_hidden setting on all indices", alias, strings.Join(hidden, ","), strings.Join(shown, ","))
		}
	}
	return nil
}

// AliasNames are all aliases, sorted.
func (s *State) AliasNames() []string { return slices.Sorted(maps.Keys(s.aliases)) }
