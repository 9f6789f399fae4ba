// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
)

func passes(text string) ism.Validation { return ism.Validation{Status: "passed", Message: text} }
func again(text string) ism.Validation  { return ism.Validation{Status: "re_validating", Message: text} }
func fails(text string) ism.Validation  { return ism.Validation{Status: "failed", Message: text} }

var validations = []struct {
	name, action string
	facts        ism.Facts
	limit        int // of heap
	want         ism.Validation
}{
	{"a rollover without an alias setting", "rollover", ism.Facts{Exists: true, RolloverSkip: true}, 0, again("Missing rollover_alias index setting [index=i]")},
	{"a rollover to be skipped", "rollover", ism.Facts{Exists: true, Target: "x", RolloverSkip: true}, 0, passes("Skipped rollover action for [index=i]")},
	{
		"a rollover that is done", "rollover",
		ism.Facts{Exists: true, Target: "x", RolledOver: map[string]time.Time{"x": t0}},
		0,
		passes("This index has already been rolled over using this alias, treating as a success [index=i, alias=x]"),
	},
	{"a rollover of an index without the alias", "rollover", ism.Facts{Exists: true, Target: "x", TargetIndices: 1}, 0, again("Missing alias when rollover [index=i]")},
	{"a rollover of one index of several", "rollover", ism.Facts{Exists: true, Target: "x", HasTarget: true, TargetIndices: 2}, 0, again("Not the write index when rollover [index=i]")},
	{"a rollover of the only index", "rollover", ism.Facts{Exists: true, Target: "x", HasTarget: true, TargetIndices: 1}, 0, passes("Rollover validation passed for [index=i]")},
	{"a rollover of the write index", "rollover", ism.Facts{Exists: true, Target: "x", HasTarget: true, MarkedWrite: true, TargetIndices: 2}, 0, passes("Rollover validation passed for [index=i]")},
	{"a rollover of a data stream", "rollover", ism.Facts{Exists: true, Target: "x", DataStream: true}, 0, passes("Rollover validation passed for [index=i]")},
	{"deleting what is gone", "delete", ism.Facts{}, 0, again("no such index [index=i]")},
	{"deleting a write index", "delete", ism.Facts{Exists: true, Target: "x", HasTarget: true, MarkedWrite: true}, 0, again("Index [index=i] is the write index for data stream and cannot be deleted")},
	{"deleting another index", "delete", ism.Facts{Exists: true, Target: "x", HasTarget: true}, 0, passes("Delete validation passed for [index=i]")},
	{"a force merge", "force_merge", ism.Facts{Exists: true, HeapPercent: 85}, 85, passes("Force merge validation passed for [index=i]")},
	{"a force merge without memory", "force_merge", ism.Facts{Exists: true, HeapPercent: 86}, 85, again("Starting Validation")},
	{"a force merge without a breaker", "force_merge", ism.Facts{Exists: true, HeapPercent: 99}, 0, passes("Force merge validation passed for [index=i]")},
	{"replicas", "replica_count", ism.Facts{Exists: true}, 85, passes("Replica Count validation passed for [index=i]")},
	{"replicas without memory", "replica_count", ism.Facts{Exists: true, HeapPercent: 90}, 85, again("Starting Validation")},
	{"read_only", "read_only", ism.Facts{Exists: true}, 85, passes("validate_read_only action validation passed for [index=i]")},
	{"read_only without memory", "read_only", ism.Facts{Exists: true, HeapPercent: 90}, 85, again("Starting Validation")},
	{"read_write", "read_write", ism.Facts{Exists: true, HeapPercent: 90}, 85, passes("read_write validation passed for [index=i]")},
	{"opening", "open", ism.Facts{Exists: true}, 85, passes("Open action validation passed for [index=i]")},
	{"a priority", "index_priority", ism.Facts{Exists: true}, 85, passes("Index Priority action validation passed for [index=i]")},
	{"closing", "close", ism.Facts{Exists: true}, 85, passes("Close action validation passed for [index=i]")},
	{"closing what is gone", "close", ism.Facts{}, 85, fails("No such index [index=i] for close action.")},
	{"a snapshot", "snapshot", ism.Facts{Exists: true}, 85, passes("Snapshot action validation passed for [index=i]")},
	{"a snapshot of what is gone", "snapshot", ism.Facts{}, 85, fails("Index [index=i] does not exist for snapshot action.")},
	{"a transition", "transition", ism.Facts{Exists: true}, 85, passes("Transition action validation passed for [index=i]")},
	{"a transition of what is gone", "transition", ism.Facts{}, 85, again("Index [index=i] does not exist for transition")},
	{"the end of a replication that there cannot be", "stop_replication", ism.Facts{Exists: true}, 85, fails("The cluster has no cross-cluster replication [index=i]")},
	{"the end of a replication", "stop_replication", ism.Facts{Exists: true, Can: ism.Abilities{Replicate: true}}, 85, passes("Stop replication action validation passed for [index=i]")},
	{"the end of a replication of what is gone", "stop_replication", ism.Facts{}, 85, fails("No such index [index=i] for stop replication action.")},
	{"an index in a snapshot that cannot be searched", "convert_index_to_remote", ism.Facts{Exists: true}, 85, fails("No node can search snapshots [index=i]")},
	{"an index in a snapshot", "convert_index_to_remote", ism.Facts{Exists: true, Can: ism.Abilities{SearchSnapshots: true}}, 85, passes("Restore action validation passed for [index=i]")},
	{"searches alone of what is gone", "search_only", ism.Facts{}, 85, fails("No such index [index=i] for search_only action.")},
	{"searches alone without a remote store", "search_only", ism.Facts{Exists: true}, 85, fails("Cannot scale to zero without remote store enabled [index=i]")},
	{
		"searches alone of documents that are replicated", "search_only",
		ism.Facts{Exists: true, Scale: ism.Scale{RemoteStore: true}},
		85,
		fails("Cannot scale to zero without segment replication [index=i]"),
	},
	{
		"searches alone without copies for them", "search_only",
		ism.Facts{Exists: true, Scale: ism.Scale{RemoteStore: true, SegmentReplication: true}},
		85,
		fails("Cannot scale to zero without search replicas [index=i]"),
	},
	{
		"searches alone", "search_only",
		ism.Facts{Exists: true, Scale: ism.Scale{RemoteStore: true, SegmentReplication: true, SearchReplicas: 1}},
		85,
		passes("search_only action validation passed for [index=i]"),
	},
	{"a notification", "notification", ism.Facts{}, 85, passes("Starting Validation")},
	{"shrinking", "shrink", ism.Facts{}, 85, passes("Starting Validation")},
	{"an allocation", "allocation", ism.Facts{}, 85, passes("Starting Validation")},
	{"a rollup", "rollup", ism.Facts{}, 85, passes("Starting Validation")},
	{"a transform", "transform", ism.Facts{}, 85, passes("Starting Validation")},
	{"an alias", "alias", ism.Facts{}, 85, passes("Starting Validation")},
	{"nothing", "", ism.Facts{}, 85, passes("Starting Validation")},
}

func TestEachActionIsValidatedAsThePluginDoes(t *testing.T) {
	for _, c := range validations {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ism.Validate(c.action, "i", c.facts, ism.Config{HeapLimit: c.limit})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const closes = `{"name":"a","actions":[{"close":{}}],"transitions":[]}`

// unmarked is an index that a rollover must wait for: others have the alias, too.
func unmarked(in *ism.Input) {
	in.Config.Validate = true
	in.Facts.Target, in.Facts.HasTarget, in.Facts.TargetIndices = "books", true, 2
	in.Facts.Stats = &ism.Stats{Docs: 9}
}

func TestAnActionThatDoesNotPassIsAnnouncedOnceAndLookedAtAgain(t *testing.T) {
	in := newInput(t, rollsOver)
	unmarked(&in)
	apply(&in, ism.Next(in), nil) // initialise
	announce := ism.Next(in)
	if announce.Kind != ism.Save || !announce.Notify || announce.Job != nil {
		t.Fatalf("%+v", announce)
	}
	if s := announce.Meta; s.Step.Status != "starting" || s.Info.Text("message") != "Starting action rollover and working on attempt_rollover" {
		t.Errorf("announced as %s", document(t, s))
	}
	apply(&in, announce, nil)
	in.Now = at(10 * time.Minute)
	if wait := ism.Next(in); wait.Kind != ism.Wait || wait.Notify || !wait.Due.Equal(at(11*time.Minute)) {
		t.Errorf("%+v", wait)
	}
	if a := in.Meta.Action; a.ConsumedRetries != 0 || a.Failed {
		t.Errorf("the action is %v", a)
	}
	in.Now = at(59*time.Minute + 30*time.Second)
	if wait := ism.Next(in); !wait.Due.Equal(at(time.Hour + time.Millisecond)) {
		t.Errorf("the action's timeout is not waited for but %v", wait.Due)
	}
	in.Facts.MarkedWrite, in.Facts.WriteIndex = true, true
	if run := ism.Next(in); run.Kind != ism.Run || run.Step.Name != "attempt_rollover" {
		t.Errorf("when the cause is gone: %+v", run)
	}
}

func TestAtNativePaceAnActionThatDoesNotPassIsAnnouncedWithEveryRunAndOneThatFailedGivenUp(t *testing.T) {
	in := newInput(t, rollsOver)
	unmarked(&in)
	in.Config.Native = true
	apply(&in, ism.Next(in), nil)
	for range 3 {
		move := ism.Next(in)
		if move.Kind != ism.Save || !move.Notify || move.Job != nil || move.Starting != nil {
			t.Fatalf("%+v", move)
		}
		apply(&in, move, nil)
	}
	in = newInput(t, `{"name":"a","actions":[{"convert_index_to_remote":{"repository":"r","snapshot":"s"}}],"transitions":[]}`)
	in.Config.Native, in.Config.Validate = true, true
	apply(&in, ism.Next(in), nil)
	move := ism.Next(in)
	if move.Kind != ism.Save || !move.Notify || move.Job == nil || move.Job.Enabled {
		t.Errorf("%+v", move)
	}
	if v := ism.Validate("convert_index_to_remote", "i", ism.Facts{Exists: true}, in.Config); v != fails("Index [index=i] already exists, cannot restore over existing index.") {
		t.Error(v)
	}
	if m := move.Meta; m.Failed() || m.Step.Status != "starting" {
		t.Errorf("stored as %s", document(t, m))
	}
}

func TestAnActionThatPassesIsRun(t *testing.T) {
	in := newInput(t, closes)
	in.Config.Validate, in.Config.HeapLimit = true, 85
	apply(&in, ism.Next(in), nil)
	if move := ism.Next(in); move.Kind != ism.Run || move.Step.Name != "attempt_close" {
		t.Errorf("%+v", move)
	}
}

func TestValidatingAsksForNoMoreFactsThanItNeeds(t *testing.T) {
	for _, c := range []struct {
		name, action string
		limit        int
		want         ism.Need
	}{
		{"a rollover", "rollover", 85, ism.NeedRolloverInfo},
		{"a force merge", "force_merge", 85, ism.NeedHeap},
		{"a force merge without a breaker", "force_merge", 0, 0},
		{"searches alone", "search_only", 85, ism.NeedScale},
		{"closing", "close", 85, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ism.ValidationNeeds(c.action, ism.Config{HeapLimit: c.limit}); got != c.want {
				t.Errorf("%b, want %b", got, c.want)
			}
		})
	}
}
