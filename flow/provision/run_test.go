// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/flow/step"
)

// plan has a before b and c, d before e; all but c make an index named like the node.
func plan(t *testing.T) []flow.Planned {
	t.Helper()
	const index = `,"type":"create_index","user_inputs":{"index_name":"x","configurations":"","node_timeout":"3s"}}`
	template, err := flow.Parse([]byte(`{"name":"t","workflows":{"provision":{"nodes":[
		{"id":"a"` + index + `,{"id":"b"` + index + `,{"id":"c","type":"noop"},{"id":"d"` + index + `,{"id":"e"` + index + `],
		"edges":[{"source":"a","dest":"b"},{"source":"a","dest":"c"},{"source":"d","dest":"e"}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	planned, err := template.Workflow(flow.ProvisionWorkflow).Plan("w", flow.Limits{MaxSteps: 50})
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

// run keeps what happened.
type run struct {
	mu       sync.Mutex
	began    []string
	recorded []string
	busy     atomic.Int64
	// do says what a node does; nil means that it makes its index.
	do func(ctx context.Context, node string) error
}

func (r *run) hooks() provision.Hooks {
	return provision.Hooks{Do: r.node, Enter: func() { r.busy.Add(1) }, Leave: func() { r.busy.Add(-1) }}
}

// node is Hooks.Do: it refuses to run before what it needs is recorded.
func (r *run) node(ctx context.Context, p flow.Planned, outputs map[string]flow.Outputs) (flow.Outputs, error) {
	r.mu.Lock()
	r.began = append(r.began, p.Node.ID)
	for id := range outputs {
		if !slices.Contains(r.recorded, id) {
			r.mu.Unlock()
			return nil, errors.New(id + " is not recorded yet")
		}
	}
	r.mu.Unlock()
	if r.do != nil {
		if err := r.do(ctx, p.Node.ID); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded = append(r.recorded, p.Node.ID)
	return flow.Outputs{"index_name": p.Node.ID}, nil
}

func (r *run) nodes() []string {
	slices.Sort(r.began)
	return r.began
}

func TestANodeRunsAfterWhatItNeedsIsRecorded(t *testing.T) {
	var r run
	if err := provision.Run(t.Context(), plan(t), nil, r.hooks()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
	if r.busy.Load() != 0 {
		t.Errorf("%d are still busy", r.busy.Load())
	}
}

func TestAFailureStopsOnlyWhatDependsOnIt(t *testing.T) {
	r := run{do: func(_ context.Context, node string) error {
		if node == "a" {
			return fault.New(http.StatusBadRequest, step.Class, "index [x/u] already exists")
		}
		return nil
	}}
	err := provision.Run(t.Context(), plan(t), nil, r.hooks())
	const want = "WorkflowStepException during step a, index [x/u] already exists, restStatus: BAD_REQUEST"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if diff := cmp.Diff([]string{"a", "d", "e"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
}

func TestIndependentNodesRunAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var both sync.WaitGroup
		both.Add(2)
		r := run{do: func(_ context.Context, node string) error {
			if node == "a" || node == "d" {
				both.Done()
				both.Wait() // for ever, if one waits for the other
			}
			return nil
		}}
		if err := provision.Run(t.Context(), plan(t), nil, r.hooks()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestANodeThatIsDoneAlreadyIsNotRunAgain(t *testing.T) {
	r := run{recorded: []string{"a"}}
	err := provision.Run(t.Context(), plan(t), map[string]flow.Outputs{"a": {"index_name": "a"}}, r.hooks())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "c", "d", "e"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
}

func TestATimeOutHasNoMessage(t *testing.T) {
	err := &provision.NodeError{Node: "a", Err: fmt.Errorf("step: %w", context.DeadlineExceeded)}
	const want = "TimeoutException during step a, restStatus: INTERNAL_SERVER_ERROR"
	if err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAStoppedRunFinishesWhatItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.WaitGroup
	once.Add(2)
	r := &run{do: func(context.Context, string) error {
		once.Done()
		once.Wait() // a and d have begun
		cancel()
		return nil
	}}
	if err := provision.Run(ctx, plan(t), nil, r.hooks()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"a", "d"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
	if len(r.recorded) != 2 {
		t.Errorf("recorded %v", r.recorded)
	}
}
