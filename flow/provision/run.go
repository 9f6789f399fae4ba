// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/opensteward/steward/flow"
)

// Hooks are what a run needs from its surroundings. They are called by several goroutines at once.
type Hooks struct {
	// Do runs one node and records what it made; outputs are those of its direct predecessors. It looks at ctx by
	// itself: what has begun is to end, so that nothing is made that is not recorded.
	Do func(ctx context.Context, p flow.Planned, outputs map[string]flow.Outputs) (flow.Outputs, error)
	// Enter is called when a node begins and Leave after its successors have begun; Run is called by somebody who has
	// entered, and leaves while it only waits.
	Enter, Leave func()
}

// errNotRun marks a node that did not run because the run was stopped.
var errNotRun = errors.New("not run")

// running is the state of one run; one goroutine, that of [Run], changes it.
type running struct {
	plan    []flow.Planned
	hooks   Hooks
	begun   map[string]bool
	outputs map[string]flow.Outputs // of the nodes that are done
	failed  map[string]error
	results chan result
}

type result struct {
	node    string
	outputs flow.Outputs
	err     error
}

// Run runs a plan to its end: each node as soon as all its predecessors are done, independent ones at the same time.
// done are the outputs of nodes that need not run again. After a failure no node starts that needs the failed one;
// independent branches go on, and Run returns when nothing runs any more. It returns the failure of the first node, in
// the plan's order, that failed by itself; or ctx's error if ctx ended first: then no further node starts, and those
// under way have ended.
func Run(ctx context.Context, plan []flow.Planned, done map[string]flow.Outputs, hooks Hooks) error {
	r := &running{
		plan: plan, hooks: hooks, begun: map[string]bool{}, outputs: map[string]flow.Outputs{}, failed: map[string]error{},
		results: make(chan result, len(plan)),
	}
	for id, out := range done {
		r.begun[id], r.outputs[id] = true, out
	}
	for under := r.start(ctx); under > 0; {
		hooks.Leave()
		res := <-r.results
		hooks.Enter()
		if res.err != nil {
			r.failed[res.node] = res.err
		} else {
			r.outputs[res.node] = res.outputs
		}
		under += r.start(ctx) - 1
		hooks.Leave() // for the node that is done
	}
	return r.end(ctx)
}

// start starts every node that is ready and returns how many.
func (r *running) start(ctx context.Context) (n int) {
	if ctx.Err() != nil {
		return 0
	}
	for _, p := range r.plan {
		before, ready := r.ready(p)
		if !ready {
			continue
		}
		r.begun[p.Node.ID] = true
		n++
		r.hooks.Enter()
		go func() {
			out, err := r.hooks.Do(ctx, p, before)
			r.results <- result{p.Node.ID, out, err}
		}()
	}
	return n
}

// ready reports whether a node may start, and what its direct predecessors gave.
func (r *running) ready(p flow.Planned) (before map[string]flow.Outputs, ready bool) {
	if r.begun[p.Node.ID] {
		return nil, false
	}
	before = make(map[string]flow.Outputs, len(p.After))
	for _, id := range p.After {
		out, done := r.outputs[id]
		if !done {
			return nil, false
		}
		before[id] = out
	}
	return before, true
}

func (r *running) end(ctx context.Context) error {
	i := slices.IndexFunc(r.plan, func(p flow.Planned) bool {
		err := r.failed[p.Node.ID]
		return err != nil && !errors.Is(err, errNotRun)
	})
	switch {
	case i >= 0:
		return &NodeError{Node: r.plan[i].Node.ID, Err: r.failed[r.plan[i].Node.ID]}
	case len(r.outputs) < len(r.plan):
		return ctx.Err()
	}
	return nil
}
