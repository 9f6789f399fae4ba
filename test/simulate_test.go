// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// simulated sends a simulation and returns its results without uuids.
func simulated(p *Running, body string) []map[string]any {
	p.t.Helper()
	var answer struct {
		Results []map[string]any `json:"simulate_results"`
	}
	p.Must("POST", "/_plugins/_ism/simulate", []byte(strings.ReplaceAll(body, "NAME", p.Prefix)), &answer)
	for _, r := range answer.Results {
		if r["index_uuid"] != nil {
			r["index_uuid"] = "UUID"
		}
	}
	return answer.Results
}

func results(t *testing.T, p *Running, text string) (out []map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "NAME", p.Prefix)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

const simulatedPolicy = `{"description":"","default_state":"hot","states":[
	{"name":"hot","actions":[],"transitions":[
		{"state_name":"warm","conditions":{"min_doc_count":100}},
		{"state_name":"old","conditions":{"min_index_age":"365d"}},
		{"state_name":"cold","conditions":{"no_alias":true}},
		{"state_name":"warm"}]},
	{"name":"warm","actions":[{"read_only":{}}],"transitions":[]},
	{"name":"cold","actions":[],"transitions":[]},{"name":"old","actions":[],"transitions":[]}]}`

func TestASimulationTellsWhereIndicesStandAndChangesNothing(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, []byte(`{"policy":`+simulatedPolicy+`}`), nil)
	p.Must("PUT", "/"+p.Name("-1"), []byte(`{"settings":{"number_of_replicas":0}}`), nil)
	p.Must("PUT", "/"+p.Name("-1")+"/_doc/1?refresh=true", []byte(`{}`), nil)
	got := simulated(p, `{"policy_id":"NAME","indices":["NAME-*","NAME-1","NAME-nope","zz*"],"other":1}`)
	evaluation := got[0]["transition_evaluation"].([]any)
	age := evaluation[1].(map[string]any)
	delete(age, "current_value") // a second or two
	want := results(t, p, `[
		{"index_name":"NAME-1","index_uuid":"UUID","policy_id":"NAME","is_managed":false,"current_state":"hot","current_action":"transition",
		 "transition_evaluation":[
			{"state_name":"warm","condition_met":false,"condition_type":"min_doc_count","current_value":"1","required_value":"100"},
			{"state_name":"old","condition_met":false,"condition_type":"min_index_age","required_value":"365d"},
			{"state_name":"cold","condition_met":true,"condition_type":"no_alias","current_value":"no aliases","required_value":"no aliases (no_alias=true)"},
			{"state_name":"warm","condition_met":true,"condition_type":"unconditional"}],
		 "next_state":"cold"},
		{"index_name":"NAME-nope","index_uuid":null,"policy_id":"NAME","is_managed":false,"error":"Index 'NAME-nope' not found in cluster"}]`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if explain := p.Explain(p.Name("-1")); !strings.Contains(explain, `"total_managed_indices":0`) {
		t.Errorf("the simulation changed something: %s", explain)
	}
}

func TestASimulationOfAManagedIndexGoesOnWhereItIs(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, []byte(`{"policy":`+strings.Replace(simulatedPolicy, `"default_state":"hot"`, `"default_state":"cold"`, 1)+`}`), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	p.Must("POST", "/_plugins/_ism/add/"+p.Name("-1"), []byte(`{"policy_id":"`+p.Prefix+`"}`), nil)
	p.Eventually("the index is managed", func() (bool, string) {
		explain := p.Explain(p.Name("-1"))
		return strings.Contains(explain, `policy_completed":true`), explain
	})
	got := simulated(p, `{"policy":`+simulatedPolicy+`,"indices":["NAME-1"]}`)
	want := results(t, p, `[{"index_name":"NAME-1","index_uuid":"UUID","policy_id":"","is_managed":true,"current_state":"cold","current_action":"transition",
		"transition_evaluation":[],"next_state":null}]`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	other := strings.ReplaceAll(simulatedPolicy, "cold", "frozen")
	got = simulated(p, `{"policy":`+other+`,"indices":["NAME-1"]}`)
	want = results(t, p, `[{"index_name":"NAME-1","index_uuid":"UUID","policy_id":"","is_managed":true,
		"error":"State 'cold' referenced in metadata not found in policy"}]`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestASimulationRefusesWhatIsNoRequest(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, []byte(`{"policy":`+simulatedPolicy+`}`), nil)
	for body, want := range map[string]string{
		`{}`: "Validation Failed: 1: indices cannot be empty;2: either policy_id or policy must be provided;",
		`{"policy_id":"a","indices":["b"],"policy":` + simulatedPolicy + `}`: "only one of policy_id or policy can be provided, not both",
		`{"policy_id":"nope","indices":["b"]}`:                               "Policy 'nope' not found",
		`{"policy":{},"indices":["b"]}`:                                      `"status":400`,
		`{"policy_id":"a","indices":"b"}`:                                    "START_ARRAY",
	} {
		status, answer := p.Call("POST", "/_plugins/_ism/simulate", []byte(body))
		if status != 400 && status != 404 || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %d %s, want %q", body, status, answer, want)
		}
	}
}
