// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"time"

	"github.com/opensteward/steward/fault"
)

const (
	// maxRounds bounds a sweep, so that the cluster is looked at again even while some policy always has a next move.
	maxRounds = 64
	// maxSweep is how long (real time) a sweep begins rounds, for the same reason while thousands of indices are ready: what is
	// new has to be noticed meanwhile.
	maxSweep = time.Second
	// maxBatch is how many indices are served in one round: what one bulk request holds.
	maxBatch = 1000
	// patience is how long (real time) a sweep waits for a light step before it leaves it to a later one.
	patience = 250 * time.Millisecond
)

// Sweep makes one pass at the instant now: notice, attach and forget, and every move that is ready, until nothing is or
// the pass has lasted long enough, which Summary.More says. A step that takes longer goes on, and its result is
// stored by a later sweep. An error means that the cluster could not be read or written; everything is tried again by
// the next sweep.
func (m *Manager) Sweep(ctx context.Context, now time.Time) (Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sum Summary
	err := fault.Guard(m.log, "sweep", func() (err error) {
		sum, err = m.sweep(ctx, now)
		return err
	})
	if _, panicked := errors.AsType[*fault.Panicked](err); panicked {
		// What is cached may be half of something: it is read anew, and records that are missing are found.
		m.fence, m.history.fence = 0, 0
	}
	m.status.LastSweep, m.status.LastError = now, ""
	if err != nil {
		m.status.LastError = err.Error()
	}
	if err != nil || sum != (Summary{}) {
		m.count()
	}
	return sum, err
}

func (m *Manager) sweep(ctx context.Context, now time.Time) (Summary, error) {
	fence, held := m.opts.Lease.Held()
	m.status.Leading, m.status.Fence = held, fence
	if !held {
		return Summary{Standby: true}, nil
	}
	// Documents have milliseconds; what is decided before and after a restart must not differ by less.
	s := &sweep{Manager: m, now: now.Truncate(time.Millisecond)}
	if err := s.lead(ctx, fence); err != nil {
		return s.sum, err
	}
	if err := s.notice(ctx); err != nil {
		return s.sum, err
	}
	s.keepHistory(ctx)
	if err := s.enrol(ctx); err != nil {
		return s.sum, err
	}
	err := s.rounds(ctx)
	s.flushHistory(ctx)
	return s.sum, err
}

// sweep is one pass under way.
type sweep struct {
	*Manager
	now time.Time
	sum Summary
	// healthRead is set once the cluster's health has been read in this sweep.
	healthRead bool
}

// rounds makes moves until none is ready and no short step is under way.
func (s *sweep) rounds(ctx context.Context) error {
	began := time.Now()
	for n := 0; n < maxRounds && (n == 0 || time.Since(began) < maxSweep); n++ {
		if err := s.storeLate(ctx); err != nil {
			return err
		}
		if err := s.settle(ctx, s.steps.take()); err != nil {
			return err
		}
		ready := s.queue.pop(s.now, maxBatch)
		if len(ready) > 0 {
			if err := s.move(ctx, ready); err != nil {
				return err
			}
			continue
		}
		if !s.steps.await(ctx, patience) {
			s.sum.More = s.sum.Steps > 0 // what was done shows in the cluster: a new index, a new alias
			return ctx.Err()
		}
	}
	s.sum.More = true
	return nil
}
