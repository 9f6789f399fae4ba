// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test"
)

// cluster is the embedded engine, or the real cluster if there is one.
type cluster struct {
	*testing.T
	client *opensearch.Client
	env    step.Env
	// named replaces NAME by what begins the names of this test.
	named func(string) string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	prefix := "t" + strings.ToLower(rand.Text()[:8])
	c := cluster{T: t, client: opensearch.NewClient(backend(t)), named: strings.NewReplacer("NAME", prefix).Replace}
	c.env = step.Env{Client: c.client, Note: func(context.Context, any) error { return nil }}
	t.Cleanup(func() {
		for _, path := range []string{"/NAME*", "/_ingest/pipeline/NAME*", "/_search/pipeline/NAME*"} {
			_ = c.client.Do(context.Background(), opensearch.Call{Method: "DELETE", Path: c.named(path)}, nil) // there may be none
		}
	})
	return c
}

func backend(t *testing.T) http.RoundTripper {
	t.Helper()
	if test.OnCluster() {
		url := os.Getenv(test.ClusterVariable)
		test.Alone(t, url)
		network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = network.(io.Closer).Close() })
		return network
	}
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return opensearch.InProcess(e)
}

func (c cluster) do(method, path string, body, out any) {
	c.Helper()
	if err := c.client.Do(context.Background(), opensearch.Call{Method: method, Path: c.named(path), Body: body}, out); err != nil {
		c.Fatal(method, path, err)
	}
}

// stepCase runs one step, and says what comes of it.
type stepCase struct {
	name, step, inputs string
	adopted            bool
	status             int    // of the failure; 0 if there is none
	reason             string // a pattern of its text
}

func (c cluster) run(cases []stepCase) {
	c.Helper()
	for _, s := range cases {
		found, _ := step.Find(s.step)
		result, err := found.Run(context.Background(), c.env, inputs(c.T, c.named(s.inputs)))
		switch f := fault.Of(err); {
		case s.status == 0 && (err != nil || result.Adopted != s.adopted):
			c.Errorf("%s: adopted %v, %v", s.name, result.Adopted, err)
		case s.status != 0 && (err == nil || f.Status != s.status || !regexp.MustCompile(c.named(s.reason)).MatchString(f.Reason)):
			c.Errorf("%s: got %v, want %d %s", s.name, err, s.status, s.reason)
		}
	}
}

func TestAnIndexLivesAndDies(t *testing.T) {
	newCluster(t).run([]stepCase{
		{"it is made", "create_index", `{"index_name":"NAME","configurations":{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"a":{"type":"keyword"}}}}}`, false, 0, ""},
		{"it is not made twice", "create_index", `{"index_name":"NAME","configurations":{}}`, false, 400, `^index \[NAME/[\w-]{22}\] already exists$`},
		{"but taken over", "create_index", `{"index_name":"NAME","configurations":{},"adopt":true}`, true, 0, ""},
		{"its settings change", "update_index", `{"index_name":"NAME","configurations":{"settings":{"index":{"number_of_replicas":1}}}}`, false, 0, ""},
		{"and not twice", "update_index", `{"index_name":"NAME","configurations":{"settings":{"number_of_replicas":"1"}}}`, false, 400, `no settings have been updated$`},
		{"it is deleted", "delete_index", `{"index_name":"NAME"}`, false, 0, ""},
		{"and again, which is no failure", "delete_index", `{"index_name":"NAME"}`, false, 0, ""},
		{"there is nothing to update", "update_index", `{"index_name":"NAME","configurations":{"settings":{"number_of_replicas":1}}}`, false, 500, `^Failed to retrieve the index settings for index NAME$`},
		{"a bad setting makes nothing", "create_index", `{"index_name":"NAME","configurations":{"settings":{"number_of_shards":"many"}}}`, false, 400, `^Failed to parse value \[many\] for setting \[index.number_of_shards\]$`},
	})
}

func TestPipelinesLiveAndDieAndDocumentsAreCopiedThroughThem(t *testing.T) {
	c := newCluster(t)
	c.do("PUT", "/NAME-from", map[string]any{"settings": map[string]any{"number_of_replicas": 0}}, nil)
	c.do("PUT", "/NAME-from/_doc/1", map[string]any{"name": "Ada"}, nil)
	c.do("POST", "/NAME-from/_refresh", nil, nil)
	const search = `{"pipeline_id":"NAME-s","configurations":{"description":"first","response_processors":[]}}`
	c.run([]stepCase{
		{"an ingest pipeline is made", "create_ingest_pipeline", `{"pipeline_id":"NAME-p","configurations":{"processors":[{"lowercase":{"field":"name"}}]}}`, false, 0, ""},
		{"an equal one is adopted", "create_ingest_pipeline", `{"pipeline_id":"NAME-p","configurations":{"processors":[{"lowercase":{"field":"name"}}]}}`, true, 0, ""},
		{"another one is left alone", "create_ingest_pipeline", `{"pipeline_id":"NAME-p","configurations":{"processors":[]}}`, false, 400, `exists and differs`},
		{"it is changed", "update_ingest_pipeline", `{"pipeline_id":"NAME-p","configurations":{"processors":[{"uppercase":{"field":"name"}}]}}`, false, 0, ""},
		{"an unknown processor", "create_ingest_pipeline", `{"pipeline_id":"NAME-q","configurations":{"processors":[{"x":{}}]}}`, false, 400, `^No processor type exists with name \[x\]$`},
		{"a search pipeline is made", "create_search_pipeline", search, false, 0, ""},
		{"an equal one is adopted", "create_search_pipeline", search, true, 0, ""},
		{"it is changed", "update_search_pipeline", strings.Replace(search, "first", "second", 1), false, 0, ""},
		{"an unknown search processor", "create_search_pipeline", `{"pipeline_id":"NAME-q","configurations":{"request_processors":[{"x":{}}]}}`, false, 400, `^Invalid processor type x$`},
		{"an index with pipelines of its own", "create_index", `{"index_name":"NAME-to","configurations":{"settings":{"default_pipeline":"NAME-p","index.search.default_pipeline":"NAME-s","number_of_replicas":0}}}`, false, 0, ""},
		{"documents are copied through them", "reindex", `{"source_index":"NAME-from","destination_index":"NAME-to","refresh":"true","requests_per_second":"-1","slices":"1"}`, false, 0, ""},
		{"from an index that is not there", "reindex", `{"source_index":"NAME-nowhere","destination_index":"NAME-to"}`, false, 404, `^Failed to reindex from source NAME-nowhere to NAME-to$`},
		{"into an index that refuses them", "reindex", `{"source_index":"NAME-from","destination_index":"NAME-UPPER"}`, false, 400, ``},
	})
	var doc struct {
		Source struct{ Name string } `json:"_source"`
	}
	c.do("GET", "/NAME-to/_doc/1", nil, &doc)
	if doc.Source.Name != "ADA" {
		t.Errorf("the copy is %+v", doc)
	}
	c.run([]stepCase{
		{"the search pipeline is deleted", "delete_search_pipeline", `{"pipeline_id":"NAME-s"}`, false, 0, ""},
		{"and again, which is no failure", "delete_search_pipeline", `{"pipeline_id":"NAME-s"}`, false, 0, ""},
		{"the index is deleted, which named the ingest pipeline", "delete_index", `{"index_name":"NAME-to"}`, false, 0, ""},
		{"and the ingest pipeline", "delete_ingest_pipeline", `{"pipeline_id":"NAME-p"}`, false, 0, ""},
	})
	for _, path := range []string{"/NAME-to", "/_search/pipeline/NAME-s", "/_ingest/pipeline/NAME-p"} {
		status, _, _, err := c.client.Send(t.Context(), opensearch.Call{Method: "GET", Path: c.named(path)})
		if err != nil || status != http.StatusNotFound {
			t.Errorf("%s is still there: %d %v", path, status, err)
		}
	}
}
