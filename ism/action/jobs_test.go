// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/wire"
)

const (
	rollupAction = `{"rollup":{"ism_rollup":{"description":"d","target_index":"out","page_size":10,
		"dimensions":[{"date_histogram":{"source_field":"ts","fixed_interval":"1h"}}],"metrics":[{"source_field":"n","metrics":[{"sum":{}}]}]}}}`
	transformAction = `{"transform":{"ism_transform":{"description":"d","target_index":"out","page_size":10,
		"groups":[{"terms":{"source_field":"host"}}],"aggregations":{}}}}`
	// The ids are SHA-1 of "logs-1outnull10date_histogramtsnsum", as the plugin makes them, and of the transform's parts.
	rollupJob    = "b3f1cf1e4d443573e80d00e4d06a61bcb9dd39f8"
	transformJob = "d0d0f7eaa464ab980adc18e67618d6d53f02e1fb"
)

// jobDoc is a stored job, progressDoc its progress with a status.
func jobDoc(kind, id string, enabled bool) answer {
	groups := map[string]string{
		"rollup":    `"dimensions":[{"date_histogram":{"source_field":"ts","fixed_interval":"1h"}}],"metrics":[]`,
		"transform": `"groups":[{"terms":{"source_field":"host"}}],"aggregations":{}`,
	}[kind]
	on, _ := json.Marshal(enabled)
	return ok(`{"_index":".opendistro-ism-config","_id":"` + id + `","_version":1,"_seq_no":3,"_primary_term":1,"found":true,"_source":{"` + kind + `":{"` + kind + `_id":"` + id +
		`","enabled":` + string(on) + `,"schedule":{"interval":{"start_time":1,"period":1,"unit":"Minutes"}},"description":"d","source_index":"logs-1","target_index":"out","metadata_id":"m","page_size":10,` + groups + `}}}`)
}

func progressDoc(kind, status, reason string) answer {
	return ok(`{"_index":".opendistro-ism-config","_id":"m","_version":1,"_seq_no":4,"_primary_term":1,"found":true,"_source":{"` + kind + `_metadata":{"` + kind +
		`_id":"x","status":"` + status + `","failure_reason":` + reason + `,"stats":{}}}}`)
}

var noDoc = answer{status: 404, body: `{"_index":".opendistro-ism-config","_id":"x","found":false}`}

const config = "/.opendistro-ism-config/"

func TestWhatBecomesOfCreatingARollupJob(t *testing.T) {
	failedBefore := true
	id := rollupJob
	exists := map[string]answer{
		"PUT " + config + "_create/" + id: taken,
		"GET " + config + "_doc/" + id:    jobDoc("rollup", id, false),
		"GET " + config + "_doc/m":        progressDoc("rollup", "failed", `"r"`),
		"PUT " + config + "_doc/" + id:    ok(`{"_id":"x","result":"updated"}`), "POST " + config + "_update/m": ok(`{"_id":"m","result":"updated"}`),
	}
	with := func(more map[string]answer) map[string]answer {
		all := maps.Clone(exists)
		maps.Copy(all, more)
		return all
	}
	for _, c := range []struct {
		name, source string
		answers      map[string]answer
		before       *ism.Properties
		status, info string
	}{
		{"created", "", map[string]answer{"PUT " + config + "_create/" + id: written}, nil, "completed", `{"message":"Successfully created the rollup job [` + id + `] [index=logs-1]"}`},
		{"it exists", "", exists, nil, "completed", `{"info":"Rollup job [` + id + `] already exists, skipping creation [index=logs-1]"}`},
		{"it failed in this action", "", exists, &ism.Properties{RollupID: &id, HasRollupFailed: &failedBefore}, "completed", `{"message":"Successfully restarted the rollup job [` + id + `] [index=logs-1]"}`},
		{"it failed, and cannot be started", "", with(map[string]answer{"PUT " + config + "_doc/" + id: denied}), &ism.Properties{RollupID: &id, HasRollupFailed: &failedBefore}, "failed", `{"message":"Failed to start the rollup job [` + id + `] [index=logs-1]","cause":"no"}`},
		{"refused", "", map[string]answer{"PUT " + config + "_create/" + id: denied}, nil, "failed", `{"message":"Failed to create the rollup job [` + id + `] [index=logs-1]","cause":"no"}`},
		{"an index that no job can read", "", map[string]answer{"GET /logs-1": ok(`{"logs-1":{"settings":{"index.pluggable.dataformat.enabled":"true"}}}`)}, nil, "failed", `{"message":"Failed to validate resolved indices for rollup job","cause":"Rollup is not supported with Optimized Engine currently"}`},
		{"the source is the target", `"source_index":"{{ctx.index}}","target_index":"logs-1"`, nil, nil, "failed", `{"message":"Failed to validate resolved indices for rollup job","cause":"Source and target indices must be different: logs-1"}`},
		{"the source is blank", `"source_index":" ","target_index":"out"`, map[string]answer{"GET / ": ok(`{}`)}, nil, "failed", `{"message":"Failed to validate resolved indices for rollup job","cause":"Resolved source_index cannot be empty"}`},
		{"the target is blank", `"target_index":" "`, map[string]answer{"GET / ": ok(`{}`)}, nil, "failed", `{"message":"Failed to validate resolved indices for rollup job","cause":"Resolved target_index cannot be empty"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runStep(t, "attempt_create_rollup", change(rollupAction, `"target_index":"out"`, c.source), c.answers, c.before)
			checkStep(t, r, c.status, c.info)
			if c.source == "" && (r.Properties == nil || r.Properties.RollupID == nil || *r.Properties.RollupID != id || r.Properties.HasRollupFailed != nil) {
				t.Errorf("properties %s", r.Properties)
			}
		})
	}
}

func TestWhatAnActionMakesOfWhereItsRollupStands(t *testing.T) {
	id := "x"
	for _, c := range []struct {
		name          string
		job, progress answer
		before        *ism.Properties
		status, info  string
	}{
		{"it runs", jobDoc("rollup", id, true), progressDoc("rollup", "started", `null`), &ism.Properties{RollupID: &id}, "condition_not_met", `{"message":"Rollup job [x] is still processing [index=logs-1]"}`},
		{"it has not begun", jobDoc("rollup", id, true), noDoc, &ism.Properties{RollupID: &id}, "condition_not_met", `{"message":"Rollup job [x] is still processing [index=logs-1]"}`},
		{"it is tried again", jobDoc("rollup", id, true), progressDoc("rollup", "retry", `null`), &ism.Properties{RollupID: &id}, "condition_not_met", `{"message":"Rollup job [x] is still processing [index=logs-1]"}`},
		{"it is finished", jobDoc("rollup", id, false), progressDoc("rollup", "finished", `null`), &ism.Properties{RollupID: &id}, "completed", `{"message":"Rollup job [x] completed [index=logs-1]"}`},
		{"it failed", jobDoc("rollup", id, false), progressDoc("rollup", "failed", `"no source"`), &ism.Properties{RollupID: &id}, "failed", `{"message":"Rollup job [x] failed [index=logs-1]","cause":"no source"}`},
		{"it was stopped", jobDoc("rollup", id, false), progressDoc("rollup", "stopped", `null`), &ism.Properties{RollupID: &id}, "failed", `{"message":"Rollup job [x] failed [index=logs-1]","cause":"Rollup job was stopped"}`},
		{"it cannot be asked", denied, noDoc, &ism.Properties{RollupID: &id}, "failed", `{"message":"Failed to get the status of rollup job [x] [index=logs-1]","cause":"no"}`},
		{"it was deleted", noDoc, noDoc, &ism.Properties{RollupID: &id}, "failed", `{"message":"Rollup job was not found [index=logs-1]"}`},
		{"nothing was created", noDoc, noDoc, nil, "failed", `{"message":"Rollup job was not found [index=logs-1]"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runStep(t, "wait_for_rollup_completion", rollupAction, map[string]answer{
				"GET " + config + "_doc/x": c.job, "GET " + config + "_doc/m": c.progress,
			}, c.before)
			checkStep(t, r, c.status, c.info)
			failed := r.Properties != nil && r.Properties.HasRollupFailed != nil && *r.Properties.HasRollupFailed
			if want := c.name == "it failed" || c.name == "it was stopped"; failed != want {
				t.Errorf("has_rollup_failed is %v", failed)
			}
		})
	}
}

func TestWhatBecomesOfCreatingATransformJob(t *testing.T) {
	id := transformJob
	source := map[string]answer{
		"GET /logs-1/_settings/index.uuid": ok(`{"logs-1":{}}`),
		"GET /logs-1/_mapping":             ok(`{"logs-1":{"mappings":{"properties":{"host":{"type":"keyword"}}}}}`),
		"POST /logs-1/_search":             ok(`{"hits":{"hits":[]}}`),
	}
	with := func(more map[string]answer) map[string]answer {
		all := maps.Clone(source)
		maps.Copy(all, more)
		return all
	}
	exists := with(map[string]answer{
		"PUT " + config + "_create/" + id: taken, "GET " + config + "_doc/" + id: jobDoc("transform", id, false),
		"GET " + config + "_doc/m": progressDoc("transform", "finished", `null`), "PUT " + config + "_doc/" + id: ok(`{"_id":"x","result":"updated"}`),
		"POST " + config + "_update/m": ok(`{"_id":"m","result":"updated"}`),
	})
	known := &ism.Properties{Transform: json.RawMessage(`{"transform_id":"` + id + `"}`)}
	for _, c := range []struct {
		name         string
		answers      map[string]answer
		before       *ism.Properties
		status, info string
		kept         bool
	}{
		{"created", with(map[string]answer{"PUT " + config + "_create/" + id: written}), nil, "completed", `{"message":"Successfully created the transform job [` + id + `] [index=logs-1]"}`, true},
		{"it exists from an earlier time", exists, nil, "completed", `{"message":"Successfully restarted the transform job [` + id + `] [index=logs-1]"}`, true},
		{"it exists, and cannot be started", withAnswer(exists, "PUT "+config+"_doc/"+id, denied), nil, "failed", `{"message":"Failed to start the transform job [` + id + `] [index=logs-1]","cause":"no"}`, true},
		{"this action created it", exists, known, "completed", `{"info":"Transform job [` + id + `] already exists, skipping creation [index=logs-1]"}`, true},
		{"refused", with(map[string]answer{"PUT " + config + "_create/" + id: denied}), nil, "failed", `{"message":"Failed to create the transform job [` + id + `] [index=logs-1]","cause":"no"}`, false},
		{
			"an index that no job can read", with(map[string]answer{"GET /logs-1": ok(`{"logs-1":{"settings":{"index.pluggable.dataformat.enabled":"true"}}}`)}), nil, "failed",
			`{"message":"Failed to create the transform job [` + id + `] [index=logs-1]","cause":"Transform is not supported with Optimized Engine currently"}`, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runStep(t, "attempt_create_transform", transformAction, c.answers, c.before)
			checkStep(t, r, c.status, c.info)
			if kept := r.Properties != nil && string(r.Properties.Transform) == `{"transform_id":"`+id+`"}`; kept != c.kept {
				t.Errorf("properties %s", r.Properties)
			}
		})
	}
}

func TestWhatAnActionMakesOfWhereItsTransformStands(t *testing.T) {
	known := &ism.Properties{Transform: json.RawMessage(`{"transform_id":"x"}`)}
	for _, c := range []struct {
		name          string
		job, progress answer
		before        *ism.Properties
		status, info  string
	}{
		{"it runs", jobDoc("transform", "x", true), progressDoc("transform", "init", `null`), known, "condition_not_met", `{"message":"Transform job [x] is still processing [index=logs-1]"}`},
		{"it is finished", jobDoc("transform", "x", false), progressDoc("transform", "finished", `null`), known, "completed", `{"message":"Transform job [x] completed [index=logs-1]"}`},
		{"it failed", jobDoc("transform", "x", false), progressDoc("transform", "failed", `"no source"`), known, "failed", `{"message":"Transform job [x] failed [index=logs-1]","cause":"no source"}`},
		{"it was stopped", jobDoc("transform", "x", false), progressDoc("transform", "stopped", `null`), known, "failed", `{"message":"Transform job [x] failed [index=logs-1]","cause":"Transform job was stopped"}`},
		{"it was deleted", noDoc, noDoc, known, "completed", `{"message":"Transform job [x] is not found [index=logs-1]"}`},
		{"it cannot be asked", denied, noDoc, known, "failed", `{"message":"Failed to get the status of transform job [x] [index=logs-1]","cause":"no"}`},
		{"nothing was created", noDoc, noDoc, nil, "failed", `{"message":"Transform job was not found [index=logs-1]"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runStep(t, "wait_for_transform_completion", transformAction, map[string]answer{
				"GET " + config + "_doc/x": c.job, "GET " + config + "_doc/m": c.progress,
			}, c.before)
			checkStep(t, r, c.status, c.info)
		})
	}
}

func TestAClusterThatDoesNotAnswerFailsNoJob(t *testing.T) {
	for _, a := range []answer{unanswered, overloaded} {
		s := &script{answers: map[string][]answer{"GET " + config + "_doc/x": {a}}}
		e := env(t, s, rollupAction)
		id := "x"
		e.Meta.Action.Properties = &ism.Properties{RollupID: &id}
		if r, err := action.Lookup("wait_for_rollup_completion").Run(t.Context(), e); err == nil {
			t.Errorf("no error, but %v", r)
		}
	}
}

// change replaces a part of an action, unless by nothing.
func change(policyAction, old, by string) string {
	if by == "" {
		return policyAction
	}
	return strings.Replace(policyAction, old, by, 1)
}

func withAnswer(answers map[string]answer, key string, a answer) map[string]answer {
	all := maps.Clone(answers)
	all[key] = a
	return all
}

// runStep runs a step of an action on logs-1, before a cluster that has neither aliases nor the target.
func runStep(t *testing.T, step, policyAction string, answers map[string]answer, before *ism.Properties) ism.Result {
	t.Helper()
	s := &script{answers: map[string][]answer{"GET /logs-1": {ok(`{"logs-1":{"settings":{}}}`)}, "GET /out": {ok(`{}`)}}}
	for key, a := range answers {
		s.answers[key] = []answer{a}
	}
	e := env(t, s, policyAction)
	e.Meta.Action.Properties = before
	r, err := action.Lookup(step).Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func checkStep(t *testing.T, r ism.Result, status, info string) {
	t.Helper()
	got, err := wire.Marshal(wire.Object(r.Info))
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != status || string(got) != info {
		t.Errorf("%s %s, want %s %s", r.Status, got, status, info)
	}
}
