// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) ingestRoutes(rt *rest.Router) {
	s.ingest = ingest.NewService(func(id string) json.RawMessage {
		return s.Catalog.State().Documents[catalog.IngestPipelines][id]
	}, s.Predictor)
	for _, method := range []string{"GET", "POST"} {
		rt.Handle(method, "/_ingest/pipeline/{id}/_simulate", s.simulate)
		rt.Handle(method, "/_ingest/pipeline/_simulate", s.simulate)
	}
	rt.Handle("GET", "/_ingest/pipeline", s.getPipelines(catalog.IngestPipelines))
	rt.Handle("GET", "/_ingest/pipeline/{id}", s.getPipelines(catalog.IngestPipelines))
	rt.Handle("PUT", "/_ingest/pipeline/{id}", s.putIngestPipeline)
	rt.Handle("DELETE", "/_ingest/pipeline/{id}", s.deletePipelines(catalog.IngestPipelines))
	rt.Handle("GET", "/_ingest/processor/grok", refuse)
	s.searchPipelineRoutes(rt)
}

// pipelineBody is the body of a request about pipelines.
func pipelineBody(r *rest.Request) (*ingest.Object, json.RawMessage, error) {
	body, err := requireBodyOrSource(r)
	if err != nil {
		return nil, nil, err
	}
	o, err := objectBody(body)
	if err != nil {
		return nil, nil, err
	}
	return o, body, nil
}

func (s *Server) putIngestPipeline(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	timeouts(r)
	o, body, err := pipelineBody(r)
	if err != nil {
		return nil, err
	}
	if _, err := s.ingest.Parse(id, o); err != nil {
		return nil, err
	}
	return s.putPipeline(catalog.IngestPipelines, id, body)
}

// putPipeline stores a pipeline that was found to be good.
func (s *Server) putPipeline(kind catalog.Kind, id string, body []byte) (rest.Action, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error {
		return s.Catalog.PutDocument(ctx, kind, id, compact.Bytes(), nil)
	}), nil
}

// pipelineNames are the names that patterns mean, in order and each once.
func pipelineNames(docs map[string]json.RawMessage, patterns []string) []string {
	var out []string
	for _, p := range patterns {
		for _, name := range sorted(docs) {
			if wire.Match(p, name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func (s *Server) getPipelines(kind catalog.Kind) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		patterns := r.List("id")
		if patterns == nil {
			patterns = []string{"*"}
		}
		r.ManagerTimeout()
		return func(context.Context) (*rest.Response, error) {
			docs := s.Catalog.State().Documents[kind]
			res := &rest.Response{Status: http.StatusOK}
			body := wire.Object{}
			for _, name := range pipelineNames(docs, patterns) {
				body.Add(name, docs[name])
			}
			if len(body) == 0 {
				res.Status = http.StatusNotFound
			}
			res.Body = body
			return res, nil
		}, nil
	}
}

func (s *Server) deletePipelines(kind catalog.Kind) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		pattern := r.Path("id")
		timeouts(r)
		return change(func(ctx context.Context) error {
			names := pipelineNames(s.Catalog.State().Documents[kind], []string{pattern})
			if len(names) == 0 && pattern != "*" {
				return fault.New(http.StatusNotFound, "resource_not_found_exception", "pipeline [%s] is missing", pattern)
			}
			return s.Catalog.DeleteDocuments(ctx, kind, names, nil)
		}), nil
	}
}

func (s *Server) simulate(r *rest.Request) (rest.Action, error) {
	id := r.Path("id")
	verbose := r.Bool("verbose", false)
	o, _, err := pipelineBody(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		pipeline, docs, err := s.ingest.ParseSimulation(id, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		out := make([]any, len(docs))
		for i, d := range docs {
			if verbose {
				out[i] = wire.Obj("processor_results", pipeline.Trace(ctx, d))
				continue
			}
			keep, err := pipeline.Run(ctx, d)
			out[i] = simulatedDocument(d, keep, err)
		}
		return rest.OK(wire.Obj("docs", out)), nil
	}, nil
}

// simulatedDocument is the entry of a document in the answer: null for one that was dropped.
func simulatedDocument(d *ingest.Document, keep bool, err error) any {
	switch {
	case err != nil:
		return ingest.Failure(err)
	case !keep:
		return nil
	}
	return wire.Obj("doc", d)
}
