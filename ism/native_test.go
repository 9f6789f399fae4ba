// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
)

// timelines are policies whose lifecycle was watched on the plugin (3.4.0, one run a minute): testdata/timelines has
// what its explain showed.
var timelines = map[string]struct{ index, states string }{
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

// row is what a client saw of an index: its run, counted from the initialising one, state, action, step, status and
// message.
type row struct {
	Run                                  int
	State, Action, Step, Status, Message string
}

// recordedRows reads a timeline, without the row before the first run.
func recordedRows(t *testing.T, name string) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/timelines/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]any
	if err := json.Unmarshal(text, &lines); err != nil {
		t.Fatal(err)
	}
	column := func(v any) string {
		s, _ := v.(string)
		return s
	}
	first := lines[1][0].(float64)
	var rows []row
	for _, l := range lines[1:] {
		rows = append(rows, row{int(l[0].(float64) - first), column(l[1]), column(l[2]), column(l[3]), column(l[4]), column(l[5])})
	}
	return rows
}

// see is what explain shows of metadata.
func see(t *testing.T, run int, m *ism.Metadata) row {
	t.Helper()
	body, err := m.Explain().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		State  struct{ Name string }
		Action struct{ Name string }
		Step   struct {
			Name   string
			Status string `json:"step_status"`
		}
		Info struct{ Message string }
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	return row{run, e.State.Name, e.Action.Name, e.Step.Name, e.Step.Status, e.Info.Message}
}

// runOnce makes one move and returns what a client would see meanwhile and afterwards.
func runOnce(t *testing.T, in *ism.Input, run int, do func(ism.Move) ism.Result) []row {
	t.Helper()
	m := ism.Next(*in)
	switch m.Kind {
	case ism.Run:
		starting := see(t, run, m.Meta)
		apply(in, m, do)
		return []row{starting, see(t, run, in.Meta)}
	case ism.Wait, ism.Save:
		if m.Meta == nil {
			return nil
		}
		var rows []row
		if m.Starting != nil {
			rows = append(rows, see(t, run, m.Starting))
		}
		apply(in, m, nil)
		in.Meta = m.Meta
		return append(rows, see(t, run, in.Meta))
	}
	apply(in, m, nil)
	return nil
}

// worked is what steps say that work on this index.
func worked(index string, priorities []int) func(ism.Move) ism.Result {
	texts := map[string]string{
		"attempt_rollover": "Successfully rolled over index", "set_read_only": "Successfully set index to read-only",
		"attempt_set_read_only": "Successfully set index to read-only", "set_read_write": "Successfully set index to read-write",
		"attempt_set_replica_count": "Successfully set number_of_replicas to 0", "attempt_call_force_merge": "Successfully completed force merge",
		"wait_for_force_merge": "Successfully confirmed segments force merged", "attempt_close": "Successfully closed index",
		"attempt_open": "Successfully opened index", "attempt_alias": "Successfully updated alias", "attempt_snapshot": "Successfully started snapshot",
		"wait_for_snapshot": "Successfully created snapshot", "attempt_delete": "Successfully deleted index",
	}
	return func(m ism.Move) ism.Result {
		text := texts[m.Step.Name]
		if m.Step.Name == "attempt_set_index_priority" {
			text = fmt.Sprintf("Successfully set index priority to %d", priorities[0])
			priorities = priorities[1:]
		}
		return ism.Result{Status: ism.StatusCompleted, Info: ism.Message(text + " [index=" + index + "]")}
	}
}

// TestOneMoveARunShowsWhatThePluginShowed plays the recorded policies at the plugin's pace: all that a client saw then
// it would see now, at the same run. (It did not see all: it looked twice a second.)
func TestOneMoveARunShowsWhatThePluginShowed(t *testing.T) {
	for name, c := range timelines {
		t.Run(name, func(t *testing.T) {
			in := newInput(t, c.states)
			in.Job.Index, in.Job.PolicyID = c.index+"-000001", c.index
			in.Config.Native, in.Config.JobInterval = true, 1
			canRoll(&in)
			in.Facts.Stats.Docs = 20
			do := worked(in.Job.Index, []int{50, 10})
			var got []row
			for run := range 20 {
				in.Now = at(time.Duration(run) * time.Minute)
				got = append(got, runOnce(t, &in, run, do)...)
			}
			want := recordedRows(t, name)
			seen := slices.DeleteFunc(slices.Clone(got), func(r row) bool { return !slices.Contains(want, r) })
			if d := cmp.Diff(want, seen); d != "" {
				t.Errorf("recorded (-) and seen (+):\n%s\nall: %v", d, got)
			}
		})
	}
}

// TestAtThePluginsPaceWaitingIsShownAtEachRun: each run announces the step and stores its result, although it waits.
func TestAtThePluginsPaceWaitingIsShownAtEachRun(t *testing.T) {
	in := rollingOver(t, `{"min_doc_count":9}`)
	in.Config.Native, in.Config.JobInterval = true, 5
	for run := range 3 {
		in.Now = at(time.Duration(run) * 5 * time.Minute)
		got := runOnce(t, &in, run, nil)
		want := []row{
			{run, "a", "rollover", "attempt_rollover", "starting", "Starting action rollover and working on attempt_rollover"},
			{run, "a", "rollover", "attempt_rollover", "condition_not_met", "Pending rollover of index [index=books]"},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if !in.Meta.Step.StartTime.Equal(t0) {
			t.Errorf("run %d began the step anew", run)
		}
	}
}

func TestAtThePluginsPaceAChangedIntervalReachesTheJob(t *testing.T) {
	in := rollingOver(t, `{"min_doc_count":9}`)
	in.Config.Native, in.Config.JobInterval = true, 7
	m := ism.Next(in)
	if m.Job == nil || m.Job.Schedule.Interval() != 7*time.Minute || m.Job.Schedule.Start != in.Job.Schedule.Start {
		t.Fatalf("%+v", m.Job)
	}
	in.Job = *m.Job
	if m := ism.Next(in); m.Job != nil {
		t.Errorf("it is written again: %+v", m.Job.Schedule)
	}
	in.Config.Native, in.Config.JobInterval = false, 9
	if m := ism.Next(in); m.Job != nil {
		t.Errorf("without need it is written: %+v", m.Job.Schedule)
	}
}
