// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// claimed answers one path itself, while it is told to, and passes everything else on.
type claimed struct {
	next   http.RoundTripper
	path   string
	answer string
	on     atomic.Bool
	asked  atomic.Int64
}

// RoundTrip is part of http.RoundTripper.
func (c *claimed) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != c.path || !c.on.Load() {
		return c.next.RoundTrip(r)
	}
	c.asked.Add(1)
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(c.answer))), ContentLength: int64(len(c.answer)),
	}, nil
}

// clusterSetting sets a cluster setting until the end of the test.
func (w *world) clusterSetting(name string, value any) {
	w.t.Helper()
	set := func(value any) {
		body := wire.Obj("persistent", wire.Obj(name, value))
		w.do(w.client.Do(context.Background(), opensearch.Call{Method: http.MethodPut, Path: "/_cluster/settings", Body: body}, nil))
	}
	set(value)
	w.t.Cleanup(func() { set(nil) })
}

const sealsAndShrinks = `{"policy":{"description":"","default_state":"a","states":[
	{"name":"a","actions":[{"read_only":{}},{"replica_count":{"number_of_replicas":0}}],"transitions":[]}],
	"ism_template":[{"index_patterns":["PREFIX-000001"],"priority":1}]}}`

func redWorld(t *testing.T) (*world, *claimed) {
	t.Helper()
	w := newWorld(t, backend(t), sealsAndShrinks)
	red := &claimed{next: w.transport, path: "/_cluster/health", answer: `{"status":"red"}`}
	red.on.Store(true)
	return w, red
}

func TestNothingIsDoneInARedCluster(t *testing.T) {
	w, red := redWorld(t)
	stop := w.run(red)
	defer stop()
	w.wait("the cluster to be looked at", func() bool { return red.asked.Load() > 1 })
	if m := w.metadata(w.uuid); m != nil {
		t.Errorf("it was begun: %s", w.text(m))
	}
	red.on.Store(false)
	w.wait("the policy to be completed", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
}

func TestAClusterThatIsRedForAMomentIsLookedAtAgainSoon(t *testing.T) {
	w, red := redWorld(t)
	now := clock.NewVirtual(time.Now())
	m := manager.New(manager.Options{Client: opensearch.NewClient(red), Registry: registry, Clock: now, Watched: true})
	m.Wake()
	defer w.runManager(m)()
	var looks []int64
	for _, pause := range []time.Duration{0, 49, 1, 100, 199} {
		w.do(now.Advance(t.Context(), pause*time.Millisecond))
		looks = append(looks, red.asked.Load())
	}
	if want := []int64{1, 1, 2, 3, 3}; !slices.Equal(looks, want) {
		t.Errorf("it was looked at %v times, want %v", looks, want)
	}
	red.on.Store(false)
	w.do(now.Advance(t.Context(), time.Millisecond))
	w.wait("the policy to be completed", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
}

func TestSomeActionsAreDoneInARedClusterIfTheSettingAllowsIt(t *testing.T) {
	w, red := redWorld(t)
	w.clusterSetting("plugins.index_state_management.allow_running_on_red_cluster", true)
	stop := w.run(red)
	defer stop()
	sealed := func() bool {
		m := w.metadata(w.uuid)
		return m != nil && strings.HasPrefix(m.Info.Text("message"), "Successfully set index to read-only")
	}
	w.wait("the index to be read-only", sealed)
	before := red.asked.Load()
	w.wait("the cluster to be looked at again", func() bool { return red.asked.Load() > before })
	if !sealed() {
		t.Errorf("replicas were changed: %s", w.text(w.metadata(w.uuid)))
	}
	red.on.Store(false)
	w.wait("the policy to be completed", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
}

func TestAnActionThatTakesMemoryWaitsForIt(t *testing.T) {
	for _, c := range []struct {
		name    string
		setting string
		value   any
		used    int
		runs    bool
	}{
		{"with enough of it", "", nil, 85, true},
		{"with less", "", nil, 86, false},
		{"with less than another threshold", "plugins.transform.circuit_breaker.jvm.threshold", 40, 50, false},
		{"without a circuit breaker", "plugins.transform.circuit_breaker.enabled", false, 99, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, backend(t), sealsAndShrinks)
			w.clusterSetting("plugins.index_state_management.action_validation.enabled", true)
			if c.setting != "" {
				w.clusterSetting(c.setting, c.value)
			}
			busy := &claimed{
				next: w.transport, path: "/_nodes/stats/jvm",
				answer: `{"nodes":{"a":{"jvm":{"mem":{"heap_used_percent":7}}},"b":{"jvm":{"mem":{"heap_used_percent":` + strconv.Itoa(c.used) + `}}}}}`,
			}
			busy.on.Store(true)
			stop := w.run(busy)
			defer stop()
			if c.runs {
				w.wait("the policy to be completed", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
				return
			}
			w.wait("the step to be announced", func() bool { m := w.metadata(w.uuid); return m != nil && m.Step != nil })
			w.wait("the memory to be looked at again", func() bool { return busy.asked.Load() > 1 })
			if m := w.metadata(w.uuid); m.Step.Name != "set_read_only" || m.Step.Status != "starting" || m.Action.ConsumedRetries != 0 {
				t.Errorf("it is %s", w.text(m))
			}
		})
	}
}
