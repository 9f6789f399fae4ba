// SPDX-License-Identifier: Apache-2.0

package test

import (
	"net/http"
	"strings"
	"testing"
)

// remoteModel makes a connector and a model behind it, which it deploys.
const remoteModel = `{"name":"t","workflows":{"provision":{"nodes":[
	{"id":"connector","type":"create_connector","user_inputs":{"name":"c","description":"d","version":"1","protocol":"http","parameters":{"model":"m"},
		"credential":{"key":"k"},"actions":[{"action_type":"predict","method":"POST","url":"https://api.openai.com/v1/x","request_body":"{}"}]}},
	{"id":"model","type":"register_remote_model","previous_node_inputs":{"connector":"connector_id"},"user_inputs":{"name":"m"}},
	{"id":"deploy","type":"deploy_model","previous_node_inputs":{"model":"model_id"}}]}}}`

func TestWhatIsInUseStaysUntilItIsFree(t *testing.T) {
	if OnCluster() {
		t.Skip("a bare cluster has no ML Commons")
	}
	p := Program(t)
	id := p.createWorkflow([]byte(remoteModel))
	if code, answer := p.provision(id, ""); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, answer)
	}
	ids := map[string]string{}
	for _, r := range p.wantState(id, "COMPLETED", "connector", "deploy", "model").Resources {
		ids[r.Node] = r.ID
	}
	var other struct {
		ID string `json:"model_id"`
	}
	p.Must("POST", "/_plugins/_ml/models/_register", []byte(`{"name":"other","function_name":"remote","connector_id":"`+ids["connector"]+`"}`), &other)

	code, answer := p.Call("POST", workflows+"/"+id+"/_deprovision", nil)
	if want := `{"error":"Failed to deprovision some resources: [connector_id ` + ids["connector"] + `]."}`; code != http.StatusAccepted || string(answer) != want {
		t.Errorf("%d %s, want 202 %s", code, answer, want)
	}
	p.wantState(id, "COMPLETED", "connector")
	if code, answer := p.Call("GET", "/_plugins/_ml/models/"+ids["model"], nil); code != http.StatusNotFound {
		t.Errorf("the model that was deployed is still there: %d %s", code, answer)
	}
	p.Must("DELETE", "/_plugins/_ml/models/"+other.ID, nil, nil)
	if code, answer := p.Call("POST", workflows+"/"+id+"/_deprovision", nil); code != http.StatusOK || !strings.Contains(string(answer), id) {
		t.Errorf("%d %s", code, answer)
	}
	p.wantState(id, "NOT_STARTED")
	if code, answer := p.Call("GET", "/_plugins/_ml/connectors/"+ids["connector"], nil); code != http.StatusNotFound {
		t.Errorf("the connector is still there: %d %s", code, answer)
	}
}
