// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"strconv"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Simulated is where an index stands in a policy.
type Simulated struct {
	State string
	// Action is the type of the action that would run next, "" if the metadata does not fit the policy.
	Action string
	// Transitions tells of each transition of the state whether its condition is met; nil unless the next action is
	// the transition.
	Transitions []wire.Object
	// Next is the state that the index would go to now, "" if it stays.
	Next string
}

// Simulate evaluates a policy for an index without changing anything. meta is nil for an index that is not managed. The
// error names a state that the policy does not have.
func Simulate(policy *Policy, meta *Metadata, facts Facts, now time.Time) (Simulated, error) {
	in := Input{Job: Job{Policy: policy}, Meta: meta, Facts: facts, Now: now}
	out := Simulated{State: policy.DefaultState}
	if meta != nil && meta.State != nil {
		out.State = meta.State.Name
	}
	state := policy.State(out.State)
	if state == nil {
		return out, fault.Illegal("State '%s' referenced in metadata not found in policy", out.State)
	}
	out.Action = in.simulatedAction(state)
	if out.Action != ActionTransition && (meta == nil || len(state.Actions) > 0) {
		return out, nil
	}
	out.Action, out.Transitions = ActionTransition, []wire.Object{}
	for _, t := range state.Transitions {
		shown, met := in.simulate(t)
		out.Transitions = append(out.Transitions, shown)
		if met && out.Next == "" {
			out.Next = t.StateName
		}
	}
	return out, nil
}

func (in *Input) simulatedAction(state *State) string {
	if in.Meta != nil {
		return NextAction(&in.Job, in.Meta)
	}
	first, _ := state.actionAt(0)
	return first.Type
}

// SimulationNeeds are the facts that cost a request which simulating a policy takes, whatever state an index is in.
func SimulationNeeds(policy *Policy) Need {
	var needs Need
	for i := range policy.States {
		needs |= (&State{Transitions: policy.States[i].Transitions}).needs()
	}
	return needs
}

// simulate evaluates one transition.
func (in *Input) simulate(t Transition) (shown wire.Object, met bool) {
	kind, current, required := in.described(t.Conditions)
	switch {
	case t.Conditions != nil && t.Conditions.MinStateAge != nil && in.stateStart().IsZero():
	default:
		met, _ = in.met(t.Conditions, in.standing())
	}
	shown = wire.Obj("state_name", t.StateName, "condition_met", met, "condition_type", kind)
	shown.AddIf(current != "", "current_value", current)
	shown.AddIf(required != "", "required_value", required)
	return shown, met
}

// standing is metadata with what conditions read: when the state and the step began.
func (in *Input) standing() *Metadata {
	m := &Metadata{State: &StateMeta{StartTime: in.stateStart()}, Step: &StepMeta{StartTime: in.Now}}
	if in.Meta != nil && in.Meta.Step != nil && !in.Meta.Step.StartTime.IsZero() {
		m.Step.StartTime = in.Meta.Step.StartTime
	}
	return m
}

func (in *Input) stateStart() time.Time {
	if in.Meta == nil || in.Meta.State == nil {
		return time.Time{}
	}
	return in.Meta.State.StartTime
}

// described is a condition in words: its kind, what there is and what there has to be.
func (in *Input) described(c *Conditions) (kind, current, required string) {
	age := func(since time.Time, without string) string {
		if since.IsZero() {
			return without
		}
		return wire.HumanDuration(in.Now.Sub(since))
	}
	switch {
	case c == nil:
		return "unconditional", "", ""
	case c.MinIndexAge != nil:
		return "min_index_age", age(in.created(), "unavailable"), c.MinIndexAge.String()
	case c.MinStateAge != nil:
		return "min_state_age", age(in.stateStart(), "state start time unknown (index not yet managed)"), c.MinStateAge.String()
	case c.MinRolloverAge != nil:
		return "min_rollover_age", age(oldest(in.Facts.RolledOver), "index has never been rolled over"), c.MinRolloverAge.String()
	case c.MinDocCount != nil:
		return "min_doc_count", in.number(func(s *Stats) string { return strconv.FormatInt(s.Docs, 10) }), strconv.FormatInt(*c.MinDocCount, 10)
	case c.MinSize != nil:
		return "min_size", in.number(func(s *Stats) string { return wire.HumanBytes(s.PrimaryBytes) }), c.MinSize.String()
	case c.Cron != nil:
		return "cron", isoTime(in.Now), "next fire at " + isoTime(c.Cron.Next(in.standing().Step.StartTime))
	case c.NoAlias != nil:
		current, required = "no aliases", "at least one alias (no_alias=false)"
		if n := len(in.Facts.Aliases); n > 0 {
			current = fmt.Sprintf("%d alias(es)", n)
		}
		if *c.NoAlias {
			required = "no aliases (no_alias=true)"
		}
		return "no_alias", current, required
	}
	return "unknown", "", ""
}

func (in *Input) number(show func(*Stats) string) string {
	if in.Facts.Stats == nil {
		return "unavailable"
	}
	return show(in.Facts.Stats)
}

// isoTime is a time in ISO 8601, with as many digits of a second as it has.
func isoTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
