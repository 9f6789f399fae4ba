// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/test/unreliable"
)

// summarises rolls an index up and transforms it.
const summarises = `{"policy":{"description":"","default_state":"hot","states":[{"name":"hot","transitions":[],"actions":[
	{"rollup":{"ism_rollup":{"description":"d","target_index":"PREFIX-rolled","page_size":2,
		"dimensions":[{"date_histogram":{"source_field":"at","fixed_interval":"1h"}}],"metrics":[{"source_field":"n","metrics":[{"sum":{}}]}]}}},
	{"transform":{"ism_transform":{"description":"d","target_index":"PREFIX-kinds","page_size":2,
		"groups":[{"terms":{"source_field":"kind","target_field":"kind"}}],"aggregations":{"sum":{"sum":{"field":"n"}}}}}}]}],
	"ism_template":[{"index_patterns":["PREFIX-000001"],"priority":1}]}}`

// newSummarised is a world with an index of six documents in three hours and two kinds.
func newSummarised(t *testing.T, cluster http.RoundTripper) *world {
	t.Helper()
	w := newPolicy(t, cluster, summarises)
	w.do(w.client.CreateIndex(t.Context(), w.first(), json.RawMessage(
		`{"settings":{"number_of_replicas":0},"mappings":{"properties":{"at":{"type":"date"},"kind":{"type":"keyword"},"n":{"type":"long"}}}}`)))
	writes := make([]opensearch.Write, 6)
	for i := range writes {
		writes[i] = opensearch.Write{Op: opensearch.OpIndex, Index: w.first(), ID: fmt.Sprint(i), Source: map[string]any{
			"at": fmt.Sprintf("2026-01-01T%02d:00:00Z", i/2), "kind": []string{"a", "b"}[i%2], "n": i,
		}}
	}
	_, err := w.client.Bulk(t.Context(), writes)
	w.do(err)
	w.uuid = w.uuidOf(w.first())
	return w
}

// runJobs starts a reconciler, which has somebody to send messages with, and a runner of jobs over one transport.
func (w *world) runJobs(rt http.RoundTripper) (stop func()) {
	var m *manager.Manager
	runner := rollup.New(rollup.Options{
		Client: opensearch.NewClient(rt), Lease: lease.Always{},
		Wrote: func(n int64) { m.Wrote(n) }, Ended: func(id string) { m.JobEnded(id) },
	})
	m = manager.New(manager.Options{Client: opensearch.NewClient(rt), Registry: registry, Jobs: runner.Wake, Notifier: &letters{}})
	runner.Wake()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); runner.Run(ctx) }()
	stopManager := w.runManager(m)
	return func() {
		stopManager()
		cancel()
		<-done
	}
}

func (w *world) summarised() bool {
	m := w.metadata(w.uuid)
	return m != nil && m.PolicyCompleted
}

// summary is what the two jobs wrote.
func (w *world) summary() string {
	w.t.Helper()
	var lines []string
	for _, name := range []string{w.prefix + "-rolled", w.prefix + "-kinds"} {
		w.do(w.client.Refresh(w.t.Context(), name))
		field := map[bool]string{true: "n.sum", false: "sum"}[strings.HasSuffix(name, "rolled")]
		res, err := w.client.Search(w.t.Context(), name, map[string]any{"sort": []any{field}}, nil)
		w.do(err)
		for _, hit := range res.Hits {
			var doc map[string]any
			w.do(json.Unmarshal(hit.Source, &doc))
			lines = append(lines, fmt.Sprint(doc[field]))
		}
	}
	return strings.Join(lines, " ")
}

// TestJobsOfAPolicyKilledAtEveryRequest kills a reconciler and its runner of jobs; without -faults at every seventeenth
// request.
func TestJobsOfAPolicyKilledAtEveryRequest(t *testing.T) {
	rt, every := backend(t), 17
	if *allFaults {
		every = 1
	}
	for n := 1; ; n += every {
		w := newSummarised(t, rt)
		mortal := unreliable.NewMortal(w.transport, n, false)
		stop := w.runJobs(mortal)
		w.wait("its death or the end", func() bool { return mortal.Dead() || w.summarised() })
		stop()
		died := mortal.Dead()
		stop = w.runJobs(w.transport)
		w.wait("the end", w.summarised)
		stop()
		if got := w.summary(); got != "1 5 9 6 9" {
			t.Errorf("killed at request %d: sums %s", n, got)
		}
		w.clean()
		if !died {
			return
		}
	}
}
