// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestWorkflowsAreRefusedInThePluginsWords has the refusals that no recording has.
func TestWorkflowsAreRefusedInThePluginsWords(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(noopNode("a", "1ms")))
	noop := template(noopNode("a", "1ms"))
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		text                     string
	}{
		{"a substitution without provisioning", "POST", "?x=1", string(noop), 400, "Only the parameters [use_case, pretty, workflow_id, provision, reprovision, format, error_trace, human, update_fields, wait_for_completion_timeout, filter_path, validation] are permitted unless the provision parameter is set to true."},
		{"provisioning with fields alone", "PUT", "/" + id + "?provision=true&update_fields=true", `{"name":"n"}`, 400, "You can not use both the provision and update_fields parameters in the same request."},
		{"reprovisioning what is not there", "POST", "?reprovision=true", string(noop), 400, "You can not use the reprovision parameter to create a new template."},
		{"reprovisioning a use case", "PUT", "/" + id + "?reprovision=true&use_case=semantic_search", `{}`, 400, "You cannot use the reprovision and use_case parameters in the same request."},
		{"waiting for nothing", "POST", "?wait_for_completion_timeout=1s", string(noop), 400, "Request parameter 'wait_for_completion_timeout' is not allowed unless the 'provision' or 'reprovision' parameter is set to true."},
		{"a parameter twice", "POST", "/" + id + "/_provision?k=1", `{"k":"2"}`, 400, "Duplicate key k"},
		{"parameters that are not JSON", "POST", "/" + id + "/_provision", `{"k"`, 400, "Request body parsing failed"},
		{"the status of nothing", "GET", "/nothing/_status", "", 404, "Fail to find workflow status of nothing"},
		{"a template without a name", "POST", "", `{"workflows":{}}`, 400, "A template object requires a name."},
		{"a member of a template", "POST", "", `{"name":"n","foo":1}`, 400, "Unable to parse field [foo] in a template object."},
		{"a member of a version", "POST", "", `{"name":"n","version":{"foo":1}}`, 400, "Unable to parse field [version] in a version object."},
		{"a member of a node", "POST", "", string(template(`{"id":"a","type":"noop","foo":1}`)), 400, "Unable to parse field [foo] in a node object."},
		{"a member of an edge", "POST", "", withEdge(`{"source":"a","dest":"a","foo":1}`), 400, "Unable to parse field [foo] in an edge object."},
		{"an edge to nowhere", "POST", "", withEdge(`{"source":"a"}`), 400, "An edge object requires both a source and dest field."},
		{"an edge to what is not there", "POST", "", withEdge(`{"source":"a","dest":"b"}`), 400, "Edge destination b does not correspond to a node."},
		{"an edge from what is not there", "POST", "", withEdge(`{"source":"b","dest":"a"}`), 400, "Edge source b does not correspond to a node."},
		{"a step that only undoes", "POST", "", string(template(`{"id":"a","type":"delete_index","user_inputs":{"index_name":"x"}}`)), 403, "The step type [delete_index] for node [a] can not be used in a workflow."},
		{
			"a cycle behind a beginning", "POST", "", `{"name":"n","workflows":{"provision":{"nodes":[` + noopNode("a", "1s") + `,` + noopNode("b", "1s") + `,` + noopNode("c", "1s") +
				`],"edges":[{"source":"a","dest":"b"},{"source":"b","dest":"c"},{"source":"c","dest":"b"}]}}}`, 400, "Cycle detected: [",
		},
		{"a time-out that never comes", "POST", "", string(template(`{"id":"a","type":"noop","user_inputs":{"node_timeout":"-1"}}`)), 400, "Failed to parse timeout value [-1] for field [a.user_inputs.node_timeout]. Must be positive"},
		{"a name that ML Commons refuses", "POST", "", string(template(`{"id":"a","type":"register_model_group","user_inputs":{"name":"<b>"}}`)), 400, `Validation Failed: 1: Model group name [node a] can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/");`},
		{"no name", "POST", "", string(template(`{"id":"a","type":"register_model_group","user_inputs":{"name":" "}}`)), 400, "Validation Failed: 1: Model group name [node a] is required and cannot be null or blank;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body []byte
			if c.body != "" {
				body = []byte(c.body)
			}
			code, answer := p.Call(c.method, workflows+c.path, body)
			p.wantRefusal(code, answer, c.status, c.text)
		})
	}
	p.wantState(id, "NOT_STARTED")
}

func withEdge(edge string) string {
	return `{"name":"n","workflows":{"provision":{"nodes":[` + noopNode("a", "1s") + `],"edges":[` + edge + `]}}}`
}

// TestWithoutAnyWorkflowNothingIsFound has the answers before there is an index of workflows.
func TestWithoutAnyWorkflowNothingIsFound(t *testing.T) {
	if OnCluster() {
		t.Skip("a shared cluster has workflows")
	}
	p := Program(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"GET", "/x", "", http.StatusNotFound, "There are no templates in the global_context"},
		{"DELETE", "/x", "", http.StatusNotFound, "There are no templates in the global context"},
		{"POST", "/x/_provision", "", http.StatusInternalServerError, "Failed to get template x"},
		{"PUT", "/x", string(template(noopNode("a", "1ms"))), http.StatusNotFound, "Failed to retrieve template (x)."},
	} {
		code, answer := p.Call(c.method, workflows+c.path, []byte(c.body))
		p.wantRefusal(code, answer, c.status, c.text)
	}
}

// TestTheAPICanBeSwitchedOff has the plugin's two wordings.
func TestTheAPICanBeSwitchedOff(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(noopNode("a", "1ms")))
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.flow_framework.enabled":false}}`), nil)
	defer p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.flow_framework.enabled":null}}`), nil)
	code, answer := p.Call("POST", workflows, template(noopNode("a", "1ms")))
	p.wantRefusal(code, answer, http.StatusForbidden, "This API is disabled. To enable it, set [plugins.flow_framework.enabled] to true.")
	for _, path := range []string{"GET /" + id, "DELETE /" + id, "POST /" + id + "/_provision", "POST /" + id + "/_deprovision", "GET /" + id + "/_status", "GET /_steps"} {
		method, rest, _ := strings.Cut(path, " ")
		code, answer := p.Call(method, workflows+rest, nil)
		p.wantRefusal(code, answer, http.StatusForbidden, "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true.")
	}
}

// TestAReprovisioningIsRefusedInThePluginsWords has nodes that cannot be changed, and a template that is none.
func TestAReprovisioningIsRefusedInThePluginsWords(t *testing.T) {
	p := Program(t)
	reindex := func(to string) string {
		return fmt.Sprintf(`{"id":"copy","type":"reindex","user_inputs":{"source_index":%q,"destination_index":%q},"previous_node_inputs":{"index":"index_name"}}`, p.Name("-from"), to)
	}
	id := p.createWorkflow(template(indexNode("index", p.Name("-from")), reindex(p.Name("-to"))))
	if code, answer := p.provision(id, ""); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, answer)
	}
	for _, c := range []struct {
		name, text string
		nodes      []string
	}{
		{"a step without an update", "Workflow Step copy does not support updates when reprovisioning.", []string{indexNode("index", p.Name("-from")), reindex(p.Name("-elsewhere"))}},
		{"a template that cannot be", "Invalid workflow, node [new] missing the following required inputs : [index_name, configurations]", []string{indexNode("index", p.Name("-from")), reindex(p.Name("-to")), `{"id":"new","type":"create_index"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, answer := p.Call("PUT", workflows+"/"+id+"?reprovision=true&validation=none", template(c.nodes...))
			p.wantRefusal(code, answer, http.StatusBadRequest, c.text)
		})
	}
}
