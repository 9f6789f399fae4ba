// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/test/unreliable"
)

// TestAClusterThatFailsEveryTenthRequestOnlyTakesLonger provisions and deprovisions through one.
func TestAClusterThatFailsEveryTenthRequestOnlyTakesLonger(t *testing.T) {
	w := newWorld(t)
	for seed := range uint64(4) {
		up, down := unreliable.NewFlaky(w.direct, seed, seed), unreliable.NewFlaky(w.direct, seed, seed+1)
		w.comesAndGoes(w.prefix+fmt.Sprint("f", seed), up, down)
	}
}

// TestAFaultAtAnyRequestOfAWorkflowChangesNothing lets one request fail, in each way that requests fail, of those that
// provision and of those that deprovision.
func TestAFaultAtAnyRequestOfAWorkflowChangesNothing(t *testing.T) {
	w := newWorld(t)
	every := 23
	switch {
	case *allFaults:
		every = 1
	case test.Race, test.OnCluster():
		every = 67
	}
	for f := range unreliable.Mishaps {
		for n, hit := 1+4*int(f)%every, true; hit; n += every {
			up, down := unreliable.NewFaulty(w.direct, f, n), unreliable.NewFaulty(w.direct, f, n)
			w.comesAndGoes(w.prefix+fmt.Sprintf("m%d-%d", f, n), up, down)
			hit = max(up.Calls(), down.Calls()) >= n
		}
	}
}

// comesAndGoes provisions a workflow of everyKind over one transport, deprovisions it over another, and fails the test
// unless everything is there in between, and nothing is left.
func (w *world) comesAndGoes(name string, up, down http.RoundTripper) {
	w.t.Helper()
	ctx := context.Background()
	id := w.create(w.process(w.direct), everyKind(), name)
	s := w.process(up)
	w.eventually("the workflow to be provisioned", func() bool {
		st, err := s.State(ctx, id)
		if err == nil && st.State == provision.NotStarted {
			_, _ = s.Provision(ctx, id, provision.Request{Params: word, Wait: time.Minute})
		}
		if err == nil && st.State == provision.Failed {
			w.t.Fatalf("%s: %s", name, st.Error)
		}
		return err == nil && st.State == provision.Completed
	})
	things, nodes := whole(name)
	if diff := cmp.Diff(things, w.there()); diff != "" {
		w.t.Fatalf("%s: what there is: %s", name, diff)
	}
	if diff := cmp.Diff(nodes, nodesOf(w.state(w.process(w.direct), id))); diff != "" {
		w.t.Fatalf("%s: what is recorded: %s", name, diff)
	}
	s = w.process(down)
	w.eventually("the workflow to be deprovisioned", func() bool {
		return s.Deprovision(ctx, id, consent(name)) == nil
	})
	if left := w.there(); len(left) > 0 {
		w.t.Fatalf("%s: left after deprovisioning: %v", name, left)
	}
}

// TestAStepThatPanicsFailsItsWorkflowAndNothingElse stands for a mistake in the program.
func TestAStepThatPanicsFailsItsWorkflowAndNothingElse(t *testing.T) {
	w := newWorld(t)
	bad, good := w.prefix+"bad", w.prefix+"good"
	direct := w.process(w.direct)
	ids := map[string]string{bad: w.create(direct, everyKind(), bad), good: w.create(direct, everyKind(), good)}
	s := w.process(panicking{w.direct, bad})
	ctx := context.Background()
	for _, id := range ids {
		if _, err := s.Provision(ctx, id, provision.Request{Params: word}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{bad: provision.Failed, good: provision.Completed} {
		w.eventually(name+" to be "+want, func() bool {
			st, err := s.State(ctx, ids[name])
			return err == nil && st.State == want
		})
	}
}

// panicking panics when an index of a name is made.
type panicking struct {
	next http.RoundTripper
	name string
}

// RoundTrip is part of http.RoundTripper.
func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/"+p.name) {
		panic("making " + r.URL.Path)
	}
	return p.next.RoundTrip(r)
}

// dawdling loses the answer to the first request of a kind, and lets it arrive only when the second one comes.
type dawdling struct {
	next         http.RoundTripper
	method, path string
	mu           sync.Mutex
	held         *http.Request
	tries        int
}

// RoundTrip is part of http.RoundTripper.
func (d *dawdling) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != d.method || r.URL.Path != d.path {
		return d.next.RoundTrip(r)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	if d.tries == 1 {
		d.held = r.Clone(context.WithoutCancel(r.Context())) // it has no body
		return nil, unreliable.ErrLost
	}
	if d.tries == 2 {
		res, err := d.next.RoundTrip(d.held)
		if err != nil {
			return nil, err
		}
		_ = res.Body.Close()
	}
	return d.next.RoundTrip(r)
}

// TestACallThatArrivesLateIsFound has the call of an attempt arrive after the step has begun again.
func TestACallThatArrivesLateIsFound(t *testing.T) {
	w := newWorld(t)
	s := w.process(&dawdling{next: w.direct, method: http.MethodPut, path: "/" + w.prefix + "late"})
	id := w.create(s, delayed("1ms"), w.prefix+"late")
	st, err := s.Provision(context.Background(), id, provision.Request{Wait: 20 * time.Second})
	if err != nil || st.State != provision.Completed {
		t.Fatalf("%+v %v", st, err)
	}
	w.do(s.Deprovision(context.Background(), id, []string{w.prefix + "late"}))
	if left := w.there(); len(left) > 0 {
		t.Errorf("left after deprovisioning: %v", left)
	}
}

// handed is a lease that a test hands about.
type handed struct {
	fence atomic.Int64 // 0 while it is not held
}

// Held is part of lease.Lease.
func (h *handed) Held() (fence int64, ok bool) {
	fence = h.fence.Load()
	return fence, fence > 0
}

// waits makes a pipeline, waits, and makes an index.
const waits = `{"name":"NAME","workflows":{"provision":{"nodes":[
	{"id":"pipe","type":"create_ingest_pipeline","user_inputs":{"pipeline_id":"NAME","configurations":{"processors":[]}}},
	{"id":"wait","type":"noop","user_inputs":{"delay":"DELAY"}},
	{"id":"index","type":"create_index","user_inputs":{"index_name":"NAME","configurations":""}}],
	"edges":[{"source":"pipe","dest":"wait"},{"source":"wait","dest":"index"}]}}}`

// waking refuses to read Steward's own index until it is asked for its health.
type waking struct {
	next http.RoundTripper
	up   atomic.Bool
}

// RoundTrip is part of http.RoundTripper.
func (w *waking) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/_cluster/health/"+lease.Index):
		w.up.Store(true)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/"+lease.Index+"/_doc/") && !w.up.Load():
		return unreliable.Refuse(r, http.StatusServiceUnavailable, "no_shard_available_action_exception"), nil
	}
	return w.next.RoundTrip(r)
}

// TestTheProgressIsToldWhileTheLeaderMakesItsIndex is what a real cluster does for an instant: the index is there, and
// its shard is not yet.
func TestTheProgressIsToldWhileTheLeaderMakesItsIndex(t *testing.T) {
	w := newWorld(t)
	w.do(lease.EnsureIndex(context.Background(), w.client))
	transport := &waking{next: w.direct}
	s, _ := w.start(transport, provision.Options{Lease: &handed{}})
	id := w.create(s, everyKind(), w.prefix)
	if steps, err := s.Steps(context.Background(), id); err != nil || len(steps) > 0 || !transport.up.Load() {
		t.Errorf("steps %v, error %v", steps, err)
	}
}

// TestAnotherReplicaGoesOnWhenTheLeaseMoves takes the lease from a process in the middle of a run.
func TestAnotherReplicaGoesOnWhenTheLeaseMoves(t *testing.T) {
	w := newWorld(t)
	var first, second handed
	first.fence.Store(1)
	a, b := w.replica(&first), w.replica(&second)
	id := w.create(a, delayed("1s"), w.prefix+"moved")
	if _, err := a.Provision(context.Background(), id, provision.Request{Wait: -1}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the pipeline", func() bool { return len(w.state(a, id).Resources) == 1 })
	first.fence.Store(0)
	second.fence.Store(2)
	w.eventually("the other replica to finish", func() bool { return w.state(b, id).State == provision.Completed })
	if diff := cmp.Diff([]string{"index " + w.prefix + "moved", "pipeline " + w.prefix + "moved"}, w.there()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"index", "pipe"}, nodesOf(w.state(b, id))); diff != "" {
		t.Error(diff)
	}
}

// TestAReplicaWithoutTheLeaseHasTheOtherOneDoIt sends every request to the process that does not lead.
func TestAReplicaWithoutTheLeaseHasTheOtherOneDoIt(t *testing.T) {
	w := newWorld(t)
	var leader, other handed
	leader.fence.Store(1)
	w.replica(&leader)
	s := w.replica(&other)
	ctx := context.Background()
	id := w.create(s, delayed("10ms"), w.prefix+"asked")
	st, err := s.Provision(ctx, id, provision.Request{Wait: 10 * time.Second})
	if err != nil || st == nil || st.State != provision.Completed {
		t.Fatalf("%+v %v", st, err)
	}
	w.do(s.Deprovision(ctx, id, []string{w.prefix + "asked"}))
	if left := w.there(); len(left) > 0 {
		t.Errorf("left after deprovisioning: %v", left)
	}
	id = w.create(s, delayed("1h"), w.prefix+"stopped")
	if _, err := s.Provision(ctx, id, provision.Request{Wait: -1}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the pipeline", func() bool { return len(w.state(s, id).Resources) == 1 })
	if st, err := s.Cancel(ctx, id); err != nil || st.State != provision.Failed {
		t.Errorf("cancelled: %+v %v", st, err)
	}
	w.do(s.Deprovision(ctx, id, []string{w.prefix + "stopped"}))
}

// TestWithoutAKeySecretsAreRefusedByName is a process before a cluster that was given no key.
func TestWithoutAKeySecretsAreRefusedByName(t *testing.T) {
	w := newWorld(t)
	w.keys = nil
	s := w.process(w.direct)
	ctx := context.Background()
	secretive := `{"name":"t","workflows":{"provision":{"nodes":[{"id":"c","type":"create_connector","user_inputs":{"credential":{"key":"k"}}}]}}}`
	_, err := s.Create(ctx, w.template(secretive, ""), false)
	if err == nil || !strings.Contains(err.Error(), "The nodes [c] have credentials, which cannot be kept: no encryption key is configured; give one with --key-file or STEWARD_KEY") {
		t.Errorf("a credential: %v", err)
	}
	id := w.create(s, `{"name":"t","workflows":{"provision":{"nodes":[{"id":"n","type":"noop","user_inputs":{"delay":"${{how_long}}"}}]}}}`, "")
	_, err = s.Provision(ctx, id, provision.Request{Params: []flow.Param{{Name: "how_long", Value: "1ms"}}, Wait: time.Minute})
	if err == nil || !strings.Contains(err.Error(), "The parameters [how_long] cannot be kept") {
		t.Errorf("a parameter: %v", err)
	}
	id = w.create(s, delayed("1ms"), w.prefix+"plain")
	if st, err := s.Provision(ctx, id, provision.Request{Wait: time.Minute}); err != nil || st.State != provision.Completed {
		t.Errorf("nothing secret: %+v %v", st, err)
	}
	w.do(s.Deprovision(ctx, id, []string{w.prefix + "plain"}))
}
