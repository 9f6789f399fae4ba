// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
)

// TestEachActionTypeHasSteps wants the plugin's word on each step: whether it may be repeated after a crash, and whether
// the job may be disabled at it.
func TestEachActionTypeHasSteps(t *testing.T) {
	notIdempotent := map[string]bool{
		"attempt_notification": true, "attempt_stop_replication": true, "attempt_restore": true,
		"attempt_call_force_merge": true, "attempt_snapshot": true, "attempt_shrink_step": true,
	}
	for _, typ := range append([]string{ism.ActionTransition}, ism.ActionTypes...) {
		list := ism.Steps(typ)
		if len(list) == 0 {
			t.Errorf("%s has no steps", typ)
		}
		for _, s := range list {
			if s.Idempotent == notIdempotent[s.Name] || s.SafeToDisable == (s.Name == "wait_for_force_merge") {
				t.Errorf("%s: %+v", typ, s)
			}
		}
	}
}

func TestWhichStepFollows(t *testing.T) {
	const (
		merge    = `{"force_merge":{"max_num_segments":1}}`
		snapshot = `{"snapshot":{"repository":"r","snapshot":"s"}}`
		shrink   = `{"shrink":{"num_new_shards":1}}`
	)
	for _, c := range []struct{ name, action, typ, step, status, want string }{
		{"an action begins with its first step", merge, "force_merge", "", "", "attempt_set_read_only"},
		{"a completed step is followed by the next", merge, "force_merge", "attempt_set_read_only", "completed", "attempt_call_force_merge"},
		{"a waiting step goes on", merge, "force_merge", "wait_for_force_merge", "condition_not_met", "wait_for_force_merge"},
		{"a failed step is repeated", merge, "force_merge", "attempt_call_force_merge", "failed", "attempt_call_force_merge"},
		{"a step of a crash is repeated", merge, "force_merge", "attempt_call_force_merge", "starting", "attempt_call_force_merge"},
		{"the last completed step ends the action", merge, "force_merge", "wait_for_force_merge", "completed", "attempt_transition_step"},
		{"a snapshot that failed is waited for, not taken again", snapshot, "snapshot", "wait_for_snapshot", "failed", "wait_for_snapshot"},
		{"a snapshot that could not be begun is begun", snapshot, "snapshot", "attempt_snapshot", "failed", "attempt_snapshot"},
		{"a shrink that failed begins again", shrink, "shrink", "wait_for_shrink_step", "failed", "attempt_move_shards_step"},
		{"a shrink that goes on does not", shrink, "shrink", "wait_for_shrink_step", "condition_not_met", "wait_for_shrink_step"},
		{"the step of another action is none", shrink, "shrink", "attempt_snapshot", "completed", "attempt_move_shards_step"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newInput(t, fmt.Sprintf(`{"name":"a","actions":[%s],"transitions":[]}`, c.action))
			apply(&in, ism.Next(in), succeed)
			in.Meta.Action = &ism.ActionMeta{Name: c.typ, StartTime: t0}
			if c.step != "" {
				in.Meta.Step = &ism.StepMeta{Name: c.step, StartTime: t0, Status: c.status}
			}
			if m := ism.Next(in); m.Step.Name != c.want {
				t.Errorf("%s, want %s", m.Step.Name, c.want)
			}
		})
	}
}

func TestWhenStatesActionsAndStepsBegin(t *testing.T) {
	in := newInput(t, `{"name":"a","actions":[{"snapshot":{"repository":"r","snapshot":"s"}}],"transitions":[{"state_name":"b"}]},
		{"name":"b","actions":[],"transitions":[{"state_name":"c"}]},{"name":"c","actions":[],"transitions":[{"state_name":"c","conditions":{}}]}`)
	type begin struct{ state, action, step time.Duration }
	results := []string{ism.StatusFailed, ism.StatusCompleted, ism.StatusConditionNotMet, ism.StatusCompleted}
	const never = -1
	for i, want := range []begin{
		{0, never, never}, // initialised
		{0, 10, 10},       // the snapshot fails to begin
		{0, 10, 10},       // begins: the same step
		{0, 10, 30},       // is waited for
		{0, 10, 30},       // and taken
		{0, 50, 50},       // transition to b
		{60, 60, 60},      // b has none: the step is another one
		{70, 70, 70},      // and so in c
	} {
		in.Now = at(time.Duration(i) * 10 * time.Hour)
		m := ism.Next(in)
		apply(&in, m, func(ism.Move) ism.Result {
			r := results[0]
			results = results[1:]
			return ism.Result{Status: r}
		})
		got := begin{hours(in.Meta.State.StartTime), never, never}
		if in.Meta.Action != nil {
			got.action, got.step = hours(in.Meta.Action.StartTime), hours(in.Meta.Step.StartTime)
		}
		if got != want {
			t.Errorf("after move %d (%s): %+v, want %+v", i, m.Reason, got, want)
		}
	}
}

// hours is the number of hours since t0.
func hours(at time.Time) time.Duration { return at.Sub(t0) / time.Hour }
