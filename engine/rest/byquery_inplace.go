// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) byQueryRoutes(rt *rest.Router) {
	rt.Handle("POST", "/_reindex", s.reindex)
	rt.Handle("POST", "/{index}/_update_by_query", s.updateByQuery)
	rt.Handle("POST", "/{index}/_delete_by_query", s.deleteByQuery)
	s.rethrottleRoutes(rt)
}

func (s *Server) updateByQuery(r *rest.Request) (rest.Action, error) {
	pipeline := r.Param("pipeline", "")
	job := &byQuery{updates: true, item: func(index string, d shard.Document) (bulkItem, error) {
		item := itself("index", index, d)
		item.op.Op, item.op.Source, item.pipeline = shard.OpIndex, d.Source, pipeline
		return item, nil
	}}
	return s.inPlace(r, job, "update")
}

func (s *Server) deleteByQuery(r *rest.Request) (rest.Action, error) {
	if len(r.List("index")) == 0 {
		return nil, fault.Validation("use _all if you really want to delete from all existing indexes")
	}
	job := &byQuery{item: func(index string, d shard.Document) (bulkItem, error) {
		item := itself("delete", index, d)
		item.op.Op = shard.OpDelete
		return item, nil
	}}
	return s.inPlace(r, job, "delete")
}

// itself is a write to a document as it was found.
func itself(action, index string, d shard.Document) bulkItem {
	return bulkItem{action: action, name: index, op: shard.Operation{
		ID: d.ID, Routing: d.Routing, Conditional: true, IfSeqNo: d.SeqNo, IfPrimaryTerm: d.PrimaryTerm,
	}}
}

// inPlace reads the request for a job on the documents themselves.
func (s *Server) inPlace(r *rest.Request, job *byQuery, what string) (rest.Action, error) {
	var err error
	job.inPlace = true
	job.expressions, job.routing, job.limit = r.List("index"), r.List("routing"), -1
	job.options = r.IndexOptions(searchOptions)
	wait, err := byQueryParams(r, job)
	if err != nil {
		return nil, err
	}
	if err := job.setConflicts(r.Param("conflicts", "abort")); err != nil {
		return nil, err
	}
	if job.query, err = queryParams(r); err != nil {
		return nil, err
	}
	job.batch = r.Int("scroll_size", defaultBatch)
	for _, name := range []string{"terminate_after", "sort", "from", "_source", "_source_includes", "_source_excludes"} {
		if r.Has(name) {
			return nil, fault.Unsupported("[" + name + "] of a job by query")
		}
	}
	r.Ignore("search_timeout", "search_type", "preference", "request_cache", "stats", "version")
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := job.parseBody(body); err != nil {
			return nil, err
		}
	}
	if job.query == nil && what == "delete" {
		return nil, fault.Validation("query is missing")
	}
	if err := job.checkBatch(); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		return s.perform(ctx, r, tasks.Work{
			Action: "indices:data/write/" + what + "/byquery", Description: what + "-by-query [" + r.Path("index") + "]",
			Status: job.state, Rethrottle: job.setRate,
		}, func(ctx context.Context) (*rest.Response, error) { return s.runByQuery(ctx, job) }, wait)
	}, nil
}

// parseBody reads the body of a job on the documents themselves.
func (job *byQuery) parseBody(body []byte) error {
	others := wire.Object{}
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error {
		switch name {
		case "script", "slice":
			return fault.Unsupported("[" + name + "] of a job by query")
		case "conflicts":
			text, err := p.Text()
			if err != nil {
				return err
			}
			return job.setConflicts(text)
		case "max_docs":
			limit, err := p.Int()
			if err != nil {
				return err
			}
			return job.setLimit(limit)
		}
		raw, err := p.Raw()
		others.Add(name, raw)
		return err
	})
	if err != nil {
		return err
	}
	search, err := job.parseSearch(others)
	if err == nil && search.Query != nil {
		job.query = search.Query
	}
	return err
}

// parseSearch reads the members that are those of a search, and refuses the ones that a job cannot heed.
func (job *byQuery) parseSearch(members wire.Object) (*query.Request, error) {
	for _, m := range members {
		switch m.Name {
		case "query", "size", "sort", "_source":
		case "from", "search_after", "post_filter", "min_score", "terminate_after", "stored_fields", "docvalue_fields":
			return nil, fault.Unsupported("[" + m.Name + "] of a job by query")
		}
	}
	body, err := members.MarshalJSON()
	if err != nil {
		return nil, err
	}
	search := query.NewRequest()
	search.Size = job.batch
	if err := search.ParseRequest(body); err != nil {
		return nil, err
	}
	job.batch, job.sort = search.Size, search.Sort
	return search, nil
}
