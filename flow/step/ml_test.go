// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/secret"
)

// mlWorld is an engine on which steps run; losing makes it keep the answers to itself that create something.
type mlWorld struct {
	t       *testing.T
	client  *opensearch.Client
	losing  bool
	note    json.RawMessage
	claimed []string
}

func newMLWorld(t *testing.T) *mlWorld {
	t.Helper()
	line, err := secret.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Parse([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Options{Dir: t.TempDir(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &mlWorld{t: t}
	inner := opensearch.InProcess(e)
	w.client = opensearch.NewClient(roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := inner.RoundTrip(r)
		if w.losing && r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "_create") || strings.HasSuffix(r.URL.Path, "_register")) {
			_ = res.Body.Close()
			return nil, errors.New("the connection was lost")
		}
		return res, err
	}))
	err = w.client.Do(t.Context(), opensearch.Call{Method: "PUT", Path: "/_cluster/settings", Body: json.RawMessage(
		`{"transient":{"plugins.ml_commons.trusted_connector_endpoints_regex":".*","plugins.ml_commons.allow_registering_model_via_url":true}}`)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// env is what a node sees; previous are "input: output" of one predecessor called before.
func (w *mlWorld) env(node *flow.Node, before map[string]flow.Outputs) step.Env {
	return step.Env{
		Client: w.client, Node: flow.Planned{Node: node}, Before: before,
		Note: func(_ context.Context, v any) (err error) {
			w.note, err = json.Marshal(v)
			return err
		},
		Claimed: func(_ context.Context, resource, id string) (bool, error) {
			for _, c := range w.claimed {
				if c == resource+" "+id {
					return true, nil
				}
			}
			return false, nil
		},
	}
}

func (w *mlWorld) run(name, in string) (step.Result, error) {
	w.t.Helper()
	found, ok := step.Find(name)
	if !ok {
		w.t.Fatalf("no step %s", name)
	}
	return found.Run(w.t.Context(), w.env(&flow.Node{ID: "n"}, nil), inputs(w.t, in))
}

// made is an output of a step that has to succeed.
func (w *mlWorld) made(name, in, output string) string {
	w.t.Helper()
	res, err := w.run(name, in)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	id, _ := res.Outputs[output].(string)
	if id == "" {
		w.t.Fatalf("%s gives %v", name, res.Outputs)
	}
	return id
}

// get is the part of a resource that filter names.
func (w *mlWorld) get(path, filter string) string {
	w.t.Helper()
	_, _, body, err := w.client.Send(w.t.Context(), opensearch.Call{
		Method: "GET", Path: "/_plugins/_ml/" + path, Query: url.Values{"filter_path": {filter}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

const aConnector = `{"name":"c","description":"d","version":1,"protocol":"http","parameters":{"endpoint":"127.0.0.1:1","n":5},"credential":{"key":"secret"},
	"actions":[{"action_type":"predict","method":"POST","url":"https://${parameters.endpoint}/v1","headers":{"Authorization":"Bearer ${credential.key}"},"request_body":"{}"}],
	"client_config":{"read_timeout":"5"}}`

func TestMLResourcesAreMadeAndTakenAway(t *testing.T) {
	w := newMLWorld(t)
	c := w.made("create_connector", aConnector, "connector_id")
	g := w.made("register_model_group", `{"name":"g","description":"d"}`, "model_group_id")
	m := w.made("register_remote_model", `{"name":"m","connector_id":"`+c+`","model_group_id":"`+g+`","description":"d","deploy":"true"}`, "model_id")
	if got := w.made("deploy_model", `{"model_id":"`+m+`"}`, "model_id"); got != m {
		t.Errorf("deployed %s", got)
	}
	a := w.made("register_agent", `{"name":"a","type":"flow","parameters":{"p":"1"},"memory":{"type":"conversation_index","window_size":3}}`, "agent_id")
	var local []string
	for name, in := range map[string]string{
		"register_local_pretrained_model":      `{"name":"huggingface/x","version":"1.0.2","model_format":"TORCH_SCRIPT","deploy":false}`,
		"register_local_sparse_encoding_model": `{"name":"amazon/y","version":"1.0.1","model_format":"TORCH_SCRIPT","function_name":"sparse_encoding"}`,
		"register_local_custom_model": `{"name":"z","version":"1","model_format":"ONNX","function_name":"text_embedding","model_content_hash_value":"h","url":"https://x/y.zip",
			"model_type":"bert","embedding_dimension":"384","framework_type":"sentence_transformers","model_config":{"all_config":"{}"}}`,
	} {
		local = append(local, w.made(name, in, "model_id"))
	}
	_, err := w.run("delete_model", `{"model_id":"`+m+`"}`)
	wantFailure(t, err, 400, "Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete")
	if _, err := w.run("delete_model_group", `{"model_group_id":"`+g+`"}`); err != nil {
		t.Errorf("a group that is not empty stays: %v", err)
	}
	if got := w.get("model_groups/"+g, "name"); got != `{"name":"g"}` {
		t.Errorf("the group is %s", got)
	}
	_, err = w.run("delete_connector", `{"connector_id":"`+c+`"}`)
	wantFailure(t, err, 409, "1 models are still using this connector, please delete or update the models first: ["+m+"]")
	for range 2 { // the second time they are gone, which is no failure
		for _, undo := range [][2]string{
			{"delete_agent", `{"agent_id":"` + a + `"}`},
			{"undeploy_model", `{"model_id":"` + m + `"}`},
			{"delete_model", `{"model_id":"` + m + `"}`},
			{"delete_model", `{"model_id":"` + local[0] + `"}`},
			{"delete_model", `{"model_id":"` + local[1] + `"}`},
			{"delete_model", `{"model_id":"` + local[2] + `"}`},
			{"delete_model_group", `{"model_group_id":"` + g + `"}`},
			{"delete_connector", `{"connector_id":"` + c + `"}`},
		} {
			if _, err := w.run(undo[0], undo[1]); err != nil {
				t.Errorf("%s: %v", undo[0], err)
			}
		}
	}
}

func wantFailure(t *testing.T, err error, status int, reason string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Status != status || f.Reason != reason || f.Type != step.Class {
		t.Errorf("got %v, want %d %s", err, status, reason)
	}
}

func TestARegistrationThatDeploysRecordsBoth(t *testing.T) {
	w := newMLWorld(t)
	c := w.made("create_connector", aConnector, "connector_id")
	res, err := w.run("register_remote_model", `{"name":"m","connector_id":"`+c+`","deploy":true}`)
	if err != nil {
		t.Fatal(err)
	}
	id := res.Outputs["model_id"].(string)
	if diff := cmp.Diff([]flow.Resource{{Step: "deploy_model", Type: "model_id", ID: id}}, res.Also); diff != "" {
		t.Error(diff)
	}
	if got := w.get("models/"+id, "model_state"); got != `{"model_state":"DEPLOYED"}` {
		t.Error(got)
	}
}

// TestWhatALostAttemptMadeIsFound loses the answer to each creation, among namesakes of before and of others.
func TestWhatALostAttemptMadeIsFound(t *testing.T) {
	w := newMLWorld(t)
	c := w.made("create_connector", strings.Replace(aConnector, `"name":"c"`, `"name":"other"`, 1), "connector_id")
	for _, s := range []struct{ name, in, differs, resource string }{
		{"create_connector", aConnector, strings.Replace(aConnector, `"d"`, `"else"`, 1), "connector_id"},
		{"register_remote_model", `{"name":"m","connector_id":"` + c + `","description":"d"}`, `{"name":"m","connector_id":"` + c + `","description":"else"}`, "model_id"},
		{"register_local_pretrained_model", `{"name":"l","version":"1","model_format":"ONNX"}`, `{"name":"l","version":"1","model_format":"TORCH_SCRIPT"}`, "model_id"},
		{"register_agent", `{"name":"a","type":"flow","description":"d"}`, `{"name":"a","type":"flow","description":"else"}`, "agent_id"},
	} {
		t.Run(s.name, func(t *testing.T) {
			w.t = t
			found, _ := step.Find(s.name)
			look := func() (step.Result, error) {
				return found.Look(t.Context(), w.env(&flow.Node{ID: "n"}, nil), inputs(t, s.in), w.note)
			}
			w.note = nil
			if _, err := look(); !errors.Is(err, step.ErrNotMade) {
				t.Errorf("before anything: %v", err)
			}
			earlier := w.made(s.name, s.in, s.resource)
			w.losing = true
			if _, err := w.run(s.name, s.in); err == nil {
				t.Error("the lost answer is no failure")
			}
			w.losing = false
			note := w.note
			theirs := w.made(s.name, s.differs, s.resource)
			w.note = note
			res, err := look()
			id, _ := res.Outputs[s.resource].(string)
			if err != nil || id == "" || id == earlier || id == theirs {
				t.Fatalf("found %v, %v; %s was there before, %s differs", res.Outputs, err, earlier, theirs)
			}
			w.claimed = []string{s.resource + " " + id}
			if _, err := look(); !errors.Is(err, step.ErrNotMade) {
				t.Errorf("what another workflow has recorded: %v", err)
			}
			w.claimed = nil
			second := w.made(s.name, s.in, s.resource)
			w.note = note
			_, err = look()
			if f := fault.Of(err); f == nil || f.Status != http.StatusConflict || !strings.Contains(f.Reason, id) || !strings.Contains(f.Reason, second) {
				t.Errorf("two candidates: %v", err)
			}
		})
	}
}

func TestALostGroupIsFound(t *testing.T) {
	w := newMLWorld(t)
	w.losing = true
	if _, err := w.run("register_model_group", `{"name":"g"}`); err == nil {
		t.Error("the lost answer is no failure")
	}
	found, _ := step.Find("register_model_group")
	res, err := found.Look(t.Context(), w.env(&flow.Node{ID: "n"}, nil), inputs(t, `{"name":"g"}`), w.note)
	if err != nil || res.Outputs["model_group_id"] == "" {
		t.Errorf("%v, %v", res.Outputs, err)
	}
}

func TestMLStepsRefuseWhatTheyCannotSend(t *testing.T) {
	for _, c := range []struct {
		name, step, in string
		status         int
		reason         string
	}{
		{"actions that are none", "create_connector", `{"name":"c","parameters":{},"credential":{"k":"v"},"actions":"x"}`, 400, "IllegalArgumentException in connector configuration"},
		{"an action without a type", "create_connector", `{"name":"c","parameters":{},"credential":{"k":"v"},"actions":[{"method":"POST"}]}`, 400, "IllegalArgumentException in connector configuration"},
		{"a credential that is none", "create_connector", `{"name":"c","parameters":{},"credential":"x","actions":[{"action_type":"predict"}]}`, 400, "IllegalArgumentException in connector configuration"},
		{"another format", "register_local_pretrained_model", `{"name":"m","version":"1","model_format":"torch_script"}`, 400, "Wrong model format"},
		{"an interface that is none", "register_remote_model", `{"name":"m","connector_id":"c","interface":"{"}`, 400, "Failed to create model interface"},
		{"a flag that is none", "register_remote_model", `{"name":"m","connector_id":"c","deploy":"yes"}`, 400, "Failed to parse value [yes] as only [true] or [false] are allowed."},
		{"parameters of an agent that are none", "register_agent", `{"name":"a","type":"flow","parameters":"x"}`, 400, "[parameters] must be a key-value map."},
		{"parameters of a model that nest", "register_agent", `{"name":"a","type":"flow","llm":{"model_id":"m","parameters":{"a":{}}}}`, 400, "llm field [parameters] must be a string to string map"},
		{"a context that is not JSON", "register_agent", `{"name":"a","type":"flow","context_management":"x"}`, 400, "Failed to parse context_management field: it is not an object"},
		{"an id that climbs", "delete_connector", `{"connector_id":"../models/x"}`, 400, "Input [connector_id] does not name one resource: [../models/x]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := run(t, c.step, &script{}, c.in)
			wantFailure(t, err, c.status, c.reason)
		})
	}
}

func TestMLStepsFailAsThePluginWordsIt(t *testing.T) {
	const local = `{"name":"m","version":"1","model_format":"ONNX"}`
	for _, c := range []struct{ step, in, call, text string }{
		{"create_connector", aConnector, "POST /_plugins/_ml/connectors/_create", "Failed to create connector"},
		{"register_model_group", `{"name":"g"}`, "POST /_plugins/_ml/model_groups/_register", "Failed to register model group"},
		{"register_remote_model", `{"name":"m","connector_id":"c"}`, "POST /_plugins/_ml/models/_register", "Failed to register remote model"},
		{"register_local_pretrained_model", local, "POST /_plugins/_ml/models/_register", "Failed to register local model in step n"},
		{"register_local_sparse_encoding_model", local, "POST /_plugins/_ml/models/_register", "Failed to register local model in step n"},
		{"deploy_model", `{"model_id":"M"}`, "POST /_plugins/_ml/models/M/_deploy", "Failed to deploy model M"},
		{"undeploy_model", `{"model_id":"M"}`, "POST /_plugins/_ml/models/M/_undeploy", "Failed to undeploy model M"},
		{"delete_model", `{"model_id":"M"}`, "DELETE /_plugins/_ml/models/M", "Failed to delete model M"},
		{"delete_connector", `{"connector_id":"C"}`, "DELETE /_plugins/_ml/connectors/C", "Failed to delete connector C"},
		{"register_agent", `{"name":"a","type":"flow"}`, "POST /_plugins/_ml/agents/_register", "Failed to register the agent"},
		{"delete_agent", `{"agent_id":"A"}`, "DELETE /_plugins/_ml/agents/A", "Failed to delete agent A"},
	} {
		for answer, want := range map[string]struct {
			status int
			reason string
		}{
			`403 {"error":{"type":"security_exception","reason":"no permissions"},"status":403}`:           {500, c.text},
			`500 {"error":{"type":"null_pointer_exception","reason":"secret internals"},"status":500}`:     {500, c.text},
			`400 {"error":{"type":"illegal_argument_exception","reason":"not like this"},"status":400}`:    {400, "not like this"},
			`403 {"error":{"type":"status_exception","reason":"You don't have permissions"},"status":403}`: {403, "You don't have permissions"},
		} {
			t.Run(c.step+" "+answer[:3]+" "+want.reason, func(t *testing.T) {
				client := opensearch.NewClient(roundTripper(func(r *http.Request) (*http.Response, error) {
					s := script{answers: map[string]string{r.Method + " " + r.URL.RequestURI(): `200 {"hits":{"hits":[]}}`}}
					s.answers[c.call] = answer
					return s.RoundTrip(r)
				}))
				found, _ := step.Find(c.step)
				env := step.Env{Client: client, Note: func(context.Context, any) error { return nil }, Node: flow.Planned{Node: &flow.Node{ID: "n"}}}
				_, err := found.Run(t.Context(), env, inputs(t, c.in))
				wantFailure(t, err, want.status, want.reason)
			})
		}
	}
}

func TestToolsReachTheirAgentInTheOrderItAsksFor(t *testing.T) {
	w := newMLWorld(t)
	tool := func(in string, before map[string]flow.Outputs, previous ...flow.Param) flow.Outputs {
		found, _ := step.Find("create_tool")
		res, err := found.Run(t.Context(), w.env(&flow.Node{ID: "n", Previous: previous}, before), inputs(t, in))
		if err != nil {
			t.Fatal(err)
		}
		return res.Outputs
	}
	before := map[string]flow.Outputs{
		"model": {"model_id": "M"},
		"one":   tool(`{"type":"MLModelTool","parameters":{"p":"x"},"include_output_in_agent_response":"true","config":{}}`, map[string]flow.Outputs{"model": {"model_id": "M"}}, flow.Param{Name: "model", Value: "model_id"}),
		"two":   tool(`{"type":"ListIndexTool","name":"lt","parameters":{}}`, nil),
		"three": tool(`{"type":"CatIndexTool","attributes":{"a":"b"}}`, nil),
	}
	node := &flow.Node{ID: "agent", Previous: []flow.Param{
		{Name: "one", Value: "tools"}, {Name: "two", Value: "tools"}, {Name: "three", Value: "tools"}, {Name: "model", Value: "model_id"},
	}}
	found, _ := step.Find("register_agent")
	res, err := found.Run(t.Context(), w.env(node, before), inputs(t, `{"name":"a","type":"conversational","tools_order":["three","nobody"],"llm":{"parameters":{"max_iteration":"5"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"llm":{"model_id":"M","parameters":{"max_iteration":"5"}},"tools":[` +
		`{"type":"CatIndexTool","attributes":{"a":"b"},"include_output_in_agent_response":false},` +
		`{"type":"MLModelTool","parameters":{"p":"x","model_id":"M"},"include_output_in_agent_response":true},` +
		`{"type":"ListIndexTool","name":"lt","include_output_in_agent_response":false}]}`
	got := w.get("agents/"+res.Outputs["agent_id"].(string), "llm,tools")
	var g, e any
	if json.Unmarshal([]byte(got), &g) != nil || json.Unmarshal([]byte(want), &e) != nil {
		t.Fatal(got)
	}
	if diff := cmp.Diff(e, g); diff != "" {
		t.Error(diff)
	}
}

func TestTasksAreWaitedForAndTheirFailuresTold(t *testing.T) {
	for _, c := range []struct {
		name   string
		states []string
		status int
		reason string // "" for success
	}{
		{"one that runs for a while", []string{`{"state":"CREATED"}`, `{"state":"RUNNING"}`, `{"state":"COMPLETED","model_id":"M"}`}, 0, ""},
		{"one that fails", []string{`{"state":"FAILED","error":"no such model"}`}, 400, "Local model registration failed with error : no such model"},
		{"one that is cancelled", []string{`{"state":"CANCELLED"}`}, 408, "Local model registration task was cancelled."},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				states := c.states
				client := opensearch.NewClient(roundTripper(func(r *http.Request) (*http.Response, error) {
					body := `{"hits":{"hits":[]}}`
					switch {
					case strings.HasSuffix(r.URL.Path, "_register"):
						body = `{"task_id":"T","status":"CREATED"}`
					case strings.HasSuffix(r.URL.Path, "/tasks/T"):
						body, states = states[0], states[1:]
					}
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
				}))
				found, _ := step.Find("register_local_pretrained_model")
				env := step.Env{Client: client, Poll: 5 * time.Second, Note: func(context.Context, any) error { return nil }, Node: flow.Planned{Node: &flow.Node{ID: "n"}}}
				res, err := found.Run(t.Context(), env, inputs(t, `{"name":"l","version":"1","model_format":"ONNX"}`))
				if c.reason != "" {
					wantFailure(t, err, c.status, c.reason)
				} else if err != nil || res.Outputs["model_id"] != "M" {
					t.Errorf("%v, %v", res.Outputs, err)
				}
			})
		})
	}
}
