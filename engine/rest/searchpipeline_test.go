// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

// found are the sources of a search's hits, in order, or the reason that it failed for.
func (s server) found(path, body string) string {
	s.t.Helper()
	w := s.call("POST", path, body)
	var answer struct {
		Error struct{ Reason string }
		Hits  struct {
			Hits []struct {
				Source json.RawMessage            `json:"_source"`
				Fields map[string]json.RawMessage `json:"fields"`
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatal(err)
	}
	if w.Code != 200 {
		return answer.Error.Reason
	}
	var out []string
	for _, h := range answer.Hits.Hits {
		line := string(h.Source)
		if h.Fields != nil {
			fields, _ := json.Marshal(h.Fields)
			line += string(fields)
		}
		out = append(out, line)
	}
	return strings.Join(out, " ")
}

func TestSearchPipelines(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/i", `{"mappings":{"properties":{"k":{"type":"keyword"},"n":{"type":"integer"}}}}`)
	for id, source := range map[string]string{"1": `{"k":"a","n":1}`, "2": `{"k":"a","n":2}`, "3": `{"k":"b","n":3}`} {
		s.do("PUT", "/i/_doc/"+id+"?refresh=true", source)
	}
	s.do("PUT", "/t/_doc/1?refresh=true", `{"tags":["b","a"],"line":"x,y"}`)
	if got := s.found("/i/_search", `{"query":{"agentic":{"query_text":"q"}}}`); got != "the query [agentic] is not supported by the embedded engine" {
		t.Error(got)
	}
	const byN = `"sort":["n"]`
	for _, c := range []struct{ name, index, search, pipeline, want string }{
		{"a filter", "i", byN, `"request_processors":[{"filter_query":{"query":{"term":{"k":"a"}}}}]`, `{"k":"a","n":1} {"k":"a","n":2}`},
		{"a filter beside a query", "i", `"query":{"range":{"n":{"gt":1}}}`, `"request_processors":[{"filter_query":{"query":{"term":{"k":"a"}}}}]`, `{"k":"a","n":2}`},
		{"more hits than asked for", "i", byN + `,"size":1`, `"request_processors":[{"oversample":{"sample_factor":1.5}}]`, `{"k":"a","n":1} {"k":"a","n":2}`},
		{"and cut off again", "i", byN + `,"size":1`, `"request_processors":[{"oversample":{"sample_factor":2,"context_prefix":"p"}}],"response_processors":[{"truncate_hits":{"context_prefix":"p"}}]`, `{"k":"a","n":1}`},
		{"hits cut off", "i", byN, `"response_processors":[{"truncate_hits":{"target_size":2}}]`, `{"k":"a","n":1} {"k":"a","n":2}`},
		{"cut off without a size", "i", byN, `"response_processors":[{"truncate_hits":{}}]`, `Must specify target_size unless an earlier processor set original_size`},
		{"a failure that is ignored", "i", byN + `,"size":1`, `"response_processors":[{"truncate_hits":{"ignore_failure":true}}]`, `{"k":"a","n":1}`},
		{"a field with another name", "i", byN + `,"size":1,"docvalue_fields":["k"]`, `"response_processors":[{"rename_field":{"field":"k","target_field":"key"}}]`, `{"n":1,"key":"a"}{"key":["a"]}`},
		{"a field that is missing", "i", byN + `,"size":1`, `"response_processors":[{"rename_field":{"field":"x","target_field":"y"}}]`, `Document with id 1 is missing field x`},
		{"a list in order", "t", `"_source":["tags"]`, `"response_processors":[{"sort":{"field":"tags"}}]`, `{"tags":["a","b"]}`},
		{"a text cut", "t", `"_source":["line"]`, `"response_processors":[{"split":{"field":"line","separator":",","target_field":"parts"}}]`, `{"line":"x,y","parts":["x","y"]}`},
		{"one hit of each value", "i", `"query":{"bool":{"should":[{"term":{"n":{"value":2,"boost":5}}},{"match_all":{}}]}}`, `"response_processors":[{"collapse":{"field":"k"}}]`, `{"k":"a","n":2} {"k":"b","n":3}`},
		{"nothing to enrich", "i", byN + `,"size":1`, `"request_processors":[{"neural_query_enricher":{"default_model_id":"m"}}]`, `{"k":"a","n":1}`},
		{"nothing to normalize", "i", byN + `,"size":1`, `"phase_results_processors":[{"normalization-processor":{"normalization":{"technique":"l2"},"combination":{"technique":"arithmetic_mean","parameters":{"weights":[0.3,0.7]}}}}]`, `{"k":"a","n":1}`},
		{"an answer of a model", "i", byN, `"response_processors":[{"retrieval_augmented_generation":{"model_id":"m","context_field_list":["k"]}}]`, `running the search processor [retrieval_augmented_generation] is not supported by the embedded engine`},
		{"no context without a field", "i", byN, `"response_processors":[{"retrieval_augmented_generation":{"model_id":"m","context_field_list":[]}}]`, `[context_field_list] required property can't be empty.`},
		{"nothing for an agent to translate", "i", byN + `,"size":1`, `"request_processors":[{"agentic_query_translator":{"agent_id":"a"}}],"response_processors":[{"agentic_context":{"dsl_query":true}}]`, `{"k":"a","n":1}`},
		{"hits in the order of a number", "i", byN, `"response_processors":[{"rerank":{"by_field":{"target_field":"n","remove_target_field":true}}}]`, `{"k":"b"} {"k":"a"} {"k":"a"}`},
		{"with the scores of before", "i", `"query":{"range":{"n":{"gt":1}}}`, `"response_processors":[{"rerank":{"by_field":{"target_field":"n","keep_previous_score":true}}}]`, `{"k":"b","n":3,"previous_score":1.0} {"k":"a","n":2,"previous_score":1.0}`},
		{"a number that is missing", "i", byN, `"response_processors":[{"rerank":{"by_field":{"target_field":"m.n"}}}]`, `The field to rerank [m.n] is not found at hit [0]`},
		{"a number that is none", "i", byN, `"response_processors":[{"rerank":{"by_field":{"target_field":"k"}}}]`, `The field mapping to rerank [k: a] is not of type Number`},
		{"no source to rerank", "i", byN + `,"_source":false`, `"response_processors":[{"rerank":{"by_field":{"target_field":"n"}}}]`, `There is no source field to be able to perform rerank on hit [0]`},
		{"the order of nothing", "i", byN, `"response_processors":[{"rerank":{"context":{}}}]`, `No rerank type found. Possible rerank types are: [ml_opensearch, by_field]`},
		{"two orders", "i", byN, `"response_processors":[{"rerank":{"by_field":{},"ml_opensearch":{}}}]`, `Multiple rerank types found: [ml_opensearch, by_field]. Only one is permitted.`},
		{"an order by texts of no field", "i", byN, `"response_processors":[{"rerank":{"ml_opensearch":{"model_id":"m"},"context":{"document_fields":[]}}}]`, `document_fields must be nonempty`},
		{"an order by texts without a query", "i", byN, `"response_processors":[{"rerank":{"ml_opensearch":{"model_id":"m"},"context":{"document_fields":["k"]}}}]`, `must specify query_context`},
		{"an unknown parameter", "i", byN, `"response_processors":[{"collapse":{"field":"k","tag":"t","colour":1}}]`, `processor [collapse:t] doesn't support one or more provided configuration parameters: [colour]`},
		{"a script", "i", byN, `"request_processors":[{"script":{"source":"x"}}]`, `the search processor [script] is not supported by the embedded engine`},
		{"a factor below one", "i", byN, `"request_processors":[{"oversample":{"sample_factor":0.5}}]`, `[sample_factor] Value must be >= 1.0`},
		{"an unknown technique", "i", byN, `"phase_results_processors":[{"normalization-processor":{"normalization":{"technique":"x"}}}]`, `provided normalization technique is not supported`},
		{"weights that do not add up", "i", byN, `"phase_results_processors":[{"normalization-processor":{"combination":{"parameters":{"weights":[0.3,0.3]}}}}]`, `sum of weights for combination must be equal to 1.0, submitted weights: [0.3, 0.3]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.found("/"+c.index+"/_search", `{`+c.search+`,"search_pipeline":{`+c.pipeline+`}}`); got != c.want {
				t.Errorf("in the request:\ngot  %s\nwant %s", got, c.want)
			}
			w := s.call("PUT", "/_search/pipeline/p", `{`+c.pipeline+`}`)
			if w.Code != 200 {
				if !strings.Contains(w.Body.String(), c.want) {
					t.Errorf("stored: %s", w.Body)
				}
				return
			}
			s.do("PUT", "/"+c.index+"/_settings", `{"index.search.default_pipeline":"p"}`)
			if got := s.found("/"+c.index+"/_search", `{`+c.search+`}`); got != c.want {
				t.Errorf("as the index's default:\ngot  %s\nwant %s", got, c.want)
			}
			s.do("PUT", "/"+c.index+"/_settings", `{"index.search.default_pipeline":null}`)
		})
	}
}
