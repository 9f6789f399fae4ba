// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// decision is what a step comes to before any effect.
type decision struct {
	result Result
	// effect is true if the step has to act now.
	effect bool
	// due is, for a step that waits, when its answer can change by time alone; zero for never.
	due time.Time
}

func (in *Input) say(text string) Info { return Message(text + " [index=" + in.Job.Index + "]") }

func failed(info Info) decision { return decision{result: Result{Status: StatusFailed, Info: info}} }

// decideTransition finds the first transition whose conditions are met.
func (in *Input) decideTransition(s *State, starting *Metadata) decision {
	if len(s.Transitions) == 0 {
		return decision{result: Result{Status: StatusCompleted, Completed: true}}
	}
	needs := s.needs()
	if needs&NeedStats != 0 {
		if info := in.statsFailure("Failed to transition index", "Failed to get stats information for the index"); info != nil {
			return failed(info)
		}
	}
	waiting := decision{result: Result{Status: StatusConditionNotMet, Info: in.say("Evaluating transition conditions")}}
	for _, t := range s.Transitions {
		met, due := in.met(t.Conditions, starting)
		if met {
			return decision{result: Result{Status: StatusCompleted, TransitionTo: t.StateName, Info: in.say("Transitioning to " + t.StateName)}}
		}
		waiting.due = earliest(waiting.due, due)
	}
	// Other transitions may come true later; an index that is never rolled over must not fail while they may. The
	// plugin fails at once.
	if needs&NeedRolloverInfo != 0 && len(in.Facts.RolledOver) == 0 && onlyRolloverAge(s.Transitions) {
		return failed(in.say("Failed to transition index as min_rollover_age condition was used, but the index has never been rolled over"))
	}
	return waiting
}

func onlyRolloverAge(list []Transition) bool {
	return !slices.ContainsFunc(list, func(t Transition) bool { return t.Conditions == nil || t.Conditions.MinRolloverAge == nil })
}

// statsFailure is the info of a step that could not read the index's numbers; nil if it could.
func (in *Input) statsFailure(broken, shards string) Info {
	if err := in.Facts.StatsError; err != nil {
		info := in.say(broken)
		if reason := fault.Of(err).Reason; reason != "" {
			info = info.With("cause", reason)
		}
		return info
	}
	if st := in.Facts.Stats; st != nil && len(st.Failures) > 0 {
		return in.say(shards).With("shard_failures", st.Failures)
	}
	return nil
}

// met evaluates one transition. due is when it can come true by time alone; zero for never.
func (in *Input) met(c *Conditions, starting *Metadata) (met bool, due time.Time) {
	switch {
	case c == nil:
		return true, time.Time{}
	case c.MinIndexAge != nil:
		return in.reached(in.created(), c.MinIndexAge.Value())
	case c.MinStateAge != nil:
		return in.reached(starting.State.StartTime, c.MinStateAge.Value())
	case c.MinRolloverAge != nil:
		return in.reached(oldest(in.Facts.RolledOver), c.MinRolloverAge.Value())
	case c.Cron != nil:
		at := c.Cron.Next(starting.Step.StartTime)
		return !at.IsZero() && !in.Now.Before(at), at
	case c.NoAlias != nil:
		return *c.NoAlias == (len(in.Facts.Aliases) == 0), time.Time{}
	case in.Facts.Stats == nil:
		return false, time.Time{}
	case c.MinDocCount != nil:
		return in.Facts.Stats.Docs >= *c.MinDocCount, time.Time{}
	case c.MinSize != nil:
		return in.Facts.Stats.PrimaryBytes >= c.MinSize.Value(), time.Time{}
	}
	return false, time.Time{} // no condition at all is never met
}

// created is the creation date that the metadata remembers, else the index's own.
func (in *Input) created() time.Time {
	if in.Meta != nil && !in.Meta.Created.IsZero() {
		return in.Meta.Created
	}
	return in.Facts.Created
}

// reached reports whether an age since an instant is reached, and when it will be. Without an instant it never is.
func (in *Input) reached(since time.Time, age time.Duration) (bool, time.Time) {
	if since.IsZero() {
		return false, time.Time{}
	}
	due := since.Add(age)
	return !in.Now.Before(due), due
}

func oldest(times map[string]time.Time) time.Time {
	var out time.Time
	for _, t := range times {
		out = earliest(out, t)
	}
	return out
}

// decideRollover goes through what the plugin checks before it rolls an index over.
func (in *Input) decideRollover(r *Rollover) decision {
	f := &in.Facts
	rolled := Result{Status: StatusCompleted, RolledOver: true}
	if f.RolloverSkip {
		rolled.Info = in.say("Skipped rollover action for")
		return decision{result: rolled}
	}
	if f.Target == "" {
		return failed(in.say("Missing rollover_alias index setting"))
	}
	if _, done := f.RolledOver[f.Target]; done {
		// what is left to do, copying aliases and the new index's name, the step finds out
		return decision{effect: true}
	}
	if !f.DataStream && (!f.HasTarget || !f.WriteIndex) {
		return failed(in.say("Missing alias or not the write index when rollover"))
	}
	if r.needs()&NeedStats != 0 {
		if info := in.statsFailure("Failed to evaluate conditions for rollover", "Failed to evaluate conditions for rollover"); info != nil {
			return failed(info)
		}
	}
	if r.PreventEmptyIndex && in.docs() == 0 {
		info := in.say("Rollover prevented: index is empty (0 documents)").With("conditions", wire.Obj(
			"prevent_empty_rollover", wire.Obj("condition", "index must have at least 1 document", "current", 0)))
		return decision{result: Result{Status: StatusConditionNotMet, Info: info}}
	}
	met, conditions, due := in.rolloverConditions(r)
	info := in.say("Pending rollover of index")
	if len(conditions) > 0 {
		info = info.With("conditions", conditions)
	}
	if !met {
		return decision{result: Result{Status: StatusConditionNotMet, Info: info}, due: due}
	}
	rolled.Info = info
	return decision{result: rolled, effect: true}
}

func (in *Input) docs() int64 {
	if in.Facts.Stats == nil {
		return 0
	}
	return in.Facts.Stats.Docs
}

// rolloverConditions evaluates a rollover's conditions: any of the flat ones, or any group as a whole, or none at all.
func (in *Input) rolloverConditions(r *Rollover) (met bool, shown wire.Object, due time.Time) {
	if r.AnyOf == nil {
		some, _, shown, due := in.group(r.Flat)
		return some || r.Flat.empty(), shown, due
	}
	groups := make([]wire.Object, len(r.AnyOf))
	for i, g := range r.AnyOf {
		_, all, one, at := in.group(g)
		groups[i] = one
		met = met || all
		due = earliest(due, at)
	}
	return met, wire.Obj("any_of", groups), due
}

// group evaluates a group: whether some and whether all of its conditions are met, how info shows them, and when its age
// condition will come true.
func (in *Input) group(g RolloverGroup) (some, all bool, shown wire.Object, due time.Time) {
	all = true
	note := func(name string, met bool, entry wire.Object) {
		some, all = some || met, all && met
		shown.Add(name, entry)
	}
	var st Stats
	if in.Facts.Stats != nil {
		st = *in.Facts.Stats
	}
	if g.MinIndexAge != nil {
		created := in.Facts.Created
		age, ms := time.Duration(0), int64(-1)
		if !created.IsZero() {
			age, ms = in.Now.Sub(created), created.UnixMilli()
			due = created.Add(g.MinIndexAge.Value())
		}
		met := age >= g.MinIndexAge.Value()
		if met {
			due = time.Time{}
		}
		note("min_index_age", met, wire.Obj("condition", wire.HumanDuration(g.MinIndexAge.Value()), "current", wire.HumanDuration(age), "creationDate", ms))
	}
	if g.MinDocCount != nil {
		note("min_doc_count", st.Docs >= *g.MinDocCount, wire.Obj("condition", *g.MinDocCount, "current", st.Docs))
	}
	if g.MinSize != nil {
		note("min_size", st.PrimaryBytes >= g.MinSize.Value(), wire.Obj("condition", wire.HumanBytes(g.MinSize.Value()), "current", wire.HumanBytes(st.PrimaryBytes)))
	}
	if g.MinPrimaryShardSize != nil {
		note("min_primary_shard_size", st.MaxShardSize >= g.MinPrimaryShardSize.Value(), wire.Obj(
			"condition", wire.HumanBytes(g.MinPrimaryShardSize.Value()), "current", wire.HumanBytes(st.MaxShardSize), "shard", st.MaxShard))
	}
	return some, all, shown, due
}

// CurrentConditions are the conditions of a waiting rollover as they are now, for explain; nil if the index does not
// wait for one.
func CurrentConditions(in Input) wire.Object {
	if in.Meta == nil || in.Meta.Step == nil || in.Meta.Step.Status != StatusConditionNotMet ||
		!strings.HasPrefix(in.Meta.Info.Text("message"), "Pending rollover") {
		return nil
	}
	r := in.resolve()
	if r.action == nil || r.action.Type != ActionRollover {
		return nil
	}
	_, shown, _ := in.rolloverConditions(r.action.Rollover)
	return shown
}
