// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// searchAboutRoutes are the APIs about searches and the fields and shards that they read.
func (s *Server) searchAboutRoutes(rt *rest.Router) {
	for _, index := range []string{"", "/{index}"} {
		for _, method := range []string{"GET", "POST"} {
			rt.Handle(method, index+"/_search_shards", s.searchShards)
			rt.Handle(method, index+"/_validate/query", s.validateQuery)
			rt.Handle(method, index+"/_field_caps", s.fieldCaps)
		}
		rt.Handle("GET", index+"/_shard_stores", s.shardStores)
	}
}

// nodesByID are the nodes as answers about shards name them.
func (s *Server) nodesByID() wire.Object { return wire.Obj(query.NodeID, s.nodeIdentity()) }

// shardPlace is a shard of an index.
type shardPlace struct {
	index  *catalog.Index
	number int
}

// searchShards says which shards a search would read.
func (s *Server) searchShards(r *rest.Request) (rest.Action, error) {
	expressions, routing := r.List("index"), r.List("routing")
	def := searchOptions
	def.IgnoreUnavailable = true
	o := r.IndexOptions(def)
	r.Ignore("preference", "local")
	if r.HasBody() {
		return nil, fault.Unsupported("[slice] of the shards of a search")
	}
	return func(context.Context) (*rest.Response, error) {
		found, err := s.Catalog.State().ResolveSearch(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		indices, places := wire.Object{}, []shardPlace{}
		for _, t := range found {
			if len(t.Filters) > 0 {
				return nil, fault.Unsupported("an alias with a filter in the shards of a search")
			}
			indices.Add(t.Index.Name, searchedThrough(t))
			for _, n := range searchedShards(t, routing) {
				places = append(places, shardPlace{t.Index, n})
			}
		}
		slices.SortStableFunc(places, func(a, b shardPlace) int { return a.number - b.number })
		nodes, shards := wire.Object{}, make([][]wire.Object, len(places))
		for i, p := range places {
			shards[i] = []wire.Object{started(p.index, p.number)}
		}
		if len(shards) > 0 {
			nodes = s.nodesByID()
		}
		return rest.OK(wire.Obj("nodes", nodes, "indices", indices, "shards", shards)), nil
	}, nil
}

// searchedThrough are the aliases through which an index is searched.
func searchedThrough(t catalog.SearchTarget) wire.Object {
	o := wire.Object{}
	o.AddIf(len(t.Aliases) > 0, "aliases", t.Aliases)
	return o
}

// searchedShards are the numbers of an index's shards that a routing leaves, or that of its aliases.
func searchedShards(t catalog.SearchTarget, routing []string) []int {
	if len(routing) == 0 {
		routing = t.Routing
	}
	wanted := map[int]bool{}
	for _, r := range routing {
		wanted[documents.Route(t.Index, r)] = true
	}
	var out []int
	for n := range t.Index.Shards() {
		if len(routing) == 0 || wanted[n] {
			out = append(out, n)
		}
	}
	return out
}

// validateQuery says whether a query can run on the indices. What it becomes there is not shown.
func (s *Server) validateQuery(r *rest.Request) (rest.Action, error) {
	o := r.IndexOptions(searchOptions)
	for _, name := range []string{"explain", "rewrite", "all_shards"} {
		if r.Bool(name, false) {
			return nil, fault.Unsupported("[" + name + "] of a validation")
		}
	}
	req, malformed := readCount(r, o)
	if malformed != nil && fault.Of(malformed).Status != http.StatusBadRequest {
		return nil, malformed
	}
	return func(ctx context.Context) (*rest.Response, error) {
		switch {
		case malformed != nil:
			return rest.OK(wire.Obj("valid", false)), nil
		case req.bare:
			return nil, fault.Validation("query cannot be null")
		}
		_, _, err := s.countMatches(ctx, req)
		if err != nil && !fault.Is(err, "search_phase_execution_exception") {
			return nil, err
		}
		return rest.OK(wire.Obj("_shards", wire.Obj("total", 1, "successful", 1, "failed", 0), "valid", err == nil)), nil
	}, nil
}

// shardStores lists the copies of shards: by default those of indices that lack replicas.
func (s *Server) shardStores(r *rest.Request) (rest.Action, error) {
	status := r.List("status")
	if status == nil {
		status = []string{"yellow", "red"}
	}
	for _, word := range status {
		switch word {
		case "green", "yellow", "red", "all":
		default:
			return nil, fault.Illegal("unknown cluster health status [%s]", word)
		}
	}
	return s.resolved(r, searchOptions, func(list []*catalog.Index) (*rest.Response, error) {
		out := wire.Object{}
		for _, index := range list {
			health := "green"
			if index.Replicas() > 0 {
				health = "yellow"
			}
			if !wire.MatchAny(status, health) && !wire.MatchAny(status, "all") {
				continue
			}
			shards := wire.Object{}
			for n := range index.Shards() {
				store := append(s.nodesByID(), wire.Obj("allocation_id", allocationID(index, n), "allocation", "primary")...)
				shards.Add(strconv.Itoa(n), wire.Obj("stores", []wire.Object{store}))
			}
			out.Add(index.Name, wire.Obj("shards", shards))
		}
		return rest.OK(wire.Obj("indices", out)), nil
	})
}
