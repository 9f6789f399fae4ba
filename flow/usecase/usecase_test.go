// SPDX-License-Identifier: Apache-2.0

package usecase_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/usecase"
)

// required are the parameters that make every use case complete.
const required = `{"create_connector.credential.key":"K","create_connector.credential.access_key":"A","create_connector.credential.secret_key":"S",
	"create_connector.credential.session_token":"T","create_ingest_pipeline.model_id":"M","reindex.source_index":"src"}`

// TestEveryUseCaseCanBeProvisioned plans each use case and looks for what would keep it from running.
func TestEveryUseCaseCanBeProvisioned(t *testing.T) {
	names := usecase.Names()
	if len(names) != 21 {
		t.Errorf("%d use cases, want 21", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			body, err := usecase.Build(name, []byte(required))
			if err != nil {
				t.Fatal(err)
			}
			template, err := flow.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := template.Workflow(flow.ProvisionWorkflow).Plan("w", flow.Limits{MaxSteps: 50})
			if err != nil {
				t.Fatal(err)
			}
			if err := flow.Validate(plan, []string{"opensearch-ml"}); err != nil {
				t.Error(err)
			}
			outputs := map[string][]string{}
			for _, p := range plan {
				outputs[p.Node.ID] = p.Type.Outputs
				if left := flow.Unfilled(p, nil, outputs); len(left) > 0 {
					t.Errorf("nothing fills %v of node %s", left, p.Node.ID)
				}
			}
		})
	}
}

func TestWhatIsMissingOrUnknownIsNamed(t *testing.T) {
	const unreadable = "failure parsing request body when a use case is given, make sure to provide a map with values that are either Strings, Arrays, or Map of Strings to Strings"
	for _, c := range []struct {
		name, useCase, body string
		status              int
		reason              string
	}{
		{"an unknown use case", "bogus", "", 400, "Unable to find substitution ready file for use case: bogus"},
		{"a path", "../usecase", "", 400, "Unable to find substitution ready file for use case: ../usecase"},
		{"nothing given", "hybrid_search", "", 400, "Missing the following required parameters for use case [hybrid_search] : [create_ingest_pipeline.model_id]"},
		{"a part given", "multimodal_search_with_bedrock_titan", `{"create_connector.credential.secret_key":"S"}`, 400, "Missing the following required parameters for use case [multimodal_search_with_bedrock_titan] : [create_connector.credential.access_key, create_connector.credential.session_token]"},
		{"a list", "semantic_search", `[1]`, 400, unreadable},
		{"no JSON", "semantic_search", `{`, 400, unreadable},
		{"an object in an object", "semantic_search", `{"a":{"b":{}}}`, 400, unreadable},
		{"a null", "semantic_search", `{"create_ingest_pipeline.model_id":null}`, 500, unreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body []byte
			if c.body != "" {
				body = []byte(c.body)
			}
			_, err := usecase.Build(c.useCase, body)
			if f := fault.Of(err); f == nil || f.Status != c.status || f.Reason != c.reason {
				t.Errorf("got %v, want %d %s", err, c.status, c.reason)
			}
		})
	}
}

func TestParametersTakeThePlaceOfDefaults(t *testing.T) {
	body, err := usecase.Build("semantic_search", []byte(`{"create_ingest_pipeline.model_id":"a \"b\"\n","create_index.settings.number_of_shards":5,
		"template.name":["x",1],"nobody.asks":"z"}`))
	if err != nil {
		t.Fatal(err)
	}
	template, err := flow.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	if template.Name != `["x", 1]` {
		t.Errorf("the name is %s", template.Name)
	}
	node := template.Workflow(flow.ProvisionWorkflow).Node("create_ingest_pipeline")
	configurations, _ := node.Inputs.Get("configurations")
	var pipeline struct {
		Processors []map[string]struct {
			Model string `json:"model_id"`
		}
	}
	if err := json.Unmarshal([]byte(configurations.(flow.JSONText)), &pipeline); err != nil {
		t.Fatal(err)
	}
	if got := pipeline.Processors[0]["text_embedding"].Model; got != "a \"b\"\n" {
		t.Errorf("the model is %q", got)
	}
	if text := string(body); !strings.Contains(text, `"number_of_shards": "5"`) || strings.Contains(text, "nobody") {
		t.Error(text)
	}
	const rag = "conversational-search-with-bedrock-rag-tool"
	for _, c := range [][2]string{
		{`{"create_connector.credential.access_key":"A","create_connector.credential.secret_key":"S","create_connector.credential.session_token":"T"}`, `"access_key": "A"`},
		{`{"create_connector.credential.access_key":"A","create_connector.credential.secret_key":"S","create_connector.credential.session_token":"T",
			"create_bedrock_connector.credential.access_key":"B"}`, `"access_key": "B"`},
	} {
		if body, err := usecase.Build(rag, []byte(c[0])); err != nil || strings.Count(string(body), c[1]) != 2 {
			t.Errorf("no %s of %s: %v", c[1], c[0], err)
		}
	}
	if !slices.Contains(usecase.Names(), "semantic_search") {
		t.Error("it is not among the names")
	}
}
