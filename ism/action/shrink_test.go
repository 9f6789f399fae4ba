// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

const (
	lockPath   = "/.opendistro-job-scheduler-lock"
	lockDoc    = lockPath + "/_doc/.opendistro-ism-config-shrink-node_name-n1"
	lockCreate = "PUT " + lockPath + "/_create/.opendistro-ism-config-shrink-node_name-n1"
	lockUpdate = "PUT " + lockDoc
	lockDelete = "DELETE " + lockDoc
	both       = "GET /logs-1,logs-1_shrunken"
	putSource  = "PUT /logs-1/_settings"
	putTarget  = "PUT /logs-1_shrunken/_settings"
	post       = "POST /logs-1/_shrink/logs-1_shrunken"
	sourceInfo = `"logs-1":{"settings":{"index.uuid":"u1","index.number_of_shards":"6","index.number_of_replicas":"1","index.blocks.write":"false"},"aliases":{"b":{},"a":{"filter":{"x":1},"index_routing":"1","is_write_index":true}}}`
	targetInfo = `"logs-1_shrunken":{"settings":{"index.uuid":"u2","index.number_of_shards":"3","index.resize.source.uuid":"u1"},"aliases":{"b":{}}}`
)

// shard is a shard copy as _stats shows it.
func shard(node string, primary bool, state string) string {
	return fmt.Sprintf(`{"routing":{"state":%q,"primary":%v,"node":%q}}`, state, primary, node)
}

// stats is the answer of _stats: the copies of each shard, and sums.
func stats(index string, docs, bytes int64, shards ...[]string) answer {
	var list []string
	for n, copies := range shards {
		list = append(list, fmt.Sprintf(`"%d":[%s]`, n, strings.Join(copies, ",")))
	}
	return ok(fmt.Sprintf(`{"indices":{%q:{"total":{"docs":{"count":%d},"store":{"size_in_bytes":%d}},"shards":{%s}}}}`,
		index, docs, bytes, strings.Join(list, ",")))
}

// six are six shards with a copy on each of two nodes.
func six() [][]string {
	return slices.Repeat([][]string{{shard("id1", true, "STARTED"), shard("id2", false, "STARTED")}}, 6)
}

func nodes(free ...int64) answer {
	var list []string
	for n, f := range free {
		list = append(list, fmt.Sprintf(`"id%d":{"name":"n%d","roles":["data","ingest"],"fs":{"total":{"free_in_bytes":%d,"total_in_bytes":1000}}}`, n+1, n+1, f))
	}
	list = append(list, `"m":{"name":"manager","roles":["cluster_manager"],"fs":{"total":{"free_in_bytes":999,"total_in_bytes":1000}}}`)
	return ok(`{"nodes":{` + strings.Join(list, ",") + `}}`)
}

func lockIs(seqNo, at int64, released bool) answer {
	return ok(fmt.Sprintf(`{"_index":"l","_id":"i","found":true,"_version":1,"_seq_no":%d,"_primary_term":1,"_source":{"job_index_name":".opendistro-ism-config",
		"job_id":"shrink-node_name-n1","lock_time":%d,"lock_duration_seconds":2700,"released":%v}}`, seqNo, at, released))
}

var (
	noLock  = answer{status: 404, body: `{"_index":"l","_id":"i","found":false}`}
	written = answer{status: 201, body: `{"_index":"l","_id":"i","_version":1,"result":"created","_seq_no":7,"_primary_term":1}`}
	taken   = refusal(409, "version_conflict_engine_exception", "taken")
	green   = ok(`{"status":"green"}`)
	yellow  = ok(`{"status":"yellow"}`)
	barred  = refusal(403, "security_exception", "no permissions for [x]")
	already = refusal(400, "resource_already_exists_exception", "index [x] already exists")
)

// shrinking are the answers of a cluster on which a shrink of logs-1 goes well, at each of its steps.
func shrinking(change map[string]answer) *script {
	a := map[string][]answer{
		"GET /_cluster/health/logs-1":            {green},
		both:                                     {ok("{" + sourceInfo + "}")},
		"GET /logs-1":                            {ok("{" + sourceInfo + "}")},
		"GET /logs-1_shrunken":                   {ok("{}")},
		"GET /logs-1/_stats/docs,store":          {stats("logs-1", 100, 60, six()...)},
		"GET /logs-1_shrunken/_stats/docs,store": {stats("logs-1_shrunken", 50, 30, slices.Repeat([][]string{{shard("id1", true, "STARTED")}}, 3)...)},
		"GET /_nodes/stats/fs":                   {nodes(300)},
		"GET /_cluster/settings":                 {ok(`{"defaults":{"cluster":{"routing":{"allocation":{"disk":{"watermark":{"high":"90%"}}}}}}}`)},
		"GET /_cluster/state/metadata/logs-1":    {ok(`{"metadata":{"indices":{"logs-1":{"in_sync_allocations":{"0":["a","b"],"1":["a","b"],"2":["a","b"],"3":["a","b"],"4":["a","b"],"5":["a","b"]}}}}}`)},
		"GET " + lockDoc:                         {noLock},
		lockCreate:                               {written},
		lockUpdate:                               {written},
		lockDelete:                               {ok(`{"_index":"l","_id":"i","result":"deleted"}`)},
		putSource:                                {acknowledged},
		putTarget:                                {acknowledged},
		post:                                     {acknowledged},
		"POST /_aliases":                         {acknowledged},
		"DELETE /logs-1_shrunken":                {acknowledged},
	}
	for key, one := range change {
		a[key] = []answer{one}
	}
	return &script{answers: a}
}

const shrink = `{"shrink":{"num_new_shards":4}}`

// at is what a step after the first is given: the plan of the first, whose lock has sequence number 7.
func at(t *testing.T, s *script, policyAction string) *action.Env {
	e := env(t, s, policyAction)
	e.Interval = 5 * time.Minute
	e.Meta.Action.Properties = &ism.Properties{Shrink: json.RawMessage(fmt.Sprintf(`{"node_name":"n1","target_index_name":"logs-1_shrunken","target_num_shards":3,
		"lock_seq_no":7,"lock_primary_term":1,"lock_epoch_second":%d,"lock_duration_second":2700,"original_index_settings":{"index.blocks.write":"false"}}`, now.Unix()))}
	if _, given := s.answers["GET "+lockDoc]; given && s.answers["GET "+lockDoc][0] == noLock {
		s.answers["GET "+lockDoc] = []answer{lockIs(7, now.Unix(), false)}
	}
	return e
}

// kept is the plan that a result keeps, without what depends on the clock; nil if it keeps none.
func kept(t *testing.T, r ism.Result) map[string]any {
	t.Helper()
	if r.Properties == nil || r.Properties.Shrink == nil {
		return nil
	}
	var plan map[string]any
	if err := json.Unmarshal(r.Properties.Shrink, &plan); err != nil {
		t.Fatal(err)
	}
	delete(plan, "lock_epoch_second")
	return plan
}

func TestAShrinkBeginsByMovingTheShardsToALockedNode(t *testing.T) {
	s := shrinking(nil)
	e := env(t, s, shrink)
	e.Interval = 5 * time.Minute
	r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), e)
	check(t, r, err, want{"completed", "Successfully initialized moving the shards to n1 for a shrink action.", ""})
	plan := map[string]any{
		"node_name": "n1", "target_index_name": "logs-1_shrunken", "target_num_shards": 3.0, "lock_seq_no": 7.0, "lock_primary_term": 1.0,
		"lock_duration_second": 2700.0, "original_index_settings": map[string]any{"index.blocks.write": "false"},
	}
	if diff := cmp.Diff(plan, kept(t, r)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{lockCreate, putSource}, s.calls); diff != "" {
		t.Error(diff)
	}
	if want := `{"index.blocks.write":true,"index.routing.allocation.require._name":"n1"}`; s.bodies[1] != want {
		t.Errorf("the settings are %s", s.bodies[1])
	}
	if !strings.Contains(s.bodies[0], `"job_index_name":".opendistro-ism-config","job_id":"shrink-node_name-n1"`) {
		t.Errorf("the lock is %s", s.bodies[0])
	}
}

func TestWhetherAShrinkBegins(t *testing.T) {
	const (
		failed = "Shrink action failed due to initial moving shards failure."
		locked = "Candidate node for shrink action is locked for other actions. Delaying until gets unlocked."
		full   = "There is no node with enough disk space or shard moving permission for a shrink action."
	)
	without := strings.Replace(sourceInfo, `"index.number_of_replicas":"1"`, `"index.number_of_replicas":"0"`, 1)
	one := strings.Replace(sourceInfo, `"index.number_of_shards":"6"`, `"index.number_of_shards":"1"`, 1)
	for _, c := range []struct {
		name, action string
		change       map[string]answer
		want         want
		effects      []string
	}{
		{"a yellow index waits", shrink, map[string]answer{"GET /_cluster/health/logs-1": yellow}, want{"condition_not_met", "Shrink action cannot continue as the index is not green.", ""}, nil},
		{"a target of that name is not touched", shrink, map[string]answer{both: ok("{" + sourceInfo + "," + targetInfo + "}")}, want{"failed", "Shrink failed because logs-1_shrunken already exists.", ""}, nil},
		{
			"a name that no index can have", `{"shrink":{"num_new_shards":4,"target_index_name_template":{"source":"Big"}}}`,
			map[string]answer{"GET /logs-1,Big": ok("{" + sourceInfo + "}")},
			want{"failed", failed, "Invalid index name [Big], must be lowercase"},
			nil,
		},
		{"an index that is gone", shrink, map[string]answer{both: ok("{}")}, want{"failed", failed, "no such index [logs-1]"}, nil},
		{
			"an index without replicas is not risked", shrink,
			map[string]answer{both: ok("{" + without + "}")},
			want{"failed", "Shrink failed because index has no replicas and force_unsafe is not set to true.", ""},
			nil,
		},
		{
			"unless the policy says so", `{"shrink":{"num_new_shards":4,"force_unsafe":true}}`,
			map[string]answer{both: ok("{" + without + "}")},
			want{"completed", "Successfully initialized moving the shards to n1 for a shrink action.", ""},
			[]string{lockCreate, putSource},
		},
		{
			"more documents than a shard can have", `{"shrink":{"num_new_shards":1}}`,
			map[string]answer{"GET /logs-1/_stats/docs,store": stats("logs-1", 1<<31+1, 60, six()...)},
			want{"failed", "Shrink action failed due to too many documents on each target shard after shrink.", ""},
			nil,
		},
		{"one shard is not shrunk", shrink, map[string]answer{both: ok("{" + one + "}")}, want{"completed", "Source index only has one primary shard. Skip this shrink execution.", ""}, nil},
		{
			"nor are as many as there will be", `{"shrink":{"num_new_shards":9}}`, nil,
			want{"completed", "Source index already has target number of shards. Skip this shrink execution.", ""},
			nil,
		},
		{"a full node is none", shrink, map[string]answer{"GET /_nodes/stats/fs": nodes(220)}, want{"condition_not_met", full, ""}, nil},
		{"a node that somebody else fills", shrink, map[string]answer{"GET " + lockDoc: lockIs(3, now.Unix()-60, false)}, want{"condition_not_met", locked, ""}, nil},
		{"a node that somebody locks first", shrink, map[string]answer{lockCreate: taken}, want{"condition_not_met", locked, ""}, []string{lockCreate}},
		{
			"a lock that was given back", shrink,
			map[string]answer{"GET " + lockDoc: lockIs(3, now.Unix()-60, true)},
			want{"completed", "Successfully initialized moving the shards to n1 for a shrink action.", ""},
			[]string{lockUpdate, putSource},
		},
		{
			"a lock that ran out", shrink,
			map[string]answer{"GET " + lockDoc: lockIs(3, now.Unix()-2701, false)},
			want{"completed", "Successfully initialized moving the shards to n1 for a shrink action.", ""},
			[]string{lockUpdate, putSource},
		},
		{"settings that are refused", shrink, map[string]answer{putSource: denied}, want{"failed", failed, "no"}, []string{lockCreate, putSource, lockDelete}},
		{
			"settings that may not be changed", shrink,
			map[string]answer{putSource: barred},
			want{"failed", "Shrink action failed because of missing permissions: no permissions for [x]", "no permissions for [x]"},
			[]string{lockCreate, putSource, lockDelete},
		},
		{"settings that may have been changed", shrink, map[string]answer{putSource: unanswered}, want{}, []string{lockCreate, putSource}},
		{"settings that not every node has yet", shrink, map[string]answer{putSource: shrugged}, want{}, []string{lockCreate, putSource}},
		{"an overloaded cluster", shrink, map[string]answer{"GET /_nodes/stats/fs": overloaded}, want{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shrinking(c.change)
			r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), env(t, s, c.action))
			check(t, r, err, c.want)
			if diff := cmp.Diff(c.effects, s.calls); diff != "" {
				t.Error(diff)
			}
			skipped := strings.Contains(c.want.message, "Skip")
			if (r.Step == "wait_for_shrink_step") != skipped {
				t.Errorf("it is recorded as step %q", r.Step)
			}
		})
	}
}

func TestToHowManyShardsAnIndexIsShrunk(t *testing.T) {
	for _, c := range []struct {
		how  string
		want float64
	}{
		{`"num_new_shards":5`, 3},
		{`"num_new_shards":2`, 2},
		{`"num_new_shards":1`, 1},
		{`"percentage_of_source_shards":0.5`, 3},
		{`"percentage_of_source_shards":0.49`, 2},
		{`"percentage_of_source_shards":0.1`, 1},
		{`"max_shard_size":"60b"`, 1},
		{`"max_shard_size":"59b"`, 2},
		{`"max_shard_size":"20b"`, 3},
		{`"max_shard_size":"19b"`, 0},
		{`"max_shard_size":"1gb"`, 1},
	} {
		t.Run(c.how, func(t *testing.T) {
			r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), env(t, shrinking(nil), `{"shrink":{`+c.how+`}}`))
			if err != nil {
				t.Fatal(err)
			}
			got, _ := kept(t, r)["target_num_shards"].(float64)
			if got != c.want {
				t.Errorf("%v shards, want %v (0: not shrunk): %s", got, c.want, r.Info.Text("message"))
			}
		})
	}
}

func TestTheFullestNodeWithRoomForAllShardsIsChosen(t *testing.T) {
	move := func(decisions ...string) answer {
		var list []string
		for _, d := range decisions {
			list = append(list, `{"command":"move","decisions":[{"decision":"YES"},{"decision":"`+d+`"}]}`)
		}
		return ok(`{"explanations":[` + strings.Join(list, ",") + `]}`)
	}
	apart := [][]string{{shard("id1", true, "STARTED")}, {shard("id2", true, "STARTED")}, {shard("id3", true, "STARTED")}}
	info := strings.NewReplacer(`"index.number_of_shards":"6"`, `"index.number_of_shards":"3"`).Replace(sourceInfo)
	for _, c := range []struct {
		name string
		free []int64
		high string
		move answer
		want string
	}{
		{"the fullest", []int64{900, 800, 300}, "90%", move("YES", "THROTTLE"), "n3"},
		{"that has space", []int64{900, 400, 219}, "90%", move("YES", "YES"), "n2"},
		{"by a watermark in bytes", []int64{900, 619, 300}, "500b", move("YES", "YES"), "n1"},
		{"none that may not get them", []int64{900, 800, 300}, "90%", move("YES", "NO"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shrinking(map[string]answer{
				both: ok("{" + info + "}"), "GET /logs-1/_stats/docs,store": stats("logs-1", 9, 60, apart...), "GET /_nodes/stats/fs": nodes(c.free...),
				"GET /_cluster/settings":         ok(`{"persistent":{"cluster":{"routing":{"allocation":{"disk":{"watermark":{"high":"` + c.high + `"}}}}}}}`),
				"POST /_cluster/reroute?dry_run": c.move,
			})
			for _, n := range []string{"n2", "n3"} {
				for _, key := range []string{"GET " + lockDoc, lockCreate} {
					s.answers[strings.TrimSuffix(key, "n1")+n] = s.answers[key]
				}
			}
			r, err := action.Lookup("attempt_move_shards_step").Run(t.Context(), env(t, s, `{"shrink":{"num_new_shards":1}}`))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := kept(t, r)["node_name"].(string); got != c.want {
				t.Errorf("node %q, want %q: %s", got, c.want, r.Info.Text("message"))
			}
			if c.want == "n3" && !strings.Contains(s.bodies[0], `{"move":{"index":"logs-1","shard":0,"from_node":"n1","to_node":"n3"}}`) {
				t.Errorf("asked for %s", s.bodies[0])
			}
		})
	}
}

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
