// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
)

// The reconciler's clock is virtual here; the cluster's may be real.

func TestAnAgeIsActedOnAtItsInstant(t *testing.T) {
	w := newWorld(t, backend(t), `{"policy":{"description":"","default_state":"young","states":[
		{"name":"young","actions":[],"transitions":[{"state_name":"old","conditions":{"min_index_age":"30d"}}]},
		{"name":"old","actions":[{"index_priority":{"priority":3}}],"transitions":[{"state_name":"end","conditions":{"min_state_age":"365d"}}]},
		{"name":"end","actions":[],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`)
	infos, err := w.client.Indices(t.Context(), []string{w.first()})
	w.do(err)
	created := infos[w.first()].Created
	now := clock.NewVirtual(created)
	m := manager.New(manager.Options{Client: opensearch.NewClient(w.transport), Registry: registry, Clock: now, Watched: true})
	m.Wake()
	stop := w.runManager(m)
	defer stop()
	w.do(now.Advance(t.Context(), 30*24*time.Hour-time.Millisecond))
	if m := w.metadata(w.uuid); m.State.Name != "young" {
		t.Errorf("a millisecond too early the state is %s", m.State.Name)
	}
	w.do(now.Advance(t.Context(), time.Millisecond))
	got := w.metadata(w.uuid)
	if got.State.Name != "old" || !got.State.StartTime.Equal(created.Add(30*24*time.Hour)) {
		t.Errorf("the state is %v", got.State)
	}
	w.do(now.Advance(t.Context(), 400*24*time.Hour))
	if m := w.metadata(w.uuid); !m.PolicyCompleted {
		t.Errorf("after a year: %s", w.text(m))
	}
}

func TestAFailingStepIsRetriedWhenThePolicySaysAndGivenUpAfterThat(t *testing.T) {
	w := newWorld(t, backend(t), `{"policy":{"description":"","default_state":"s","states":[
		{"name":"s","actions":[{"retry":{"count":2,"backoff":"exponential","delay":"1h"},"rollover":{}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`)
	w.do(w.putSettings(w.first(), map[string]any{"index.plugins.index_state_management.rollover_alias": "elsewhere"}))
	now := clock.NewVirtual(time.Now())
	m := manager.New(manager.Options{Client: opensearch.NewClient(w.transport), Registry: registry, Clock: now, Watched: true})
	m.Wake()
	stop := w.runManager(m)
	defer stop()
	for _, step := range []struct {
		advance  time.Duration
		consumed int64
		failed   bool
	}{{0, 1, false}, {time.Hour - time.Second, 1, false}, {time.Second, 2, false}, {2*time.Hour - time.Second, 2, false}, {time.Second, 2, true}} {
		w.do(now.Advance(t.Context(), step.advance))
		if a := w.metadata(w.uuid).Action; a.ConsumedRetries != step.consumed || a.Failed != step.failed {
			t.Fatalf("after %v more: %v, want %d retries and failed %v", step.advance, a, step.consumed, step.failed)
		}
	}
	if job := w.job(w.uuid); !job.Enabled {
		t.Error("the job is disabled")
	}
}
