// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"slices"
)

// resolved is what the policy would run now.
type resolved struct {
	state  *State  // nil if the policy has no such state
	action *Action // nil if the state has no such action
	index  int     // place in the state's actions; -1 for the transition
	step   StepInfo
	// fresh is true if the action is not the recorded one: it starts now.
	fresh bool
}

func (in *Input) resolve() resolved {
	m := in.Meta
	name := m.TransitionTo
	if name == "" && m.State != nil {
		name = m.State.Name
	}
	r := resolved{state: in.Job.Policy.State(name)}
	if r.state == nil {
		return r
	}
	switch {
	case m.TransitionTo != "" || m.Action == nil:
		r.action, r.index = r.state.actionAt(0)
	case m.Action.Name == ActionTransition:
		r.action, r.index = transition, -1
	default:
		r.action, r.index = r.state.recorded(m.Action)
		if r.action != nil && lastStepDone(r.action.Type, m.Step) {
			r.action, r.index = r.state.actionAt(r.index + 1)
		}
	}
	if r.action == nil {
		return r
	}
	r.fresh = m.Action == nil || m.State == nil || m.State.Name != r.state.Name || m.Action.Index != r.index
	recorded := m.Step
	if r.fresh {
		recorded = nil
	}
	r.step = nextStep(r.action.Type, recorded)
	return r
}

// actionAt is the action at a place, or the transition behind the last one.
func (s *State) actionAt(i int) (*Action, int) {
	if i < len(s.Actions) {
		return &s.Actions[i], i
	}
	return transition, -1
}

// recorded is the action that metadata names, or nil if the state has another at its place.
func (s *State) recorded(a *ActionMeta) (*Action, int) {
	if a.Index >= 0 && a.Index < len(s.Actions) && s.Actions[a.Index].Type == a.Name {
		return &s.Actions[a.Index], a.Index
	}
	return nil, 0
}

// NextAction is the type of the action that would run next, "" if the metadata does not fit the policy.
func NextAction(job *Job, meta *Metadata) string {
	in := Input{Job: *job, Meta: meta}
	if r := in.resolve(); r.action != nil {
		return r.action.Type
	}
	return ""
}

// Needs is what Next will ask for of the facts that cost a request.
func Needs(in Input) Need {
	if !in.Job.Enabled || in.Meta == nil || in.Meta.Done() || in.conflict() {
		return 0
	}
	r := in.resolve()
	if r.action == nil || in.backoffEnd(r).After(in.Now) {
		return 0
	}
	var n Need
	if in.Config.Validate {
		n = ValidationNeeds(r.action.Type, in.Config)
	}
	switch r.action.Type {
	case ActionTransition:
		n |= r.state.needs()
	case ActionRollover:
		n |= r.action.Rollover.needs()
	}
	return n
}

func (s *State) needs() Need {
	var n Need
	for _, t := range s.Transitions {
		if c := t.Conditions; c != nil {
			if c.MinDocCount != nil || c.MinSize != nil {
				n |= NeedStats
			}
			if c.MinRolloverAge != nil {
				n |= NeedRolloverInfo
			}
		}
	}
	return n
}

func (r *Rollover) needs() Need {
	n := NeedRolloverInfo
	for _, g := range append(slices.Clone(r.AnyOf), r.Flat) { // policies are shared
		if g.MinSize != nil || g.MinDocCount != nil || g.MinPrimaryShardSize != nil {
			n |= NeedStats
		}
	}
	if r.PreventEmptyIndex {
		n |= NeedStats
	}
	return n
}

// starting is the metadata that announces a step.
func (in *Input) starting(r resolved) *Metadata {
	m := in.Meta.clone()
	if m.State == nil || m.State.Name != r.state.Name {
		m.State = &StateMeta{Name: r.state.Name, StartTime: in.Now}
	}
	if r.fresh {
		var never int64
		m.Action = &ActionMeta{Name: r.action.Type, StartTime: in.Now, Index: r.index, LastRetry: &never}
	} else if m.Action.StartTime.IsZero() {
		m.Action.StartTime = in.Now
	}
	start := in.Now
	if s := in.Meta.Step; s != nil && s.Name == r.step.Name && s.Status != StatusCompleted {
		start = s.StartTime
	}
	m.Step = &StepMeta{Name: r.step.Name, StartTime: start, Status: StatusStarting}
	m.Info = Message(fmt.Sprintf("Starting action %s and working on %s", r.action.Type, r.step.Name))
	return m
}

// run makes the move of a resolved step: pure ones are decided at once.
func (in *Input) run(r resolved) Move {
	starting := in.starting(r)
	if in.Config.Validate {
		if v := Validate(r.action.Type, in.Job.Index, in.Facts, in.Config); v.Status != ValidationPassed {
			return in.invalid(r, starting, v)
		}
	}
	move := Move{Kind: Run, Meta: starting, Action: r.action, Step: r.step, Reason: starting.Info.Text("message")}
	if in.Config.Native {
		move.Job = in.Job.withInterval(in.Config.JobInterval)
	}
	var d decision
	switch r.action.Type {
	case ActionTransition:
		d = in.decideTransition(r.state, starting)
	case ActionRollover:
		d = in.decideRollover(r.action.Rollover)
	default:
		return move
	}
	move.Result = &d.result
	if d.effect {
		return move
	}
	move.Kind, move.Starting = Save, starting
	move.Reason = d.result.Info.Text("message")
	if !in.Config.Native && in.waitsStill(r, d.result) {
		move.Kind = Wait
		move.Due = earliest(d.due, in.timeoutAt(r))
	}
	move.Meta = Finish(Move{Meta: starting, Action: r.action, Step: r.step}, d.result, in.Now)
	return move
}

// waitsStill reports whether the stored metadata says already what the result says: that the step waits.
func (in *Input) waitsStill(r resolved, result Result) bool {
	m := in.Meta
	return result.Status == StatusConditionNotMet && !r.fresh && m.TransitionTo == "" && m.Step != nil &&
		m.Step.Name == r.step.Name && m.Step.Status == StatusConditionNotMet &&
		m.Info.Text("message") == result.Info.Text("message")
}
