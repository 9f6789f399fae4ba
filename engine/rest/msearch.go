// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) multiSearchRoutes(rt *rest.Router) {
	for _, method := range []string{"GET", "POST"} {
		rt.Handle(method, "/_msearch", s.multiSearch)
		rt.Handle(method, "/{index}/_msearch", s.multiSearch)
	}
}

// multiSearch runs several searches, one after another. One that fails is an error in its place.
func (s *Server) multiSearch(r *rest.Request) (rest.Action, error) {
	def := searching{expressions: r.List("index"), options: searchOptions, plainTotal: r.Bool("rest_total_hits_as_int", false)}
	if err := checkSearchType(r.Param("search_type", "query_then_fetch")); err != nil {
		return nil, err
	}
	r.Ignore("max_concurrent_searches", "max_concurrent_shard_requests", "pre_filter_shard_size", "ccs_minimize_roundtrips", "typed_keys",
		"cancel_after_time_interval", "phase_took")
	body, err := requireBodyOrSource(r)
	if err != nil {
		return nil, err
	}
	jobs, err := parseMultiSearch(body, def)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		started := time.Now()
		answers := make([]any, len(jobs))
		for i := range jobs {
			answer, err := s.runSearch(ctx, &jobs[i])
			if err != nil {
				_, _, body := fault.Body(err)
				answers[i] = json.RawMessage(body)
				continue
			}
			answer.Add("status", http.StatusOK)
			answers[i] = answer
		}
		return rest.OK(wire.Obj("took", time.Since(started).Milliseconds(), "responses", answers)), nil
	}, nil
}

// parseMultiSearch reads searches of two lines each: where to search, and the body. A malformed one fails them all.
func parseMultiSearch(body []byte, def searching) ([]searching, error) {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		return nil, fault.Illegal("The msearch request must be terminated by a newline [\\n]")
	}
	var jobs []searching
	for len(body) > 0 {
		header, rest, _ := bytes.Cut(body, []byte("\n"))
		source, rest, _ := bytes.Cut(rest, []byte("\n"))
		body = rest
		job := def
		job.request = query.NewRequest()
		if header = bytes.TrimSpace(header); len(header) > 0 {
			if err := job.parseHeader(header); err != nil {
				return nil, err
			}
		}
		if source = bytes.TrimSpace(source); len(source) > 0 {
			if err := job.request.ParseRequest(source); err != nil {
				return nil, err
			}
		}
		var err error
		if job.pipeline, err = pipelineOf("", job.request); err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	if len(jobs) == 0 {
		return nil, fault.Validation("no requests added")
	}
	return jobs, nil
}

// parseHeader reads the line that says where to search.
func (job *searching) parseHeader(line []byte) error {
	return wire.ReadObject(line, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "index", "indices":
			job.expressions, err = textsOf(p, "malformed index in the header of a search, should be a string or an array of strings")
		case "routing":
			job.routing, err = textsOf(p, "malformed routing in the header of a search, should be a string or an array of strings")
		case "search_type", "searchType":
			var text string
			if text, err = p.Text(); err == nil {
				err = checkSearchType(text)
			}
		case "ignore_unavailable", "ignoreUnavailable":
			job.options.IgnoreUnavailable, err = p.Bool()
		case "allow_no_indices", "allowNoIndices":
			job.options.AllowNoIndices, err = p.Bool()
		case "expand_wildcards", "expandWildcards":
			var words []string
			if words, err = textsOf(p, "malformed expand_wildcards, should be an array of strings"); err == nil {
				err = job.options.Expand(words)
			}
		case "preference", "request_cache", "requestCache", "allow_partial_search_results", "ccs_minimize_roundtrips", "ccsMinimizeRoundtrips",
			"ignore_throttled", "ignoreThrottled", "cancel_after_time_interval", "cancelAfterTimeInterval":
			err = p.Skip()
		default:
			err = fault.Illegal("key [%s] is not supported in the metadata section", name)
		}
		return err
	})
}
