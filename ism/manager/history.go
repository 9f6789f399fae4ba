// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// maxPending bounds the records that wait while the history cannot be written. Beyond it the oldest are given up.
const maxPending = 10_000

// How long (real time) a sweep waits for its last records to be written, and for what is due to the history's indices.
const (
	historyPatience = 2 * time.Second
	upkeepPatience  = 10 * time.Second
)

// history keeps a record of each change of metadata that the plugin keeps one of. A record's id is made of the index's
// uuid and the sequence number of the metadata it is of, so that writing it twice changes nothing. Records go out with
// the next bulk request there is, the last ones at the end of the sweep: waiting writes none. Where the history cannot
// be written, lifecycles go on; the records wait, and are tried again by themselves after a pause.
type history struct {
	settings historySettings
	pending  []record
	// open is whether the write alias exists, as far as we know. Without it nothing is written: a document must not make
	// an index of the alias's name.
	open     bool
	failures int       // in a row
	retryAt  time.Time // real time
	// unsure are the uuids whose metadata was sent without an answer: it may have been stored.
	unsure map[string]bool
	fence  int64 // the lease under which it was looked whether the records before are there
	upkeep upkeep
}

// record is a document of the history that is not known to be stored.
type record struct {
	id     string
	source wire.Object
}

func newHistory() history { return history{unsure: map[string]bool{}} }

// recordID is the id of the record of the metadata that has this sequence number.
func recordID(uuid string, seqNo int64) string { return uuid + "-" + strconv.FormatInt(seqNo, 10) }

// add keeps a record of metadata that was stored under a sequence number.
func (h *history) add(e *entry, meta *ism.Metadata, seqNo int64, now time.Time) {
	if !h.settings.enabled || !meta.Recorded() {
		return
	}
	h.pending = append(h.pending, record{id: recordID(e.uuid, seqNo), source: meta.Record(now)})
}

// stored keeps a record of what a write has changed.
func (h *history) stored(w write, seqNo int64, now time.Time) {
	if w.meta == nil {
		return
	}
	delete(h.unsure, w.entry.uuid)
	h.add(w.entry, w.meta, seqNo, now)
}

// last keeps the record of what became of a deleted index. It goes out before the index's documents are deleted, under
// the number of the metadata that announced the step, which has no record of its own.
func (h *history) last(e *entry, meta *ism.Metadata, now time.Time) {
	h.add(e, meta, e.metaVersion.SeqNo, now)
}

// deleting is the metadata of an index that is gone, if its policy was about to delete it; nil otherwise. Whoever did it
// did not come to say so.
func deleting(e *entry, now time.Time) *ism.Metadata {
	if !e.hasJob() || !e.starting || e.meta().Step.Name != deleteStep {
		return nil
	}
	info := ism.Message("Successfully deleted index [index=" + e.name() + "]")
	return ism.Finish(ism.Move{Meta: e.meta()}, ism.Result{Status: ism.StatusCompleted, Info: info}, now)
}

// unanswered notes writes of which it is not known whether they were made.
func (h *history) unanswered(writes []write) {
	for _, w := range writes {
		if w.meta != nil && w.meta.Recorded() {
			h.unsure[w.entry.uuid] = true
		}
	}
}

// seen keeps records of metadata that was read again and turned out to be what an unanswered write stored.
func (h *history) seen(entries []*entry, now time.Time) {
	for _, e := range entries {
		if !e.hasMeta() || !h.unsure[e.uuid] {
			continue
		}
		delete(h.unsure, e.uuid)
		if meta := e.meta(); !meta.RetryPending() {
			h.add(e, meta, e.metaVersion.SeqNo, now)
		}
	}
}

// recordsAlong are the records that go out with a bulk request that is made anyway, before the metadata they are of is
// written over.
func (s *sweep) recordsAlong(ctx context.Context) []opensearch.Write {
	h := &s.history
	if len(h.pending) == 0 || h.failures > 0 {
		return nil
	}
	if !h.open {
		ctx, cancel := context.WithTimeout(ctx, historyPatience)
		defer cancel()
		if err := s.openHistory(ctx); err != nil {
			h.failed()
			return nil
		}
	}
	return h.writes()
}

// writes are those of the oldest records that wait.
func (h *history) writes() []opensearch.Write {
	out := make([]opensearch.Write, min(len(h.pending), maxBatch))
	for i := range out {
		r := h.pending[i]
		out[i] = opensearch.Write{Op: opensearch.OpCreate, Index: historyAlias, ID: r.id, Source: r.source, RequireAlias: true}
	}
	return out
}

// written takes the results of the oldest records. Those that were refused wait on, but for those that are no documents
// of the history at all.
func (h *history) written(results []opensearch.Written) error {
	var left []record
	var last error
	for i, r := range results {
		switch {
		case r.Err == nil:
			h.upkeep.docs++
		case fault.HasStatus(r.Err, http.StatusConflict): // it is there
		case fault.HasStatus(r.Err, http.StatusBadRequest):
			last = r.Err
		default:
			h.open = h.open && !fault.HasStatus(r.Err, http.StatusNotFound)
			last = r.Err
			left = append(left, h.pending[i])
		}
	}
	h.pending = append(left, h.pending[len(results):]...)
	h.upkeep.plan(h.settings)
	return last
}

// failed puts writing off after a failure: for 1 s, doubling to a minute.
func (h *history) failed() {
	h.retryAt = time.Now().Add(min(time.Second<<min(h.failures, 6), time.Minute))
	h.failures++
}

// bound gives the oldest records up where there are too many, and says how many.
func (h *history) bound() int {
	over := len(h.pending) - maxPending
	if over <= 0 {
		return 0
	}
	h.pending = append([]record(nil), h.pending[over:]...)
	return over
}

// keepHistory does at the beginning of a sweep what is due: after a change of leader the records are made that the last
// one did not come to, and the history's own indices are rolled over and deleted by age.
func (s *sweep) keepHistory(ctx context.Context) {
	h := &s.history
	if s.settings.values == nil {
		return
	}
	s.readHistorySettings()
	ctx, cancel := context.WithTimeout(ctx, upkeepPatience)
	defer cancel()
	if h.fence != s.fence {
		if time.Now().Before(h.retryAt) {
			return
		}
		if err := s.repairHistory(ctx); err != nil {
			h.failed()
			s.log.Warn("history is not looked through", "err", err)
			return
		}
		h.fence = s.fence
		h.upkeep = upkeep{due: s.now}
	}
	s.maintainHistory(ctx)
}

// flushHistory writes the records that wait. It never fails a sweep.
func (s *sweep) flushHistory(ctx context.Context) {
	h := &s.history
	if n := h.bound(); n > 0 {
		s.log.Error("history records are lost", "records", n)
	}
	if len(h.pending) == 0 || time.Now().Before(h.retryAt) {
		return
	}
	// A program that ends still writes what it did.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), historyPatience)
	defer cancel()
	if err := s.writePending(ctx); err != nil {
		h.failed()
		s.log.Warn("history is not written", "records", len(h.pending), "err", err)
		return
	}
	h.failures, h.retryAt = 0, time.Time{}
}

func (s *sweep) writePending(ctx context.Context) error {
	h := &s.history
	for tries := 0; len(h.pending) > 0; tries++ {
		if !h.open {
			if err := s.openHistory(ctx); err != nil {
				return err
			}
		}
		results, err := s.opts.Client.Bulk(ctx, h.writes())
		if err == nil {
			err = h.written(results)
		}
		if err != nil && (h.open || tries > 0) {
			return err
		}
	}
	return nil
}
