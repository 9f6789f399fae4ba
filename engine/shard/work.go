// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"sync/atomic"
	"time"
)

// Kind is one kind of a shard's work.
type Kind int

// The kinds of work. A get has found its document or missed it; a search is a query, and then a fetch where it shows
// documents.
const (
	Refreshing Kind = iota
	Flushing
	Merging
	Indexing
	Deleting
	Finding
	Missing
	Querying
	Fetching
	kinds
)

// Done is how often one kind of work was done since the shard was opened, for how long in all, and what is under way.
type Done struct {
	Count   int64
	Time    time.Duration
	Current int64
}

// Work is what a shard has done, by Kind.
type Work struct {
	Done [kinds]Done
	// Failed are operations that were refused, Noops updates that changed nothing.
	Failed, Noops int64
	// MergedDocs and MergedBytes are of the segments that merges took in.
	MergedDocs, MergedBytes int64
}

// Gets are those that found their document and those that missed it.
func (w *Work) Gets() Done {
	found, missed := w.Done[Finding], w.Done[Missing]
	return Done{found.Count + missed.Count, found.Time + missed.Time, found.Current + missed.Current}
}

// Add adds the work of another shard.
func (w *Work) Add(o Work) {
	for k := range w.Done {
		w.Done[k].Count += o.Done[k].Count
		w.Done[k].Time += o.Done[k].Time
		w.Done[k].Current += o.Done[k].Current
	}
	w.Failed, w.Noops = w.Failed+o.Failed, w.Noops+o.Noops
	w.MergedDocs, w.MergedBytes = w.MergedDocs+o.MergedDocs, w.MergedBytes+o.MergedBytes
}

// counters count work while it is done.
type counters struct {
	done                                   [kinds]counter
	failed, noops, mergedDocs, mergedBytes atomic.Int64
}

type counter struct{ count, nanos, current atomic.Int64 }

// begin notes that work has begun; the function it returns, that it has ended.
func (c *counters) begin(k Kind) (end func()) {
	began := time.Now()
	c.done[k].current.Add(1)
	return func() {
		c.done[k].current.Add(-1)
		c.add(k, 1, time.Since(began))
	}
}

func (c *counters) add(k Kind, count int64, took time.Duration) {
	c.done[k].count.Add(count)
	c.done[k].nanos.Add(int64(took))
}

// written notes a transaction, whose time its operations share.
func (c *counters) written(t *transaction, took time.Duration) {
	if all := t.indexed + t.deleted; all > 0 {
		c.add(Indexing, t.indexed, took*time.Duration(t.indexed)/time.Duration(all))
		c.add(Deleting, t.deleted, took*time.Duration(t.deleted)/time.Duration(all))
	}
	c.failed.Add(t.failed)
}

func (c *counters) work() Work {
	w := Work{Failed: c.failed.Load(), Noops: c.noops.Load(), MergedDocs: c.mergedDocs.Load(), MergedBytes: c.mergedBytes.Load()}
	for k := range w.Done {
		d := &c.done[k]
		w.Done[k] = Done{Count: d.count.Load(), Time: time.Duration(d.nanos.Load()), Current: d.current.Load()}
	}
	return w
}

// BeginQuery notes that a search goes through the shard; the function it returns, that it is through.
func (s *Shard) BeginQuery() (end func()) { return s.counters.begin(Querying) }

// CountNoop notes an update that changed nothing.
func (s *Shard) CountNoop() { s.counters.noops.Add(1) }
