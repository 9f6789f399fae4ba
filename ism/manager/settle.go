// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/opensteward/steward/ism"
)

// deleteStep is the step after which there is no index left to keep documents of.
const deleteStep = "attempt_delete"

// settle stores the results of steps in bulk, and makes their entries ready for what comes next.
func (s *sweep) settle(ctx context.Context, results []stepResult) error {
	if len(results) == 0 {
		return nil
	}
	defer func() {
		for _, r := range results {
			r.release()
		}
	}()
	var writes []write
	for i := range results {
		r := &results[i]
		r.entry.running = false
		if s.docs.entries[r.entry.uuid] == r.entry && r.err == nil {
			writes = append(writes, s.resultWrites(r)...)
		}
	}
	refused, err := s.store(ctx, writes)
	if err == nil {
		err = s.closeIntentions(ctx, results, refused)
	}
	for i := range results {
		s.settled(&results[i], refused[results[i].entry] || err != nil)
	}
	return err
}

// closeIntentions deletes the intentions of steps whose results are stored. It takes a request of its own: a bulk
// request may be done in part, and an intention must not be gone before what it led to is remembered.
func (s *sweep) closeIntentions(ctx context.Context, results []stepResult, refused map[*entry]bool) error {
	var writes []write
	for _, r := range results {
		if r.err == nil && r.intentions.open() && !refused[r.entry] {
			writes = append(writes, r.intentions.close())
		}
	}
	_, err := s.store(ctx, writes)
	return err
}

// resultWrites are what is stored because of a step's result.
func (s *sweep) resultWrites(r *stepResult) []write {
	if r.announces {
		return moveWrites(&r.decided)
	}
	meta := ism.Finish(r.move, r.result, s.now)
	if r.deleted() {
		s.history.last(r.entry, meta, s.now)
		return forgetWrites(r.entry)
	}
	if r.staysBlocked() {
		return nil
	}
	if same(meta, r.entry.meta()) {
		return nil // it looked again and saw the same
	}
	return []write{metaWrite(r.entry, meta)}
}

// staysBlocked reports whether the result is that of a blocked index that stays so.
func (r *stepResult) staysBlocked() bool { return r.again && r.result.Status == ism.StatusFailed }

// deleted reports whether the step has deleted its index.
func (r *stepResult) deleted() bool {
	return r.move.Step.Name == deleteStep && r.err == nil && r.result.Status == ism.StatusCompleted
}

func same(a, b *ism.Metadata) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// settled schedules an entry after its result was stored, or was not.
func (s *sweep) settled(r *stepResult, refused bool) {
	e := r.entry
	e.stale = true
	if s.docs.entries[e.uuid] != e || !e.hasJob() && !r.deleted() {
		return
	}
	switch {
	case r.err != nil:
		s.log.Warn("step is run again", "index", e.name(), "step", r.move.Step.Name, "err", r.err)
		s.retry(e)
	case refused:
		s.retry(e)
	case r.deleted():
		s.queue.remove(e)
		delete(s.docs.entries, e.uuid)
		s.sum.Finished++
	case r.staysBlocked():
		e.tries = 0
		s.stillBlocked(e)
	default:
		s.sum.Finished++
		e.tries = 0
		s.afterResult(r)
	}
}

// afterResult makes an entry ready at once, or, while a step waits for something in the cluster, after a pause that
// doubles each time and ends with the action's timeout; at once, too, if that may have happened while the step looked.
func (s *sweep) afterResult(r *stepResult) {
	e := r.entry
	called := e.called
	e.called = false
	turn := s.takeTurn(r)
	if r.result.Status != ism.StatusConditionNotMet || s.native() || called {
		e.polls = 0
		s.goOn(e)
		return
	}
	at := r.result.Again
	if at.IsZero() {
		at = s.now.Add(poll(int(e.polls)))
	}
	if at.Before(turn) {
		at = turn
	}
	if late := r.move.Action.Late(r.move.Meta.Action.StartTime); !late.IsZero() && late.After(s.now) && late.Before(at) {
		at = late
	}
	e.polls++
	s.queue.schedule(e, at)
}

// poll is the pause before a waiting step looks for the n-th time: from 50 ms, doubling, to a minute. What it waits for
// may be over at once, a snapshot of a small index, or take hours.
func poll(n int) time.Duration { return min(50*time.Millisecond<<min(n, 11), time.Minute) }
