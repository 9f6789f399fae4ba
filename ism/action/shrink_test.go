// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"fmt"
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
