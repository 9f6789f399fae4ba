// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
)

const (
	rollsOver = `{"name":"a","actions":[{"timeout":"1h","rollover":{"min_doc_count":5}}],"transitions":[]}`
	merges    = `{"name":"a","actions":[{"force_merge":{"max_num_segments":1}}],"transitions":[]}`
	notifies  = `{"name":"a","actions":[{"notification":{"channel":{"id":"c"},"message_template":{"source":"m"}}}],"transitions":[]}`
	agesThen  = `{"name":"a","actions":[],"transitions":[{"state_name":"b","conditions":{"min_index_age":"7d"}}]},
		{"name":"b","actions":[{"read_only":{}}],"transitions":[]}`
)

// canRoll gives the index an alias that it may roll over.
func canRoll(in *ism.Input) {
	in.Facts.Target, in.Facts.HasTarget, in.Facts.WriteIndex = "books", true, true
	in.Facts.Stats = &ism.Stats{}
}

// midMerge leaves a force merge in its second step.
func midMerge(status string) func(*ism.Input) {
	return func(in *ism.Input) {
		in.Meta.Action = &ism.ActionMeta{Name: "force_merge", StartTime: t0}
		in.Meta.Step = &ism.StepMeta{Name: "attempt_call_force_merge", StartTime: t0, Status: status}
	}
}

type gate struct {
	name   string
	states string
	change func(*ism.Input)
	kind   ism.Kind
	reason string
	// message is what is stored; "" if nothing is.
	message string
	// disabled, failed and notify are what else the move does.
	disabled, failed, notify bool
	due                      time.Duration // after t0; 0 for none
}

// gates are what Next asks before it runs a step, in order.
var gates = []gate{
	{
		name: "a disabled job is left alone", kind: ism.Wait, reason: "the job is disabled",
		change: func(in *ism.Input) { in.Job = *in.Job.Disable(t0); in.Facts.Exists = false },
	},
	{
		name: "an index that is gone is left alone", kind: ism.Wait, reason: "the index does not exist",
		change: func(in *ism.Input) { in.Facts.Exists, in.Facts.Red = false, true },
	},
	{
		name: "a red cluster is left alone", kind: ism.Wait, reason: "the cluster is red",
		change: func(in *ism.Input) { in.Facts.Red, in.Meta = true, nil },
	},
	{
		name: "without metadata the index is initialised, also while the plugin is disabled", kind: ism.Save, reason: "initialise",
		message: "Successfully initialized policy: p",
		change:  func(in *ism.Input) { in.Meta, in.Config.Enabled = nil, false },
	},
	{
		name: "a completed policy disables the job", kind: ism.Amend, reason: "the policy has ended", disabled: true,
		change: func(in *ism.Input) { in.Meta.PolicyCompleted = true; in.Job.PolicySeqNo = 9 },
	},
	{
		name: "a failed policy leaves the job enabled", kind: ism.Wait, reason: "the index has failed",
		change: func(in *ism.Input) { in.Meta.Retry.Failed = true },
	},
	{
		name: "native: a failed policy disables the job", kind: ism.Amend, reason: "the policy has ended", disabled: true,
		change: func(in *ism.Input) { in.Meta.Retry.Failed, in.Config.Native = true, true },
	},
	{
		name: "another version of the policy is adopted from the job", kind: ism.Save, reason: "adopt the policy of the job",
		message: "Evaluating transition conditions [index=books]",
		change:  func(in *ism.Input) { in.Job.PolicySeqNo = 9 },
	},
	{
		name: "native: another version of the policy fails the index", kind: ism.Save,
		reason:  "There is a version conflict between your previous execution and your managed index",
		message: "There is a version conflict between your previous execution and your managed index",
		failed:  true, disabled: true, notify: true,
		change: func(in *ism.Input) { in.Job.PolicyPrimaryTerm, in.Config.Native = 2, true },
	},
	{
		name: "on a red cluster a rollover waits even where running is allowed", states: rollsOver, kind: ism.Wait, reason: "the cluster is red",
		change: func(in *ism.Input) { in.Facts.Red, in.Config.AllowOnRed = true, true },
	},
	{
		name: "on a red cluster transitions go on where running is allowed", kind: ism.Save, reason: "Transitioning to b [index=books]",
		message: "Transitioning to b [index=books]",
		change:  func(in *ism.Input) { in.Facts.Red, in.Config.AllowOnRed, in.Now = true, true, at(7*day) },
	},
	{
		name: "while the plugin is disabled the job disables itself", kind: ism.Amend, reason: "the plugin is disabled", disabled: true,
		change: func(in *ism.Input) { in.Config.Enabled = false },
	},
	{
		name: "a merge that is waited for goes on while the plugin is disabled", states: merges, kind: ism.Run,
		reason:  "Starting action force_merge and working on wait_for_force_merge",
		message: "Starting action force_merge and working on wait_for_force_merge",
		change: func(in *ism.Input) {
			midMerge(ism.StatusCompleted)(in)
			in.Config.Enabled = false
		},
	},
	{
		name: "a timeout of an hour is not over after an hour", states: rollsOver, kind: ism.Wait,
		reason: "Pending rollover of index [index=books]", due: time.Hour + time.Millisecond,
		change: func(in *ism.Input) { in.Now = at(time.Hour) },
	},
	{
		name: "a timeout of an hour is over a millisecond later", states: rollsOver, kind: ism.Save, reason: "Action timed out",
		message: "Action timed out", failed: true, notify: true,
		change: func(in *ism.Input) { in.Now = at(time.Hour + time.Millisecond) },
	},
	{
		name: "native: a timeout disables the job at once", states: rollsOver, kind: ism.Save, reason: "Action timed out",
		message: "Action timed out", failed: true, disabled: true, notify: true,
		change: func(in *ism.Input) { in.Config.Native, in.Now = true, at(2*time.Hour) },
	},
	{
		name: "a retry waits for its time", states: rollsOver, kind: ism.Wait, reason: "waiting for the retry", due: 2 * time.Minute,
		change: func(in *ism.Input) { consume(in, 2, 0); in.Now = at(2*time.Minute - time.Millisecond) },
	},
	{
		name: "a retry happens at its time", states: rollsOver, kind: ism.Save, reason: "Pending rollover of index [index=books]",
		message: "Pending rollover of index [index=books]",
		change:  func(in *ism.Input) { consume(in, 2, 0); in.Now = at(2 * time.Minute) },
	},
	{
		name: "a retry does not wait beyond the timeout", states: rollsOver, kind: ism.Wait, reason: "waiting for the retry",
		due:    time.Hour + time.Millisecond,
		change: func(in *ism.Input) { consume(in, 3, 59*time.Minute); in.Now = at(59 * time.Minute) },
	},
	{
		name: "a step that was begun is begun again", states: merges, kind: ism.Run,
		reason:  "Starting action force_merge and working on attempt_call_force_merge",
		message: "Starting action force_merge and working on attempt_call_force_merge",
		change:  midMerge(ism.StatusStarting),
	},
	{
		name: "native: a step that must not be repeated fails the index after a crash", states: merges, kind: ism.Save,
		reason:  "Previous action was not able to update IndexMetaData.",
		message: "Previous action was not able to update IndexMetaData.", failed: true, disabled: true, notify: true,
		change: func(in *ism.Input) { midMerge(ism.StatusStarting)(in); in.Config.Native = true },
	},
	{
		name: "native: a step that may be repeated is", states: rollsOver, kind: ism.Save,
		reason: "Pending rollover of index [index=books]", message: "Pending rollover of index [index=books]",
		change: func(in *ism.Input) { in.Meta.Step.Status, in.Config.Native = ism.StatusStarting, true },
	},
	{
		name: "an action that is not allowed fails the index", states: notifies, kind: ism.Save,
		reason:  "Attempted to execute action=notification which is not allowed.",
		message: "Attempted to execute action=notification which is not allowed.", failed: true, notify: true,
		change: func(in *ism.Input) {
			in.Meta.Action, in.Meta.Step, in.Meta.PolicyCompleted = nil, nil, false
			in.Config.AllowList = []string{"delete"}
		},
	},
	{
		name: "an action that was begun may end although it is no longer allowed", states: merges, kind: ism.Run,
		reason:  "Starting action force_merge and working on wait_for_force_merge",
		message: "Starting action force_merge and working on wait_for_force_merge",
		change: func(in *ism.Input) {
			midMerge(ism.StatusCompleted)(in)
			in.Config.AllowList = nil
		},
	},
	{
		name: "transitions need no permission", kind: ism.Wait, reason: "Evaluating transition conditions [index=books]", due: 7 * day,
		change: func(in *ism.Input) { in.Config.AllowList = nil },
	},
	{
		name: "a state that the policy does not have fails the index", kind: ism.Save,
		reason: "Failed to find state=gone in policy=p", message: "Failed to find state=gone in policy=p", failed: true,
		change: func(in *ism.Input) { in.Meta.TransitionTo = "gone" },
	},
	{
		name: "a recorded state that the policy does not have fails the index", kind: ism.Save,
		reason:  "Failed to find state=StateMetaData(name=gone, startTime=1772445600000) in policy=p",
		message: "Failed to find state=StateMetaData(name=gone, startTime=1772445600000) in policy=p", failed: true,
		change: func(in *ism.Input) { in.Meta.State.Name = "gone" },
	},
	{
		name: "an action that the state does not have fails the index", kind: ism.Save,
		reason: "Failed to find action=ActionMetaData(name=close, startTime=1772445600000, index=4, failed=false, consumedRetries=0, lastRetryTime=0, " +
			"actionProperties=ActionProperties(maxNumSegments=null, snapshotName=s, rollupId=null, hasRollupFailed=null, shrinkActionProperties=null, transformActionProperties=null)) in state=StateMetaData(name=a, startTime=1772445600000)",
		message: "Failed to find action=ActionMetaData(name=close, startTime=1772445600000, index=4, failed=false, consumedRetries=0, lastRetryTime=0, " +
			"actionProperties=ActionProperties(maxNumSegments=null, snapshotName=s, rollupId=null, hasRollupFailed=null, shrinkActionProperties=null, transformActionProperties=null)) in state=StateMetaData(name=a, startTime=1772445600000)", failed: true,
		change: func(in *ism.Input) {
			in.Meta.Action.Name, in.Meta.Action.Index = "close", 4
			in.Meta.Action.Properties = &ism.Properties{SnapshotName: new("s")}
		},
	},
}

// consume records that n retries were used up, the last one d after t0.
func consume(in *ism.Input, n int64, d time.Duration) {
	in.Meta.Action.ConsumedRetries, in.Meta.Action.LastRetry = n, new(at(d).UnixMilli())
	in.Meta.Step.Status = ism.StatusFailed
}

func TestGates(t *testing.T) {
	for _, g := range gates {
		t.Run(g.name, func(t *testing.T) {
			states := g.states
			if states == "" {
				states = agesThen
			}
			in := newInput(t, states)
			canRoll(&in)
			settle(t, &in, succeed)
			in.Meta.PolicyCompleted, in.Job.Enabled = false, true
			g.change(&in)
			before := document(t, in.Meta)
			g.check(t, ism.Next(in))
			if document(t, in.Meta) != before {
				t.Error("deciding changed the metadata that is stored")
			}
		})
	}
}

func (g gate) check(t *testing.T, m ism.Move) {
	t.Helper()
	if m.Kind != g.kind || m.Reason != g.reason || m.Notify != g.notify {
		t.Errorf("kind %v %q notify %v, want %v %q %v", m.Kind, m.Reason, m.Notify, g.kind, g.reason, g.notify)
	}
	message, failed := "", false
	if m.Kind != ism.Wait && m.Meta != nil {
		message, failed = m.Meta.Info.Text("message"), m.Meta.Failed()
	}
	if message != g.message || failed != g.failed {
		t.Errorf("stored %q failed %v, want %q %v", message, failed, g.message, g.failed)
	}
	if disabled := m.Job != nil && !m.Job.Enabled; disabled != g.disabled {
		t.Errorf("disables the job: %v", disabled)
	}
	var due time.Time
	if g.due != 0 {
		due = at(g.due)
	}
	if !m.Due.Equal(due) {
		t.Errorf("due %s, want %s", m.Due, due)
	}
}
