// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/test/unreliable"
)

var allFaults = flag.Bool("faults", false, "every fault at every request of every action, which takes minutes")

type oneAction struct {
	actions  string
	settings map[string]any
	fails    bool
}

// endsAs reports whether what a run left behind is the end of such an action.
func (a oneAction) endsAs(left string) bool {
	switch {
	case a.fails:
		return strings.Contains(left, "failed")
	case strings.Contains(a.actions, `{"delete":`):
		return !strings.Contains(left, "open=")
	}
	return strings.Contains(left, "completed")
}

// everyAction are the actions by name, each with what a policy says, settings of its index where it needs any, and whether
// it fails.
var everyAction = map[string]oneAction{
	"rollover":       {actions: `{"rollover":{"min_doc_count":1,"copy_alias":true}}`},
	"read_only":      {actions: `{"read_only":{}}`},
	"read_write":     {actions: `{"read_only":{}},{"read_write":{}}`},
	"replica_count":  {actions: `{"replica_count":{"number_of_replicas":2}}`},
	"index_priority": {actions: `{"index_priority":{"priority":9}}`},
	"close and open": {actions: `{"close":{}},{"open":{}}`},
	"close":          {actions: `{"close":{}}`},
	"allocation":     {actions: `{"allocation":{"require":{"box":"warm"}}}`},
	"alias":          {actions: `{"alias":{"actions":[{"add":{"alias":"PREFIX-more"}},{"remove":{"alias":"PREFIX"}}]}}`},
	"force_merge":    {actions: `{"force_merge":{"max_num_segments":1}}`},
	"shrink": {
		actions:  `{"shrink":{"num_new_shards":1,"force_unsafe":true,"target_index_name_template":{"source":"{{ctx.index}}-small"}}}`,
		settings: map[string]any{"index.number_of_shards": 2},
	},
	"snapshot": {actions: `{"snapshot":{"repository":"PREFIX","snapshot":"s"}}`},
	"delete":   {actions: `{"delete":{}}`},
	"rollup": {actions: `{"rollup":{"ism_rollup":{"description":"d","target_index":"PREFIX-rolled","page_size":2,
		"dimensions":[{"date_histogram":{"source_field":"at","fixed_interval":"1h"}}],"metrics":[]}}}`},
	"transform": {actions: `{"transform":{"ism_transform":{"description":"d","target_index":"PREFIX-kinds","page_size":2,
		"groups":[{"terms":{"source_field":"a","target_field":"a"}}],"aggregations":{}}}}`},
	"notification": {actions: `{"notification":{"channel":{"id":"ops"},"message_template":{"source":"{{ctx.index}}"}}}`},
	// What needs more of a cluster than is here fails at once.
	"stop_replication":        {actions: `{"retry":{"count":0},"stop_replication":{}}`, fails: true},
	"search_only":             {actions: `{"retry":{"count":0},"search_only":{}}`, fails: true},
	"convert_index_to_remote": {actions: `{"retry":{"count":0},"convert_index_to_remote":{"repository":"PREFIX-none","snapshot":"s"}}`, fails: true},
}

// TestAFaultAtAnyRequestOfAnyActionChangesNothing lets one request of an action's run fail, in each way that requests
// fail: the end is that of the faultless run, and no retry of the policy is used up. Without -faults it takes every
// sixteenth request, another one for each fault; before a real cluster, which takes a second for a run, one request for
// every other fault.
func TestAFaultAtAnyRequestOfAnyActionChangesNothing(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(everyAction)) {
		t.Run(name, func(t *testing.T) {
			rt := backend(t)
			want, requests := runAction(t, rt, name, unreliable.NewFaulty(rt, unreliable.LateAnswer, 0))
			if !everyAction[name].endsAs(want) {
				t.Fatalf("without a fault it ends as %s", want)
			}
			for f := range unreliable.Mishaps {
				for _, n := range faultsAt(i, f, requests) {
					if got, _ := runAction(t, rt, name, unreliable.NewFaulty(rt, f, n)); got != want {
						t.Errorf("%s at request %d: want (-), got (+):\n%s", f, n, cmp.Diff(want, got))
					}
				}
			}
		})
	}
}

// faultsAt are the requests, from 1, at which the i-th action meets a fault. Those of jobs are many, and are repeated after
// a second.
func faultsAt(i int, f unreliable.Mishap, requests int) (at []int) {
	stride := 16
	switch {
	case *allFaults:
		stride = 1
	case test.Race, requests > 100:
		stride = 64
	case test.OnCluster() && (i+int(f))%2 == 1:
		return nil
	case test.OnCluster():
		return []int{1 + (7*i+5*int(f))%requests}
	}
	for n := 1 + 5*int(f)%stride; n <= requests; n += stride {
		at = append(at, n)
	}
	return at
}

// runAction runs a policy with one action on a new index, and returns what it leaves behind, and how many requests the
// reconciler made.
func runAction(t *testing.T, cluster http.RoundTripper, name string, transport *unreliable.Faulty) (end string, requests int) {
	t.Helper()
	w := newAction(t, cluster, name)
	defer w.clean()
	stop := w.runJobs(transport)
	w.wait("the end of "+name, w.ended)
	stop()
	return w.leftBehind(), transport.Calls()
}

// newAction is a world whose policy has one action.
func newAction(t *testing.T, cluster http.RoundTripper, name string) *world {
	t.Helper()
	a := everyAction[name]
	return newWorldWith(t, cluster, a.settings, `{"policy":{"description":"","default_state":"a","states":[
		{"name":"a","actions":[`+a.actions+`],"transitions":[]}],"ism_template":[{"index_patterns":["PREFIX-000001"],"priority":1}]}}`)
}

// ended reports whether the policy has ended, or deleted its index.
func (w *world) ended() bool {
	gone := len(w.indices()) == 0
	m := w.metadata(w.uuid)
	return gone && m == nil || m != nil && (m.PolicyCompleted || m.Failed())
}

// leftBehind tells all that a policy may have changed, with the test's own names left out.
func (w *world) leftBehind() string {
	w.t.Helper()
	var infos map[string]opensearch.IndexInfo
	if names := w.indices(); len(names) > 0 { // no names would be all indices, those of others too
		var err error
		infos, err = w.client.Indices(w.t.Context(), names)
		w.do(err)
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		info := infos[name]
		line := fmt.Sprintf("%s open=%v aliases=%v", name, info.Open, slices.Sorted(maps.Keys(info.Aliases)))
		for _, key := range slices.Sorted(maps.Keys(info.Settings)) {
			if !strings.Contains(key, "uuid") && !strings.Contains(key, "creation_date") {
				line += fmt.Sprintf(" %s=%s", strings.TrimPrefix(key, "index."), info.Settings[key])
			}
		}
		out = append(out, line)
	}
	var taken struct{ Snapshots []struct{ State string } }
	w.do(w.client.Do(w.t.Context(), opensearch.Call{Method: http.MethodGet, Path: opensearch.Path("_snapshot", w.prefix, "_all")}, &taken))
	out = append(out, fmt.Sprintf("snapshots %v", taken.Snapshots))
	if m := w.metadata(w.uuid); m != nil {
		status, retries := "failed", m.Action.ConsumedRetries
		if m.PolicyCompleted {
			status = "completed"
		}
		out = append(out, fmt.Sprintf("%s, %d retries used, rolled over to %q", status, retries, m.RolledOverIndexName))
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), w.prefix, "PREFIX")
}
