// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) maintenanceRoutes(rt *rest.Router) {
	for _, method := range []string{"GET", "POST"} {
		for _, prefix := range []string{"", "/{index}"} {
			rt.Handle(method, prefix+"/_refresh", s.refresh)
			rt.Handle(method, prefix+"/_flush", s.flush)
		}
	}
	for _, prefix := range []string{"", "/{index}"} {
		rt.Handle("POST", prefix+"/_forcemerge", s.forceMerge)
		rt.Handle("POST", prefix+"/_cache/clear", s.clearCache)
	}
	rt.Handle("POST", "/{index}/_delete_by_query", s.deleteByQuery)
	rt.Handle("POST", "/{index}/_update_by_query", refuse)
	rt.Handle("POST", "/_reindex", refuse)
}

// maintenanceOptions are the defaults of refresh, flush and the like.
var maintenanceOptions = wire.IndexOptions{Open: true, AllowNoIndices: true, ForbidClosed: true}

// onIndices is an action on every index of an expression that answers with the shards it touched.
func (s *Server) onIndices(r *rest.Request, do func(ctx context.Context, index *catalog.Index) error) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(maintenanceOptions)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		list, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		total, successful := 0, 0
		for _, index := range list {
			if index.Closed {
				continue
			}
			if err := do(ctx, index); err != nil {
				return nil, err
			}
			total += index.Shards() * (1 + index.Replicas())
			successful += index.Shards()
		}
		return rest.OK(wire.Obj("_shards", wire.Obj("total", total, "successful", successful, "failed", 0))), nil
	}, nil
}

func (s *Server) refresh(r *rest.Request) (rest.Action, error) {
	return s.onIndices(r, func(_ context.Context, index *catalog.Index) error { return s.Docs.Refresh(index) })
}

func (s *Server) flush(r *rest.Request) (rest.Action, error) {
	for _, name := range []string{"force", "wait_if_ongoing"} {
		if _, err := r.Bool(name, true); err != nil {
			return nil, err
		}
	}
	return s.onIndices(r, func(_ context.Context, index *catalog.Index) error { return s.Docs.Flush(index) })
}

func (s *Server) clearCache(r *rest.Request) (rest.Action, error) {
	r.Ignore("query", "fielddata", "request", "fields", "file")
	return s.onIndices(r, func(context.Context, *catalog.Index) error { return nil })
}

func (s *Server) forceMerge(r *rest.Request) (rest.Action, error) {
	segments, err := r.Int("max_num_segments", -1)
	if err != nil {
		return nil, err
	}
	if segments == 0 || segments < -1 {
		return nil, fault.Validation("max_num_segments must be a positive integer, found [" + itoa(int64(segments)) + "]")
	}
	expunge, err := r.Bool("only_expunge_deletes", false)
	if err != nil {
		return nil, err
	}
	if expunge && segments != -1 {
		return nil, fault.Validation("cannot set only_expunge_deletes and max_num_segments at the same time, those two parameters are mutually exclusive")
	}
	for _, name := range []string{"flush", "primary_only", "wait_for_completion"} {
		yes, err := r.Bool(name, true)
		if err != nil {
			return nil, err
		}
		if name == "wait_for_completion" && !yes {
			return nil, fault.Unsupported("[wait_for_completion=false] of a force merge")
		}
	}
	if segments == -1 {
		segments = 1
	}
	description := "Force-merge indices [" + r.Path("index") + "], maxSegments[" + itoa(int64(segments)) + "], onlyExpungeDeletes[" + boolText(expunge) + "], flush[true]"
	return s.onIndices(r, func(ctx context.Context, index *catalog.Index) error {
		ctx, done := s.tasks.start(ctx, r, "indices:admin/forcemerge", description)
		defer done()
		return s.Docs.ForceMerge(ctx, index, segments, expunge)
	})
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func (s *Server) deleteByQuery(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(searchOptions)
	if err != nil {
		return nil, err
	}
	refresh, err := r.Bool("refresh", false)
	if err != nil {
		return nil, err
	}
	conflicts := r.Param("conflicts", "abort")
	if conflicts != "abort" && conflicts != "proceed" {
		return nil, fault.Illegal("conflicts may only be \"proceed\" or \"abort\" but was [%s]", conflicts)
	}
	proceed := conflicts == "proceed"
	q, err := queryParams(r)
	if err != nil {
		return nil, err
	}
	wait, err := r.Bool("wait_for_completion", true)
	if err != nil {
		return nil, err
	}
	if !wait {
		return nil, fault.Unsupported("[wait_for_completion=false] of a delete by query")
	}
	for _, name := range []string{"slices", "max_docs", "requests_per_second", "scroll_size", "search_timeout", "terminate_after", "sort"} {
		if v := r.Param(name, ""); name == "max_docs" && v != "" || name == "terminate_after" && v != "" {
			return nil, fault.Unsupported("[" + name + "] of a delete by query")
		}
	}
	r.Ignore("timeout", "wait_for_active_shards", "scroll", "search_type", "preference", "request_cache", "stats", "version")
	routing := r.List("routing")
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if q, err = queryOnly(body); err != nil {
			return nil, err
		}
	}
	if q == nil {
		return nil, fault.Validation("query is missing")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		ctx, done := s.tasks.start(ctx, r, "indices:data/write/delete/byquery", "delete-by-query ["+r.Path("index")+"]")
		defer done()
		return s.runDeleteByQuery(ctx, expressions, o, routing, q, proceed, refresh)
	}, nil
}

func (s *Server) runDeleteByQuery(ctx context.Context, expressions []string, o wire.IndexOptions, routing []string, q query.Query, proceed, refresh bool) (*rest.Response, error) {
	started := time.Now()
	targets, release, err := s.targets(expressions, o, routing)
	if err != nil {
		return nil, err
	}
	defer release()
	state := s.Catalog.State()
	total, deleted, conflicts := 0, 0, 0
	failures := []wire.Object{}
	for i := range targets {
		index := state.Indices[targets[i].Index]
		ops, err := s.matches(ctx, &targets[i], q)
		if err != nil {
			return nil, err
		}
		total += len(ops)
		if err := index.Block(catalog.Write); err != nil {
			return nil, err
		}
		outcomes, err := s.Docs.Write(ctx, index, ops)
		if err != nil {
			return nil, err
		}
		for n, out := range outcomes {
			switch {
			case out.Err == nil:
				deleted++
			case fault.Is(out.Err, "version_conflict_engine_exception"):
				conflicts++
				if !proceed {
					failures = append(failures, wire.Obj("index", index.Name, "id", ops[n].ID, "cause", fault.Of(out.Err), "status", 409))
				}
			default:
				return nil, out.Err
			}
		}
		if refresh {
			if err := s.Docs.Refresh(index); err != nil {
				return nil, err
			}
		}
	}
	status := 200
	if len(failures) > 0 {
		status = 409
	}
	return &rest.Response{Status: status, Body: wire.Obj(
		"took", time.Since(started).Milliseconds(), "timed_out", false, "total", total, "deleted", deleted, "batches", 1,
		"version_conflicts", conflicts, "noops", 0, "retries", wire.Obj("bulk", 0, "search", 0), "throttled_millis", 0,
		"requests_per_second", json.Number("-1.0"), "throttled_until_millis", 0, "failures", failures)}, nil
}

// matches lists what a query finds in an index, each deletion bound to the version that was found.
func (s *Server) matches(ctx context.Context, t *query.Target, q query.Query) ([]shard.Operation, error) {
	var found []shard.Operation
	err := query.Each(ctx, t, q, s.Clock.Now(), func(sh query.Shard, id string) error {
		docs, err := sh.GetMany([]string{id})
		if err != nil || docs[0].ID == "" {
			return err
		}
		d := docs[0]
		found = append(found, shard.Operation{
			Op: shard.OpDelete, ID: d.ID, Routing: d.Routing, Conditional: true, IfSeqNo: d.SeqNo, IfPrimaryTerm: d.PrimaryTerm,
		})
		return nil
	})
	return found, err
}
