// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

func TestStepsOfAShrinkThatGoesOn(t *testing.T) {
	waitMoving := "Shrink delayed because it took too long to move shards to n1"
	moving := six()
	moving[5] = []string{shard("id1", false, "INITIALIZING"), shard("id2", true, "STARTED")}
	behind := ok(`{"metadata":{"indices":{"logs-1":{"in_sync_allocations":{"0":["a"],"1":["a","b"],"2":["a","b"],"3":["a","b"],"4":["a","b"],"5":["a","b"]}}}}}`)
	made := ok("{" + targetInfo + "}")
	foreign := ok(strings.Replace("{"+targetInfo+"}", "u1", "u9", 1))
	for _, c := range []struct {
		name, step string
		change     map[string]answer
		late       bool
		want       want
		effects    []string
		keeps      bool
	}{
		{"shards have moved", "wait_for_move_shards_step", nil, false, want{"completed", "The shards successfully moved to n1.", ""}, nil, true},
		{"shards are moving", "wait_for_move_shards_step", map[string]answer{"GET /logs-1/_stats/docs,store": stats("logs-1", 1, 1, moving...)}, false, want{"condition_not_met", waitMoving, ""}, nil, true},
		{"copies are behind", "wait_for_move_shards_step", map[string]answer{"GET /_cluster/state/metadata/logs-1": behind}, false, want{"condition_not_met", waitMoving, ""}, nil, true},
		{
			"shards that do not move in time", "wait_for_move_shards_step",
			map[string]answer{"GET /_cluster/state/metadata/logs-1": behind},
			true,
			want{"failed", "Shrink failed because it took too long to move shards to n1", ""},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"statistics that are refused", "wait_for_move_shards_step",
			map[string]answer{"GET /logs-1/_stats/docs,store": denied},
			false,
			want{"failed", "Shrink failed when waiting for shards to move.", "no"},
			[]string{putSource, lockDelete},
			false,
		},
		{"statistics that are not answered", "wait_for_move_shards_step", map[string]answer{"GET /logs-1/_stats/docs,store": unanswered}, false, want{}, nil, false},
		{
			"a lock that somebody else has taken", "wait_for_move_shards_step",
			map[string]answer{"GET " + lockDoc: lockIs(9, now.Unix()-5, false)},
			false,
			want{"failed", "Failed to renew lock on node [n1]", ""},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"a lock that is old is renewed", "wait_for_move_shards_step",
			map[string]answer{"GET " + lockDoc: lockIs(7, now.Unix()-1400, false)},
			false,
			want{"completed", "The shards successfully moved to n1.", ""},
			[]string{lockUpdate},
			true,
		},
		{
			"a lock that is lost is taken again", "wait_for_move_shards_step",
			map[string]answer{"GET " + lockDoc: {status: 404, body: `{"_index":"l","_id":"i","found": false}`}},
			false,
			want{"completed", "The shards successfully moved to n1.", ""},
			[]string{lockCreate},
			true,
		},

		{"the target is made", "attempt_shrink_step", nil, false, want{"completed", "Shrink started. logs-1_shrunken currently being populated.", ""}, []string{putSource, post}, true},
		{"the target was made", "attempt_shrink_step", map[string]answer{"GET /logs-1_shrunken": made}, false, want{"completed", "Shrink started. logs-1_shrunken currently being populated.", ""}, nil, true},
		{
			"the node is somebody else's now", "attempt_shrink_step",
			map[string]answer{"GET " + lockDoc: lockIs(9, now.Unix()-5, false)},
			false,
			want{"failed", "Failed to renew lock on node [n1]", ""},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"the target was made before the node was", "attempt_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, "GET " + lockDoc: lockIs(9, now.Unix()-5, false)},
			false,
			want{"completed", "Shrink started. logs-1_shrunken currently being populated.", ""},
			nil, true,
		},
		{
			"somebody else has made one", "attempt_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": foreign, post: already},
			false,
			want{"failed", "Shrink failed when sending shrink request.", "index [x] already exists"},
			[]string{putSource, post, putSource, lockDelete},
			false,
		},
		{"an earlier call is at it", "attempt_shrink_step", map[string]answer{post: already}, false, want{}, []string{putSource, post}, false},
		{"the call is not answered", "attempt_shrink_step", map[string]answer{post: unanswered}, false, want{}, []string{putSource, post}, false},
		{"not every node knows the target", "attempt_shrink_step", map[string]answer{post: shrugged}, false, want{}, []string{putSource, post}, false},
		{
			"the call is refused", "attempt_shrink_step",
			map[string]answer{post: denied},
			false,
			want{"failed", "Shrink failed when sending shrink request.", "no"},
			[]string{putSource, post, putSource, lockDelete},
			false,
		},
		{"the index is yellow", "attempt_shrink_step", map[string]answer{"GET /_cluster/health/logs-1": yellow}, false, want{"condition_not_met", "Shrink delayed because index health is not green.", ""}, nil, true},
		{
			"the node has filled up", "attempt_shrink_step",
			map[string]answer{"GET /_nodes/stats/fs": nodes(220)},
			false,
			want{"failed", "Shrink failed as the selected node no longer had enough free space to shrink to.", ""},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"the node has left", "attempt_shrink_step",
			map[string]answer{"GET /_nodes/stats/fs": nodes()},
			false,
			want{"failed", "Shrink failed when sending shrink request.", "node [n1] is not part of the cluster"},
			[]string{putSource, lockDelete},
			false,
		},
		{"writes cannot be blocked", "attempt_shrink_step", map[string]answer{putSource: denied}, false, want{"failed", "Failed to set write block before sending shrink request.", "no"}, []string{putSource, putSource, lockDelete}, false},
		{"it is too late", "attempt_shrink_step", nil, true, want{"failed", "Shrink failed when sending shrink request.", ""}, []string{putSource, lockDelete}, false},

		{
			"the target is complete", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made},
			false,
			want{"completed", "Shrink finished successfully.", ""},
			[]string{putTarget, putSource, "POST /_aliases", lockDelete},
			true,
		},
		{
			"the target is complete and the node somebody else's", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, "GET " + lockDoc: lockIs(9, now.Unix()-5, false)},
			false,
			want{"completed", "Shrink finished successfully.", ""},
			[]string{putTarget, putSource, "POST /_aliases", lockDelete},
			true,
		},
		{
			"aliases are refused", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, "POST /_aliases": denied},
			false,
			want{"failed", "Shrink failed due to aliases switch failure.", "no"},
			[]string{putTarget, putSource, "POST /_aliases", lockDelete},
			false,
		},
		{
			"shards are starting", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, "GET /logs-1_shrunken/_stats/docs,store": stats("logs-1_shrunken", 0, 0)},
			false,
			want{"condition_not_met", "Shrink delayed because logs-1_shrunken shards not in started state.", ""},
			nil, true,
		},
		{
			"shards that do not start in time", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, "GET /logs-1_shrunken/_stats/docs,store": stats("logs-1_shrunken", 0, 0)},
			true,
			want{"failed", "Shrink failed because it timed out while waiting for logs-1_shrunken shrink to finish.", ""},
			[]string{"DELETE /logs-1_shrunken", putSource, lockDelete},
			false,
		},
		{
			"the target is gone", "wait_for_shrink_step", nil, false,
			want{"failed", "Shrink failed while waiting for shards to start.", "no such index [logs-1_shrunken]"},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"the target is somebody else's", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": foreign},
			false,
			want{"failed", "Shrink failed while waiting for shards to start.", "no such index [logs-1_shrunken]"},
			[]string{putSource, lockDelete},
			false,
		},
		{
			"the target's settings are refused", "wait_for_shrink_step",
			map[string]answer{"GET /logs-1_shrunken": made, putTarget: denied},
			false,
			want{"failed", "Shrink failed while waiting for shards to start.", "no"},
			[]string{putTarget, "DELETE /logs-1_shrunken", putSource, lockDelete},
			false,
		},
		{"the settings of the source are not answered", "wait_for_shrink_step", map[string]answer{"GET /logs-1_shrunken": made, putSource: unanswered}, false, want{}, []string{putTarget, putSource}, false},
	} {
		t.Run(c.step+" "+c.name, func(t *testing.T) {
			s := shrinking(c.change)
			s.answers[both] = []answer{ok("{" + sourceInfo + "," + targetInfo + "}")}
			e := at(t, s, `{"shrink":{"num_new_shards":3,"switch_aliases":true,"aliases":[{"x":{"is_hidden":true,"routing":"r"}}]}}`)
			if c.late {
				e.Now = now.Add(12*time.Hour + time.Second)
				s.answers["GET "+lockDoc] = []answer{lockIs(7, e.Now.Unix(), false)}
			}
			r, err := action.Lookup(c.step).Run(t.Context(), e)
			check(t, r, err, c.want)
			if diff := cmp.Diff(c.effects, s.calls); diff != "" {
				t.Error(diff)
			}
			if plan := kept(t, r); (plan != nil) != c.keeps {
				t.Errorf("the plan is %v", plan)
			}
		})
	}
}

func TestWhatAShrinkSends(t *testing.T) {
	bodies := func(step string, change map[string]answer) map[string]string {
		s := shrinking(change)
		s.answers[both] = []answer{ok("{" + sourceInfo + "," + targetInfo + "}")}
		e := at(t, s, `{"shrink":{"num_new_shards":3,"switch_aliases":true,"aliases":[{"x":{"is_hidden":true,"routing":"r","filter":{"a":1}}},{"y":{"is_write_index":false}}]}}`)
		if _, err := action.Lookup(step).Run(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for n, call := range s.calls {
			out[call] = s.bodies[n]
		}
		return out
	}
	got := bodies("attempt_shrink_step", nil)
	maps.Copy(got, bodies("wait_for_shrink_step", map[string]answer{"GET /logs-1_shrunken": ok("{" + targetInfo + "}")}))
	want := map[string]string{
		post: `{"settings":{"index.number_of_shards":3,"index.routing.allocation.require._name":"n1"},"aliases":{` +
			`"x":{"filter":{"a":1},"index_routing":"r","search_routing":"r","is_hidden":true},"y":{"is_write_index":false}}}`,
		putTarget: `{"index.routing.allocation.require._name":null}`,
		putSource: `{"index.blocks.write":"false","index.routing.allocation.require._name":null}`,
		"POST /_aliases": `{"actions":[{"remove":{"index":"logs-1","alias":"a"}},` +
			`{"add":{"index":"logs-1_shrunken","alias":"a","filter":{"x":1},"index_routing":"1","is_write_index":true}},{"remove":{"index":"logs-1","alias":"b"}}]}`,
		lockDelete: "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAShrinkWithoutItsPlanFails(t *testing.T) {
	for _, step := range []string{"wait_for_move_shards_step", "attempt_shrink_step", "wait_for_shrink_step"} {
		r, err := action.Lookup(step).Run(t.Context(), env(t, &script{}, shrink))
		check(t, r, err, want{"failed", "Shrink action properties are null, metadata was not properly populated", ""})
	}
}

func TestAShrinkFindsItsLockAndItsPlanAfterACrash(t *testing.T) {
	s := shrinking(map[string]answer{putSource: unanswered})
	e := env(t, s, shrink)
	if r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), e); err == nil {
		t.Fatalf("reported %v", r)
	}
	kept := e.Intentions.(*memory).kept
	// the lock and the settings were written; whoever takes over sees them so
	var lock struct {
		Time int64 `json:"lock_time"`
	}
	if err := json.Unmarshal([]byte(s.bodies[0]), &lock); err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(sourceInfo, `"index.blocks.write":"false"`, `"index.blocks.write":"true"`, 1)
	s = shrinking(map[string]answer{"GET " + lockDoc: lockIs(41, lock.Time, false), both: ok("{" + changed + "}")})
	e = env(t, s, shrink)
	e.Intentions = &memory{kept: kept, storeOK: true}
	r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), e)
	check(t, r, err, want{"completed", "Successfully initialized moving the shards to n1 for a shrink action.", ""})
	if !strings.Contains(string(r.Properties.Shrink), `"original_index_settings":{"index.blocks.write":"false"}`) || !strings.Contains(string(r.Properties.Shrink), `"lock_seq_no":41`) {
		t.Errorf("the plan is %s", r.Properties.Shrink)
	}
	if diff := cmp.Diff([]string{putSource}, s.calls); diff != "" {
		t.Error(diff)
	}
}

func TestAShrinkWhoseNodeWasTakenMeanwhilePutsTheSettingsBack(t *testing.T) {
	s := shrinking(map[string]answer{putSource: unanswered})
	e := env(t, s, shrink)
	if r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), e); err == nil {
		t.Fatalf("reported %v", r)
	}
	s = shrinking(map[string]answer{"GET " + lockDoc: lockIs(99, now.Unix()+7200, false)})
	again := env(t, s, shrink)
	again.Intentions, again.Now = e.Intentions, now.Add(2*time.Hour)
	r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), again)
	check(t, r, err, want{"condition_not_met", "Candidate node for shrink action is locked for other actions. Delaying until gets unlocked.", ""})
	if s.bodies[0] != `{"index.blocks.write":"false","index.routing.allocation.require._name":null}` {
		t.Errorf("sent %s %s", s.calls, s.bodies)
	}
}

func TestAShrinkThatWaitsLongLooksSeldom(t *testing.T) {
	for _, c := range []struct{ waited, pause time.Duration }{
		{0, time.Second}, {time.Minute, 15 * time.Second}, {time.Hour, 5 * time.Minute},
	} {
		e := env(t, shrinking(map[string]answer{"GET " + lockDoc: lockIs(3, now.Unix()-60, false)}), shrink)
		e.Meta.Step = &ism.StepMeta{Name: "attempt_move_shards_step", StartTime: now.Add(-c.waited)}
		r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), e)
		if err != nil || !r.Again.Equal(now.Add(c.pause)) {
			t.Errorf("after %s it looks again in %s (%v)", c.waited, r.Again.Sub(now), err)
		}
	}
}

// TestAShrinkHasTheLimitForItselfAlone: the wait for a node that thousands of others want does not count, but at native pace.
func TestAShrinkHasTheLimitForItselfAlone(t *testing.T) {
	for _, c := range []struct {
		name    string
		begun   time.Duration // since the step began
		native  bool
		timeout string
		want    string
	}{
		{"after a long wait for a node", time.Hour, false, "", "condition_not_met"},
		{"after moving for too long", 13 * time.Hour, false, "", "failed"},
		{"at native pace", time.Hour, true, "", "failed"},
		{"with a timeout of its own", time.Hour, false, `"timeout":"15h",`, "failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			behind := ok(`{"metadata":{"indices":{"logs-1":{"in_sync_allocations":{}}}}}`)
			s := shrinking(map[string]answer{"GET /_cluster/state/metadata/logs-1": behind})
			e := at(t, s, strings.Replace(shrink, "{", "{"+c.timeout, 1))
			e.Config.Native = c.native
			e.Meta.Action.StartTime = now.Add(-20 * time.Hour)
			e.Meta.Step = &ism.StepMeta{Name: "wait_for_move_shards_step", StartTime: now.Add(-c.begun)}
			r, err := action.Lookup("wait_for_move_shards_step").Run(t.Context(), e)
			if err != nil || r.Status != c.want || r.GivesBack != (c.want == "failed") {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}
