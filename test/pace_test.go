// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test/scenario"
)

// paced is a program at native pace that runs each job once a minute.
type paced struct {
	stage
	t *testing.T
}

func newPaced(t *testing.T) paced {
	return pacedIn(t, clock.NewVirtual(scenario.Start), t.TempDir())
}

// pacedIn is such a program on a data directory that may have been another's.
func pacedIn(t *testing.T, c *clock.Virtual, data string) paced {
	if OnCluster() {
		t.Skip("runs come once a minute, and a real cluster has no clock that can be moved")
	}
	p := Program(t, Virtual(c), Pace(steward.PaceNative), func(o *steward.Options) {
		o.Data = data
		o.Settings = map[string]string{
			"plugins.index_state_management.job_interval": "1", "plugins.index_state_management.jitter": "0",
			"path.repo": t.TempDir(),
		}
	})
	return paced{stage{p, c, time.Minute, nil}, t}
}

func (p paced) pass(d time.Duration) {
	p.t.Helper()
	if err := p.Advance(d); err != nil {
		p.t.Fatal(err)
	}
}

// managed makes an index that a policy with these states is attached to.
func (p paced) managed(index, states string) {
	p.t.Helper()
	p.Must("PUT", "/_plugins/_ism/policies/"+index, []byte(`{"policy":{"description":"","default_state":"a","states":[`+states+`]}}`), nil)
	p.Must("PUT", "/"+index, []byte(`{"settings":{"index.number_of_replicas":0}}`), nil)
	p.Must("POST", "/_plugins/_ism/add/"+index, []byte(`{"policy_id":"`+index+`"}`), nil)
}

// pacedEntry is what explain shows of an index.
type pacedEntry struct {
	State, Action struct{ Name string }
	Step          struct {
		Name   string
		Status string `json:"step_status"`
	}
	Info    struct{ Message string }
	Enabled bool
	UUID    string `json:"index_uuid"`
}

func (p paced) entryOf(index string) (e pacedEntry) {
	p.t.Helper()
	var all map[string]json.RawMessage
	p.Must("GET", "/_plugins/_ism/explain/"+index, nil, &all)
	if err := json.Unmarshal(all[index], &e); err != nil {
		p.t.Fatalf("%v in %s", err, all[index])
	}
	return e
}

// editJob changes members of the index's job document, as people do who drive the plugin in their tests.
func (p paced) editJob(index, members string) {
	p.t.Helper()
	path := "/.opendistro-ism-config/_update/" + p.entryOf(index).UUID
	p.Must("POST", path+"?wait_for_active_shards=1;retry_on_conflict=0", []byte(`{"doc":{"managed_index":`+members+`}}`), nil)
}

func TestAnIndexOlderThanItsPolicyWaitsForThePluginsSweep(t *testing.T) {
	p := newPaced(t)
	p.Must("PUT", "/log-1", nil, nil)
	p.pass(time.Second)
	p.Must("PUT", "/_plugins/_ism/policies/late", []byte(`{"policy":{"description":"","default_state":"a","states":[{"name":"a"}],
		"ism_template":{"index_patterns":["log-*"],"last_updated_time":1}}}`), nil)
	p.pass(time.Second)
	p.Must("PUT", "/log-2", nil, nil)
	p.pass(5 * time.Minute)
	if old, young := p.entryOf("log-1"), p.entryOf("log-2"); old.UUID != "" || young.UUID == "" {
		t.Errorf("after five minutes explain shows %+v of the older index, %+v of the younger", old, young)
	}
	p.pass(5 * time.Minute)
	if p.entryOf("log-1").UUID == "" {
		t.Error("after ten minutes the older index is not managed")
	}
}

func TestARollupJobWaitsForItsScheduleOrForWhoMovesIt(t *testing.T) {
	p := newPaced(t)
	p.Must("PUT", "/src", []byte(`{"mappings":{"properties":{"at":{"type":"date"}}}}`), nil)
	p.Must("POST", "/src/_doc?refresh=true", []byte(`{"at":"2020-01-01T00:00:00Z"}`), nil)
	status := func(id string) string {
		t.Helper()
		var all map[string]struct {
			Metadata struct {
				Status string
				Stats  struct {
					Index  int64 `json:"index_time_in_millis"`
					Search int64 `json:"search_time_in_millis"`
				}
			} `json:"rollup_metadata"`
		}
		p.Must("GET", "/_plugins/_rollup/jobs/"+id+"/_explain", nil, &all)
		m := all[id].Metadata
		if m.Status == "finished" && (m.Stats.Index == 0 || m.Stats.Search == 0) {
			t.Errorf("what job %s did took no time: %+v", id, m.Stats)
		}
		return m.Status
	}
	for _, id := range []string{"moved", "waiting"} {
		p.Must("PUT", "/_plugins/_rollup/jobs/"+id, []byte(`{"rollup":{"enabled":true,"description":"","source_index":"src","target_index":"`+id+`","page_size":10,
			"schedule":{"interval":{"period":5,"unit":"Minutes","start_time":`+fmt.Sprint(p.clock.Now().UnixMilli())+`}},
			"dimensions":[{"date_histogram":{"source_field":"at","fixed_interval":"1h"}}]}}`), nil)
	}
	earlier := p.clock.Now().Add(2*time.Second - 5*time.Minute).UnixMilli()
	p.Must("POST", "/.opendistro-ism-config/_update/moved?refresh=true", fmt.Appendf(nil, `{"doc":{"rollup":{"schedule":{"interval":{"start_time":"%d"}}}}}`, earlier), nil)
	p.pass(time.Minute)
	if a, b := status("moved"), status("waiting"); a != "finished" || b != "" {
		t.Errorf("after a minute the job that was moved is %q, the other %q", a, b)
	}
	p.pass(4 * time.Minute)
	if s := status("waiting"); s != "finished" {
		t.Errorf("after its interval the other job is %q", s)
	}
}

// recordedPolicies are those whose lifecycles were recorded run by run (ism/testdata/timelines).
var recordedPolicies = map[string]struct{ index, states string }{
	"hotwarm": {"lf-hotwarm-0", `
		{"name":"hot","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[{"state_name":"warm"}]},
		{"name":"warm","actions":[{"replica_count":{"number_of_replicas":0}},{"force_merge":{"max_num_segments":1}},{"index_priority":{"priority":50}}],
		 "transitions":[{"state_name":"delete"}]},
		{"name":"delete","actions":[{"delete":{}}],"transitions":[]}`},
	"single12": {"lf-single12-0", `
		{"name":"s01","actions":[{"read_only":{}},{"replica_count":{"number_of_replicas":0}},{"index_priority":{"priority":50}},
		 {"force_merge":{"max_num_segments":1}},{"close":{}},{"open":{}},{"read_write":{}},{"alias":{"actions":[{"add":{"aliases":["done"]}}]}},
		 {"index_priority":{"priority":10}},{"read_only":{}},{"snapshot":{"repository":"r","snapshot":"s"}},{"delete":{}}],"transitions":[]}`},
}

// TestEachRunLeavesWhatThePluginLeft plays the recorded policies and compares, run by run, the last that was seen of
// the index.
func TestEachRunLeavesWhatThePluginLeft(t *testing.T) {
	for name, c := range recordedPolicies {
		t.Run(name, func(t *testing.T) {
			p := newPaced(t)
			p.Must("PUT", "/_snapshot/r", []byte(`{"type":"fs","settings":{"location":"r"}}`), nil)
			p.Must("PUT", "/_plugins/_ism/policies/"+c.index, []byte(`{"policy":{"description":"","default_state":"`+
				map[string]string{"hotwarm": "hot", "single12": "s01"}[name]+`","states":[`+c.states+`]}}`), nil)
			index := c.index + "-000001"
			p.Must("PUT", "/"+index, []byte(`{"aliases":{"w":{"is_write_index":true}},"settings":{"index.number_of_replicas":1,
				"plugins.index_state_management.rollover_alias":"w"}}`), nil)
			p.Must("POST", "/"+index+"/_doc?refresh=true", []byte(`{"n":1}`), nil)
			p.Must("POST", "/_plugins/_ism/add/"+index, []byte(`{"policy_id":"`+c.index+`"}`), nil)
			for run, want := range lastOfEachRun(t, name) {
				p.pass(time.Minute)
				if strings.Contains(want, "attempt_delete") {
					if p.Exists(index) {
						t.Errorf("run %d: the index is still there: %s", run, p.Explain(index))
					}
					break
				}
				if d := cmp.Diff(want, p.seen(index)); d != "" {
					t.Errorf("run %d: recorded (-), seen (+):\n%s", run, d)
				}
			}
		})
	}
}

// seen is an index's entry as a timeline has it; while it goes to a state, explain shows no state, action and step.
func (p paced) seen(index string) string {
	e := p.entryOf(index)
	return fmt.Sprint([]string{e.State.Name, e.Action.Name, e.Step.Name, e.Step.Status, e.Info.Message})
}

// lastOfEachRun is the last row of each run of a recorded timeline, from the one that initialised on.
func lastOfEachRun(t *testing.T, name string) (out []string) {
	t.Helper()
	text, err := os.ReadFile("../ism/testdata/timelines/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		columns := make([]string, 5)
		for i := range columns {
			columns[i], _ = r[i+1].(string)
		}
		run := int(r[0].(float64) - rows[1][0].(float64))
		for len(out) <= run {
			out = append(out, "")
		}
		out[run] = fmt.Sprint(columns)
	}
	return out
}

// TestAnEditOfTheScheduleIsOneRun: people set the start of the schedule so that the next run is two seconds ahead, and
// look at each step. The time may be a number or a text.
func TestAnEditOfTheScheduleIsOneRun(t *testing.T) {
	p := newPaced(t)
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.index_state_management.job_interval":5}}`), nil)
	p.managed("books", `{"name":"a","actions":[{"index_priority":{"priority":7}},{"read_only":{}}],"transitions":[]}`)
	for n, want := range []string{
		"Successfully initialized policy: books", "Successfully set index priority to 7 [index=books]",
		"Successfully set index to read-only [index=books]",
	} {
		start := fmt.Sprint(p.Now().Add(2*time.Second - 5*time.Minute).UnixMilli())
		if n%2 == 1 {
			start = `"` + start + `"`
		}
		p.editJob("books", `{"schedule":{"interval":{"start_time":`+start+`}}}`)
		p.pass(1900 * time.Millisecond)
		before := p.entryOf("books").Info.Message
		p.pass(200 * time.Millisecond)
		if got := p.entryOf("books").Info.Message; got != want || before == want {
			t.Errorf("edit %d: before the run %q, after it %q, want %q", n, before, got, want)
		}
		p.pass(30 * time.Second)
		if got := p.entryOf("books").Info.Message; got != want {
			t.Errorf("edit %d: another run was made: %q", n, got)
		}
	}
}

func TestAnotherVersionOfThePolicyInTheJobFailsTheIndex(t *testing.T) {
	p := newPaced(t)
	p.managed("books", `{"name":"a","actions":[{"read_only":{}}],"transitions":[]}`)
	p.pass(time.Minute)
	p.editJob("books", `{"policy_seq_no":"17"}`)
	p.pass(time.Minute)
	e := p.entryOf("books")
	if e.Info.Message != "There is a version conflict between your previous execution and your managed index" || e.Enabled {
		t.Errorf("%+v", e)
	}
}

func TestAJobThatAClientDisabledStaysSoAfterARestart(t *testing.T) {
	c, data := clock.NewVirtual(scenario.Start), t.TempDir()
	p := pacedIn(t, c, data)
	p.managed("books", `{"name":"a","actions":[],"transitions":[{"state_name":"a","conditions":{"min_state_age":"30d"}}]}`)
	p.pass(time.Minute)
	p.editJob("books", `{"enabled":false,"enabled_time":null}`)
	p.Stop()
	p = pacedIn(t, c, data)
	p.pass(2 * time.Minute)
	if e := p.entryOf("books"); e.Enabled || e.Action.Name != "" {
		t.Errorf("%+v", e)
	}
}

// TestAStepThatMustNotRunTwiceStopsTheIndexAfterACrash: the plugin does not know what became of it.
func TestAStepThatMustNotRunTwiceStopsTheIndexAfterACrash(t *testing.T) {
	for _, c := range []struct {
		step  string
		runs  int
		stops bool
	}{{"attempt_set_read_only", 2, false}, {"attempt_call_force_merge", 3, true}} {
		t.Run(c.step, func(t *testing.T) {
			p := newPaced(t)
			p.managed("books", `{"name":"a","actions":[{"force_merge":{"max_num_segments":1}}],"transitions":[]}`)
			p.pass(time.Duration(c.runs) * time.Minute)
			before := p.entryOf("books")
			if before.Step.Name != c.step {
				t.Fatalf("%+v", before)
			}
			p.Must("POST", "/.opendistro-ism-config/_update/"+before.UUID+"%23metadata?routing="+before.UUID,
				[]byte(`{"doc":{"managed_index_metadata":{"step":{"step_status":"starting"}}}}`), nil)
			p.pass(time.Minute)
			e := p.entryOf("books")
			if stopped := e.Info.Message == "Previous action was not able to update IndexMetaData."; stopped != c.stops || e.Enabled == c.stops {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestARunComesWithinTheJitterOfItsTime: between its nominal time and six tenths of the interval later.
func TestARunComesWithinTheJitterOfItsTime(t *testing.T) {
	p := newPaced(t)
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.index_state_management.job_interval":10,
		"plugins.index_state_management.jitter":0.6}}`), nil)
	p.managed("books", `{"name":"a","actions":[{"index_priority":{"priority":7}}],"transitions":[]}`)
	p.pass(9*time.Minute + 59*time.Second)
	if got := p.entryOf("books").Info.Message; got != "" {
		t.Errorf("the run came early: %q", got)
	}
	p.pass(6*time.Minute + 2*time.Second)
	if got := p.entryOf("books").Info.Message; got != "Successfully initialized policy: books" {
		t.Errorf("the run did not come: %q", got)
	}
}
