// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Target is the one index of a document request.
type Target struct {
	Index *Index
	// Routing is what the alias that was named gives, or "".
	Routing string
}

// SearchTarget is one index of a search.
type SearchTarget struct {
	Index *Index
	// Filters are the filters of the aliases through which alone the index was named; a document has to match one of
	// them. None shows the whole index.
	Filters [][]byte
	// Routing are the search routings of those aliases; none means every shard.
	Routing []string
	// Aliases are the aliases through which alone the index was named, sorted.
	Aliases []string
}

// WriteTarget is the index that a document of the name goes to: an index, the write index of an alias or data stream.
// A missing index is made if action.auto_create_index lets it. create says that the write refuses an existing
// document, which is all that a data stream takes; requireAlias that the name has to be that of an alias.
func (c *Catalog) WriteTarget(ctx context.Context, name string, requireAlias, create bool) (Target, error) {
	return c.target(ctx, name, requireAlias, create, true)
}

// DeleteTarget is the index that a document of the name is deleted from: as WriteTarget, but a missing index is not
// made; it is the 404 index_not_found_exception.
func (c *Catalog) DeleteTarget(ctx context.Context, name string, requireAlias bool) (Target, error) {
	return c.target(ctx, name, requireAlias, false, false)
}

func (c *Catalog) target(ctx context.Context, name string, requireAlias, create, makeIndex bool) (Target, error) {
	now := c.clock.Now()
	concrete, err := wire.ResolveDateMath(name, now)
	if err != nil {
		return Target{}, err
	}
	s := c.State()
	if requireAlias && s.aliases[concrete] == nil {
		return Target{}, fault.New(404, "index_not_found_exception", "no such index [%s] and [require_alias] request flag is [true] and [%s] is not an alias", concrete, concrete).
			With("index", concrete).With("index_uuid", "_na_")
	}
	if makeIndex && !s.exists(concrete) {
		if s, err = c.autoCreate(ctx, name, concrete); err != nil {
			return Target{}, err
		}
	}
	return s.writeTarget(concrete, create)
}

// exists reports whether a name is taken, by an index, alias or data stream.
func (s *State) exists(name string) bool {
	return s.Indices[name] != nil || s.aliases[name] != nil || s.DataStreams[name] != nil
}

func (s *State) writeTarget(name string, create bool) (Target, error) {
	index, err := s.writeIndex(name, time.Time{})
	if err != nil {
		return Target{}, err
	}
	if index == nil {
		return Target{}, fault.IndexNotFound(name, "index_expression")
	}
	t := Target{Index: index, Routing: index.Aliases[name].IndexRouting}
	if stream := s.DataStreams[name]; stream != nil && !create {
		return Target{}, fault.Illegal("only write ops with an op_type of create are allowed in data streams")
	}
	if index.DataStream != "" && name == index.Name && create {
		return Target{}, fault.Illegal("index request with op_type=create targeting backing indices is disallowed, target corresponding data stream [%s] instead", index.DataStream)
	}
	if index.Closed {
		return Target{}, closedError(index)
	}
	return t, s.Block(Write, index)
}

// writeIndex is the index that writes to a name go to; nil if the name is unknown.
func (s *State) writeIndex(name string, now time.Time) (*Index, error) {
	name, err := wire.ResolveDateMath(name, now)
	if err != nil {
		return nil, err
	}
	if index := s.Indices[name]; index != nil {
		return index, nil
	}
	if stream := s.DataStreams[name]; stream != nil {
		return s.Indices[stream.WriteIndex()], nil
	}
	list := s.aliases[name]
	if list == nil {
		return nil, nil
	}
	if index := s.aliasWriteIndex(name); index != nil {
		return index, nil
	}
	return nil, fault.Illegal("no write index is defined for alias [%s]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index", name)
}

// aliasWriteIndex is the index that writes to an alias go to, or nil: the one that says so, or an only one that does not
// say otherwise.
func (s *State) aliasWriteIndex(alias string) *Index {
	list := s.aliases[alias]
	for _, index := range list {
		if index.Aliases[alias].Write() {
			return index
		}
	}
	if len(list) == 1 && list[0].Aliases[alias].IsWrite == nil {
		return list[0]
	}
	return nil
}

// ReadTarget is the one index that a document is read from: an index, or the only one of an alias or data stream. The
// routing is that of writes, so that what was written through an alias is found through it.
func (s *State) ReadTarget(name string, now time.Time) (Target, error) {
	concrete, err := wire.ResolveDateMath(name, now)
	if err != nil {
		return Target{}, err
	}
	list := resolver{state: s, streams: true}.behind(concrete)
	switch {
	case list == nil:
		return Target{}, fault.IndexNotFound(concrete, "index_expression")
	case len(list) > 1:
		return Target{}, resolver{state: s}.severalIndices(concrete, list)
	case list[0].Closed:
		return Target{}, closedError(list[0])
	}
	return Target{list[0], list[0].Aliases[concrete].IndexRouting}, s.Block(Read, list[0])
}

// ResolveSearch is the indices of a search, with what the aliases that name them ask for.
func (s *State) ResolveSearch(expressions []string, o wire.IndexOptions, now time.Time) ([]SearchTarget, error) {
	r := resolver{state: s, o: o, now: now, streams: true}
	indices, err := r.indices(expressions)
	if err != nil {
		return nil, err
	}
	named, err := r.searchNames(expressions)
	if err != nil {
		return nil, err
	}
	out := make([]SearchTarget, 0, len(indices))
	for _, index := range indices {
		if err := s.Block(Read, index); err != nil {
			return nil, err
		}
		out = append(out, searchTarget(index, named))
	}
	return out, nil
}

// searchNames are the names, aliases included, that the expressions name or match.
func (r resolver) searchNames(expressions []string) (map[string]bool, error) {
	named := map[string]bool{}
	for _, e := range orAll(expressions) {
		name, err := wire.ResolveDateMath(e, r.now)
		if err != nil {
			return nil, err
		}
		if name == "_all" {
			name = "*"
		}
		if !wire.IsPattern(name) {
			named[name] = true
			continue
		}
		for alias := range r.state.aliases {
			if wire.Match(name, alias) {
				named[alias] = true
			}
		}
		matched, _ := r.match(name)
		for _, index := range matched {
			if wire.Match(name, index) || r.state.Indices[index].DataStream != "" {
				named[index] = true
			}
		}
	}
	return named, nil
}

// searchTarget adds what aliases ask for. An index that is named itself, or through an alias without filter, is shown
// whole.
func searchTarget(index *Index, named map[string]bool) SearchTarget {
	t := SearchTarget{Index: index}
	if named[index.Name] || named[index.DataStream] {
		return t
	}
	whole, everywhere := false, false
	for _, alias := range slices.Sorted(maps.Keys(index.Aliases)) {
		if !named[alias] {
			continue
		}
		t.Aliases = append(t.Aliases, alias)
		a := index.Aliases[alias]
		if a.Filter == nil {
			whole = true
		} else {
			t.Filters = append(t.Filters, a.Filter)
		}
		if a.SearchRouting == "" {
			everywhere = true
		} else {
			t.Routing = append(t.Routing, strings.Split(a.SearchRouting, ",")...)
		}
	}
	if whole {
		t.Filters = nil
	}
	if everywhere {
		t.Routing = nil
	}
	return t
}
