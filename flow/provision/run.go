// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
)

// NodeError is the failure of one node.
type NodeError struct {
	Node string
	Err  error
}

// Error is the text that the plugin stores in a workflow's state.
func (e *NodeError) Error() string {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return fmt.Sprintf("TimeoutException during step %s, restStatus: INTERNAL_SERVER_ERROR", e.Node)
	}
	f := fault.Of(e.Err)
	class := "FlowFrameworkException"
	if f.Type == step.Class {
		class = "WorkflowStepException"
	}
	return fmt.Sprintf("%s during step %s, %s, restStatus: %s", class, e.Node, f.Reason, statusName(f.Status))
}

// Unwrap returns the failure itself.
func (e *NodeError) Unwrap() error { return e.Err }

// statusName is OpenSearch's name of a status: BAD_REQUEST.
func statusName(status int) string {
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
}

// errNotRun marks a node that did not run because one before it failed, or because the run was stopped.
var errNotRun = errors.New("not run")

// running is one node of a run; out and err may be read once done is closed.
type running struct {
	done chan struct{}
	out  flow.Outputs
	err  error
}

// Run runs a plan to its end. It returns the failure of the first node, in the plan's order, that failed by itself; or
// ctx's error if ctx ended first: then no further node starts, and those under way have ended.
func Run(ctx context.Context, plan []flow.Planned, hooks Hooks) error {
	nodes := make(map[string]*running, len(plan))
	for _, p := range plan {
		nodes[p.Node.ID] = &running{done: make(chan struct{})}
	}
	var all sync.WaitGroup
	for _, p := range plan {
		all.Go(func() {
			r := nodes[p.Node.ID]
			defer close(r.done)
			r.out, r.err = runNode(ctx, p, nodes, hooks)
		})
	}
	all.Wait()
	stopped := false
	for _, p := range plan {
		switch err := nodes[p.Node.ID].err; {
		case errors.Is(err, errNotRun):
			stopped = true
		case err != nil:
			return &NodeError{Node: p.Node.ID, Err: err}
		}
	}
	if stopped {
		return ctx.Err()
	}
	return nil
}

// runNode waits for a node's predecessors, runs it, and records what it made.
func runNode(ctx context.Context, p flow.Planned, nodes map[string]*running, hooks Hooks) (flow.Outputs, error) {
	outputs := make(map[string]flow.Outputs, len(p.After))
	for _, id := range p.After {
		before := nodes[id]
		<-before.done
		if before.err != nil {
			return nil, errNotRun
		}
		outputs[id] = before.out
	}
	if ctx.Err() != nil {
		return nil, errNotRun
	}
	// A node that has begun ends by itself or by its time-out, so that nothing is made that is not recorded.
	whole := context.WithoutCancel(ctx)
	out, err := bounded(whole, p, outputs, hooks)
	if err != nil || p.Type.Resource == "" {
		return out, err
	}
	id, _ := out[p.Type.Resource].(string)
	return out, hooks.Record(whole, Resource{Step: p.Node.Type, Node: p.Node.ID, Type: p.Type.Resource, ID: id})
}

// bounded runs a node within its timeout; the delay of a noop is not bounded.
func bounded(ctx context.Context, p flow.Planned, outputs map[string]flow.Outputs, hooks Hooks) (flow.Outputs, error) {
	if p.Node.Type != "noop" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Timeout)
		defer cancel()
	}
	return hooks.Do(ctx, p, outputs)
}
