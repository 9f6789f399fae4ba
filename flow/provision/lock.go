// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"sync"
	"time"
)

// locks are mutexes by the ids of workflows: who changes what a workflow's run is to do, or begins to work on one, holds
// its lock. Who works on a run does not.
type locks struct {
	mu   sync.Mutex
	byID map[string]*lock
}

type lock struct {
	mu    sync.Mutex
	users int
}

// lock waits for the lock of a workflow.
func (l *locks) lock(id string) (unlock func()) {
	l.mu.Lock()
	if l.byID == nil {
		l.byID = map[string]*lock{}
	}
	one := l.byID[id]
	if one == nil {
		one = &lock{}
		l.byID[id] = one
	}
	one.users++
	l.mu.Unlock()
	one.mu.Lock()
	return func() {
		one.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(l.byID, id)
		}
	}
}

// settleFor bounds what is finished although its caller has gone.
const settleFor = 30 * time.Second

// detached is a context that outlives a request for long enough to finish what several documents tell.
func (s *Service) detached() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.recording, settleFor)
}

// patiently tries fn again while the cluster says "not now".
func patiently(ctx context.Context, fn func() error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := fn()
		if err == nil || !passing(err) || pauseFor(ctx, pause) != nil {
			return err
		}
	}
}
