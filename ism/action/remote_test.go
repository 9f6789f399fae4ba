// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

func TestStoppingReplication(t *testing.T) {
	const (
		stop   = "POST /_plugins/_replication/logs-1/_stop"
		failed = "Failed to stop replication [index=logs-1]"
		done   = "Successfully stopped replication [index=logs-1]"
	)
	none := refusal(400, "illegal_argument_exception", "No replication in progress for index:logs-1")
	for _, c := range []struct {
		name   string
		again  bool
		answer answer
		want   want
	}{
		{"acknowledged", false, acknowledged, want{"completed", done, ""}},
		{"not acknowledged", false, shrugged, want{"failed", failed, ""}},
		{"refused", false, denied, want{"failed", failed, "no"}},
		{"there was none", false, none, want{"failed", failed, "No replication in progress for index:logs-1"}},
		{"there is none after a crash", true, none, want{"completed", done, ""}},
		{"a snapshot is being taken", false, snapshotting, want{"failed", "Index had snapshot in progress, retrying stop replication [index=logs-1]", ""}},
		{
			"a cluster without the plugin", false,
			answer{status: 400, body: `{"error":"no handler found for uri [/_plugins/_replication/logs-1/_stop] and method [POST]"}`},
			want{"failed", failed, "No replication in progress for index:logs-1: the cluster has no cross-cluster replication"},
		},
		{"unanswered", false, unanswered, want{}},
		{"overloaded", false, overloaded, want{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{stop: {c.answer}}}
			e := env(t, s, `{"stop_replication":{}}`)
			if c.again {
				e.Intentions = &memory{kept: &action.Intention{Target: "logs-1"}, storeOK: true}
			}
			r, err := action.Lookup("attempt_stop_replication").Run(t.Context(), e)
			check(t, r, err, c.want)
			if diff := cmp.Diff([]string{"{}"}, s.bodies); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScalingToSearchesAlone(t *testing.T) {
	const (
		scale  = "POST /logs-1/_scale"
		failed = "Failed to set index to search-only mode [index=logs-1]"
		later  = "Temporary condition prevented search_only operation, retrying [index=logs-1]"
	)
	for _, c := range []struct {
		name   string
		scaled string
		answer answer
		want   want
		sent   []string
	}{
		{"acknowledged", "false", acknowledged, want{"completed", "Successfully set index to search-only mode [index=logs-1]", ""}, []string{`{"search_only":true}`}},
		{"it is so already", "true", answer{}, want{"completed", "Index is already in search-only mode [index=logs-1]", ""}, nil},
		{"not acknowledged", "false", shrugged, want{"failed", failed, ""}, []string{`{"search_only":true}`}},
		{"refused", "false", denied, want{"failed", failed, "no"}, []string{`{"search_only":true}`}},
		{"a snapshot is being taken", "false", snapshotting, want{"condition_not_met", "Index had snapshot in progress, retrying search_only action [index=logs-1]", ""}, []string{`{"search_only":true}`}},
		{"rejected", "false", overloaded, want{"condition_not_met", later, "queue full"}, []string{`{"search_only":true}`}},
		{"timed out", "false", refusal(500, "x_exception", "Timed out waiting"), want{"condition_not_met", later, "Timed out waiting"}, []string{`{"search_only":true}`}},
		{"unanswered", "false", unanswered, want{}, []string{`{"search_only":true}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{
				scale:         {c.answer},
				"GET /logs-1": {ok(`{"logs-1":{"settings":{"index.uuid":"u1","index.blocks.search_only":"` + c.scaled + `"}}}`)},
			}}
			r, err := action.Lookup("attempt_search_only").Run(t.Context(), env(t, s, `{"search_only":{}}`))
			check(t, r, err, c.want)
			if diff := cmp.Diff(c.sent, s.bodies); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const (
	convert   = `{"convert_index_to_remote":{"repository":"r","snapshot":"s-{{ctx.index}}"`
	listCall  = "GET /_snapshot/r/s-logs-1*"
	restore   = "POST /_snapshot/r/s-logs-1-2/_restore"
	remoteGet = "GET /logs-1_remote"
)

// converting are the answers of a cluster with three snapshots of logs-1, of which the second is the newest good one.
func converting(change map[string]answer) *script {
	a := map[string][]answer{
		listCall: {ok(`{"snapshots":[{"snapshot":"s-logs-1-1","state":"SUCCESS","end_time_in_millis":1},{"snapshot":"s-logs-1-2","state":"SUCCESS","end_time_in_millis":2},
			{"snapshot":"s-logs-1-3","state":"PARTIAL","end_time_in_millis":3}]}`)},
		restore:          {ok(`{"accepted":true}`)},
		remoteGet:        {ok(`{}`)},
		"GET /logs-1":    {ok(`{"logs-1":{"settings":{"index.uuid":"u1"}}}`)},
		"DELETE /logs-1": {acknowledged},
	}
	for key, one := range change {
		a[key] = []answer{one}
	}
	return &script{answers: a}
}

func TestConvertingToARemoteIndex(t *testing.T) {
	const start = "Failed to start restore for [index=logs-1], cause: "
	remote := ok(`{"logs-1_remote":{"settings":{"index.store.type":"remote_snapshot"}}}`)
	done := want{"completed", "Successfully started restore for [index=logs-1]", ""}
	for _, c := range []struct {
		name, action string
		change       map[string]answer
		want         want
		effects      []string
	}{
		{"a restore is begun", convert + `}}`, nil, want{"condition_not_met", "Waiting for remote index [logs-1_remote] to be created", ""}, []string{restore}},
		{"until its index is there", convert + `}}`, map[string]answer{remoteGet: remote}, done, nil},
		{"an index of that name that is not remote is none", convert + `}}`, map[string]answer{remoteGet: ok(`{"logs-1_remote":{"settings":{}}}`), restore: denied}, want{"failed", start + "no", "no"}, []string{restore}},
		{"the original is deleted then", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote}, done, []string{"DELETE /logs-1"}},
		{"unless another index has its name", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote, "GET /logs-1": ok(`{"logs-1":{"settings":{"index.uuid":"u2"}}}`)}, done, nil},
		{"or it is gone", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote, "DELETE /logs-1": absent}, done, []string{"DELETE /logs-1"}},
		{"or it cannot be", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote, "DELETE /logs-1": denied}, want{"failed", start + "Failed to delete original index", ""}, []string{"DELETE /logs-1"}},
		{"nor is every node told", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote, "DELETE /logs-1": shrugged}, want{"failed", start + "Failed to delete original index", ""}, []string{"DELETE /logs-1"}},
		{"the deletion is not answered", convert + `,"delete_original_index":true}}`, map[string]answer{remoteGet: remote, "DELETE /logs-1": unanswered}, want{}, []string{"DELETE /logs-1"}},
		{"a name without the old one", convert + `,"rename_pattern":"x"}}`, nil, want{"failed", start + "rename_pattern must be non-empty and contain '$1'", ""}, nil},
		{"no snapshots", convert + `}}`, map[string]answer{listCall: ok(`{"snapshots":[]}`)}, want{"failed", start + "No snapshots found matching pattern [s-logs-1*]", ""}, nil},
		{
			"no good ones", convert + `}}`,
			map[string]answer{listCall: ok(`{"snapshots":[{"snapshot":"s-logs-1-3","state":"FAILED"}]}`)},
			want{"failed", start + "No successful snapshots found matching pattern [s-logs-1*]", ""},
			nil,
		},
		{"no repository", convert + `}}`, map[string]answer{listCall: refusal(404, "repository_missing_exception", "[r] missing")}, want{"failed", start + "[r] missing", "[r] missing"}, nil},
		{
			"what is there already", convert + `}}`,
			map[string]answer{restore: refusal(500, "snapshot_restore_exception", "[r:s] cannot restore index [logs-1_remote]")},
			want{"failed", "Failed to start restore due to concurrent restore or snapshot in progress [index=logs-1]", "[r:s] cannot restore index [logs-1_remote]"},
			[]string{restore},
		},
		{
			"a snapshot is being taken", convert + `}}`,
			map[string]answer{restore: refusal(503, "concurrent_snapshot_execution_exception", "[r:s] busy")},
			want{"failed", "Failed to start restore due to concurrent restore or snapshot in progress [index=logs-1]", "[r:s] busy"},
			[]string{restore},
		},
		{"unanswered", convert + `}}`, map[string]answer{restore: unanswered}, want{}, []string{restore}},
		{"overloaded", convert + `}}`, map[string]answer{listCall: overloaded}, want{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := converting(c.change)
			r, err := action.Lookup("attempt_restore").Run(t.Context(), env(t, s, c.action))
			check(t, r, err, c.want)
			if diff := cmp.Diff(c.effects, s.calls); diff != "" {
				t.Error(diff)
			}
			if told := originalDeleted(r.Info); err == nil && told != deletes(c.action, r.Status) {
				t.Errorf("deleted_original_index %v", told)
			}
			if r.Status == "condition_not_met" && (r.Properties == nil || *r.Properties.SnapshotName != "s-logs-1-2") {
				t.Errorf("it keeps %v", r.Properties)
			}
		})
	}
}

// originalDeleted is what info tells of the original, nil if nothing.
func originalDeleted(info ism.Info) any {
	for _, m := range info {
		if m.Name == "deleted_original_index" {
			return m.Value
		}
	}
	return nil
}

// deletes is what a result has to tell of the original.
func deletes(action, status string) any {
	if !strings.Contains(action, "delete_original_index") {
		return nil
	}
	return status == ism.StatusCompleted
}

func TestWhatARemoteRestoreSends(t *testing.T) {
	for _, c := range []struct{ more, want string }{
		{"", `{"indices":"logs-1","storage_type":"remote_snapshot","rename_pattern":"^(.*)$","rename_replacement":"$1_remote","include_aliases":false}`},
		{
			`,"rename_pattern":"old-$1","include_aliases":true,"ignore_index_settings":"index.a, index.b","number_of_replicas":2`,
			`{"indices":"logs-1","storage_type":"remote_snapshot","rename_pattern":"^(.*)$","rename_replacement":"old-$1","include_aliases":true,` +
				`"ignore_index_settings":["index.a","index.b"],"index_settings":{"index.number_of_replicas":2}}`,
		},
	} {
		s := converting(map[string]answer{"GET /old-logs-1": ok(`{}`)})
		if _, err := action.Lookup("attempt_restore").Run(t.Context(), env(t, s, convert+c.more+`}}`)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.bodies, ""); got != c.want {
			t.Errorf("sent %s\nwant %s", got, c.want)
		}
	}
}
