// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

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
	// item is what is written for a document.
	item func(index string, d shard.Document) (bulkItem, error)
	// creates says that the answer counts created documents, updates that it counts updated ones.
	creates, updates bool

	mu       sync.Mutex
	progress progress
	failures []wire.Object
	status   int // of the worst failure
}

// progress counts what was done.
type progress struct {
	total, updated, created, deleted, batches, conflicts, noops int
	throttled                                                   time.Duration
	until                                                       time.Time // the next batch begins not before
	cancelled                                                   bool
}

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

// runByQuery does the whole job, batch by batch. It stops at the first batch with a failure.
func (s *Server) runByQuery(ctx context.Context, job *byQuery) (*rest.Response, error) {
	started := time.Now()
	targets, found, err := s.list(ctx, job)
	if err != nil {
		return nil, err
	}
	job.note(func(p *progress) { p.total = len(found) })
	touched := map[string]bool{}
	for len(found) > 0 && len(job.failures) == 0 {
		n := min(job.batch, len(found))
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		if err := s.runBatch(ctx, job, targets, found[:n], touched); err != nil {
			if ctx.Err() != nil {
				break
			}
			return nil, err
		}
		if found = found[n:]; len(found) > 0 {
			job.pause(ctx, n, time.Since(began))
		}
	}
	job.note(func(p *progress) { p.cancelled = ctx.Err() != nil })
	if job.refresh {
		if err := s.refreshNamed(touched); err != nil {
			return nil, err
		}
	}
	body := append(wire.Obj("took", time.Since(started).Milliseconds(), "timed_out", false), job.state()...)
	body.Add("failures", append([]wire.Object{}, job.failures...))
	return &rest.Response{Status: max(job.status, http.StatusOK), Body: body}, nil
}

func (job *byQuery) note(change func(p *progress)) {
	job.mu.Lock()
	defer job.mu.Unlock()
	change(&job.progress)
}

// runBatch reads some of the documents and writes what becomes of them.
func (s *Server) runBatch(ctx context.Context, job *byQuery, targets []query.Target, found []query.Match, touched map[string]bool) error {
	items, err := s.batchItems(job, targets, found)
	if err != nil {
		return err
	}
	s.processBulk(ctx, items)
	if err := s.runBulk(ctx, items, "false"); err != nil {
		return err
	}
	job.mu.Lock()
	defer job.mu.Unlock()
	job.progress.batches++
	for i := range items {
		if items[i].index != nil && items[i].err == nil {
			touched[items[i].index.Name] = true
		}
		job.count(&items[i])
	}
	return nil
}

// batchItems makes the writes for documents that are still there, in their order.
func (s *Server) batchItems(job *byQuery, targets []query.Target, found []query.Match) ([]bulkItem, error) {
	type place struct{ target, shard int }
	groups := map[place][]int{}
	for i, m := range found {
		groups[place{m.Target, m.Shard}] = append(groups[place{m.Target, m.Shard}], i)
	}
	docs := make([]shard.Document, len(found))
	for at, members := range groups {
		ids := make([]string, len(members))
		for i, m := range members {
			ids[i] = found[m].ID
		}
		t := &targets[at.target]
		index := s.Catalog.State().IndexByUUID(t.UUID)
		if index == nil {
			return nil, fault.IndexNotFound(t.Index, "index_or_alias")
		}
		list, err := s.Docs.Fetch(index, t.Numbers[at.shard], ids)
		if err != nil {
			return nil, err
		}
		for i, m := range members {
			docs[m] = list[i]
		}
	}
	var items []bulkItem
	for i, d := range docs {
		if d.ID == "" {
			continue // deleted since the last refresh
		}
		item, err := job.item(targets[found[i].Target].Index, d)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// count notes what became of one document.
func (job *byQuery) count(b *bulkItem) {
	p := &job.progress
	switch {
	case b.dropped:
		p.noops++
	case b.err == nil:
		switch b.out.Result {
		case "created":
			p.created++
		case "updated":
			p.updated++
		case "deleted":
			p.deleted++
		default:
			p.noops++
		}
	case fault.Is(b.err, "version_conflict_engine_exception"):
		p.conflicts++
		if !job.proceed {
			job.failed(b)
		}
	default:
		job.failed(b)
	}
}

func (job *byQuery) failed(b *bulkItem) {
	name := b.name
	if b.index != nil {
		name = b.index.Name
	}
	status, _, _ := fault.Body(b.err)
	job.failures = append(job.failures, wire.Obj("index", name, "id", b.op.ID, "cause", fault.Of(b.err), "status", status))
	job.status = max(job.status, status)
}

// pause keeps to the rate after a batch of n documents that took a while.
func (job *byQuery) pause(ctx context.Context, n int, took time.Duration) {
	if job.rate <= 0 {
		return
	}
	wait := time.Duration(float64(n)/job.rate*float64(time.Second)) - took
	if wait <= 0 {
		return
	}
	began := time.Now()
	job.note(func(p *progress) { p.until = began.Add(wait) })
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	job.note(func(p *progress) { p.throttled, p.until = p.throttled+time.Since(began), time.Time{} })
}

// state is how far the job is.
func (job *byQuery) state() wire.Object {
	job.mu.Lock()
	defer job.mu.Unlock()
	p, rate := job.progress, job.rate
	if rate <= 0 || p.cancelled {
		rate = -1
	}
	until := max(time.Until(p.until), 0)
	o := wire.Obj("total", p.total)
	o.AddIf(job.updates, "updated", p.updated)
	o.AddIf(job.creates, "created", p.created)
	o.Add("deleted", p.deleted)
	o = append(o, wire.Obj("batches", p.batches, "version_conflicts", p.conflicts, "noops", p.noops,
		"retries", wire.Obj("bulk", 0, "search", 0), "throttled_millis", p.throttled.Milliseconds(),
		"requests_per_second", decimal(rate))...)
	o.AddIf(p.cancelled, "canceled", "by user request")
	o.Add("throttled_until_millis", until.Milliseconds())
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
	if job.refresh, err = r.Bool("refresh", false); err != nil {
		return false, err
	}
	if wait, err = r.Bool("wait_for_completion", true); err != nil {
		return false, err
	}
	if job.rate, err = rateParam(r); err != nil {
		return false, err
	}
	if err := slicesParam(r); err != nil {
		return false, err
	}
	if err := writeShards(r.Param("wait_for_active_shards", "1")); err != nil {
		return false, err
	}
	for _, name := range []string{"timeout", "scroll"} {
		if _, err := r.Duration(name, 0); err != nil {
			return false, err
		}
	}
	if r.Has("max_docs") {
		limit, err := r.Int("max_docs", -1)
		if err != nil {
			return false, err
		}
		return wait, job.setLimit(limit)
	}
	return wait, nil
}

// setLimit takes max_docs, which URL and body may give, but not differently.
func (job *byQuery) setLimit(limit int) error {
	switch {
	case limit < 0:
		return fault.Illegal("[max_docs] parameter cannot be negative, found [%d]", limit)
	case limit == 0:
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

// slicesParam refuses to cut a job into several: it is one.
func slicesParam(r *rest.Request) error {
	text := r.Param("slices", "1")
	n, err := strconv.Atoi(text)
	switch {
	case text == "auto" || n == 1:
		return nil
	case err == nil && n > 1:
		return fault.Unsupported("[slices: " + text + "]")
	}
	e := fault.Illegal("[slices] must be a positive integer or the string \"auto\", but was [%s]", text)
	if err != nil {
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	return e
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
