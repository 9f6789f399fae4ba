// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/opensteward/steward/opensearch"
)

// Pauses between two tries of what a passing weakness of the cluster kept from happening: they double from the first to
// the longest.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

// Why a run ends without an end of its own.
var (
	errLost = errors.New("another process has taken over")
	errGone = errors.New("the workflow's state was deleted")
)

// record is the run and the state of a workflow while one process works on them: in memory, and on the way to their
// documents. What several nodes change at the same time goes out in one request.
type record struct {
	s *Service

	mu    sync.Mutex
	turn  *sync.Cond
	run   storedRun
	state storedState
	// changes counts what was changed, written how much of that is stored.
	changes, written int
	stateChanged     bool
	writing          bool
	closed           bool
	err              error // why nothing is stored any more
	// asked is called when another process has asked for something.
	asked func()
}

func newRecord(s *Service, run storedRun, state storedState) *record {
	r := &record{s: s, run: run, state: state, asked: func() {}}
	r.turn = sync.NewCond(&r.mu)
	return r
}

// look calls fn with the run and the state, which it must not change.
func (r *record) look(fn func(d *runDocument, st *State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(r.run.runDocument, &r.state.State)
}

// change changes the run, and the state if fn returns true, and returns when that is durable. It tries until ctx ends:
// ctx is the run's, not that of a request.
func (r *record) change(ctx context.Context, fn func(d *runDocument, st *State) (state bool)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.stateChanged = fn(r.run.runDocument, &r.state.State) || r.stateChanged
	r.changes++
	mine := r.changes
	for r.written < mine && r.err == nil {
		if r.writing {
			r.turn.Wait()
			continue
		}
		r.write(ctx)
	}
	if r.written < mine {
		return r.err
	}
	return nil
}

// remember changes the run in memory; it goes out with the next change.
func (r *record) remember(fn func(d *runDocument)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(r.run.runDocument)
}

// write stores everything that has been changed so far. The caller holds the lock.
func (r *record) write(ctx context.Context) {
	r.writing = true
	defer func() {
		r.writing = false
		r.turn.Broadcast()
	}()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		upTo, withState := r.changes, r.stateChanged
		again, err := r.store(ctx, withState)
		switch {
		case err == nil && !again:
			r.written = upTo
			return
		case err != nil && !passing(err):
			r.breaks(err)
			return
		case err != nil:
			r.mu.Unlock()
			err = pauseFor(ctx, pause)
			r.mu.Lock()
			if err != nil {
				r.breaks(err)
				return
			}
		}
	}
}

// breaks ends the storing, and tells whoever works on the run. The caller holds the lock.
func (r *record) breaks(err error) {
	r.err = err
	asked := r.asked
	r.mu.Unlock()
	asked()
	r.mu.Lock()
}

// store sends one request. again is true if a document was changed by somebody else meanwhile.
func (r *record) store(ctx context.Context, withState bool) (again bool, err error) {
	fence, held := r.s.o.Lease.Held()
	if !held || r.run.Fence > fence {
		return false, errLost
	}
	r.run.Fence = fence
	writes, err := r.writes(withState)
	if err != nil {
		return false, err
	}
	if withState {
		r.stateChanged = false
	}
	r.mu.Unlock()
	results, err := r.s.client.Bulk(ctx, writes)
	r.mu.Lock()
	if err != nil {
		r.stateChanged = r.stateChanged || withState
		return false, err
	}
	for i, res := range results {
		isState := i > 0
		switch {
		case res.Err == nil && isState:
			r.state.version, r.state.found = res.Version, true
		case res.Err == nil:
			r.run.version = res.Version
		default:
			again = true
			r.stateChanged = r.stateChanged || isState
			if err := r.readAgain(ctx, isState, res.Err); err != nil {
				return false, err
			}
		}
	}
	return again, nil
}

// writes are the requests' documents as they are now: the run, then the state if it is wanted.
func (r *record) writes(withState bool) ([]opensearch.Write, error) {
	run := runWrite(r.run.runDocument, r.run.version)
	text, err := marshal(run.Source)
	if err != nil {
		return nil, err
	}
	run.Source = text
	out := []opensearch.Write{run}
	if withState {
		text, err := marshal(r.state.State)
		if err != nil {
			return nil, err
		}
		out = append(out, opensearch.Write{Op: opensearch.OpIndex, Index: StateIndex, ID: r.state.WorkflowID, If: r.state.version, Source: text})
	}
	return out, nil
}

// readAgain takes in what another process has written: requests to this run, or that it has taken over.
func (r *record) readAgain(ctx context.Context, isState bool, cause error) error {
	if !isConflict(cause) {
		return fmt.Errorf("store the progress: %w", cause)
	}
	if isState {
		st, err := r.s.readState(ctx, r.state.WorkflowID)
		if err == nil && !st.found {
			err = errGone
		}
		r.state.version = st.version
		return err
	}
	other, err := readRun(ctx, r.s.client, r.run.Workflow)
	switch {
	case err != nil:
		return err
	case !other.found:
		return errGone
	case other.Fence > r.run.Fence:
		return errLost
	}
	r.run.version = other.version
	if r.run.take(other.runDocument) {
		asked := r.asked
		r.mu.Unlock()
		asked()
		r.mu.Lock()
	}
	return nil
}

// notice takes in a run document as another process has written it, if it has.
func (r *record) notice(other storedRun) {
	r.mu.Lock()
	asked := func() {}
	// What is being written now meets the conflict by itself.
	if !r.writing && r.err == nil && other.version.SeqNo > r.run.version.SeqNo {
		if other.Fence > r.run.Fence {
			r.err = errLost
		}
		r.run.version = other.version
		if r.run.take(other.runDocument) || r.err != nil {
			asked = r.asked
		}
	}
	r.mu.Unlock()
	asked()
}

// take takes over what another process has asked for, and reports whether that is anything new.
func (d *runDocument) take(other *runDocument) bool {
	asked := other.Cancel && !d.Cancel
	d.Cancel = d.Cancel || other.Cancel
	if other.Undo != nil && (d.Undo == nil || other.Undo.ID != d.Undo.ID) {
		d.Undo, d.Goal, d.Open = other.Undo, goalDeprovision, true
		asked = true
	}
	return asked
}

// ask changes the run on a request's behalf and wakes whoever works on it. It returns false if nobody does any more.
func (r *record) ask(ctx context.Context, fn func(d *runDocument)) (bool, error) {
	r.mu.Lock()
	if r.closed || r.err != nil {
		r.mu.Unlock()
		return false, nil
	}
	asked := r.asked
	r.mu.Unlock()
	err := r.change(ctx, func(d *runDocument, _ *State) bool {
		fn(d)
		return false
	})
	asked()
	return err == nil, err
}

// version is that of the run document as it was stored last.
func (r *record) version() opensearch.Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.run.version
}

// onAsk sets what is called when something was asked for.
func (r *record) onAsk(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = fn
}

// broken is why nothing is stored any more, or nil.
func (r *record) broken() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// close ends the record if nothing is left to do, and reports whether it did. Nothing can be asked of it afterwards.
func (r *record) close(anyway bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = anyway || !r.run.Open || r.err != nil
	return r.closed
}

// pauseFor waits, or returns ctx's error.
func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isLost reports whether a run ended because it is not this process's any more.
func isLost(err error) bool { return errors.Is(err, errLost) || errors.Is(err, errGone) }
