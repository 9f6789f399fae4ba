// SPDX-License-Identifier: Apache-2.0

package ism

// SafeToChange reports whether a pending change may be applied in the middle of a state: the index is in no state yet,
// or no state is asked for and both policies have the current one with the same types of actions in the same order.
func SafeToChange(current string, from, to *Policy, wanted *string) bool {
	if current == "" {
		return true
	}
	if wanted != nil {
		return false
	}
	a, b := from.State(current), to.State(current)
	if a == nil || b == nil || len(a.Actions) != len(b.Actions) {
		return false
	}
	for i := range a.Actions {
		if a.Actions[i].Type != b.Actions[i].Type {
			return false
		}
	}
	return true
}

// change applies a pending policy change where it may be applied now.
func (in *Input) change(r resolved) (Move, bool) {
	c := in.Job.ChangePolicy
	if c == nil {
		return Move{}, false
	}
	leaving := r.action != nil && r.action.Type == ActionTransition
	if !leaving && !c.IsSafe {
		return Move{}, false
	}
	m := in.Meta.clone()
	if in.Change == nil {
		m.Retry = RetryInfo{Failed: true}
		m.Info = Message("Failed to load change policy: " + c.PolicyID)
		return Move{Kind: Save, Meta: m, Reason: m.Info.Text("message")}, true
	}
	current := ""
	if m.State != nil {
		current = m.State.Name
	}
	if c.IsSafe && !SafeToChange(current, in.Job.Policy, in.Change, c.State) {
		job := in.Job
		pending := *c
		pending.IsSafe = false
		job.ChangePolicy = &pending
		return Move{Kind: Amend, Job: &job, Reason: "the policy change is no longer safe"}, true
	}
	seqNo, primaryTerm := in.ChangeSeqNo, in.ChangePrimaryTerm // pointers into in would keep all of it
	m.PolicyID, m.PolicySeqNo, m.PolicyPrimaryTerm = c.PolicyID, &seqNo, &primaryTerm
	m.PolicyCompleted, m.TransitionTo, m.Step = false, "", nil
	if c.State != nil {
		m.TransitionTo = *c.State
	}
	if leaving {
		var never int64
		m.Action = &ActionMeta{Name: ActionTransition, StartTime: in.Now, Index: -1, LastRetry: &never}
	} else if m.Action != nil && lastStepDone(m.Action.Name, in.Meta.Step) {
		// the action is done: the plugin, which forgets the step, would run it again
		m.Step = in.Meta.clone().Step
	}
	m.Info = Message("Attempting to change policy to " + c.PolicyID)
	return Move{
		Kind: Save, Meta: m, Job: in.Job.WithPolicy(in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm),
		Reason: m.Info.Text("message"),
	}, true
}
