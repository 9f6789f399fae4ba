// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

// TestWhatAStepLeavesOfTheActionsProperties: most steps leave them alone; those that have some write them each time, as an
// empty object where there is nothing to keep.
func TestWhatAStepLeavesOfTheActionsProperties(t *testing.T) {
	segment, job, failed := 1, "x", true
	merging := &ism.Properties{MaxNumSegments: &segment}
	for _, c := range []struct {
		name, step, action string
		answers            map[string]answer
		config             ism.Config
		before             *ism.Properties
		want               string
	}{
		{"a merge that begins again", "attempt_set_read_only", mergeAction, map[string]answer{"PUT /logs-1/_settings": acknowledged}, ism.Config{}, merging, `{"max_num_segments":1}`},
		{"a merge that is looked for in vain", "wait_for_force_merge", mergeAction, map[string]answer{statsCall: denied}, ism.Config{}, merging, `{"max_num_segments":1}`},
		{"a merge that is done", "wait_for_force_merge", mergeAction, map[string]answer{statsCall: ok(segments(1))}, ism.Config{}, merging, "none"},
		{"a repository that is denied", "attempt_snapshot", snapshots, nil, ism.Config{DeniedRepositories: []string{"b*"}}, &ism.Properties{SnapshotName: &job}, `{}`},
		{
			"a rollup that had failed, and goes on", "wait_for_rollup_completion", rollupAction,
			map[string]answer{"GET " + config + "_doc/x": jobDoc("rollup", "x", true), "GET " + config + "_doc/m": progressDoc("rollup", "started", `null`)},
			ism.Config{},
			&ism.Properties{RollupID: &job, HasRollupFailed: &failed},
			`{"rollup_id":"x"}`,
		},
		{"a rollup that was never created", "wait_for_rollup_completion", rollupAction, nil, ism.Config{}, nil, "none"},
		{
			"a transform that is refused", "attempt_create_transform", transformAction,
			map[string]answer{"GET /logs-1": ok(`{"logs-1":{"settings":{"index.pluggable.dataformat.enabled":"true"}}}`)},
			ism.Config{},
			&ism.Properties{Transform: json.RawMessage(`{"transform_id":"x"}`)},
			`{"transform_action_properties":{}}`,
		},
		{"an index that cannot be restored", "attempt_restore", convert + `}}`, map[string]answer{listCall: ok(`{"snapshots":[]}`)}, ism.Config{}, nil, `{}`},
		{"a shrink of an index that is not green", "attempt_move_shards_step", shrink, map[string]answer{"GET /_cluster/health/logs-1": yellow}, ism.Config{}, nil, `{}`},
		{"a shrink without a plan", "wait_for_shrink_step", shrink, nil, ism.Config{}, nil, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shrinking(c.answers)
			e := env(t, s, c.action)
			e.Config, e.Meta.Action.Properties = c.config, c.before
			e.Meta.Step = &ism.StepMeta{Name: c.step, Status: ism.StatusStarting}
			r, err := action.Lookup(c.step).Run(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if got := propertiesOf(t, ism.Finish(ism.Move{Meta: e.Meta, Action: e.Action}, r, now)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// propertiesOf are action_properties as they are stored, "none" if there are none.
func propertiesOf(t *testing.T, m *ism.Metadata) string {
	t.Helper()
	var stored struct {
		Meta struct {
			Action map[string]json.RawMessage
		} `json:"managed_index_metadata"`
	}
	raw, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(raw, &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p, has := stored.Meta.Action["action_properties"]; has {
		return string(p)
	}
	return "none"
}
