// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
)

// TestPipelinesAndReindexingOnTheEngine runs the steps of pipelines and of reindexing against the embedded engine.
func TestPipelinesAndReindexingOnTheEngine(t *testing.T) {
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	client := opensearch.NewClient(opensearch.InProcess(e))
	env := step.Env{Client: client, Note: func(context.Context, any) error { return nil }}
	do := func(method, path string, body, out any) {
		t.Helper()
		if err := client.Do(t.Context(), opensearch.Call{Method: method, Path: path, Body: body}, out); err != nil {
			t.Fatal(method, path, err)
		}
	}
	do("PUT", "/from", map[string]any{"settings": map[string]any{"number_of_replicas": 0}}, nil)
	do("PUT", "/from/_doc/1", map[string]any{"name": "Ada"}, nil)
	do("POST", "/from/_refresh", nil, nil)
	for _, c := range []struct {
		name, step, inputs string
		adopted            bool
		status             int // of the failure; 0 if there is none
		reason             string
	}{
		{"an ingest pipeline is made", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"processors":[{"lowercase":{"field":"name"}}]}}`, false, 0, ""},
		{"an equal one is adopted", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"processors":[{"lowercase":{"field":"name"}}]}}`, true, 0, ""},
		{"another one is left alone", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"processors":[]}}`, false, http.StatusBadRequest, `exists and differs`},
		{"it is changed", "update_ingest_pipeline", `{"pipeline_id":"p","configurations":{"processors":[{"uppercase":{"field":"name"}}]}}`, false, 0, ""},
		{"an unknown processor", "create_ingest_pipeline", `{"pipeline_id":"q","configurations":{"processors":[{"x":{}}]}}`, false, http.StatusBadRequest, `^No processor type exists with name \[x\]$`},
		{"a search pipeline is made", "create_search_pipeline", `{"pipeline_id":"s","configurations":{"phase_results_processors":[{"normalization-processor":{"combination":{"technique":"arithmetic_mean","parameters":{"weights":"[0.3, 0.7]"}}}}]}}`, false, 0, ""},
		{"an unknown search processor", "create_search_pipeline", `{"pipeline_id":"q","configurations":{"request_processors":[{"x":{}}]}}`, false, http.StatusBadRequest, `^Invalid processor type x$`},
		{"an index with pipelines of its own", "create_index", `{"index_name":"to","configurations":{"settings":{"default_pipeline":"p","index.search.default_pipeline":"s","number_of_replicas":0}}}`, false, 0, ""},
		{"documents are copied through them", "reindex", `{"source_index":"from","destination_index":"to","refresh":"true","requests_per_second":"-1","slices":"1"}`, false, 0, ""},
		{"from an index that is not there", "reindex", `{"source_index":"nowhere","destination_index":"to"}`, false, http.StatusNotFound, `^Failed to reindex from source nowhere to to$`},
		{"into an index that refuses them", "reindex", `{"source_index":"from","destination_index":"UPPER"}`, false, http.StatusBadRequest, ``},
		{"the search pipeline is deleted", "delete_search_pipeline", `{"pipeline_id":"s"}`, false, 0, ""},
	} {
		found, _ := step.Find(c.step)
		result, err := found.Run(t.Context(), env, inputs(t, c.inputs))
		switch f := fault.Of(err); {
		case c.status == 0 && (err != nil || result.Adopted != c.adopted):
			t.Errorf("%s: adopted %v, %v", c.name, result.Adopted, err)
		case c.status != 0 && (err == nil || f.Status != c.status || !regexp.MustCompile(c.reason).MatchString(f.Reason)):
			t.Errorf("%s: got %v, want %d %s", c.name, err, c.status, c.reason)
		}
	}
	var doc struct {
		Source struct{ Name string } `json:"_source"`
	}
	do("GET", "/to/_doc/1", nil, &doc)
	if doc.Source.Name != "ADA" {
		t.Errorf("the copy is %+v", doc)
	}
	status, _, _, err := client.Send(t.Context(), opensearch.Call{Method: "GET", Path: "/_search/pipeline/s"})
	if err != nil || status != http.StatusNotFound {
		t.Errorf("the search pipeline is still there: %d %v", status, err)
	}
}
