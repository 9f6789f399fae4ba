// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

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
	out := map[string]Alias{}
	return out, wire.ReadObject(body, func(p *wire.Parser, name string) error {
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
		u := aliasUpdate{before: c.State(), next: next, now: c.clock.Now()}
		if err := u.runAll(actions); err != nil {
			return err
		}
		gone = u.gone
		return nil
	})
	if err == nil {
		c.deleteShards(ctx, gone)
	}
	return err
}

// aliasUpdate is the state of one request. What its actions mean is looked up in the state before it: an alias that is
// added and removed in one request stays.
type aliasUpdate struct {
	before, next *State
	now          time.Time
	changed      bool
	missing      []string // aliases that were not there to remove
	touched      []string // aliases
	gone         []*Index
}

func (u *aliasUpdate) runAll(actions []AliasAction) error {
	indices := make([][]*Index, len(actions))
	for i, a := range actions {
		var err error
		if indices[i], err = u.indices(a); err != nil {
			return err
		}
	}
	for i, a := range actions {
		if a.Kind == RemoveIndex {
			u.changed = true
			u.gone = append(u.gone, indices[i]...)
		}
	}
	if err := u.next.removeIndices(u.gone); err != nil {
		return err
	}
	for i, a := range actions {
		if err := u.run(a, indices[i]); err != nil {
			return err
		}
	}
	if !u.changed && len(u.missing) > 0 {
		return aliasesMissing(u.missing)
	}
	u.next.indexAliases()
	slices.Sort(u.touched)
	return u.next.checkAliases(slices.Compact(u.touched))
}

// indices are what one action is about.
func (u *aliasUpdate) indices(a AliasAction) ([]*Index, error) {
	r := resolver{state: u.before, o: wire.IndexOptions{Open: true, Closed: true}, now: u.now, refuseAliases: true}
	indices, err := r.indices(a.Indices)
	if err != nil {
		return nil, err
	}
	for _, index := range indices {
		if index.DataStream != "" {
			return nil, fault.Illegal("The provided expressions [%s] match a backing index belonging to data stream [%s]. Data streams and their backing indices don't support aliases.", strings.Join(a.Indices, ","), index.DataStream)
		}
	}
	return indices, u.before.Block(MetadataWrite, indices...)
}

func (u *aliasUpdate) run(a AliasAction, indices []*Index) error {
	if a.Kind == RemoveIndex {
		return nil
	}
	for _, index := range indices {
		if u.next.Indices[index.Name] == nil {
			return fault.New(404, "index_not_found_exception", "no such index [%s]", index.Name).With("index", index.Name).With("index_uuid", "_na_")
		}
	}
	if a.Kind == AddAlias {
		return u.add(a, indices)
	}
	return u.remove(a, indices)
}

func (u *aliasUpdate) add(a AliasAction, indices []*Index) error {
	for _, alias := range a.Aliases {
		if err := u.next.checkAliasName(alias); err != nil {
			return err
		}
		if u.next.DataStreams[alias] != nil && len(indices) > 0 {
			return duplicateName(alias, indices[0], "data stream")
		}
		if strings.Contains(a.Alias.IndexRouting, ",") {
			return fault.Illegal("alias [%s] has several index routing values associated with it", alias)
		}
		for _, index := range indices {
			u.changed = true
			u.touched = append(u.touched, alias)
			if has, ok := u.next.Indices[index.Name].Aliases[alias]; ok && has.Equal(a.Alias) {
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
		for alias := range index.Aliases {
			for _, pattern := range a.Aliases {
				if pattern == "_all" || wire.Match(pattern, alias) {
					found[pattern] = true
					u.drop(index.Name, alias)
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
	switch {
	case a.MustExist == nil:
		u.missing = append(u.missing, missing...)
	case !*a.MustExist:
		u.changed = true
	case len(missing) > 0:
		return aliasesMissing(missing)
	}
	return nil
}

// drop takes an alias away, unless an earlier action of the request has.
func (u *aliasUpdate) drop(index, alias string) {
	u.changed = true
	if _, has := u.next.Indices[index].Aliases[alias]; !has {
		return
	}
	draft := u.next.edit(index)
	delete(draft.Aliases, alias)
	draft.AliasesVersion++
}

// duplicateName is the 500 for an alias that is called as something else is.
func duplicateName(alias string, index *Index, other string) error {
	return fault.IllegalState("index, alias, and data stream names need to be unique, but the following duplicates were found [%s (alias of [%s/%s]) conflicts with %s]", alias, index.Name, index.UUID, other)
}

func aliasesMissing(names []string) error {
	slices.Sort(names)
	names = slices.Compact(names)
	id := any(names)
	if len(names) == 1 {
		id = names[0]
	}
	return fault.New(404, "aliases_not_found_exception", "aliases [%s] missing", strings.Join(names, ", ")).
		With("resource.id", id).With("resource.type", "aliases")
}

// checkAliasName refuses a bad name, or that of an index.
func (s *State) checkAliasName(alias string) error {
	if err := checkAliasText(alias); err != nil {
		return err
	}
	if index := s.Indices[alias]; index != nil {
		return invalidAlias(alias, "Invalid alias name [%s], an index exists with the same name as the alias", alias).With("index_uuid", index.UUID)
	}
	return nil
}

// checkAliasText refuses a bad name.
func checkAliasText(alias string) error {
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

// aliasNames are all aliases, sorted.
func (s *State) aliasNames() []string { return slices.Sorted(maps.Keys(s.aliases)) }
