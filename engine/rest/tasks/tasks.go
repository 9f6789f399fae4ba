// SPDX-License-Identifier: Apache-2.0

// Package tasks keeps the long actions that run now, so that other requests can list them, ask how far they are, change
// their rate, ask them to stop, and wait for their end.
//
// A [Task] is listed from [Registry.Begin] until its end is called; results are not kept here. Work that outlives its
// request runs in [Registry.Go], which [Registry.Stop] cancels and waits for. Times are the machine's: they are about
// work, not about documents.
package tasks

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Listing is the action of listing tasks. It cannot be cancelled.
const Listing = "cluster:monitor/tasks/lists"

// Work is what a task does.
type Work struct {
	Action, Description string
	// OpaqueID is what the client calls its request; "" for nothing.
	OpaqueID string
	// Status is what the task says of its progress; nil if it says nothing.
	Status func() wire.Object
	// Rethrottle changes its rate, in documents a second (0: no limit); nil for a task that has none.
	Rethrottle func(rate float64)
}

// Registry is the tasks of a node. It is safe for concurrent use; the zero Registry is empty.
type Registry struct {
	mu      sync.Mutex
	last    int64
	running map[int64]*Task
	// background counts what [Registry.Go] runs; stopped says that no more of it may begin.
	background sync.WaitGroup
	stopped    bool
}

// Task is work that runs.
type Task struct {
	Work
	Number  int64
	Started time.Time

	stop context.CancelFunc
	done chan struct{} // closed when the task has ended

	mu        sync.Mutex
	cancelled time.Time // zero unless somebody asked for it to stop
}

// Begin lists a task until end is called, which is called once. The context it returns ends when the task is cancelled.
func (r *Registry) Begin(ctx context.Context, w Work) (_ context.Context, t *Task, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	t = &Task{Work: w, Number: r.last, Started: time.Now(), stop: cancel, done: make(chan struct{})}
	if r.running == nil {
		r.running = map[int64]*Task{}
	}
	r.running[t.Number] = t
	return ctx, t, func() {
		cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.running, t.Number)
		close(t.done)
	}
}

// List is a snapshot of what runs, oldest first, of actions that match one of the patterns (none: all).
func (r *Registry) List(actions []string) []*Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*Task
	for _, t := range r.running {
		if len(actions) == 0 || wire.MatchAny(actions, t.Action) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Task) int { return int(a.Number - b.Number) })
	return out
}

// Find is the running task of an id; nil if none runs. A text that is no id is a 400.
func (r *Registry) Find(id string) (*Task, error) {
	node, number, ok := strings.Cut(id, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return nil, fault.Illegal("malformed task id %s", id)
	}
	if node != query.NodeID {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[n], nil
}

// Go runs what outlives its request in a goroutine, and reports whether it may: not once Stop was called.
func (r *Registry) Go(run func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return false
	}
	r.background.Go(run)
	return true
}

// Stop cancels all tasks and waits for the end of what Go runs. No more of it may begin.
func (r *Registry) Stop() {
	r.mu.Lock()
	r.stopped = true
	for _, t := range r.running {
		t.stop()
	}
	r.mu.Unlock()
	r.background.Wait()
}

// Stopped reports whether Stop was called.
func (r *Registry) Stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}

// ID is the task's id as the API writes it.
func (t *Task) ID() string { return query.NodeID + ":" + strconv.FormatInt(t.Number, 10) }

// Done is closed when the task has ended.
func (t *Task) Done() <-chan struct{} { return t.done }

// Cancel asks the task to stop.
func (t *Task) Cancel() {
	t.mu.Lock()
	if t.cancelled.IsZero() {
		t.cancelled = time.Now()
	}
	t.mu.Unlock()
	t.stop()
}

// Wait reports whether the task ended in time. One that has ended has, however short the time is.
func (t *Task) Wait(ctx context.Context, timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-t.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// JSON is the task as the API shows it.
func (t *Task) JSON(detailed bool) wire.Object {
	running := time.Since(t.Started)
	t.mu.Lock()
	cancelled := t.cancelled
	t.mu.Unlock()
	o := wire.Obj("node", query.NodeID, "id", t.Number, "type", "transport", "action", t.Action)
	if detailed && t.Status != nil {
		o.Add("status", t.Status())
	}
	o.AddIf(detailed, "description", t.Description)
	o.Add("start_time_in_millis", t.Started.UnixMilli())
	o.Add("running_time_in_nanos", running.Nanoseconds())
	o.Add("cancellable", t.Action != Listing)
	o.Add("cancelled", !cancelled.IsZero())
	headers := wire.Object{}
	headers.AddIf(t.OpaqueID != "", "X-Opaque-Id", t.OpaqueID)
	o.Add("headers", headers)
	o.AddIf(!cancelled.IsZero(), "cancellation_time_millis", cancelled.UnixMilli())
	return o
}
