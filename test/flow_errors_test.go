// SPDX-License-Identifier: Apache-2.0

package test

import (
	"net/http"
	"strings"
	"testing"
)

// flowCase is a request and what is said of it.
type flowCase struct {
	name, method, path, body string
	status                   int
	// error is the whole text of {"error":"..."}; core is a piece of the server's own form.
	error, core string
}

// run makes the requests. @new and the like in them stand for the ids of workflows.
func (r *Running) run(t *testing.T, ids map[string]string, cases []flowCase) {
	named := func(s string) string {
		for name, id := range ids {
			s = strings.ReplaceAll(s, name, id)
		}
		return s
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var body any
			if c.body != "" {
				body = []byte(named(c.body))
			}
			code, answer := r.Call(c.method, named(c.path), body)
			if code != c.status {
				t.Errorf("%d %s, want %d", code, answer, c.status)
			}
			if c.error != "" && flowError(answer) != named(c.error) {
				t.Errorf("%s, want %s", answer, named(c.error))
			}
			if c.core != "" && !strings.Contains(string(answer), named(c.core)) {
				t.Errorf("%s, want %s", answer, named(c.core))
			}
		})
	}
}

const (
	simple    = `{"name":"t","workflows":{"provision":{"nodes":[{"id":"n","type":"noop"}]}}}`
	workflowN = `{"name":"t","workflows":{"provision":{"nodes":[`
)

// inGraph is a template with these nodes.
func inGraph(nodes string) string { return workflowN + nodes + `]}}}` }

func TestRequestsAreRefusedInThePluginsWords(t *testing.T) {
	p := Program(t)
	ids := map[string]string{"@new": p.createWorkflow([]byte(simple)), "@done": p.createWorkflow([]byte(simple))}
	p.provision(ids["@done"], "")
	for about, cases := range map[string][]flowCase{
		"parameters": refusedParameters, "templates": refusedTemplates, "graphs": refusedGraphs, "workflows": refusedWorkflows,
	} {
		t.Run(about, func(t *testing.T) { p.run(t, ids, cases) })
	}
}

// refusedParameters is what parameters and searches are refused for.
var refusedParameters = []flowCase{
	{"an unknown parameter", "GET", workflows + "/@new?colour=red", "", 400, "", "request [/_plugins/_flow_framework/workflow/@new] contains unrecognized parameter: [colour]"},
	{"one much like a known one", "GET", workflows + "/@new/_status?al=true", "", 400, "", "[al] -> did you mean [all]?"},
	{"no boolean", "GET", workflows + "/@new/_status?all=maybe", "", 400, "", "Failed to parse value [maybe] as only [true] or [false] are allowed."},
	{"a time without unit", "POST", workflows + "/@new/_provision?wait_for_completion_timeout=5", "", 400, "", "failed to parse setting [wait_for_completion_timeout] with value [5] as a time value: unit is missing or unrecognized"},
	{"a part of a time", "POST", workflows + "/@new/_provision?wait_for_completion_timeout=1.5s", "", 400, "", "failed to parse [1.5s], fractional time values are not supported"},
	{"a negative time", "POST", workflows + "/@new/_provision?wait_for_completion_timeout=-2s", "", 400, "", "negative durations are not supported"},
	{"another method", "PATCH", workflows + "/@new", "", 405, "", "and method [PATCH], allowed: ["},
	{"parameters without provision", "POST", workflows + "?idx=a", simple, 400, "Only the parameters [use_case, pretty, workflow_id, provision, reprovision, format, error_trace, human, update_fields, wait_for_completion_timeout, filter_path, validation] are permitted unless the provision parameter is set to true.", ""},
	{"provision and update_fields", "PUT", workflows + "/@new?provision=true&update_fields=true", `{}`, 400, "You can not use both the provision and update_fields parameters in the same request.", ""},
	{"reprovision of a new one", "POST", workflows + "?reprovision=true", simple, 400, "You can not use the reprovision parameter to create a new template.", ""},
	{"reprovision of a use case", "PUT", workflows + "/@new?reprovision=true&use_case=x", simple, 400, "You cannot use the reprovision and use_case parameters in the same request.", ""},
	{"a wait for nothing", "POST", workflows + "?wait_for_completion_timeout=1s", simple, 400, "Request parameter 'wait_for_completion_timeout' is not allowed unless the 'provision' or 'reprovision' parameter is set to true.", ""},
	{"a new workflow of fields that are more than that", "POST", workflows + "?update_fields=true", simple, 400, "You can not update the field [workflows] without updating the whole template.", ""},
	{"an unknown use case", "POST", workflows + "?use_case=bogus", "", 400, "Unable to find substitution ready file for use case: bogus", ""},
	{"a use case without what it requires", "POST", workflows + "?use_case=cohere_embedding_model_deploy", "", 400, "Missing the following required parameters for use case [cohere_embedding_model_deploy] : [create_connector.credential.key]", ""},
	{"a use case with a body of another kind", "POST", workflows + "?use_case=semantic_search", `[1]`, 400, "failure parsing request body when a use case is given, make sure to provide a map with values that are either Strings, Arrays, or Map of Strings to Strings", ""},
	{"a search without body", "POST", workflows + "/_search", "", 400, "", "request body or source parameter is required"},
	{"a search of states without body", "GET", workflows + "/state/_search", "", 400, "", "request body or source parameter is required"},
	{"an unknown query", "POST", workflows + "/_search", `{"query":{"bogus":{}}}`, 400, "", "unknown query [bogus]"},
}

// refusedTemplates is what templates are refused for before their graph is looked at.
var refusedTemplates = []flowCase{
	{"no body", "POST", workflows, "", 400, "IOException: template content invalid for specified Content-Type.", ""},
	{"no name", "POST", workflows, `{}`, 400, "A template object requires a name.", ""},
	{"an unknown member", "POST", workflows, `{"name":"t","colour":1}`, 400, "Unable to parse field [colour] in a template object.", ""},
	{"an unknown member of the version", "POST", workflows, `{"name":"t","version":{"colour":"1"}}`, 400, "Unable to parse field [version] in a version object.", ""},
	{"no node", "POST", workflows, `{"name":"t","workflows":{"provision":{}}}`, 400, "A workflow must have at least one node.", ""},
	{"a node without type", "POST", workflows, inGraph(`{"id":"a"}`), 400, "An node object requires both an id and type field.", ""},
	{"an unknown member of a node", "POST", workflows, inGraph(`{"id":"a","type":"noop","colour":1}`), 400, "Unable to parse field [colour] in a node object.", ""},
	{"an input that is null", "POST", workflows, inGraph(`{"id":"a","type":"noop","user_inputs":{"delay":null}}`), 400, "Unable to parse field [delay] in a node object.", ""},
	{"an edge without end", "POST", workflows, workflowN + `{"id":"a","type":"noop"}],"edges":[{"source":"a"}]}}}`, 400, "An edge object requires both a source and dest field.", ""},
	{"an unknown member of an edge", "POST", workflows, workflowN + `{"id":"a","type":"noop"}],"edges":[{"colour":"a"}]}}}`, 400, "Unable to parse field [colour] in an edge object.", ""},
	{"an old processor without type", "POST", workflows, inGraph(`{"id":"a","type":"noop","user_inputs":{"processors":[{}]}}`), 400, "A processor object requires a type field.", ""},
	{"an unknown member of an old processor", "POST", workflows, inGraph(`{"id":"a","type":"noop","user_inputs":{"processors":[{"colour":1}]}}`), 400, "Unable to parse field [colour] in a pipeline processor object.", ""},
}

// refusedGraphs is what the graph of a template is refused for.
var refusedGraphs = []flowCase{
	{"a step that is denied", "POST", workflows, inGraph(`{"id":"a","type":"delete_index","user_inputs":{"index_name":"x"}}`), 403, "The step type [delete_index] for node [a] can not be used in a workflow.", ""},
	{"two nodes of one id", "POST", workflows, inGraph(`{"id":"a","type":"noop"},{"id":"a","type":"noop"}`), 400, "Duplicate node id a.", ""},
	{"an edge from nowhere", "POST", workflows, workflowN + `{"id":"a","type":"noop"}],"edges":[{"source":"x","dest":"a"}]}}}`, 400, "Edge source x does not correspond to a node.", ""},
	{"an edge to nowhere", "POST", workflows, workflowN + `{"id":"a","type":"noop"}],"edges":[{"source":"a","dest":"x"}]}}}`, 400, "Edge destination x does not correspond to a node.", ""},
	{"an edge to itself", "POST", workflows, workflowN + `{"id":"a","type":"noop"}],"edges":[{"source":"a","dest":"a"}]}}}`, 400, "Edge connects node a to itself.", ""},
	{"no start", "POST", workflows, workflowN + `{"id":"a","type":"noop"},{"id":"b","type":"noop"}],"edges":[{"source":"a","dest":"b"},{"source":"b","dest":"a"}]}}}`, 400, "No start node detected: all nodes have a predecessor.", ""},
	{"a cycle", "POST", workflows, workflowN + `{"id":"s","type":"noop"},{"id":"a","type":"noop"},{"id":"b","type":"noop"}],"edges":[{"source":"a","dest":"b"},{"source":"b","dest":"a"}]}}}`, 400, "Cycle detected: [a->b, b->a]", ""},
	{"an unknown step", "POST", workflows, inGraph(`{"id":"a","type":"bogus"}`), 501, "Workflow step type [bogus] is not implemented.", ""},
	{"a time-out that is none", "POST", workflows, inGraph(`{"id":"a","type":"noop","user_inputs":{"node_timeout":"soon"}}`), 400, "Workflow validation failed for template t", ""},
	{"a time-out below zero", "POST", workflows, inGraph(`{"id":"a","type":"noop","user_inputs":{"node_timeout":"-1"}}`), 400, "Failed to parse timeout value [-1] for field [a.user_inputs.node_timeout]. Must be positive", ""},
	{"a missing input", "POST", workflows, inGraph(`{"id":"a","type":"create_index","user_inputs":{"index_name":"x"}}`), 400, "Invalid workflow, node [a] missing the following required inputs : [configurations]", ""},
}

// refusedWorkflows is what is said of workflows that are not there, or in another state.
var refusedWorkflows = []flowCase{
	{"get what is not there", "GET", workflows + "/nope", "", 404, "Failed to retrieve template (nope) from global context.", ""},
	{"update what is not there", "PUT", workflows + "/nope", simple, 404, "Failed to retrieve template (nope) from global context.", ""},
	{"update what is provisioned", "PUT", workflows + "/@done", simple, 400, "The template can not be updated unless its provisioning state is NOT_STARTED: @done. Deprovision the workflow to reset the state.", ""},
	{"update a field that is none", "PUT", workflows + "/@done?update_fields=true", `{"workflows":{}}`, 400, "You can not update the field [workflows] without updating the whole template.", ""},
	{"provision what is provisioned", "POST", workflows + "/@done/_provision", "", 400, "The workflow provisioning state is DONE and can not be provisioned unless its state is NOT_STARTED: @done. Deprovision the workflow to reset the state.", ""},
	{"a parameter twice", "POST", workflows + "/@new/_provision?a=1", `{"a":"2"}`, 400, "Duplicate key a", ""},
	{"a parameter that is no text", "POST", workflows + "/@new/_provision", `{"a":2}`, 400, "Request body fields must have string values", ""},
	{"a parameter of our own in the body", "POST", workflows + "/@new/_provision", `{"dry_run":"true"}`, 400, "The parameter [dry_run] is not a substitution value; it belongs to the query", ""},
	{"parameters that are no JSON", "POST", workflows + "/@new/_provision", `{"a`, 400, "Request body parsing failed", ""},
	{"parameters that are no object", "POST", workflows + "/@new/_provision", `[1]`, 400, "", "Failed to parse object: expecting token of type [START_OBJECT] but found [START_ARRAY]"},
	{"provision what is not there", "POST", workflows + "/nope/_provision", "", 404, "Failed to retrieve template (nope) from global context.", ""},
	{"deprovision what is not there", "POST", workflows + "/nope/_deprovision", "", 404, "Failed to get workflow state for workflow nope", ""},
	{"the status of what is not there", "GET", workflows + "/nope/_status", "", 404, "Fail to find workflow status of nope", ""},
	{"an unknown step's description", "GET", workflows + "/_steps?workflow_step=bogus", "", 400, "Failed to retrieve workflow step json.", ""},
	{"reprovision what is not provisioned", "PUT", workflows + "/@new?reprovision=true", simple, 400, "The template can not be reprovisioned unless its provisioning state is DONE or FAILED: @new", ""},
	{"reprovision with a graph that is none", "PUT", workflows + "/@done?reprovision=true&validation=none", inGraph(`{"id":"n","type":"create_index"}`), 400, "Workflow validation failed for workflow @done", ""},
}

func TestNamesThatMLCommonsWouldRefuseAreRefused(t *testing.T) {
	if OnCluster() {
		t.Skip("a bare cluster has no ML Commons, and the step is refused for that")
	}
	Program(t).run(t, nil, []flowCase{
		{"a name that ML Commons refuses", "POST", workflows, inGraph(`{"id":"a","type":"register_model_group","user_inputs":{"name":"<x>"}}`), 400, "Validation Failed: 1: Model group name [node a] can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\");", ""},
		{"a name of nothing", "POST", workflows, inGraph(`{"id":"a","type":"register_model_group","user_inputs":{"name":" "}}`), 400, "Validation Failed: 1: Model group name [node a] is required and cannot be null or blank;", ""},
	})
}

func TestNothingIsThereBeforeTheFirstWorkflow(t *testing.T) {
	Program(t).run(t, nil, []flowCase{
		{"get", "GET", workflows + "/x", "", 404, "There are no templates in the global_context", ""},
		{"delete", "DELETE", workflows + "/x", "", 404, "There are no templates in the global context", ""},
		{"update", "PUT", workflows + "/x", simple, 404, "Failed to retrieve template (x).", ""},
		{"provision", "POST", workflows + "/x/_provision", "", 500, "Failed to get template x", ""},
		{"status", "GET", workflows + "/x/_status", "", 404, "Failed to get workflow status of: x", ""},
		{"search", "POST", workflows + "/_search", `{}`, 404, "", "Failed to search indices [.plugins-flow-framework-templates]"},
	})
}

func TestTheAPIIsSwitchedOffByASetting(t *testing.T) {
	p := Program(t)
	put := func(value string) {
		p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.flow_framework.enabled":`+value+`}}`), nil)
	}
	put("false")
	defer put("null")
	const off = "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true."
	p.run(t, nil, []flowCase{
		{"create", "POST", workflows, simple, 403, "This API is disabled. To enable it, set [plugins.flow_framework.enabled] to true.", ""},
		{"get", "GET", workflows + "/x", "", 403, off, ""},
		{"search", "GET", workflows + "/_search", "", 403, off, ""},
		{"steps", "GET", workflows + "/_steps", "", 403, off, ""},
		{"deprovision", "POST", workflows + "/x/_deprovision", "", 403, off, ""},
	})
}

func TestThereAreOnlySoManyWorkflowsAndSteps(t *testing.T) {
	p := Program(t)
	put := func(name, value string) {
		p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.flow_framework.`+name+`":`+value+`}}`), nil)
	}
	p.createWorkflow([]byte(simple))
	put("max_workflows", "1")
	code, answer := p.Call("POST", workflows, []byte(simple))
	p.wantRefusal(code, answer, http.StatusBadRequest, "Maximum workflows limit reached: 1")
	put("max_workflows", "null")
	put("max_workflow_steps", "1")
	defer put("max_workflow_steps", "null")
	code, answer = p.Call("POST", workflows, []byte(inGraph(`{"id":"a","type":"noop"},{"id":"b","type":"noop"}`)))
	p.wantRefusal(code, answer, http.StatusBadRequest, "Workflow null has 2 nodes, which exceeds the maximum of 1. Change the setting [plugins.flow_framework.max_workflow_steps] to increase this.")
}

func TestAnswersAreYAMLWhereThatIsAskedFor(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow([]byte(simple))
	_, answer := p.Call("GET", workflows+"/"+id+"/_status?format=yaml", nil)
	if want := "---\nworkflow_id: \"" + id + "\"\nstate: \"NOT_STARTED\"\n"; string(answer) != want {
		t.Errorf("%q, want %q", answer, want)
	}
}

func TestATemplateOfAnotherTypeOfContentIsRefusedBeforeItIsRead(t *testing.T) {
	p := Program(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+workflows, strings.NewReader(simple))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotAcceptable {
		t.Errorf("%s, want 406", res.Status)
	}
}

func TestAStepThatCannotBeUpdatedIsNotReprovisioned(t *testing.T) {
	p := Program(t)
	copied := func(to string) []byte {
		return template(indexNode("index", p.Name("-from")), `{"id":"copy","type":"reindex","previous_node_inputs":{"index":"index_name"},"user_inputs":{"source_index":"`+
			p.Name("-from")+`","destination_index":"`+p.Name(to)+`"}}`)
	}
	id := p.createWorkflow(copied("-to"))
	p.provision(id, "")
	p.wantState(id, "COMPLETED", "index")
	code, answer := p.Call("PUT", workflows+"/"+id+"?reprovision=true", copied("-elsewhere"))
	p.wantRefusal(code, answer, http.StatusBadRequest, "Workflow Step copy does not support updates when reprovisioning.")
}
