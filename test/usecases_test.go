// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/flow/usecase"
)

// vectorService answers like the services of OpenAI, Cohere and Bedrock at once: a vector of three numbers for each
// text.
func vectorService(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var asked struct{ Input, Texts []string }
		_ = json.Unmarshal(body, &asked)
		var data, vectors []string
		for range max(len(asked.Input), len(asked.Texts), 1) {
			data, vectors = append(data, `{"embedding":[0.25,0.5,1]}`), append(vectors, `[0.25,0.5,1]`)
		}
		_, _ = fmt.Fprintf(w, `{"data":[%s],"embeddings":[%s],"embedding":[0.25,0.5,1]}`, strings.Join(data, ","), strings.Join(vectors, ","))
	}))
	t.Cleanup(s.Close)
	return s
}

// trustAll lets connectors call the test's own service.
func trustAll(p *Running) {
	p.t.Helper()
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.ml_commons.trusted_connector_endpoints_regex":[".*"],"plugins.ml_commons.connector.private_ip_enabled":true}}`), nil)
}

// made is a resource of a workflow.
type made struct {
	Type string `json:"resource_type"`
	ID   string `json:"resource_id"`
}

// mlKinds are the sorts of resources of ML Commons, as in its paths.
var mlKinds = map[string]string{"connector_id": "connectors", "model_id": "models", "agent_id": "agents"}

// embeddingModel registers a model that makes vectors.
func embeddingModel(p *Running, url string) string {
	p.t.Helper()
	var c struct {
		ID string `json:"connector_id"`
	}
	p.Must("POST", "/_plugins/_ml/connectors/_create", []byte(`{"name":"c","version":"1","protocol":"http","credential":{"k":"v"},"actions":[{"action_type":"predict","method":"POST",
		"url":"`+url+`","request_body":"{\"input\":${parameters.input}}","pre_process_function":"connector.pre_process.openai.embedding","post_process_function":"connector.post_process.openai.embedding"}]}`), &c)
	var m struct {
		ID string `json:"model_id"`
	}
	p.Must("POST", "/_plugins/_ml/models/_register", []byte(`{"name":"m","function_name":"remote","connector_id":"`+c.ID+`"}`), &m)
	return m.ID
}

// TestEveryUseCaseIsProvisionedAndTakenAway does so with no more than its required parameters and the address of a local
// service; where it makes an index of vectors, a document gets one.
func TestEveryUseCaseIsProvisionedAndTakenAway(t *testing.T) {
	if OnCluster() {
		t.Skip("the cluster has no ML Commons")
	}
	p := Program(t)
	trustAll(p)
	service := vectorService(t)
	parameters, err := json.Marshal(map[string]string{
		"create_connector.credential.key": "planted-key", "create_connector.credential.access_key": "planted-access",
		"create_connector.credential.secret_key": "planted-secret", "create_connector.credential.session_token": "planted-token",
		"create_ingest_pipeline.model_id": embeddingModel(p, service.URL), "reindex.source_index": "src",
		"create_connector.actions.url": service.URL, "create_bedrock_connector.actions.url": service.URL,
		"create_embedding_connector.actions.url": service.URL, "text_embedding.field_map.output.dimension": "3",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Must("PUT", "/src/_doc/1?refresh=true", []byte(`{"passage_text":"copied"}`), nil)
	for _, name := range usecase.Names() {
		t.Run(name, func(t *testing.T) {
			p.t = t
			var state struct {
				ID    string `json:"workflow_id"`
				State string
				Error string
				Made  []made `json:"resources_created"`
			}
			p.Must("POST", "/_plugins/_flow_framework/workflow?use_case="+name+"&provision=true&wait_for_completion_timeout=30s", parameters, &state)
			if state.State != "COMPLETED" {
				t.Fatalf("%s %s", state.State, state.Error)
			}
			searchesVectors(p, name, state.Made)
			var allowed []string
			for _, m := range state.Made {
				allowed = append(allowed, m.ID)
			}
			path := "/_plugins/_flow_framework/workflow/" + state.ID
			p.Must("POST", path+"/_deprovision?allow_delete="+strings.Join(allowed, ","), nil, nil)
			var after struct{ State string }
			p.Must("GET", path+"/_status", nil, &after)
			if after.State != "NOT_STARTED" {
				t.Errorf("after all was taken away it is %s", after.State)
			}
			for _, m := range state.Made {
				if kind := mlKinds[m.Type]; kind != "" {
					if status, body := p.Call("GET", "/_plugins/_ml/"+kind+"/"+m.ID, nil); status != http.StatusNotFound {
						t.Errorf("%s %s is left: %d %s", m.Type, m.ID, status, body)
					}
				}
			}
			p.Must("DELETE", path, nil, nil)
		})
	}
}

// searchesVectors stores a document in the index that a use case has made and looks for its vector.
func searchesVectors(p *Running, name string, resources []made) {
	p.t.Helper()
	i := slices.IndexFunc(resources, func(m made) bool { return m.Type == "index_name" })
	if i < 0 || strings.Contains(name, "local") || strings.Contains(name, "multimodal") {
		return // no index, or a model or processor that cannot run here
	}
	doc := "/" + resources[i].ID + "/_doc/1"
	if name != "semantic_search_with_reindex" { // the document came with the copy
		p.Must("PUT", doc, []byte(`{"passage_text":"hello"}`), nil)
	}
	var found struct {
		Source struct {
			Vector []float32 `json:"passage_embedding"`
		} `json:"_source"`
	}
	p.Must("GET", doc, nil, &found)
	if !slices.Equal(found.Source.Vector, []float32{0.25, 0.5, 1}) {
		p.t.Errorf("the document's vector is %v", found.Source.Vector)
	}
}
