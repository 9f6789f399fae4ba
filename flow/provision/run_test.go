// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
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
	recorded []provision.Resource
	// do says what a node does; nil means that it makes its index.
	do func(ctx context.Context, node string) error
}

func (r *run) hooks() provision.Hooks {
	return provision.Hooks{
		Do: func(ctx context.Context, p flow.Planned, outputs map[string]flow.Outputs) (flow.Outputs, error) {
			r.mu.Lock()
			r.began = append(r.began, p.Node.ID)
			for id := range outputs {
				if !slices.ContainsFunc(r.recorded, func(made provision.Resource) bool { return made.Node == id }) {
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
			return flow.Outputs{"index_name": p.Node.ID}, nil
		},
		Record: func(_ context.Context, made provision.Resource) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.recorded = append(r.recorded, made)
			return nil
		},
	}
}

func (r *run) nodes() []string {
	slices.Sort(r.began)
	return r.began
}

func TestANodeRunsAfterWhatItNeedsIsRecorded(t *testing.T) {
	var r run
	if err := provision.Run(t.Context(), plan(t), r.hooks()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
	if len(r.recorded) != 4 || !slices.Contains(r.recorded, provision.Resource{Step: "create_index", Node: "e", Type: "index_name", ID: "e"}) {
		t.Errorf("recorded %v", r.recorded)
	}
}

func TestAFailureStopsOnlyWhatDependsOnIt(t *testing.T) {
	r := run{do: func(_ context.Context, node string) error {
		if node == "a" {
			return fault.New(http.StatusBadRequest, step.Class, "index [x/u] already exists")
		}
		return nil
	}}
	err := provision.Run(t.Context(), plan(t), r.hooks())
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
		if err := provision.Run(t.Context(), plan(t), r.hooks()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestANodeHasItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run{do: func(ctx context.Context, node string) error {
			if node != "a" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		err := provision.Run(t.Context(), plan(t), r.hooks())
		const want = "TimeoutException during step a, restStatus: INTERNAL_SERVER_ERROR"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

func TestAStoppedRunFinishesWhatItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.WaitGroup
	once.Add(2)
	r := run{do: func(ctx context.Context, node string) error {
		once.Done()
		once.Wait() // a and d have begun
		cancel()
		return ctx.Err()
	}}
	if err := provision.Run(ctx, plan(t), r.hooks()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"a", "d"}, r.nodes()); diff != "" {
		t.Error(diff)
	}
	if len(r.recorded) != 2 {
		t.Errorf("recorded %v", r.recorded)
	}
}
