// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) searchPipelineRoutes(rt *rest.Router) {
	s.searchPipelines = ingest.NewSearchPipelines(func(id string) json.RawMessage {
		return s.Catalog.State().Documents[catalog.SearchPipelines][id]
	})
	rt.Handle("GET", "/_search/pipeline", s.getPipelines(catalog.SearchPipelines))
	rt.Handle("GET", "/_search/pipeline/{id}", s.getPipelines(catalog.SearchPipelines))
	rt.Handle("PUT", "/_search/pipeline/{id}", s.putSearchPipeline)
	rt.Handle("DELETE", "/_search/pipeline/{id}", s.deletePipelines(catalog.SearchPipelines))
}

func (s *Server) putSearchPipeline(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	timeouts(r)
	o, body, err := pipelineBody(r)
	if err != nil {
		return nil, err
	}
	if _, err := ingest.ParseSearch(id, o); err != nil {
		return nil, err
	}
	return s.putPipeline(catalog.SearchPipelines, id, body)
}

// usedPipeline is what a search says about its pipeline.
type usedPipeline struct {
	id     string
	inline *ingest.SearchPipeline
}

// readPipeline reads the search_pipeline of a request, from the URL or from the body.
func readPipeline(r *rest.Request, req *query.Request) (u usedPipeline, err error) {
	if r.Bool("verbose_pipeline", false) {
		return u, fault.Unsupported("[verbose_pipeline] of a search")
	}
	return pipelineOf(r.Param("search_pipeline", ""), req)
}

// pipelineOf is the pipeline of a request whose URL names id, or none.
func pipelineOf(id string, req *query.Request) (u usedPipeline, err error) {
	u.id = id
	switch {
	case req.Pipeline == nil:
	case isObject(req.Pipeline):
		if u.id != "" {
			return u, fault.Illegal("Both named and inline search pipeline were specified. Please only specify one or the other.")
		}
		u.inline, err = ingest.ParseAdHoc(req.Pipeline)
	case u.id == "":
		if json.Unmarshal(req.Pipeline, &u.id) != nil {
			u.id = strings.TrimSpace(string(req.Pipeline))
		}
	}
	return u, err
}

// searchRun begins a search with its pipeline: the one it names or holds, else the default of the indices that it names. nil
// if there is none.
func (s *Server) searchRun(ctx context.Context, u usedPipeline, expressions []string, o wire.IndexOptions) (*ingest.SearchRun, error) {
	var rank ingest.Ranker
	if s.Predictor != nil {
		rank = func(model, query string, texts []string) ([]float64, error) {
			return s.Predictor.Rank(ctx, model, query, texts)
		}
	}
	if u.inline != nil {
		return u.inline.Run(rank), nil
	}
	state := s.Catalog.State()
	id := u.id
	if id == "" && len(expressions) > 0 {
		indices, err := state.Resolve(expressions, o, s.Clock.Now())
		if err != nil && !fault.Is(err, "index_not_found_exception") {
			return nil, err
		}
		id = defaultSearchPipeline(indices)
	}
	if id == "" || id == ingest.None {
		return nil, nil
	}
	p, err := s.searchPipelines.Find(id)
	if err == nil && p == nil {
		err = fault.Illegal("Pipeline %s is not defined", id)
	}
	if err != nil {
		return nil, err
	}
	return p.Run(rank), nil
}

// defaultSearchPipeline is what all indices that set a default agree on.
func defaultSearchPipeline(indices []*catalog.Index) string {
	id := ""
	for _, index := range indices {
		switch own := index.Settings["index.search.default_pipeline"]; {
		case own == "" || own == id:
		case id == "" || id == ingest.None:
			id = own
		default:
			return ingest.None
		}
	}
	return id
}
