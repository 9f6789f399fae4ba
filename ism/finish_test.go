// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

func TestTheWaitBeforeARetry(t *testing.T) {
	for _, c := range []struct {
		backoff  ism.Backoff
		consumed int64
		want     time.Duration
	}{
		{ism.Exponential, 1, time.Minute},
		{ism.Exponential, 2, 2 * time.Minute},
		{ism.Exponential, 3, 4 * time.Minute},
		{ism.Exponential, 11, 1024 * time.Minute},
		{ism.Exponential, 1000, math.MaxInt64},
		{ism.Linear, 1, time.Minute},
		{ism.Linear, 2, 2 * time.Minute},
		{ism.Linear, 3, 3 * time.Minute},
		{ism.Linear, math.MaxInt64, math.MaxInt64},
		{ism.Constant, 1, time.Minute},
		{ism.Constant, 9, time.Minute},
	} {
		r := ism.Retry{Backoff: c.backoff, Delay: wire.Milliseconds(60_000)}
		if got := r.Wait(c.consumed); got != c.want {
			t.Errorf("%s after %d: %s, want %s", c.backoff, c.consumed, got, c.want)
		}
	}
}

// running is a move that runs a step of an action with two retries, of which some are used up.
func running(consumed int64) ism.Move {
	return ism.Move{
		Kind: ism.Run, Action: &ism.Action{Type: ism.ActionRollover, Retry: ism.Retry{Count: 2}},
		Meta: &ism.Metadata{
			State:  &ism.StateMeta{Name: "a", StartTime: t0},
			Action: &ism.ActionMeta{Name: ism.ActionRollover, StartTime: t0, ConsumedRetries: consumed, LastRetry: new(int64(7))},
			Step:   &ism.StepMeta{Name: "attempt_rollover", StartTime: t0, Status: ism.StatusStarting},
			Info:   ism.Message("Starting"), TransitionTo: "a",
		},
	}
}

func TestFinish(t *testing.T) {
	now := at(time.Hour)
	later := now.UnixMilli()
	type outcome struct {
		Status      string
		Failed      bool
		Consumed    int64
		LastRetry   int64
		RolledOver  bool
		NewIndex    string
		To          string
		Completed   bool
		Properties  bool
		PolicyFails bool
	}
	for _, c := range []struct {
		name     string
		consumed int64
		change   func(*ism.Metadata)
		result   ism.Result
		want     outcome
	}{
		{"success uses up no retry", 1, nil, ism.Result{Status: "completed"}, outcome{Status: "completed", Consumed: 1, LastRetry: 7}},
		{"waiting uses up no retry", 1, nil, ism.Result{Status: "condition_not_met"}, outcome{Status: "condition_not_met", Consumed: 1, LastRetry: 7}},
		{"a failure uses up a retry", 0, nil, ism.Result{Status: "failed"}, outcome{Status: "failed", Consumed: 1, LastRetry: later}},
		{"the last retry may fail, too", 1, nil, ism.Result{Status: "failed"}, outcome{Status: "failed", Consumed: 2, LastRetry: later}},
		{"a failure without retries left is final", 2, nil, ism.Result{Status: "failed"}, outcome{Status: "failed", Failed: true, Consumed: 2, LastRetry: 7}},
		{
			"a rollover is remembered", 0, nil,
			ism.Result{Status: "completed", RolledOver: true, NewIndex: "b"},
			outcome{Status: "completed", LastRetry: 7, RolledOver: true, NewIndex: "b"},
		},
		{
			"of a rollover whose aliases could not be copied only the new index is remembered", 0, nil,
			ism.Result{Status: "failed", RolledOver: true, NewIndex: "b"},
			outcome{Status: "failed", Consumed: 1, LastRetry: later, NewIndex: "b"},
		},
		{
			"the first new index is remembered", 0, func(m *ism.Metadata) { m.RolledOver, m.RolledOverIndexName = true, "first" },
			ism.Result{Status: "completed", RolledOver: true, NewIndex: "b"},
			outcome{Status: "completed", LastRetry: 7, RolledOver: true, NewIndex: "first"},
		},
		{"a transition names the next state", 0, nil, ism.Result{Status: "completed", TransitionTo: "b"}, outcome{Status: "completed", LastRetry: 7, To: "b"}},
		{"the policy may be completed", 0, nil, ism.Result{Status: "completed", Completed: true}, outcome{Status: "completed", LastRetry: 7, Completed: true}},
		{"properties are kept", 0, nil, ism.Result{Status: "completed", Properties: &ism.Properties{}}, outcome{Status: "completed", LastRetry: 7, Properties: true}},
		{
			"properties stay", 0, func(m *ism.Metadata) { m.Action.Properties = &ism.Properties{} },
			ism.Result{Status: "completed"},
			outcome{Status: "completed", LastRetry: 7, Properties: true},
		},
		{
			"properties are dropped", 0, func(m *ism.Metadata) { m.Action.Properties = &ism.Properties{} },
			ism.Result{Status: "completed", DropProperties: true},
			outcome{Status: "completed", LastRetry: 7},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			move := running(c.consumed)
			if c.change != nil {
				c.change(move.Meta)
			}
			before := document(t, move.Meta)
			m := ism.Finish(move, c.result, now)
			got := outcome{
				m.Step.Status, m.Action.Failed, m.Action.ConsumedRetries, *m.Action.LastRetry, m.RolledOver, m.RolledOverIndexName,
				m.TransitionTo, m.PolicyCompleted, m.Action.Properties != nil, m.Retry.Failed,
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if m.Info != nil {
				t.Errorf("the info is not the result's: %v", m.Info)
			}
			if document(t, move.Meta) != before {
				t.Error("what was stored before is changed")
			}
		})
	}
}

func TestWhatTheRetryAPIStores(t *testing.T) {
	m := running(2).Meta
	m.Action.Failed, m.Action.Properties, m.Retry = true, &ism.Properties{SnapshotName: new("s")}, ism.RetryInfo{Failed: true, ConsumedRetries: 3}
	r := m.RetryOf("b")
	const want = `{"managed_index_metadata":{"index":"","index_uuid":"","policy_id":"","policy_seq_no":null,"policy_primary_term":null,` +
		`"policy_completed":false,"rolled_over":false,"rolled_over_index_name":null,"index_creation_date":null,"transition_to":"b",` +
		`"state":{"name":"a","start_time":1772445600000},"action":{"name":"rollover","start_time":null,"index":0,"failed":false,` +
		`"consumed_retries":0,"last_retry_time":null,"action_properties":{"snapshot_name":"s"}},"step":null,` +
		`"retry_info":{"failed":false,"consumed_retries":0},"info":{"message":"Pending retry of failed managed index"}}}`
	if got := document(t, r); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if again := m.RetryOf(""); again.TransitionTo != "" || again.Action.Name != "rollover" {
		t.Errorf("without a state: %s", document(t, again))
	}
}
