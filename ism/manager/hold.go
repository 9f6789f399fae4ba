// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"time"

	"github.com/opensteward/steward/clock"
)

// hold is what keeps a virtual clock from moving while a step is under way.
type hold struct {
	clock   clock.Clock
	release func()
}

// letTimePass gives the hold up while fn runs, whose context ends when limit has passed on the clock.
func (h *hold) letTimePass(ctx context.Context, limit time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	alarm, done := h.clock.Alarm(h.clock.Now().Add(limit)), make(chan struct{})
	defer func() {
		h.release = h.clock.Hold()
		close(done)
	}()
	go func() {
		defer alarm.Stop()
		select {
		case release := <-alarm.C: // the clock stands where it fired until the step holds it again
			cancel()
			<-done
			release()
		case <-done:
		}
	}()
	h.release()
	return fn(ctx)
}

// end lets the clock go when the step's result is stored.
func (h *hold) end() { h.release() }
