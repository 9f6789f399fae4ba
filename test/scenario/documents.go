// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// completedPolicy stands in files for the message of a policy that has ended, which has none.
const completedPolicy = "(completed)"

// The functions of this file are the plugin's rules for the members of a metadata document, from one run to the next.

// after is the metadata that a run at an instant leaves which the line is of. job is that of after the run.
func (d *documents) after(l runLine, at time.Time, job map[string]any) map[string]any {
	m := with(d.meta, "policy_completed", l.message == completedPolicy, "transition_to", l.target(), "info", l.info())
	if d.meta == nil {
		m = with(m, "index", d.index, "index_uuid", d.uuid, "rolled_over", false, "rolled_over_index_name", nil,
			"retry_info", map[string]any{"failed": false, "consumed_retries": json.Number("0")})
	}
	if d.meta == nil || l.changesPolicy() {
		for _, name := range []string{"policy_id", "policy_seq_no", "policy_primary_term"} {
			m[name] = job[name]
		}
	}
	if l.changesPolicy() {
		m["transition_to"], _ = find(d.job, "change_policy.state")
	}
	m["state"] = d.state(l, at)
	m["action"] = d.action(l, at)
	m["step"] = d.step(l, at)
	if l.action == "rollover" && l.status == "completed" {
		m["rolled_over"] = true
	}
	return m
}

func (l runLine) changesPolicy() bool {
	return strings.HasPrefix(l.message, "Attempting to change policy to ")
}

// changed is a job after its policy was changed: to which version, the line does not tell.
func changed(before, got map[string]any) map[string]any {
	id, _ := find(before, "change_policy.policy_id")
	return with(before, "policy_id", id, "change_policy", nil,
		"policy", got["policy"], "policy_seq_no", got["policy_seq_no"], "policy_primary_term", got["policy_primary_term"])
}

func (l runLine) info() any {
	if l.message == completedPolicy {
		return nil
	}
	return map[string]any{"message": l.message}
}

// target is the state that a transition leads to, else null.
func (l runLine) target() any {
	rest, found := strings.CutPrefix(l.message, "Transitioning to ")
	if !found {
		return nil
	}
	state, _, _ := strings.Cut(rest, " ")
	return state
}

// state begins when its name changes.
func (d *documents) state(l runLine, at time.Time) any {
	if l.state == "" {
		return nil
	}
	if was, _ := find(d.meta, "state.name"); was == l.state {
		return d.meta["state"]
	}
	return map[string]any{"name": l.state, "start_time": millis(at)}
}

// action begins when the state or its place in the state changes, and when its start was taken from it. A failure uses up a
// retry, or is the last.
func (d *documents) action(l runLine, at time.Time) any {
	if l.action == "" {
		return nil
	}
	index := json.Number(strconv.Itoa(d.place(l)))
	state, _ := find(d.meta, "state.name")
	was, _ := find(d.meta, "action.index")
	a, _ := d.meta["action"].(map[string]any)
	switch {
	case state != l.state || was != index || l.changesPolicy() && l.action == "transition":
		a = map[string]any{
			"name": l.action, "start_time": millis(at), "index": index, "failed": false,
			"consumed_retries": json.Number("0"), "last_retry_time": json.Number("0"),
		}
	case a["start_time"] == nil:
		a = with(a, "start_time", millis(at))
	}
	if l.step == "wait_for_force_merge" && l.status == "completed" {
		a = with(a)
		delete(a, "action_properties")
	}
	switch l.status {
	case "timed_out":
		a = with(a, "failed", true)
	case "failed":
		if number(a["consumed_retries"]) >= d.retries(l) {
			return with(a, "failed", true)
		}
		a = with(a, "consumed_retries", json.Number(strconv.FormatInt(number(a["consumed_retries"])+1, 10)), "last_retry_time", millis(at))
	}
	return a
}

// step begins when its name changes, and again after it was completed.
func (d *documents) step(l runLine, at time.Time) any {
	if l.step == "" {
		return nil
	}
	began := millis(at)
	name, _ := find(d.meta, "step.name")
	status, _ := find(d.meta, "step.step_status")
	if name == l.step && status != "completed" && l.status != "timed_out" {
		if start, found := find(d.meta, "step.start_time"); found {
			began, _ = start.(json.Number)
		}
	}
	return map[string]any{"name": l.step, "start_time": began, "step_status": l.status}
}

// actions are those of the line's state in the job's policy.
func (d *documents) actions(l runLine) []any {
	states, _ := find(d.job, "policy.states")
	list, _ := states.([]any)
	for _, s := range list {
		if name, _ := find(s, "name"); name == l.state {
			actions, _ := find(s, "actions")
			out, _ := actions.([]any)
			return out
		}
	}
	return nil
}

// place is the index of the line's action in its state: the present one's, or that of the next which has its type; -1 for the
// transition.
func (d *documents) place(l runLine) int {
	first := 0
	if state, _ := find(d.meta, "state.name"); state == l.state {
		if was, found := find(d.meta, "action.index"); found {
			first = int(number(was))
		}
	}
	for i, a := range d.actions(l) {
		if _, is := find(a, l.action); is && i >= first {
			return i
		}
	}
	return -1
}

// retries is how many the policy allows the line's action: three unless it says otherwise.
func (d *documents) retries(l runLine) int64 {
	if i := d.place(l); i >= 0 {
		if count, found := find(d.actions(l)[i], "retry.count"); found {
			return number(count)
		}
	}
	return 3
}

// keepers are the steps that write what the action keeps for its later steps. Others leave it alone.
var keepers = []string{
	"attempt_call_force_merge", "attempt_snapshot", "attempt_restore", "attempt_create_rollup", "wait_for_rollup_completion",
	"attempt_create_transform", "attempt_move_shards_step", "wait_for_move_shards_step", "attempt_shrink_step", "wait_for_shrink_step",
}

// unforeseen takes over from a document what no line tells: when the index was created, the name of the one after it, what a
// keeper has written, and what info has besides its message.
func unforeseen(want, got map[string]any) map[string]any {
	want = with(want, "index_creation_date", got["index_creation_date"], "rolled_over_index_name", got["rolled_over_index_name"])
	step, _ := find(want, "step.name")
	status, _ := find(want, "step.step_status")
	if name, is := step.(string); is && slices.Contains(keepers, name) && status != "timed_out" {
		kept, has := find(got, "action.action_properties")
		if !has {
			kept = map[string]any{}
		}
		a, _ := want["action"].(map[string]any)
		want["action"] = with(a, "action_properties", kept)
	}
	said, is := want["info"].(map[string]any)
	shown, has := got["info"].(map[string]any)
	if is && has {
		want["info"] = with(shown, "message", said["message"])
	}
	return want
}

// with is a copy of an object with other members.
func with(o map[string]any, pairs ...any) map[string]any {
	o = maps.Clone(o)
	if o == nil {
		o = map[string]any{}
	}
	for i := 0; i < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		o[name] = pairs[i+1]
	}
	return o
}

func millis(at time.Time) json.Number { return json.Number(strconv.FormatInt(at.UnixMilli(), 10)) }

// number is a JSON number that is whole, else 0.
func number(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}

// names are the members of two objects.
func names(a, b map[string]any) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func show(v any, found bool) string {
	if !found {
		return "absent"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
