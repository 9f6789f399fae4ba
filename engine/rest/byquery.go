// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// defaultBatch is the number of documents that are read and written together (OpenSearch's figure).
const defaultBatch = 1000

// byQuery writes something for every document that a query finds: a copy, the document again, or its deletion.
type byQuery struct {
	expressions, routing []string
	options              wire.IndexOptions
	query                query.Query
	sort                 []query.Sort
	batch                int
	limit                int // of documents; negative for all
	// proceed counts documents that were changed meanwhile instead of stopping at them.
	proceed bool
	refresh bool
	// rate is in documents a second; 0 for no limit.
	rate float64
	// slices is how many parts run at once; autoSlices for as many as there are shards.
	slices int
	// item is what is written for a document.
	item func(index string, d shard.Document) (bulkItem, error)
	// inPlace says that documents are written as they were found: one that was changed or deleted since is a conflict.
	inPlace bool
	// creates says that the answer counts created documents, updates that it counts updated ones.
	creates, updates bool

	mu    sync.Mutex
	parts []*part // nil until the documents are found
}

const (
	// autoSlices makes one part for each shard of the index with the fewest, up to a ceiling (OpenSearch's figure).
	autoSlices  = 0
	autoCeiling = 20
	// maxSlices is index.max_slices_per_scroll.
	maxSlices = 1024
)

// list finds the documents.
func (s *Server) list(ctx context.Context, job *byQuery) (targets []query.Target, found []query.Match, err error) {
	targets, release, err := s.targets(job.expressions, job.options, job.routing)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	found, err = query.List(ctx, targets, job.query, job.sort, job.limit, s.Clock.Now())
	return targets, found, err
}

// runByQuery does the whole job. Each part of it stops at its first batch with a failure.
func (s *Server) runByQuery(ctx context.Context, job *byQuery) (*rest.Response, error) {
	started := time.Now()
	targets, found, err := s.list(ctx, job)
	if err != nil {
		return nil, err
	}
	parts := job.split(targets, found)
	group, inner := errgroup.WithContext(ctx)
	for _, p := range parts {
		group.Go(func() error {
			return fault.Guard(s.Logger, "part of an action by query", func() error { return s.runPart(inner, job, p, targets) })
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	status, failures := http.StatusOK, []wire.Object{}
	touched := map[string]bool{}
	for _, p := range parts {
		p.note(func(now *progress) { now.cancelled = ctx.Err() != nil })
		failures, status = append(failures, p.failures...), max(status, p.status)
		maps.Copy(touched, p.touched)
	}
	if job.refresh {
		if err := s.refreshNamed(touched); err != nil {
			return nil, err
		}
	}
	body := append(wire.Obj("took", time.Since(started).Milliseconds(), "timed_out", false), job.state()...)
	body.Add("failures", failures)
	return &rest.Response{Status: status, Body: body}, nil
}

// split deals the documents out to parts.
func (job *byQuery) split(targets []query.Target, found []query.Match) []*part {
	n := job.slices
	if n == autoSlices {
		n = autoCeiling
		for i := range targets {
			n = min(n, len(targets[i].Shards))
		}
		if len(targets) == 0 {
			n = 1
		}
	}
	job.mu.Lock()
	defer job.mu.Unlock()
	for i := range n {
		job.parts = append(job.parts, &part{id: i, rate: job.rate / float64(n), changed: make(chan struct{}), touched: map[string]bool{}})
	}
	for i, m := range found {
		p := job.parts[i%n]
		p.found = append(p.found, m)
		p.progress.total++
	}
	return job.parts
}

// state is how far the job is.
func (job *byQuery) state() wire.Object {
	job.mu.Lock()
	defer job.mu.Unlock()
	var all progress
	var slices []wire.Object
	for _, p := range job.parts {
		now := p.now()
		all.add(now)
		rate, _ := p.pace()
		slices = append(slices, append(wire.Obj("slice_id", p.id), now.json(job, rate)...))
	}
	o := all.json(job, job.rate)
	o.AddIf(len(slices) > 1, "slices", slices)
	return o
}

// refreshNamed refreshes indices that still exist.
func (s *Server) refreshNamed(names map[string]bool) error {
	for _, name := range sorted(names) {
		index := s.Catalog.State().Indices[name]
		if index == nil {
			continue
		}
		if err := s.Docs.Refresh(index); err != nil {
			return err
		}
	}
	return nil
}

// byQueryParams reads what all jobs take from the URL, and whether the request waits for the end.
func byQueryParams(r *rest.Request, job *byQuery) (wait bool, err error) {
	job.refresh, wait = r.Bool("refresh", false), r.Bool("wait_for_completion", true)
	if job.rate, err = rateParam(r); err != nil {
		return false, err
	}
	if job.slices, err = slicesParam(r); err != nil {
		return false, err
	}
	if job.limit >= 0 && job.limit < job.slices {
		return false, fault.Illegal("[max_docs] should be >= [slices]")
	}
	if err := writeShards(r.Param("wait_for_active_shards", "1")); err != nil {
		return false, err
	}
	r.Duration("timeout", 0)
	r.Duration("scroll", 0)
	if r.Has("max_docs") {
		return wait, job.setLimit(r.Int("max_docs", -1))
	}
	return wait, nil
}

// setLimit takes max_docs, which URL and body may give, but not differently.
func (job *byQuery) setLimit(limit int) error {
	switch {
	case limit < 0:
		return fault.Illegal("[max_docs] parameter cannot be negative, found [%d]", limit)
	case limit < max(job.slices, 1):
		return fault.Illegal("[max_docs] should be >= [slices]")
	case job.limit >= 0 && job.limit != limit:
		return fault.Illegal("[max_docs] set to two different values [%d] and [%d]", job.limit, limit)
	}
	job.limit = limit
	return nil
}

// setConflicts takes "abort" or "proceed".
func (job *byQuery) setConflicts(text string) error {
	if text != "abort" && text != "proceed" {
		return fault.Illegal("conflicts may only be \"proceed\" or \"abort\" but was [%s]", text)
	}
	job.proceed = text == "proceed"
	return nil
}

// rateParam reads requests_per_second; 0 for no limit.
func rateParam(r *rest.Request) (float64, error) {
	text := r.Param("requests_per_second", "-1")
	f, err := strconv.ParseFloat(text, 32)
	if err == nil && (f > 0 || f == -1) && !math.IsInf(f, 0) {
		return max(f, 0), nil
	}
	e := fault.Illegal("[requests_per_second] must be a float greater than 0. Use -1 to disable throttling.")
	if err != nil {
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	return 0, e
}

// slicesParam reads slices: a number of parts, or "auto".
func slicesParam(r *rest.Request) (int, error) {
	text := r.Param("slices", "1")
	n, err := strconv.Atoi(text)
	switch {
	case text == "auto":
		return autoSlices, nil
	case n > maxSlices:
		return 0, fault.Illegal("The number of slices [%d] is too large. It must be less than [%d]. This limit can be set by changing the [index.max_slices_per_scroll] index level setting.", n, maxSlices)
	case n > 0:
		return n, nil
	}
	e := fault.Illegal("[slices] must be a positive integer or the string \"auto\", but was [%s]", text)
	if err != nil {
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	return 0, e
}

// checkBatch refuses batches that no search would give.
func (job *byQuery) checkBatch() error {
	switch {
	case job.batch == 0:
		return fault.Validation("[size] cannot be [0] in a scroll context")
	case job.batch > query.MaxResultWindow:
		return fault.Illegal("Batch size is too large, size must be less than or equal to: [%d] but was [%d]. Scroll batch sizes cost as much memory as result windows so they are controlled by the [index.max_result_window] index level setting.", query.MaxResultWindow, job.batch)
	}
	return nil
}
