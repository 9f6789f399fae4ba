// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

// steps runs steps side by side, each kind within its limit, and collects their results.
type steps struct {
	log   *slog.Logger
	slots [action.Kinds]chan struct{}
	group sync.WaitGroup

	mu       sync.Mutex
	running  [action.Kinds]int // steps whose result has not been taken
	finished []stepResult
	arrived  chan struct{}
	merging  map[string]bool // uuids with work in the background
}

// stepResult is what became of a step. err means that it is not known.
type stepResult struct {
	decided
	intentions *intentions
	result     ism.Result
	err        error
	kind       action.Kind
	// after, unless nil, is called with the result in the step's own goroutine, when its slot is free again.
	after func(*stepResult)
	// announces is true if the step has only sent the notification of a move, whose documents are to be stored now.
	announces bool
	// release lets the clock go on once the result is stored.
	release func()
}

func newSteps(log *slog.Logger) *steps {
	s := &steps{log: log, arrived: make(chan struct{}, 1), merging: map[string]bool{}}
	for k := range s.slots {
		s.slots[k] = make(chan struct{}, action.Kind(k).Limit())
	}
	return s
}

// start runs a step; done is called with its result in the step's own goroutine.
func (s *steps) start(ctx context.Context, step action.Step, env *action.Env, r stepResult, done func()) {
	s.mu.Lock()
	s.running[step.Kind]++
	s.mu.Unlock()
	r.kind = step.Kind
	s.group.Go(func() {
		r.result, r.err = s.run(ctx, step, env)
		if r.after != nil {
			r.after(&r)
		}
		s.mu.Lock()
		s.finished = append(s.finished, r)
		s.mu.Unlock()
		select {
		case s.arrived <- struct{}{}:
		default:
		}
		done()
	})
}

func (s *steps) run(ctx context.Context, step action.Step, env *action.Env) (result ism.Result, err error) {
	slot := s.slots[step.Kind]
	select {
	case slot <- struct{}{}:
		defer func() { <-slot }()
	case <-ctx.Done():
		return ism.Result{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, step.Kind.Within())
	defer cancel()
	err = fault.Guard(s.log, "step "+step.Name, func() (err error) {
		result, err = step.Run(ctx, env)
		return err
	})
	return result, err
}

// take returns the results that have arrived.
func (s *steps) take() []stepResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.finished
	s.finished = nil
	for _, r := range out {
		s.running[r.kind]--
	}
	return out
}

// await waits until a result can be taken. It returns false at once if no light step is under way, or when no result
// has come in time; heavy steps report when they are done.
func (s *steps) await(ctx context.Context, patience time.Duration) bool {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		running, finished := s.running[action.Light], len(s.finished)
		s.mu.Unlock()
		if finished > 0 || running == 0 {
			return finished > 0
		}
		select {
		case <-s.arrived:
		case <-timeout.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// background runs fn outside any step, unless something runs for this uuid already.
func (s *steps) background(ctx context.Context, uuid string, release func(), fn func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.merging[uuid] {
		release()
		return false
	}
	s.merging[uuid] = true
	s.group.Go(func() {
		defer release()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.merging, uuid)
		}()
		_ = fault.Guard(s.log, "step in the background", func() error { fn(ctx); return nil }) // whoever waits for it looks at the cluster
	})
	return true
}

func (s *steps) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, running := range s.running {
		n += running
	}
	return n
}

// wait returns when no step is under way.
func (s *steps) wait() { s.group.Wait() }
