// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"sync"
	"time"
)

// Virtual is a clock that moves only when told. The zero value is not usable; see [NewVirtual].
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	holds  int
	free   chan struct{} // closed while nothing holds the clock
	alarms map[*alarm]struct{}
}

type alarm struct {
	at time.Time
	c  chan func()
	// release is set once the alarm has fired
	release func()
}

// NewVirtual returns a clock that stands at start.
func NewVirtual(start time.Time) *Virtual {
	free := make(chan struct{})
	close(free)
	return &Virtual{now: start.UTC(), free: free, alarms: map[*alarm]struct{}{}}
}

// Begin puts the clock to an instant before anybody has looked at it.
func (v *Virtual) Begin(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = at.UTC()
}

// Now is the instant the clock stands at.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Hold keeps the clock where it is until release is called.
func (v *Virtual) Hold() (release func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hold()
}

func (v *Virtual) hold() func() {
	if v.holds == 0 {
		v.free = make(chan struct{})
	}
	v.holds++
	return sync.OnceFunc(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.holds--
		if v.holds == 0 {
			close(v.free)
		}
	})
}

// Alarm fires when the clock reaches at, at once if it has passed. The clock is held until the receiver releases it.
func (v *Virtual) Alarm(at time.Time) *Alarm {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := &alarm{at: at, c: make(chan func(), 1)}
	v.alarms[a] = struct{}{}
	if !at.After(v.now) {
		v.fire(a)
	}
	return &Alarm{C: a.c, Stop: func() { v.stop(a) }}
}

func (v *Virtual) fire(a *alarm) {
	delete(v.alarms, a)
	a.release = v.hold()
	a.c <- a.release
}

func (v *Virtual) stop(a *alarm) {
	v.mu.Lock()
	delete(v.alarms, a)
	release := a.release
	v.mu.Unlock()
	if release == nil {
		return
	}
	select {
	case <-a.c: // fired, but nobody took it
		release()
	default:
	}
}

// Settle waits until nothing holds the clock. It returns ctx's error if that does not happen in time.
func (v *Virtual) Settle(ctx context.Context) error {
	v.mu.Lock()
	free := v.free
	v.mu.Unlock()
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Advance moves the clock by d, stopping at every alarm on the way, in order, until the work it wakes is done. It
// returns ctx's error, with the clock where it was then, if that work does not end.
func (v *Virtual) Advance(ctx context.Context, d time.Duration) error {
	target := v.Now().Add(d)
	for {
		if err := v.Settle(ctx); err != nil {
			return err
		}
		if !v.step(target) {
			return v.Settle(ctx)
		}
	}
}

// step goes to the next alarm at or before target, or to target, and reports whether there is more to wait for: an alarm
// that fired, or somebody who holds the clock by now.
func (v *Virtual) step(target time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.holds > 0 {
		return true
	}
	var next *alarm
	for a := range v.alarms {
		if !a.at.After(target) && (next == nil || a.at.Before(next.at)) {
			next = a
		}
	}
	if next == nil {
		v.now = target
		return false
	}
	if next.at.After(v.now) {
		v.now = next.at
	}
	v.fire(next)
	return true
}
