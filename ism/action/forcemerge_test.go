// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

const (
	mergeAction = `{"force_merge":{"max_num_segments":1}}`
	mergeCall   = "POST /logs-1/_forcemerge"
	tasksCall   = "GET /_tasks"
	statsCall   = "GET /logs-1/_stats/docs,store,segments"
	noTasks     = `{"nodes":{}}`
	merging     = `{"nodes":{"n":{"tasks":{"n:1":{"action":"indices:admin/forcemerge","description":"Force-merge indices [a, logs-1], maxSegments[1], onlyExpungeDeletes[false], flush[true]"}}}}}`
	mergedOK    = `{"_shards":{"total":1,"successful":1,"failed":0}}`
	mergeFailed = `{"_shards":{"total":1,"successful":0,"failed":1,"failures":[{"shard":0,"index":"logs-1","reason":{"type":"x","reason":"disk full"}}]}}`
)

func TestCallForceMerge(t *testing.T) {
	const done = "Successfully completed force merge [index=logs-1]"
	cases := []struct {
		name    string
		answers map[string][]answer
		want    want
		merges  bool
	}{
		{"faultless", map[string][]answer{tasksCall: {ok(noTasks)}, mergeCall: {ok(mergedOK)}}, want{"completed", done, ""}, true},
		{"a merge from before a crash is waited for, then made sure of", map[string][]answer{
			tasksCall: {ok(merging), ok(merging), ok(noTasks)}, mergeCall: {ok(mergedOK)},
		}, want{"completed", done, ""}, true},
		{
			"a merge of somebody else that takes longer is left to the next step",
			map[string][]answer{tasksCall: {ok(merging)}},
			want{"completed", "Successfully called force merge [index=logs-1]", ""},
			false,
		},
		{"a cluster that lists no tasks", map[string][]answer{
			tasksCall: {refusal(400, "illegal_argument_exception", "not supported")}, mergeCall: {ok(mergedOK)},
		}, want{"completed", done, ""}, true},
		{
			"failing shards",
			map[string][]answer{tasksCall: {ok(noTasks)}, mergeCall: {ok(mergeFailed)}},
			want{"failed", "Failed to start force merge [index=logs-1]", ""},
			true,
		},
		{
			"refused",
			map[string][]answer{tasksCall: {ok(noTasks)}, mergeCall: {denied}},
			want{"failed", "Failed to start force merge [index=logs-1]", "no"},
			true,
		},
		{"unanswered", map[string][]answer{tasksCall: {ok(noTasks)}, mergeCall: {unanswered}}, want{}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: c.answers}
				r, err := action.Lookup("attempt_call_force_merge").Run(t.Context(), env(t, s, mergeAction))
				check(t, r, err, c.want)
				if got := len(s.calls) == 1; got != c.merges {
					t.Errorf("calls %v", s.calls)
				}
				if err == nil && (r.Properties == nil || r.Properties.MaxNumSegments == nil) {
					t.Error("max_num_segments is not recorded")
				}
			})
		})
	}
}

func TestAMergeOfItsOwnThatTakesLongIsLeftToTheNextStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := env(t, &script{answers: map[string][]answer{tasksCall: {ok(noTasks)}}}, mergeAction)
		e.Background = func(func(context.Context)) bool { return true } // and it never ends
		began := time.Now()
		r, err := action.Lookup("attempt_call_force_merge").Run(t.Context(), e)
		check(t, r, err, want{"completed", "Successfully called force merge [index=logs-1]", ""})
		if took := time.Since(began); took != 5*time.Minute {
			t.Errorf("it waited %s", took)
		}
	})
}

func segments(counts ...int) string {
	var shards []string
	for i, n := range counts {
		shards = append(shards, fmt.Sprintf(`"%d":[{"routing":{"primary":true},"segments":{"count":%d}}]`, i, n))
	}
	return `{"_shards":{},"indices":{"logs-1":{"primaries":{},"shards":{` + strings.Join(shards, ",") + `}}}}`
}

func TestWaitForForceMerge(t *testing.T) {
	const failed = "Failed to check segments when waiting for force merge to complete [index=logs-1]"
	cases := []struct {
		name    string
		answers map[string][]answer
		started time.Duration // before now
		want    want
		again   bool // the merge is started again
	}{
		{
			"all shards merged",
			map[string][]answer{statsCall: {ok(segments(1, 1))}},
			0,
			want{"completed", "Successfully confirmed segments force merged [index=logs-1]", ""},
			false,
		},
		{
			"still merging",
			map[string][]answer{statsCall: {ok(segments(1, 4))}, tasksCall: {ok(merging)}},
			0,
			want{"condition_not_met", "Waiting for force merge to complete [index=logs-1]", ""},
			false,
		},
		{
			"the merge was lost",
			map[string][]answer{statsCall: {ok(segments(1, 4))}, tasksCall: {ok(noTasks)}, mergeCall: {ok(mergedOK)}},
			0,
			want{"condition_not_met", "Waiting for force merge to complete [index=logs-1]", ""},
			true,
		},
		{
			"exactly twelve hours",
			map[string][]answer{statsCall: {ok(segments(4))}, tasksCall: {ok(merging)}},
			12 * time.Hour,
			want{"condition_not_met", "Waiting for force merge to complete [index=logs-1]", ""},
			false,
		},
		{
			"more than twelve hours",
			map[string][]answer{statsCall: {ok(segments(4))}},
			12*time.Hour + 1,
			want{"failed", "Force merge timed out [index=logs-1]", ""},
			false,
		},
		{"no numbers", map[string][]answer{statsCall: {ok(`{"_shards":{},"indices":{}}`)}}, 0, want{"failed", failed, ""}, false},
		{"numbers refused", map[string][]answer{statsCall: {denied}}, 0, want{"failed", failed, "no"}, false},
		{"unanswered", map[string][]answer{statsCall: {unanswered}}, 0, want{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: c.answers}
			e := env(t, s, mergeAction)
			one := 1
			e.Meta.Action.StartTime = now.Add(-c.started)
			e.Meta.Action.Properties = &ism.Properties{MaxNumSegments: &one}
			again := false
			e.Background = func(fn func(context.Context)) bool { again = true; fn(context.Background()); return true }
			r, err := action.Lookup("wait_for_force_merge").Run(t.Context(), e)
			check(t, r, err, c.want)
			if again != c.again {
				t.Errorf("merged again: %v", again)
			}
		})
	}
}

func TestWaitForForceMergeFailsWithoutItsProperty(t *testing.T) {
	r, err := action.Lookup("wait_for_force_merge").Run(t.Context(), env(t, &script{}, mergeAction))
	check(t, r, err, want{"failed", "Unable to retrieve [max_num_segments] from ActionProperties=null", ""})
}
