// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestEveryStepThatMakesSomethingIsUndone provisions each kind of resource that needs nothing but the cluster, finds it
// there, and deprovisions it: without consent it stays.
func TestEveryStepThatMakesSomethingIsUndone(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-under-alias"), nil, nil)
	p.Must("PUT", "/_index_template/"+p.Name("-ds"), []byte(`{"index_patterns":["`+p.Name("-stream")+`"],"data_stream":{}}`), nil)
	for _, c := range []struct {
		step, inputs, there string
		// id is that of the resource; NAME is replaced everywhere.
		id string
		// onlyEngine is true for what a bare cluster does not let a test do.
		onlyEngine bool
	}{
		{"create_index", `"index_name":"NAME","configurations":""`, "/NAME", "NAME", false},
		{"create_ingest_pipeline", `"pipeline_id":"NAME","configurations":{"processors":[]}`, "/_ingest/pipeline/NAME", "NAME", false},
		{"create_search_pipeline", `"pipeline_id":"NAME","configurations":{"response_processors":[]}`, "/_search/pipeline/NAME", "NAME", false},
		{
			"create_index_template", `"index_template_name":"NAME","configurations":{"index_patterns":["NAME-x-*"],"priority":7,"template":{"settings":{"number_of_shards":1}}}`,
			"/_index_template/NAME", "NAME", false,
		},
		{
			"create_component_template", `"component_template_name":"NAME","configurations":{"template":{"settings":{"number_of_shards":1}}}`,
			"/_component_template/NAME", "NAME", false,
		},
		{"create_data_stream", `"data_stream_name":"NAME-stream"`, "/_data_stream/NAME-stream", "NAME-stream", false},
		{"create_alias", `"index_name":"NAME-under-alias","alias_name":"NAME-alias","configurations":{"is_write_index":true}`, "/NAME-under-alias/_alias/NAME-alias", "NAME-under-alias/NAME-alias", false},
		{"create_snapshot_repository", `"repository_name":"NAME","configurations":{"type":"fs","settings":{"location":"REPO"}}`, "/_snapshot/NAME", "NAME", true},
		{
			"create_ism_policy", `"policy_id":"NAME","configurations":{"policy":{"description":"d","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`,
			"/_plugins/_ism/policies/NAME", "NAME", false,
		},
	} {
		t.Run(c.step, func(t *testing.T) {
			if c.onlyEngine && OnCluster() {
				t.Skip("the cluster's path.repo is its own")
			}
			named := strings.NewReplacer("NAME", p.Prefix, "REPO", p.Prefix).Replace
			id := p.createWorkflow(template(fmt.Sprintf(`{"id":"n","type":%q,"user_inputs":{%s}}`, c.step, named(c.inputs))))
			if code, answer := p.provision(id, ""); code != http.StatusAccepted {
				t.Fatalf("%d %s", code, answer)
			}
			p.wantState(id, "COMPLETED", "n")
			if code, answer := p.Call("GET", named(c.there), nil); code != http.StatusOK {
				t.Errorf("it is not there: %d %s", code, answer)
			}
			if _, answer := p.Call("GET", workflows+"/_steps?workflow_step="+c.step, nil); !strings.Contains(string(answer), `"`+c.step+`"`) {
				t.Errorf("it is not listed: %s", answer)
			}
			code, answer := p.Call("POST", workflows+"/"+id+"/_deprovision", nil)
			p.wantRefusal(code, answer, http.StatusForbidden, named(c.id))
			p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+named(c.id), nil, nil)
			p.wantState(id, "NOT_STARTED")
			if code, answer := p.Call("GET", named(c.there), nil); code != http.StatusNotFound {
				t.Errorf("it is still there: %d %s", code, answer)
			}
		})
	}
}

func TestOnlyCallsOnTheListAreSent(t *testing.T) {
	p := Program(t)
	const setting = "plugins.flow_framework.rest_call_allow_list"
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"`+setting+`":"PUT /`+p.Prefix+`*, DELETE /`+p.Prefix+`*"}}`), nil)
	defer p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"`+setting+`":null}}`), nil)
	for _, c := range []struct {
		name, inputs string
		code         int
		text         string
	}{
		{"one on the list", `"method":"put","path":"/NAME-a","configurations":{"settings":{"number_of_shards":1}},"undo_path":"/NAME-a"`, http.StatusAccepted, ""},
		{"another method", `"method":"POST","path":"/NAME-a"`, http.StatusForbidden, "is not on the list"},
		{"another path", `"method":"PUT","path":"/other"`, http.StatusForbidden, "is not on the list"},
		{"a path that climbs", `"method":"PUT","path":"/NAME-a/../_cluster/settings"`, http.StatusBadRequest, "of a call is none"},
		{"an undoing that is not", `"method":"PUT","path":"/NAME-b","undo_path":"/other"`, http.StatusForbidden, "is not on the list"},
		{"an undoing without a path", `"method":"PUT","path":"/NAME-b","undo_method":"DELETE"`, http.StatusBadRequest, "Input [undo_method] needs [undo_path]"},
		{"a status that is none", `"method":"PUT","path":"/NAME-b","expected_status":"200,ok"`, http.StatusBadRequest, "Input [expected_status] has a status that is none: [ok]"},
		{"an unexpected status", `"method":"PUT","path":"/NAME-A"`, http.StatusBadRequest, "answered 400 invalid_index_name_exception: Invalid index name ["},
		{"an expected one", `"method":"PUT","path":"/NAME-A","expected_status":"200,400"`, http.StatusAccepted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := p.createWorkflow(template(`{"id":"n","type":"rest_call","user_inputs":{` + strings.ReplaceAll(c.inputs, "NAME", p.Prefix) + `}}`))
			code, answer := p.provision(id, "")
			if code != c.code || !strings.Contains(flowError(answer), c.text) {
				t.Errorf("%d %s, want %d with %q", code, answer, c.code, c.text)
			}
			p.Must("POST", workflows+"/"+id+"/_deprovision", nil, nil)
		})
	}
	if p.Exists(p.Name("-a")) {
		t.Error("what undoes a call was not called")
	}
	if p.Exists(p.Name("-b")) {
		t.Error("a call was sent whose node is wrong")
	}
}
