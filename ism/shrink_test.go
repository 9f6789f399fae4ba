// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
)

const shrinksInTime = `{"name":"hot","actions":[{"timeout":"1h","retry":{"count":3},"shrink":{"num_new_shards":1}}],"transitions":[]}`

// midShrink is an index whose shrink has chosen a node, and waits for its shards.
func midShrink(t *testing.T, native bool) ism.Input {
	t.Helper()
	in := newInput(t, shrinksInTime)
	in.Config.Native = native
	plan := &ism.Properties{Shrink: json.RawMessage(`{"node_name":"n1"}`)}
	for range 20 {
		if in.Meta != nil && in.Meta.Step != nil && in.Meta.Step.Name == "wait_for_move_shards_step" {
			return in
		}
		apply(&in, ism.Next(in), func(m ism.Move) ism.Result {
			if m.Step.Name == "wait_for_move_shards_step" {
				return ism.Result{Status: ism.StatusConditionNotMet, Info: ism.Message("moving"), Properties: plan}
			}
			return ism.Result{Status: ism.StatusCompleted, Properties: plan}
		})
	}
	t.Fatal("the shrink does not begin")
	return in
}

func TestAShrinkThatIsOutOfTimeRunsOnceMoreToCleanUp(t *testing.T) {
	in := midShrink(t, false)
	in.Now = at(time.Hour + time.Millisecond)
	move := ism.Next(in)
	if move.Kind != ism.Run || move.Step.Name != "wait_for_move_shards_step" {
		t.Fatalf("the move is %d %s %q", move.Kind, move.Step.Name, move.Reason)
	}
	in.Meta = ism.Finish(move, ism.Result{Status: ism.StatusFailed, Info: ism.Message("given up"), Properties: &ism.Properties{}}, in.Now)
	move = ism.Next(in)
	if move.Kind != ism.Save || !move.Meta.Action.Failed || move.Meta.Info.Text("message") != "Action timed out" || move.Meta.Step.Name != "attempt_move_shards_step" {
		t.Errorf("then it is %d: %s", move.Kind, document(t, move.Meta))
	}
}

func TestAtNativePaceAShrinkThatIsOutOfTimeIsLeftAsItIs(t *testing.T) {
	in := midShrink(t, true)
	in.Now = at(time.Hour + time.Millisecond)
	if move := ism.Next(in); move.Kind != ism.Save || move.Meta.Info.Text("message") != "Action timed out" {
		t.Errorf("the move is %d %q", move.Kind, move.Reason)
	}
}

func TestAShrinkWithNothingToDoIsOver(t *testing.T) {
	in := newInput(t, shrinksInTime)
	last := settle(t, &in, func(m ism.Move) ism.Result {
		if m.Step.Name != "attempt_move_shards_step" {
			t.Errorf("step %s runs", m.Step.Name)
		}
		return ism.Result{Status: ism.StatusCompleted, Info: ism.Message("Skip"), Step: "wait_for_shrink_step"}
	})
	if !in.Meta.PolicyCompleted {
		t.Errorf("it waits: %s, %s", last.Reason, document(t, in.Meta))
	}
}

func TestWhyAShrinkDoesNotGoOn(t *testing.T) {
	for _, e := range []struct{ status, message, blocking, fix string }{
		{
			ism.StatusConditionNotMet, "Candidate node for shrink action is locked for other actions. Delaying until gets unlocked.",
			"another index is being shrunk onto the node", "wait until that is done",
		},
		{
			ism.StatusConditionNotMet, "There is no node with enough disk space or shard moving permission for a shrink action.",
			"no data node has space for [books] twice beyond the high watermark, and may get all its shards",
			"free disk space, add a node, or relax what keeps shards from the nodes",
		},
		{
			ism.StatusFailed, "Shrink failed because index has no replicas and force_unsafe is not set to true.",
			"[books] has no replicas, and its only copies would move", "give it a replica, or set force_unsafe in the policy; the index then goes on by itself",
		},
	} {
		t.Run(e.message, func(t *testing.T) {
			in := midShrink(t, false)
			in.Meta.Step.Status, in.Meta.Info = e.status, ism.Message(e.message)
			in.Meta.Action.Failed = e.status == ism.StatusFailed
			w := ism.Explained(in, true)
			if w == nil || w.Cause != e.message || w.Blocking != e.blocking || w.Fix != e.fix {
				t.Errorf("it is because %+v", w)
			}
		})
	}
}
