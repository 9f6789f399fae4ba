// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) searchRoutes(rt *rest.Router) {
	for _, method := range []string{"GET", "POST"} {
		rt.Handle(method, "/_search", s.search)
		rt.Handle(method, "/{index}/_search", s.search)
		rt.Handle(method, "/_count", s.count)
		rt.Handle(method, "/{index}/_count", s.count)
	}
}

// searchOptions are the defaults of searches: open indices, aliases and data streams.
var searchOptions = wire.IndexOptions{Open: true, AllowNoIndices: true, ForbidClosed: true}

// searching is one search that is asked for.
type searching struct {
	expressions, routing []string
	options              wire.IndexOptions
	request              *query.Request
	timeout              time.Duration // 0 means none
	pipeline             usedPipeline
	plainTotal           bool
	// scroll is how long the search is kept for its next page; nil for one that has no further page.
	scroll *time.Duration
}

func (s *Server) search(r *rest.Request) (rest.Action, error) {
	job, err := readSearch(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		answer, err := s.runSearch(ctx, job)
		if err != nil {
			return nil, err
		}
		return rest.OK(answer), nil
	}, nil
}

func readSearch(r *rest.Request) (*searching, error) {
	job := &searching{expressions: r.List("index"), routing: r.List("routing"), request: query.NewRequest()}
	job.options = r.IndexOptions(searchOptions)
	body, err := bodyOrSource(r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := job.request.ParseRequest(body); err != nil {
			return nil, err
		}
	}
	if err := searchParams(r, job.request); err != nil {
		return nil, err
	}
	job.plainTotal = r.Bool("rest_total_hits_as_int", false)
	if _, err := strconv.Atoi(r.Param("track_total_hits", "")); job.plainTotal && err == nil && job.request.TrackTotal >= 0 {
		return nil, fault.Illegal("[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got %d", job.request.TrackTotal)
	}
	job.timeout = r.Duration("timeout", 0)
	if job.scroll, err = readKeep(r.Param("scroll", "")); err != nil {
		return nil, err
	}
	job.pipeline, err = readPipeline(r, job.request)
	return job, err
}

// runSearch is the answer to a search.
func (s *Server) runSearch(ctx context.Context, job *searching) (wire.Object, error) {
	if job.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.timeout)
		defer cancel()
	}
	run, err := s.searchRun(ctx, job.pipeline, job.expressions, job.options)
	if err != nil {
		return nil, err
	}
	targets, release, err := s.targets(job.expressions, job.options, job.routing)
	if err != nil {
		return nil, err
	}
	defer release()
	if job.plainTotal {
		job.request.TrackTotal = 1<<62 - 1
	}
	find, scrollID := query.Execute, ""
	if job.scroll != nil {
		find = s.beginScroll(*job.scroll, &scrollID)
	}
	res, err := execute(ctx, run, targets, job.request, s.Clock.Now(), find)
	if err != nil {
		return nil, err
	}
	answer := res.JSON(scrollID)
	if job.plainTotal {
		plainTotal(answer, res.Total)
	}
	return answer, nil
}

// finder runs a search; see [query.Execute].
type finder func(ctx context.Context, targets []query.Target, req *query.Request, now time.Time) (*query.Response, error)

// execute runs a search, through its pipeline if it has one.
func execute(ctx context.Context, run *ingest.SearchRun, targets []query.Target, req *query.Request, now time.Time, find finder) (*query.Response, error) {
	if run == nil {
		return find(ctx, targets, req, now)
	}
	if err := run.Request(req); err != nil {
		return nil, err
	}
	res, err := find(ctx, targets, req, now)
	if err != nil {
		return nil, err
	}
	return res, run.Response(res)
}

// plainTotal shows hits.total as a number.
func plainTotal(answer wire.Object, total int64) {
	for _, m := range answer {
		if hits, ok := m.Value.(wire.Object); ok && m.Name == "hits" {
			for i := range hits {
				if hits[i].Name == "total" {
					hits[i].Value = total
				}
			}
		}
	}
}

// searchParams reads what a search takes from the URL.
func searchParams(r *rest.Request, req *query.Request) (err error) {
	q, err := queryParams(r)
	if err != nil {
		return err
	}
	if q != nil {
		req.Query = q
	}
	if err := pageParams(r, req); err != nil {
		return err
	}
	if r.Has("_source") || r.Has("_source_includes") || r.Has("_source_excludes") {
		req.Source = sourceParams(r)
	}
	if r.Has("stored_fields") {
		req.Stored = strings.Split(r.Param("stored_fields", ""), ",")
	}
	req.Version = r.Bool("version", req.Version)
	req.SeqNo = r.Bool("seq_no_primary_term", req.SeqNo)
	req.TerminateAfter = r.Int("terminate_after", req.TerminateAfter)
	if err := trackParam(r, req); err != nil {
		return err
	}
	return neutralParams(r)
}

// pageParams reads which hits are wanted, in which order.
func pageParams(r *rest.Request, req *query.Request) error {
	for _, p := range []struct {
		name string
		into *int
	}{{"from", &req.From}, {"size", &req.Size}} {
		n := r.Int(p.name, *p.into)
		if n < 0 {
			return fault.Illegal("[%s] parameter cannot be negative, found [%d]", p.name, n)
		}
		*p.into = n
	}
	list := r.List("sort")
	if list == nil {
		return nil
	}
	req.Sort = nil
	for _, text := range list {
		field, order, ordered := strings.Cut(text, ":")
		if ordered {
			var err error
			if order, err = query.ParseOrder(order); err != nil {
				return err
			}
		}
		req.Sort = append(req.Sort, query.NewSort(field, order))
	}
	return nil
}

func trackParam(r *rest.Request, req *query.Request) error {
	switch v := r.Param("track_total_hits", ""); v {
	case "":
		if r.Has("track_total_hits") {
			req.TrackTotal = 1<<62 - 1
		}
	case "true":
		req.TrackTotal = 1<<62 - 1
	case "false":
		req.TrackTotal = -1
	default:
		n := r.Int("track_total_hits", 0)
		if n < -1 {
			return fault.Illegal("[track_total_hits] parameter must be positive or equals to -1, got %d", n)
		}
		req.TrackTotal = int64(n)
	}
	return nil
}

// neutralParams reads parameters that change nothing of what a single node finds, and refuses those that would.
func neutralParams(r *rest.Request) error {
	r.Ignore("preference", "ignore_throttled", "ccs_minimize_roundtrips", "batched_reduce_size", "max_concurrent_shard_requests",
		"pre_filter_shard_size", "allow_partial_search_results", "request_cache", "stats", "cancel_after_time_interval",
		"phase_took", "track_scores", "typed_keys")
	if err := checkSearchType(r.Param("search_type", "query_then_fetch")); err != nil {
		return err
	}
	for _, name := range []string{"docvalue_fields", "explain", "suggest_field", "suggest_text"} {
		if v := r.Param(name, ""); r.Has(name) && v != "false" && v != "_none_" {
			return fault.Unsupported("[" + name + "] of a search")
		}
	}
	return nil
}

// checkSearchType refuses what is no type of search. Those that there are find the same on one node.
func checkSearchType(t string) error {
	if t != "query_then_fetch" && t != "dfs_query_then_fetch" {
		return fault.Illegal("No search type for [%s]", t)
	}
	return nil
}

// queryParams reads q and what goes with it; nil without q.
func queryParams(r *rest.Request) (query.Query, error) {
	text, given := r.Param("q", ""), r.Has("q")
	field := r.Param("df", "")
	operator := r.Param("default_operator", "OR")
	r.Ignore("analyzer", "analyze_wildcard")
	var lenient *bool
	if r.Has("lenient") {
		on, err := wire.ParseBool(cmp.Or(r.Param("lenient", ""), "true")) // what is wrong with it is wrong with the query
		if err != nil {
			return nil, err
		}
		lenient = &on
	}
	if !given {
		return nil, nil
	}
	switch strings.ToUpper(operator) {
	case "AND", "OR":
	default:
		return nil, fault.Illegal("Unsupported defaultOperator [%s], can either be [OR] or [AND]", operator)
	}
	return query.ParseText(text, field, strings.EqualFold(operator, "AND"), lenient)
}

// targets makes the indices of expressions searchable.
func (s *Server) targets(expressions []string, o wire.IndexOptions, routing []string) (list []query.Target, release func(), err error) {
	for {
		state := s.Catalog.State()
		list, release, err = s.targetsOf(state, expressions, o, routing)
		gone := fault.Is(err, "index_not_found_exception") || fault.Is(err, "no_shard_available_action_exception")
		if !gone || s.Catalog.State() == state {
			return list, release, err
		}
		// an index may have gone away meanwhile: what the expressions mean now decides
	}
}

func (s *Server) targetsOf(state *catalog.State, expressions []string, o wire.IndexOptions, routing []string) (list []query.Target, release func(), err error) {
	resolved, err := state.ResolveSearch(expressions, o, s.Clock.Now())
	if err != nil {
		return nil, nil, err
	}
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	for _, t := range resolved {
		filter, err := filterOf(t.Filters)
		if err != nil {
			release()
			return nil, nil, err
		}
		shards := routing
		if len(shards) == 0 {
			shards = t.Routing
		}
		target, done, err := s.Docs.Target(t.Index, filter, shards)
		if err != nil {
			release()
			return nil, nil, err
		}
		releases = append(releases, done)
		list = append(list, target)
	}
	return list, release, nil
}

// filterOf makes one query of the filters of the aliases through which an index is seen; nil shows all of it.
func filterOf(filters [][]byte) (query.Query, error) {
	if len(filters) == 0 {
		return nil, nil
	}
	var list []query.Query
	for _, f := range filters {
		q, err := query.Parse(f)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return query.AnyOf(list), nil
}

func (s *Server) count(r *rest.Request) (rest.Action, error) {
	req, err := readCount(r, r.IndexOptions(searchOptions))
	if err != nil {
		return nil, err
	}
	r.Ignore("preference", "ignore_throttled", "terminate_after")
	if r.Has("min_score") {
		return nil, fault.Unsupported("[min_score] of a count")
	}
	req.routing = r.List("routing")
	return func(ctx context.Context) (*rest.Response, error) {
		n, shards, err := s.countMatches(ctx, req)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("count", n, "_shards", shardsOK(shards))), nil
	}, nil
}

// countRequest is what a count is of.
type countRequest struct {
	expressions, routing []string
	options              wire.IndexOptions
	query                query.Query
	// bare says that there is a body without a query.
	bare bool
}

// readCount reads the indices and the query of a count, from parameters or body.
func readCount(r *rest.Request, o wire.IndexOptions) (*countRequest, error) {
	q, err := queryParams(r)
	if err != nil {
		return nil, err
	}
	body, err := bodyOrSource(r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		if q, err = queryOnly(body); err != nil {
			return nil, err
		}
	}
	return &countRequest{expressions: r.List("index"), options: o, query: q, bare: body != nil && q == nil}, nil
}

func (s *Server) countMatches(ctx context.Context, req *countRequest) (n int64, shards int, err error) {
	targets, release, err := s.targets(req.expressions, req.options, req.routing)
	if err != nil {
		return 0, 0, err
	}
	defer release()
	return query.Count(ctx, targets, req.query, s.Clock.Now())
}

func shardsOK(n int) wire.Object {
	return wire.Obj("total", n, "successful", n, "skipped", 0, "failed", 0)
}

// queryOnly reads a body that may hold a query and nothing else; nil if it is empty.
func queryOnly(body []byte) (query.Query, error) {
	var q query.Query
	err := wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		if name != "query" {
			line, col := p.Position()
			return fault.Parsing(line, col, "request does not support [%s]", name)
		}
		raw, err := p.Raw()
		if err == nil {
			q, err = query.Parse(raw)
		}
		return err
	})
	return q, err
}
