// SPDX-License-Identifier: Apache-2.0

package ism

import "time"

// Finish is the metadata after a step reported. A failure uses up a retry, or, when none is left, fails the action for
// good (Action.Failed).
func Finish(move Move, result Result, now time.Time) *Metadata {
	m := move.Meta.clone()
	m.Step.Status = result.Status
	if result.Step != "" {
		m.Step.Name = result.Step
	}
	m.Info = result.Info
	m.TransitionTo = result.TransitionTo
	m.PolicyCompleted = result.Completed
	m.RolledOver = m.RolledOver || result.Status == StatusCompleted && result.RolledOver
	if m.RolledOverIndexName == "" {
		m.RolledOverIndexName = result.NewIndex // known also where what followed failed: the retry goes on with it
	}
	if result.Properties != nil || result.DropProperties {
		m.Action.Properties = result.Properties
	}
	if result.Status == StatusFailed {
		m.Action.fail(move.Action.Retry, now)
	}
	return m
}

func (a *ActionMeta) fail(r Retry, now time.Time) {
	if a.ConsumedRetries >= r.Count {
		a.Failed = true
		return
	}
	ms := now.UnixMilli()
	a.ConsumedRetries++
	a.LastRetry = &ms
}

// retryPending is what the retry API leaves as the message.
const retryPending = "Pending retry of failed managed index"

// Again is the metadata of a failed index for one more try, which the retry API would allow too: a failed action begins
// again at its first step, and otherwise what failed is asked for again.
func (m *Metadata) Again() *Metadata {
	out := m.clone()
	out.Retry = RetryInfo{}
	if a := out.Action; a != nil && a.Failed {
		var never int64
		a.Failed, a.ConsumedRetries, a.LastRetry = false, 0, &never
		out.Step = nil
	}
	return out
}

// TimedOut reports whether the action ran into its own timeout.
func (m *Metadata) TimedOut() bool { return m.Step != nil && m.Step.Status == StatusTimedOut }

// Repository is the snapshot repository that the index's current action names, "" if it names none.
func Repository(job *Job, meta *Metadata) string {
	if meta.State == nil || meta.Action == nil {
		return ""
	}
	state := job.Policy.State(meta.State.Name)
	if state == nil {
		return ""
	}
	switch a, _ := state.recorded(meta.Action); {
	case a == nil:
		return ""
	case a.Snapshot != nil:
		return a.Snapshot.Repository
	case a.ConvertToRemote != nil:
		return a.ConvertToRemote.Repository
	}
	return ""
}

// RetryOf is the metadata after the retry API: the failed action begins again, or the policy goes to a state.
func (m *Metadata) RetryOf(state string) *Metadata {
	out := m.clone()
	out.Step = nil
	out.Retry = RetryInfo{}
	if out.Action != nil {
		out.Action.Failed, out.Action.ConsumedRetries = false, 0
		out.Action.LastRetry, out.Action.StartTime = nil, time.Time{}
	}
	out.TransitionTo = state
	out.Info = out.Info.With("message", retryPending) // the plugin updates in part: a cause stays until the next run
	return out
}
