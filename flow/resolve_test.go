// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire"
)

const inputsTemplate = `{"name":"t","workflows":{"provision":{
	"user_params":{"pipeline_id":"from-params"},
	"nodes":[
		{"id":"a","type":"create_index","user_inputs":{"index_name":"i","configurations":{}}},
		{"id":"b","type":"create_ingest_pipeline","previous_node_inputs":{"a":"index_name"},
			"user_inputs":{"pipeline_id":"own","configurations":{"description":"${{ text }} of ${{a.index_name}} by ${{nobody}}"}}},
		{"id":"c","type":"reindex","previous_node_inputs":{"a":"source_index"},
			"user_inputs":{"source_index":"${{text}}","refresh":true}}
	]}}}`

func plan(t *testing.T, template string) []Planned {
	t.Helper()
	parsed, err := Parse([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	planned, err := parsed.Workflow(ProvisionWorkflow).Plan("w", Limits{MaxSteps: 50})
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

func TestInputsComeFromParamsBeforeTheNodesOwn(t *testing.T) {
	p := plan(t, inputsTemplate)
	got, err := Resolve(p[1], nil, Scope{
		WorkflowID: "w",
		UserParams: []Param{{"pipeline_id", "from-params"}},
		Outputs:    map[string]Outputs{"a": {"index_name": "made"}},
		Params:     []Param{{"text", "a \"quoted\"\ttext\n"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Inputs{
		{"pipeline_id", "from-params"},
		{"configurations", JSONText(`{"description":"a \"quoted\"\ttext\n of made by ${{nobody}}"}`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAParameterIsEscapedInATemplateThatWasStored(t *testing.T) {
	parsed, err := Parse([]byte(inputsTemplate))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := wire.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Resolve(plan(t, string(stored))[1], nil, Scope{WorkflowID: "w", Params: []Param{{"text", `a "quoted" text`}}})
	if err != nil {
		t.Fatal(err)
	}
	want := JSONText(`{"description":"a \"quoted\" text of ${{a.index_name}} by ${{nobody}}"}`)
	if v, _ := got.Get("configurations"); v != want {
		t.Errorf("configurations = %v, want %v", v, want)
	}
}

func TestAParameterMayBeAWholeConfiguration(t *testing.T) {
	template := strings.Replace(inputsTemplate, `"configurations":{}`, `"configurations":"${{text}}"`, 1)
	got, err := Resolve(plan(t, template)[0], nil, Scope{WorkflowID: "w", Params: []Param{{"text", `{"settings":{}}`}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := got.Get("configurations"); v != `{"settings":{}}` {
		t.Errorf("configurations = %v", v)
	}
}

func TestAParameterIsEscapedInTheBodyOfAnAction(t *testing.T) {
	p := plan(t, `{"name":"t","workflows":{"provision":{"nodes":[{"id":"c","type":"create_connector","user_inputs":{
		"name":"c","description":"d","version":"1","protocol":"http","parameters":{},"credential":{},
		"actions":[{"url":"http://${{text}}","request_body":"{\"input\":\"${{text}}\"}"}]}}]}}}`)
	got, err := Resolve(p[0], nil, Scope{WorkflowID: "w", Params: []Param{{"text", `a"b`}}})
	if err != nil {
		t.Fatal(err)
	}
	actions, _ := got.Get("actions")
	want := List{{{"url", `http://a"b`}, {"request_body", `{"input":"a\"b"}`}}}
	if diff := cmp.Diff(want, actions); diff != "" {
		t.Error(diff)
	}
}

func TestAPlainTextTakesAParameterAsItIs(t *testing.T) {
	p := plan(t, strings.Replace(inputsTemplate, `"refresh":true`, `"destination_index":"d"`, 1))
	got, err := Resolve(p[2], nil, Scope{WorkflowID: "w", Params: []Param{{"text", `a"\b`}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := got.Get("source_index"); v != `a"\b` {
		t.Errorf("source_index = %q", v)
	}
}

func TestAMissingInputIsNamed(t *testing.T) {
	p := plan(t, inputsTemplate)
	_, err := Resolve(p[2], []string{"refresh"}, Scope{WorkflowID: "w"})
	want := "Missing required inputs [destination_index] in workflow [w] node [c]"
	if !IsOwn(err) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAPredecessorFillsWhatItsOutputNames(t *testing.T) {
	p := plan(t, `{"name":"t","workflows":{"provision":{"nodes":[
		{"id":"a","type":"create_index","user_inputs":{"index_name":"i","configurations":""}},
		{"id":"u","type":"update_index","user_inputs":{"configurations":"{}"}}],
		"edges":[{"source":"a","dest":"u"}]}}}`)
	got, err := Resolve(p[1], nil, Scope{Outputs: map[string]Outputs{"a": {"index_name": "made"}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := got.Get("index_name"); v != "made" {
		t.Errorf("index_name = %v", v)
	}
}

func TestTheSameTemplateGivesTheSamePlan(t *testing.T) {
	p := plan(t, inputsTemplate)
	var order []string
	for _, n := range p {
		order = append(order, n.Node.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, order); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a"}, p[2].After); diff != "" {
		t.Error(diff)
	}
	if p[0].Timeout != DefaultTimeout {
		t.Errorf("timeout = %v", p[0].Timeout)
	}
}
