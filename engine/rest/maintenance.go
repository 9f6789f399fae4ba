// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/rest/tasks"
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
	s.byQueryRoutes(rt)
}

// maintenanceOptions are the defaults of refresh, flush and the like.
var maintenanceOptions = wire.IndexOptions{Open: true, AllowNoIndices: true, ForbidClosed: true}

// onIndices is an action on every index of an expression that answers with the shards it touched.
func (s *Server) onIndices(r *rest.Request, do func(ctx context.Context, index *catalog.Index) error) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(maintenanceOptions)
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
	r.IgnoreBools("force", "wait_if_ongoing")
	return s.onIndices(r, func(_ context.Context, index *catalog.Index) error { return s.Docs.Flush(index) })
}

func (s *Server) clearCache(r *rest.Request) (rest.Action, error) {
	r.Ignore("query", "fielddata", "request", "fields", "file")
	return s.onIndices(r, func(context.Context, *catalog.Index) error { return nil })
}

func (s *Server) forceMerge(r *rest.Request) (rest.Action, error) {
	segments := r.Int("max_num_segments", -1)
	if segments == 0 || segments < -1 {
		return nil, fault.Validation("max_num_segments must be a positive integer, found [" + strconv.Itoa(segments) + "]")
	}
	expunge := r.Bool("only_expunge_deletes", false)
	if expunge && segments != -1 {
		return nil, fault.Validation("cannot set only_expunge_deletes and max_num_segments at the same time, those two parameters are mutually exclusive")
	}
	r.IgnoreBools("flush", "primary_only")
	wait := r.Bool("wait_for_completion", true)
	if segments == -1 {
		segments = 1
	}
	work := tasks.Work{
		Action:      "indices:admin/forcemerge",
		Description: fmt.Sprintf("Force-merge indices [%s], maxSegments[%d], onlyExpungeDeletes[%t], flush[true]", r.Path("index"), segments, expunge),
		OpaqueID:    opaqueID(r),
	}
	merge, err := s.onIndices(r, func(ctx context.Context, index *catalog.Index) error {
		if wait {
			var end func()
			ctx, _, end = s.tasks.Begin(ctx, work)
			defer end()
		}
		return s.Docs.ForceMerge(ctx, index, segments, expunge)
	})
	if wait || err != nil {
		return merge, err
	}
	return func(ctx context.Context) (*rest.Response, error) { return s.perform(ctx, r, work, merge, false) }, nil
}
