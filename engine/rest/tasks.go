// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// tasks are the long actions that run now.
type tasks struct {
	mu      sync.Mutex
	last    int64
	running map[int64]*task
	// background counts those that outlive their request; stopped says that no more may begin.
	background sync.WaitGroup
	stopped    bool
}

type task struct {
	id                  int64
	action, description string
	opaqueID            string
	started             time.Time
	stop                context.CancelFunc
	// status is what the task says of its progress; nil if it says nothing.
	status func() wire.Object
	// rethrottle changes its rate, in documents a second (0: no limit); nil for a task that has none.
	rethrottle func(rate float64)
	// done is closed when the task has ended.
	done chan struct{}

	mu        sync.Mutex
	cancelled time.Time // zero unless somebody asked for it to stop
}

// start notes a task until done is called. The context it returns ends when the task is cancelled.
func (t *tasks) start(ctx context.Context, r *rest.Request, action, description string) (_ context.Context, done func()) {
	ctx, _, done = t.begin(ctx, r, work{action: action, description: description})
	return ctx, done
}

// begin is start for work that tells of its progress.
func (t *tasks) begin(ctx context.Context, r *rest.Request, w work) (_ context.Context, _ *task, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	one := &task{
		id: t.last, action: w.action, description: w.description, opaqueID: r.HTTP.Header.Get("X-Opaque-Id"), started: time.Now(),
		stop: cancel, status: w.status, rethrottle: w.rethrottle, done: make(chan struct{}),
	}
	if t.running == nil {
		t.running = map[int64]*task{}
	}
	t.running[one.id] = one
	return ctx, one, func() {
		cancel()
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, one.id)
		close(one.done)
	}
}

// list is a snapshot of what runs, oldest first, of actions that match one of the patterns (none: all).
func (t *tasks) list(actions []string) []*task {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*task
	for _, one := range t.running {
		if len(actions) == 0 || wire.MatchAny(actions, one.action) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b *task) int { return int(a.id - b.id) })
	return out
}

// cancel asks the task to stop.
func (t *task) cancel() {
	t.mu.Lock()
	if t.cancelled.IsZero() {
		t.cancelled = time.Now()
	}
	t.mu.Unlock()
	t.stop()
}

// ID is the task's id as the API writes it.
func (t *task) ID() string { return query.NodeID + ":" + strconv.FormatInt(t.id, 10) }

func (t *task) json(detailed bool) wire.Object {
	running := time.Since(t.started)
	t.mu.Lock()
	cancelled := t.cancelled
	t.mu.Unlock()
	o := wire.Obj("node", query.NodeID, "id", t.id, "type", "transport", "action", t.action)
	if detailed && t.status != nil {
		o.Add("status", t.status())
	}
	o.AddIf(detailed, "description", t.description)
	o.Add("start_time_in_millis", t.started.UnixMilli())
	o.Add("running_time_in_nanos", running.Nanoseconds())
	o.Add("cancellable", t.action != taskListing)
	o.Add("cancelled", !cancelled.IsZero())
	headers := wire.Object{}
	headers.AddIf(t.opaqueID != "", "X-Opaque-Id", t.opaqueID)
	o.Add("headers", headers)
	o.AddIf(!cancelled.IsZero(), "cancellation_time_millis", cancelled.UnixMilli())
	return o
}

func (s *Server) taskRoutes(rt *rest.Router) {
	rt.Handle("GET", "/_tasks", s.listTasks)
	rt.Handle("GET", "/_tasks/{task_id}", s.getTask)
	rt.Handle("POST", "/_tasks/_cancel", s.cancelTasks)
	rt.Handle("POST", "/_tasks/{task_id}/_cancel", s.cancelTasks)
}

// nodeTasks is the answer of list and cancel.
func (s *Server) nodeTasks(list []*task, detailed bool) wire.Object {
	if len(list) == 0 {
		return wire.Obj("nodes", wire.Object{})
	}
	byID := wire.Object{}
	for _, t := range list {
		byID.Add(t.ID(), t.json(detailed))
	}
	return wire.Obj("nodes", wire.Obj(query.NodeID, wire.Obj("name", s.nodeName(), "transport_address", s.transportAddress(),
		"host", s.host(), "ip", s.transportAddress(), "roles", nodeRoles, "attributes", s.nodeAttributes(), "tasks", byID)))
}

// taskListing is the action of listing tasks. It cannot be cancelled.
const taskListing = "cluster:monitor/tasks/lists"

// listed are the tasks of actions on nodes, the listing itself included.
func (s *Server) listed(ctx context.Context, r *rest.Request, actions, nodes []string) []*task {
	if !s.isNode(nodes) {
		return nil
	}
	_, done := s.tasks.start(ctx, r, taskListing, "")
	defer done()
	return s.tasks.list(actions)
}

func (s *Server) listTasks(r *rest.Request) (rest.Action, error) {
	detailed := r.Bool("detailed", false)
	actions, nodes := r.List("actions"), r.List("nodes")
	group := r.Param("group_by", "nodes")
	if r.Has("parent_task_id") {
		return nil, fault.Unsupported("parent tasks")
	}
	r.Ignore("wait_for_completion", "timeout")
	return func(ctx context.Context) (*rest.Response, error) {
		list := s.listed(ctx, r, actions, nodes)
		return s.grouped(list, group, detailed)
	}, nil
}

// grouped is the answer that lists tasks.
func (s *Server) grouped(list []*task, group string, detailed bool) (*rest.Response, error) {
	switch group {
	case "nodes":
		return rest.OK(s.nodeTasks(list, detailed)), nil
	case "none":
		out := []wire.Object{}
		for _, t := range list {
			out = append(out, t.json(detailed))
		}
		return rest.OK(wire.Obj("tasks", out)), nil
	case "parents":
		out := wire.Object{}
		for _, t := range list {
			out.Add(t.ID(), t.json(detailed))
		}
		return rest.OK(wire.Obj("tasks", out)), nil
	}
	return nil, fault.Illegal("[group_by] must be one of [nodes], [parents] or [none] but was [%s]", group)
}

// find is the running task of an id; nil if none runs.
func (s *Server) find(id string) (*task, error) {
	node, number, ok := strings.Cut(id, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return nil, fault.Illegal("malformed task id %s", id)
	}
	for _, t := range s.tasks.list(nil) {
		if node == query.NodeID && t.id == n {
			return t, nil
		}
	}
	return nil, nil
}

// noTask is the error of a task that nobody knows of.
func noTask(id string) error {
	e := fault.New(http.StatusNotFound, "resource_not_found_exception", "task [%s] isn't running and hasn't stored its results", id)
	node, _, _ := strings.Cut(id, ":")
	if node == query.NodeID {
		return e
	}
	out := fault.New(http.StatusNotFound, e.Type, "task [%s] belongs to the node [%s] which isn't part of the cluster and there is no record of the task", id, node)
	out.CausedBy = e
	return out
}

// notReached is the answer to who wants something of a task that does not run. what says that it is not there.
func notReached(id, what string) wire.Object {
	node, _, _ := strings.Cut(id, ":")
	cause := fault.New(http.StatusNotFound, "no_such_node_exception", "No such node [%s]", node).With("node_id", node)
	if node == query.NodeID {
		cause = fault.New(http.StatusNotFound, "resource_not_found_exception", "task [%s] is %s", id, what)
	}
	failure := wire.Obj("type", "failed_node_exception", "reason", "Failed node ["+node+"]", "node_id", node, "caused_by", cause)
	return wire.Obj("node_failures", []wire.Object{failure}, "nodes", wire.Object{})
}

// defaultTaskWait is how long a request waits for a task to end unless it says otherwise (OpenSearch's figure).
const defaultTaskWait = 30 * time.Second

func (s *Server) getTask(r *rest.Request) (rest.Action, error) {
	id := r.Path("task_id")
	wait, timeout := r.Bool("wait_for_completion", false), r.Duration("timeout", defaultTaskWait)
	return func(ctx context.Context) (*rest.Response, error) {
		t, err := s.find(id)
		if err != nil {
			return nil, err
		}
		if t != nil && wait && !t.wait(ctx, timeout) {
			return nil, fault.New(http.StatusInternalServerError, "timeout_exception", "Timed out waiting for completion of [%s]", id)
		}
		if t != nil && !wait {
			return rest.OK(wire.Obj("completed", false, "task", t.json(true))), nil
		}
		return s.storedTask(id)
	}, nil
}

// wait reports whether the task ended in time.
func (t *task) wait(ctx context.Context, timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-t.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *Server) cancelTasks(r *rest.Request) (rest.Action, error) {
	id, actions, nodes := r.Path("task_id"), r.List("actions"), r.List("nodes")
	wait := r.Bool("wait_for_completion", false)
	if r.Has("parent_task_id") {
		return nil, fault.Unsupported("parent tasks")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		list := s.tasks.list(actions)
		if !s.isNode(nodes) {
			list = nil
		}
		if id != "" {
			t, err := s.find(id)
			if err != nil {
				return nil, err
			}
			if t == nil {
				return rest.OK(notReached(id, "not found")), nil
			}
			list = []*task{t}
		}
		for _, t := range list {
			t.cancel()
		}
		for _, t := range list {
			if wait && !t.wait(ctx, defaultTaskWait) {
				break
			}
		}
		return rest.OK(s.nodeTasks(list, false)), nil
	}, nil
}
