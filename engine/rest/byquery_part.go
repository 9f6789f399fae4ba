// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"sync"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// part is some of the documents of a job by query, which are written batch by batch.
type part struct {
	id    int
	found []query.Match

	mu sync.Mutex
	// rate is in documents a second; 0 for no limit. changed is closed when it is another one.
	rate     float64
	changed  chan struct{}
	progress progress
	failures []wire.Object
	status   int             // of the worst failure
	touched  map[string]bool // indices
}

// progress counts what was done.
type progress struct {
	total, updated, created, deleted, batches, conflicts, noops int
	throttled                                                   time.Duration
	until                                                       time.Time // the next batch begins not before
	cancelled                                                   bool
}

// runPart writes the documents of a part. It ends early when the job is cancelled or another part cannot go on.
func (s *Server) runPart(ctx context.Context, job *byQuery, p *part, targets []query.Target) error {
	for len(p.found) > 0 && len(p.failures) == 0 && ctx.Err() == nil {
		n := min(job.batch, len(p.found))
		began := time.Now()
		if err := s.runBatch(ctx, job, p, targets, p.found[:n]); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if p.found = p.found[n:]; len(p.found) > 0 {
			p.pause(ctx, n, time.Since(began))
		}
	}
	return nil
}

// runBatch reads some of the documents and writes what becomes of them.
func (s *Server) runBatch(ctx context.Context, job *byQuery, p *part, targets []query.Target, found []query.Match) error {
	items, err := s.batchItems(job, targets, found)
	if err != nil {
		return err
	}
	s.processBulk(ctx, items)
	if err := s.runBulk(ctx, items, "false"); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.batches++
	for i := range items {
		if items[i].index != nil && items[i].err == nil {
			p.touched[items[i].index.Name] = true
		}
		p.count(&items[i], job.proceed)
	}
	return nil
}

// batchItems makes the writes for documents, in their order.
func (s *Server) batchItems(job *byQuery, targets []query.Target, found []query.Match) ([]bulkItem, error) {
	docs, err := s.fetchFound(targets, found)
	if err != nil {
		return nil, err
	}
	var items []bulkItem
	for i, d := range docs {
		t, was := &targets[found[i].Target], found[i]
		switch {
		case d.ID == "" && !job.inPlace:
			continue // deleted since the last refresh
		case d.ID == "":
			items = append(items, bulkItem{name: t.Index, op: shard.Operation{ID: was.ID}, err: fault.Conflict(t.Index, t.UUID, t.Numbers[was.Shard],
				"[%s]: version conflict, required seqNo [%d], primary term [1]. but no document was found", was.ID, was.SeqNo)})
			continue
		case job.inPlace:
			d.SeqNo = was.SeqNo
		}
		item, err := job.item(t.Index, d)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// fetchFound reads documents as they are now, in their order. One that is gone has ID "".
func (s *Server) fetchFound(targets []query.Target, found []query.Match) ([]shard.Document, error) {
	type place struct{ target, shard int32 }
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
	return docs, nil
}

// count notes what became of one document. A conflict is a failure unless the job is to proceed.
func (p *part) count(b *bulkItem, proceed bool) {
	now := &p.progress
	switch {
	case b.dropped:
		now.noops++
	case b.err == nil:
		switch b.out.Result {
		case "created":
			now.created++
		case "updated":
			now.updated++
		case "deleted":
			now.deleted++
		default:
			now.noops++
		}
	case fault.Is(b.err, "version_conflict_engine_exception"):
		now.conflicts++
		if !proceed {
			p.failed(b)
		}
	default:
		p.failed(b)
	}
}

func (p *part) failed(b *bulkItem) {
	name := b.name
	if b.index != nil {
		name = b.index.Name
	}
	status, _, _ := fault.Body(b.err)
	p.failures = append(p.failures, wire.Obj("index", name, "id", b.op.ID, "cause", fault.Of(b.err), "status", status))
	p.status = max(p.status, status)
}

// pause keeps to the rate after a batch of n documents that took a while.
func (p *part) pause(ctx context.Context, n int, took time.Duration) {
	began := time.Now()
	for {
		rate, changed := p.pace()
		if rate <= 0 {
			break
		}
		wait := time.Duration(float64(n)/rate*float64(time.Second)) - took - time.Since(began)
		if wait <= 0 || ctx.Err() != nil {
			break
		}
		p.note(func(now *progress) { now.until = time.Now().Add(wait) })
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	p.note(func(now *progress) {
		if !now.until.IsZero() {
			now.throttled, now.until = now.throttled+time.Since(began), time.Time{}
		}
	})
}

func (p *part) note(change func(now *progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.progress)
}

func (p *part) now() progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// add sums up two parts.
func (p *progress) add(other progress) {
	p.total += other.total
	p.updated += other.updated
	p.created += other.created
	p.deleted += other.deleted
	p.batches += other.batches
	p.conflicts += other.conflicts
	p.noops += other.noops
	p.throttled += other.throttled
	p.cancelled = p.cancelled || other.cancelled
	if p.until.IsZero() || !other.until.IsZero() && other.until.Before(p.until) {
		p.until = other.until
	}
}

// json is the progress as the API shows it.
func (p progress) json(job *byQuery, rate float64) wire.Object {
	if rate <= 0 || p.cancelled {
		rate = -1
	}
	o := wire.Obj("total", p.total)
	o.AddIf(job.updates, "updated", p.updated)
	o.AddIf(job.creates, "created", p.created)
	o = append(o, wire.Obj("deleted", p.deleted, "batches", p.batches, "version_conflicts", p.conflicts, "noops", p.noops,
		"retries", wire.Obj("bulk", 0, "search", 0), "throttled_millis", p.throttled.Milliseconds(), "requests_per_second", decimal(rate))...)
	o.AddIf(p.cancelled, "canceled", "by user request")
	o.Add("throttled_until_millis", max(time.Until(p.until), 0).Milliseconds())
	return o
}
