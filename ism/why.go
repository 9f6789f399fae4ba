// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"strings"
	"time"

	"github.com/opensteward/steward/wire"
)

// Why says why an index does not move: what stopped it, the fact that stands in the way, and what makes it go on.
type Why struct {
	Cause, Blocking, Fix string
	// Due is when time alone will change the answer; zero if it will not.
	Due time.Time
}

// JSON is the object that explain shows; nil for an index that nothing holds up.
func (w *Why) JSON() any {
	if w == nil {
		return nil
	}
	o := wire.Obj("cause", w.Cause, "blocking", w.Blocking, "fix", w.Fix)
	o.AddIf(!w.Due.IsZero(), "due", w.Due.UnixMilli())
	return o
}

// Explained says why the index stands where it does. in.Meta is as it is stored. It is nil for an index that is about to
// move, or that has completed its policy. watched says that a failed index is tried again by itself.
func Explained(in Input, watched bool) *Why {
	switch m := in.Meta; {
	case m == nil:
		return in.held()
	case m.PolicyCompleted:
		return nil
	case m.Failed():
		return in.failure(watched)
	}
	if w := in.held(); w != nil {
		return w
	}
	return in.waiting()
}

// held says what keeps any policy from being run here.
func (in *Input) held() *Why {
	switch {
	case !in.Job.Enabled && !in.Config.Enabled:
		return &Why{
			Cause: "index state management is switched off", Blocking: clusterPrefix + "enabled is false",
			Fix: "set " + clusterPrefix + "enabled to true in _cluster/settings",
		}
	case !in.Job.Enabled:
		return &Why{
			Cause: "the job is disabled", Blocking: "enabled is false in the index's job document",
			Fix: "call retry if the index has failed, or remove the policy and add it again",
		}
	case in.Facts.Red && !in.Config.AllowOnRed:
		return &Why{
			Cause: "the cluster is red", Blocking: "a primary shard is not assigned",
			Fix: "assign the missing shards, or set " + clusterPrefix + "allow_running_on_red_cluster to true",
		}
	}
	return nil
}

// waiting says what a healthy index waits for.
func (in *Input) waiting() *Why {
	if w := in.polling(); w != nil {
		return w
	}
	move := Next(*in)
	if move.Kind != Wait && (move.Result == nil || move.Result.Status != StatusConditionNotMet) {
		return nil
	}
	if in.Meta.Step != nil && in.Meta.Step.Status == StatusFailed {
		return &Why{
			Cause: in.Meta.Info.Text("message"), Blocking: "the pause before the next retry has not passed",
			Fix: "wait for the retry", Due: move.Due,
		}
	}
	r := in.resolve()
	if r.action == nil {
		return nil
	}
	w := &Why{Cause: in.Meta.Info.Text("message"), Due: move.Due}
	switch r.action.Type {
	case ActionTransition:
		w.Blocking, w.Fix = "no condition of a transition is met: "+in.unmet(r.state), "wait until one is met, or change the policy"
	case ActionRollover:
		w.Blocking, w.Fix = "no condition of the rollover is met", "wait until one is met, or roll over by hand"
	default:
		return nil
	}
	return w
}

// unmet lists the conditions of a state's transitions as they stand.
func (in *Input) unmet(s *State) string {
	var list []string
	for _, t := range s.Transitions {
		kind, current, required := in.described(t.Conditions)
		text := t.StateName + ": " + kind
		if current != "" {
			text += " is " + current
		}
		if required != "" {
			text += ", needed " + required
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// obstacle is what stands behind a message that begins with begins: the fact and the way out. {index} is the index, {policy} the
// policy.
type obstacle struct{ begins, blocking, fix string }

var obstacles = []obstacle{
	{
		"Missing rollover_alias index setting",
		indexPrefix + "rollover_alias is not set on [{index}]",
		"set " + indexPrefix + "rollover_alias to the alias that is to be rolled over",
	},
	{
		"Missing alias or not the write index when rollover",
		"[{index}] is not the write index of the alias that " + indexPrefix + "rollover_alias names",
		"add the alias to the index with is_write_index, or correct the setting",
	},
	{
		"Failed to find state=",
		"policy [{policy}] does not have the state that the index is to be in",
		"change the policy of the index to one that has it, or call retry with a state",
	},
	{
		"Failed to find action=",
		"policy [{policy}] does not have the action at the place where the index is",
		"change the policy of the index, or call retry with a state",
	},
	{
		"Attempted to execute action=",
		"the action is not in " + clusterPrefix + "allow_list",
		"add it there",
	},
	{"Fail to load policy", "the policy that the index is to change to does not exist", "create it"},
	{"Failed to load change policy", "the policy that the index is to change to does not exist", "create it"},
	{
		"There is a version conflict between",
		"the job document names another version of the policy than the metadata",
		"remove the policy and add it again",
	},
	{
		"Action timed out",
		"the action's timeout has passed",
		"call retry; a longer timeout takes a change of policy",
	},
	{
		"Failed to transition index as min_rollover_age",
		"[{index}] has never been rolled over",
		"roll it over, or change the condition",
	},
}

// failure says what a failed index needs.
func (in *Input) failure(watched bool) *Why {
	message := in.Meta.Info.Text("message")
	w := &Why{Cause: message, Blocking: "the last try of the action failed", Fix: "remove the cause"}
	if cause := in.Meta.Info.Text("cause"); cause != "" {
		w.Blocking = cause
	}
	switch repository := Repository(&in.Job, in.Meta); {
	case repository == "":
	case w.Blocking == "["+repository+"] missing":
		w.Fix = fmt.Sprintf("register the snapshot repository [%s]", repository)
	case strings.HasPrefix(w.Blocking, "["+repository+":") && strings.HasSuffix(w.Blocking, "] is missing"):
		w.Fix = fmt.Sprintf("the snapshot was begun and lost: look into the cluster's log; the disk of the repository [%s] may be full", repository)
	}
	if o, ok := obstacleTo(message, obstacles, stepObstacles); ok {
		w.Blocking, w.Fix = fill(o.blocking, in.Job.Index, in.Job.PolicyID), o.fix
	}
	if in.Meta.TimedOut() {
		return w
	}
	if watched {
		w.Fix += "; the index then goes on by itself"
	} else {
		w.Fix += ", and call retry"
	}
	return w
}

// fill puts an index's and a policy's name where a text asks for them.
func fill(text, index, policy string) string {
	return strings.NewReplacer("{index}", index, "{policy}", policy).Replace(text)
}
