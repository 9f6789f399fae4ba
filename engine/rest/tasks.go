// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// opaqueID is what the client calls its request.
func opaqueID(r *rest.Request) string { return r.HTTP.Header.Get("X-Opaque-Id") }

func (s *Server) taskRoutes(rt *rest.Router) {
	rt.Handle("GET", "/_tasks", s.listTasks)
	rt.Handle("GET", "/_tasks/{task_id}", s.getTask)
	rt.Handle("POST", "/_tasks/_cancel", s.cancelTasks)
	rt.Handle("POST", "/_tasks/{task_id}/_cancel", s.cancelTasks)
}

// nodeTasks is the answer of list and cancel.
func (s *Server) nodeTasks(list []*tasks.Task, detailed bool) wire.Object {
	if len(list) == 0 {
		return wire.Obj("nodes", wire.Object{})
	}
	byID := wire.Object{}
	for _, t := range list {
		byID.Add(t.ID(), t.JSON(detailed))
	}
	return wire.Obj("nodes", wire.Obj(query.NodeID, wire.Obj("name", s.nodeName(), "transport_address", s.transportAddress(),
		"host", s.host(), "ip", s.transportAddress(), "roles", nodeRoles, "attributes", s.nodeAttributes(), "tasks", byID)))
}

// listed are the tasks of actions on nodes, the listing itself included.
func (s *Server) listed(ctx context.Context, r *rest.Request, actions, nodes []string) []*tasks.Task {
	if !s.isNode(nodes) {
		return nil
	}
	_, _, end := s.tasks.Begin(ctx, tasks.Work{Action: tasks.Listing, OpaqueID: opaqueID(r)})
	defer end()
	return s.tasks.List(actions)
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
func (s *Server) grouped(list []*tasks.Task, group string, detailed bool) (*rest.Response, error) {
	switch group {
	case "nodes":
		return rest.OK(s.nodeTasks(list, detailed)), nil
	case "none":
		out := []wire.Object{}
		for _, t := range list {
			out = append(out, t.JSON(detailed))
		}
		return rest.OK(wire.Obj("tasks", out)), nil
	case "parents":
		out := wire.Object{}
		for _, t := range list {
			out.Add(t.ID(), t.JSON(detailed))
		}
		return rest.OK(wire.Obj("tasks", out)), nil
	}
	return nil, fault.Illegal("[group_by] must be one of [nodes], [parents] or [none] but was [%s]", group)
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
		t, err := s.tasks.Find(id)
		if err != nil {
			return nil, err
		}
		if t != nil && wait && !t.Wait(ctx, timeout) {
			return nil, fault.New(http.StatusInternalServerError, "timeout_exception", "Timed out waiting for completion of [%s]", id)
		}
		if t != nil && !wait {
			return rest.OK(wire.Obj("completed", false, "task", t.JSON(true))), nil
		}
		return s.storedTask(id)
	}, nil
}

func (s *Server) cancelTasks(r *rest.Request) (rest.Action, error) {
	id, actions, nodes := r.Path("task_id"), r.List("actions"), r.List("nodes")
	wait := r.Bool("wait_for_completion", false)
	if r.Has("parent_task_id") {
		return nil, fault.Unsupported("parent tasks")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		list := s.tasks.List(actions)
		if !s.isNode(nodes) {
			list = nil
		}
		if id != "" {
			t, err := s.tasks.Find(id)
			if err != nil {
				return nil, err
			}
			if t == nil {
				return rest.OK(notReached(id, "not found")), nil
			}
			list = []*tasks.Task{t}
		}
		for _, t := range list {
			t.Cancel()
		}
		for _, t := range list {
			if wait && !t.Wait(ctx, defaultTaskWait) {
				break
			}
		}
		return rest.OK(s.nodeTasks(list, false)), nil
	}, nil
}
