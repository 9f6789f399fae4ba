// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
)

// planted is a credential that nobody may ever see.
const planted = "sk-planted-secret-0123456789"

// remote is a service that connectors call; it keeps what it was asked.
type remote struct {
	*httptest.Server
	answer string
	status int
	bodies []string
	header http.Header
}

func serve(t *testing.T, answer string) *remote {
	t.Helper()
	m := &remote{answer: answer, status: http.StatusOK}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.bodies, m.header = append(m.bodies, string(body)), r.Header
		w.WriteHeader(m.status)
		_, _ = io.WriteString(w, strings.ReplaceAll(m.answer, "{auth}", r.Header.Get("Authorization")))
	}))
	t.Cleanup(m.Close)
	return m
}

// mlServer is an engine whose connectors may call the test's own services.
func mlServer(t *testing.T) server {
	t.Helper()
	s := start(t, engine.Options{Keys: keyring(t)})
	s.trust()
	return s
}

func (s server) trust() {
	s.t.Helper()
	s.do("PUT", "/_cluster/settings", `{"transient":{"plugins.ml_commons.trusted_connector_endpoints_regex":[".*"],"plugins.ml_commons.connector.private_ip_enabled":true}}`)
}

// made is a member of the answer to a request that has to succeed.
func (s server) made(method, path, body, member string) string {
	s.t.Helper()
	w := s.call(method, path, body)
	var o map[string]any
	if w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &o) != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	text, _ := o[member].(string)
	if text == "" {
		s.t.Fatalf("%s %s: no %s in %s", method, path, member, w.Body)
	}
	return text
}

// connector is the body of a connector to an embedding service.
func connector(url string) string {
	return `{"name":"c","description":"d","version":1,"protocol":"http","parameters":{"model":"m","size":3},
		"credential":{"key":"` + planted + `"},"actions":[{"action_type":"predict","method":"POST","url":"` + url + `/v1/embed",
		"headers":{"Authorization":"Bearer ${credential.key}"},"request_body":"{\"texts\":${parameters.texts},\"model\":\"${parameters.model}\"}",
		"pre_process_function":"connector.pre_process.cohere.embedding","post_process_function":"connector.post_process.cohere.embedding"}]}`
}

// wants compares an answer; numbers of ten and more digits are times, and ids have a name.
func wants(t *testing.T, w *httptest.ResponseRecorder, status int, want string, ids ...string) {
	t.Helper()
	got := regexp.MustCompile(`\d{10,}`).ReplaceAllString(w.Body.String(), "0")
	for i, id := range ids {
		got = strings.ReplaceAll(got, id, "ID"+string(rune('1'+i)))
	}
	if w.Code != status || got != want {
		t.Errorf("%d %s\nwant %d %s", w.Code, got, status, want)
	}
}

func reason(typ, text string, status string) string {
	return `{"error":{"root_cause":[{"type":"` + typ + `","reason":"` + text + `"}],"type":"` + typ + `","reason":"` + text + `"},"status":` + status + `}`
}

func TestARemoteModelLivesAndDies(t *testing.T) {
	s := mlServer(t)
	service := serve(t, `{"embeddings":[[0.5,-1.25,3],[1,2,3e-2]]}`)
	c := s.made("POST", "/_plugins/_ml/connectors/_create", connector(service.URL), "connector_id")
	wants(t, s.call("GET", "/_plugins/_ml/connectors/"+c+"?filter_path=-actions", ""), 200,
		`{"name":"c","version":"1","description":"d","protocol":"http","parameters":{"model":"m","size":"3"},"created_time":0,"last_updated_time":0}`)

	w := s.call("POST", "/_plugins/_ml/models/_register", `{"name":"rm","function_name":"remote","description":"d","connector_id":"`+c+`","provisioned_by":"flow-framework"}`)
	var made struct {
		Task   string `json:"task_id"`
		Model  string `json:"model_id"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Status != "CREATED" || made.Model == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	m := made.Model
	wants(t, s.call("GET", "/_plugins/_ml/tasks/"+made.Task, ""), 200,
		`{"model_id":"ID1","task_type":"REGISTER_MODEL","function_name":"REMOTE","state":"COMPLETED","worker_node":["ID2"],"create_time":0,"last_update_time":0,"is_async":false}`,
		m, nodeOf(s))
	group := s.at("/_plugins/_ml/models/"+m, "model_group_id").(string)
	wants(t, s.call("GET", "/_plugins/_ml/model_groups/"+group, ""), 200,
		`{"name":"rm","latest_version":1,"description":"d","created_time":0,"last_updated_time":0}`)

	task := s.made("POST", "/_plugins/_ml/models/"+m+"/_deploy", "", "task_id")
	wants(t, s.call("GET", "/_plugins/_ml/tasks/"+task+"?filter_path=state,task_type,model_id", ""), 200,
		`{"model_id":"ID1","task_type":"DEPLOY_MODEL","state":"COMPLETED"}`, m)
	wants(t, s.call("GET", "/_plugins/_ml/models/"+m, ""), 200,
		`{"name":"rm","model_group_id":"ID2","algorithm":"REMOTE","model_version":"1","description":"d","model_state":"DEPLOYED","created_time":0,"last_updated_time":0,"last_registered_time":0,"last_deployed_time":0,"auto_redeploy_retry_times":0,"planning_worker_node_count":1,"current_worker_node_count":1,"planning_worker_nodes":["ID4"],"deploy_to_all_nodes":true,"is_hidden":false,"connector_id":"ID3"}`,
		m, group, c, nodeOf(s))

	wants(t, s.call("POST", "/_plugins/_ml/_predict/text_embedding/"+m, `{"text_docs":["a \"quoted\" text","b"],"return_number":true,"target_response":["sentence_embedding"]}`), 200,
		`{"inference_results":[{"output":[{"name":"sentence_embedding","data_type":"FLOAT32","shape":[3],"data":[0.5,-1.25,3]},{"name":"sentence_embedding","data_type":"FLOAT32","shape":[3],"data":[1,2,3e-2]}],"status_code":200}]}`)
	if diff := cmp.Diff([]string{`{"texts":["a \"quoted\" text","b"],"model":"m"}`}, service.bodies); diff != "" {
		t.Error(diff)
	}
	if got := service.header.Get("Authorization"); got != "Bearer "+planted {
		t.Errorf("the service was called with %q", got)
	}

	wants(t, s.call("DELETE", "/_plugins/_ml/models/"+m, ""), 400,
		reason("status_exception", "Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete", "400"))
	wants(t, s.call("DELETE", "/_plugins/_ml/connectors/"+c, ""), 409,
		reason("status_exception", "1 models are still using this connector, please delete or update the models first: [ID1]", "409"), m)
	wants(t, s.call("DELETE", "/_plugins/_ml/model_groups/"+group, ""), 409,
		reason("status_exception", "Cannot delete the model group when it has associated model versions", "409"))
	wants(t, s.call("PUT", "/_plugins/_ml/connectors/"+c, `{"description":"new"}`), 400,
		reason("status_exception", "1 models are still using this connector, please undeploy the models first: [ID1]", "400"), m)

	for _, want := range []string{"undeployed", "not_found"} {
		wants(t, s.call("POST", "/_plugins/_ml/models/"+m+"/_undeploy", ""), 200, `{"ID2":{"stats":{"ID1":"`+want+`"}}}`, m, nodeOf(s))
	}
	for _, path := range []string{"models/" + m, "connectors/" + c, "model_groups/" + group, "tasks/" + task} {
		if got := s.made("DELETE", "/_plugins/_ml/"+path, "", "result"); got != "deleted" {
			t.Errorf("DELETE %s: %s", path, got)
		}
	}
}

// nodeOf is the id of the one node.
func nodeOf(s server) string {
	s.t.Helper()
	w := s.call("GET", "/_cat/nodes?h=id&full_id", "")
	return strings.TrimSpace(w.Body.String())
}

func TestWhatIsNotThereIsSaidByName(t *testing.T) {
	s := mlServer(t)
	for range 2 { // without the indices, and with them
		for _, c := range []struct{ method, path, text string }{
			{"GET", "connectors/x", "Failed to find connector with the provided connector id: x"},
			{"DELETE", "connectors/x", "Failed to find connector with the provided connector id: x"},
			{"GET", "models/x", "Failed to find model with the provided model id: x"},
			{"DELETE", "models/x", "Failed to find model"},
			{"POST", "models/x/_deploy", "Failed to find model with the provided model id: x"},
			{"POST", "models/x/_undeploy", "Failed to find model with the provided model id: x"},
			{"GET", "model_groups/x", "Failed to find model group with the provided model group id: x"},
			{"GET", "tasks/x", "Failed to find task"},
			{"GET", "agents/x", "Failed to find agent with the provided agent id: x"},
			{"GET", "tools/x", "Failed to find tool information with the provided tool name: x"},
		} {
			wants(t, s.call(c.method, "/_plugins/_ml/"+c.path, ""), 404, reason("status_exception", c.text, "404"))
		}
		c := s.made("POST", "/_plugins/_ml/connectors/_create", connector("http://127.0.0.1:1"), "connector_id")
		s.made("POST", "/_plugins/_ml/models/_register", `{"name":"m","function_name":"remote","connector_id":"`+c+`"}`, "model_id")
		s.made("POST", "/_plugins/_ml/agents/_register", `{"name":"a","type":"flow"}`, "agent_id")
	}
}

func TestBadConnectorsAreRefused(t *testing.T) {
	s := start(t, engine.Options{Keys: keyring(t)})
	const action = `{"action_type":"predict","method":"POST","url":"https://api.openai.com/v1"}`
	body := func(more string) string {
		return `{"name":"c","version":"1","protocol":"http","credential":{"key":"k"},"actions":[` + action + `]` + more + `}`
	}
	if w := s.call("POST", "/_plugins/_ml/connectors/_create", body("")); w.Code != 200 {
		t.Fatalf("a trusted endpoint: %d %s", w.Code, w.Body)
	}
	for _, c := range []struct{ name, body, text string }{
		{"no name", `{}`, "Connector name is null"},
		{"no version", `{"name":"c"}`, "Connector version is null"},
		{"no protocol", `{"name":"c","version":"1"}`, "Connector protocol is null"},
		{"no credential", `{"name":"c","version":"1","protocol":"http"}`, "Connector credential is null or empty list"},
		{"another protocol", `{"name":"c","version":"1","protocol":"grpc","credential":{"k":"v"}}`, "Unsupported connector protocol. Please use one of [aws_sigv4, http, mcp_sse, mcp_streamable_http]"},
		{"no actions", `{"name":"c","version":"1","protocol":"http","credential":{"k":"v"}}`, "No actions configured for this connector"},
		{"an endpoint that is not trusted", strings.ReplaceAll(body(""), "api.openai.com", "example.org"), "Connector URL is not matching the trusted connector endpoint regex, URL is: https://example.org/v1"},
		{"a trusted name within another URL", strings.ReplaceAll(body(""), "https://api.openai.com", "http://evil.org/?https://api.openai.com"), "Connector URL is not matching the trusted connector endpoint regex, URL is: http://evil.org/?https://api.openai.com/v1"},
		{"no method", strings.ReplaceAll(body(""), `"method":"POST",`, ""), "method can't be null"},
		{"no AWS key", strings.ReplaceAll(body(""), `"http"`, `"aws_sigv4"`), "Missing credential"},
		{"a script", strings.ReplaceAll(body(""), `"method"`, `"post_process_function":"return 1;","method"`), "a script as post_process_function of a connector is not supported by the embedded engine"},
		{"access control", body(`,"access_mode":"private"`), "You cannot specify connector access control parameters because the Security plugin or connector access control is disabled on your cluster."},
	} {
		t.Run(c.name, func(t *testing.T) {
			wants(t, s.call("POST", "/_plugins/_ml/connectors/_create", c.body), 400, reason("illegal_argument_exception", c.text, "400"))
		})
	}
	s.trust()
	for _, host := range []string{"169.254.169.254", "[fe80::1]", "100.100.100.200"} {
		wants(t, s.call("POST", "/_plugins/_ml/connectors/_create", strings.ReplaceAll(body(""), "api.openai.com", host)), 400,
			reason("illegal_argument_exception", "Remote inference host name has private ip address: "+strings.Trim(host, "[]"), "400"))
	}
}

func TestAPrivateAddressNeedsTheSetting(t *testing.T) {
	s := mlServer(t)
	service := serve(t, `{}`)
	m := s.model(connector(service.URL))
	s.do("PUT", "/_cluster/settings", `{"transient":{"plugins.ml_commons.connector.private_ip_enabled":false}}`)
	wants(t, s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"text_docs":["a"]}`), 400,
		reason("illegal_argument_exception", "Remote inference host name has private ip address: 127.0.0.1", "400"))
	s.do("PUT", "/_cluster/settings", `{"transient":{"plugins.ml_commons.trusted_connector_endpoints_regex":["^https://api.openai.com/.*$"]}}`)
	wants(t, s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"text_docs":["a"]}`), 400,
		reason("illegal_argument_exception", "Connector URL is not matching the trusted connector endpoint regex, URL is: "+service.URL+"/v1/embed", "400"))
	if len(service.bodies) > 0 {
		t.Errorf("it was called: %v", service.bodies)
	}
}

func TestLocalModelsAreRecordsThatDoNotRun(t *testing.T) {
	s := mlServer(t)
	task := s.made("POST", "/_plugins/_ml/models/_register?deploy=true", `{"name":"huggingface/sentence-transformers/paraphrase-MiniLM-L3-v2","version":"1.0.2","model_format":"torch_script"}`, "task_id")
	m := s.at("/_plugins/_ml/tasks/"+task, "model_id").(string)
	wants(t, s.call("GET", "/_plugins/_ml/models/"+m+"?filter_path=algorithm,model_format,model_state", ""), 200,
		`{"algorithm":"TEXT_EMBEDDING","model_format":"TORCH_SCRIPT","model_state":"DEPLOYED"}`)
	wants(t, s.call("POST", "/_plugins/_ml/_predict/text_embedding/"+m, `{"text_docs":["a"]}`), 400,
		reason("illegal_argument_exception", "running a local model [ID1] (text_embedding) is not supported by the embedded engine", "400"), m)
}

func TestBadModelsGroupsAndAgentsAreRefused(t *testing.T) {
	s := mlServer(t)
	group := s.made("POST", "/_plugins/_ml/model_groups/_register", `{"name":"g"}`, "model_group_id")
	for _, c := range []struct {
		name, path, body string
		status           int
		typ, text        string
	}{
		{"a model without a name", "models/_register", `{}`, 400, "illegal_argument_exception", "model name is null"},
		{"a local model without a format", "models/_register", `{"name":"m"}`, 400, "illegal_argument_exception", "model format is null"},
		{"another format", "models/_register", `{"name":"m","model_format":"gguf"}`, 400, "illegal_argument_exception", "Wrong model format"},
		{"another function", "models/_register", `{"name":"m","function_name":"x"}`, 400, "illegal_argument_exception", "Wrong function name"},
		{"a model of a URL", "models/_register", `{"name":"m","model_format":"onnx","function_name":"sparse_encoding","url":"https://x","model_content_hash_value":"h"}`, 400, "illegal_argument_exception", "To upload custom model user needs to enable allow_registering_model_via_url settings. Otherwise please use opensearch pre-trained models."},
		{"a remote model without a connector", "models/_register", `{"name":"m","function_name":"remote"}`, 400, "illegal_argument_exception", "You must provide connector content when creating a remote model without connector id!"},
		{"a connector that is not there", "models/_register", `{"name":"m","function_name":"remote","connector_id":"x"}`, 404, "status_exception", "Failed to find connector:x"},
		{"a group that is not there", "models/_register", `{"name":"m","model_format":"onnx","model_group_id":"x"}`, 404, "status_exception", "Model group not found with MODEL_GROUP_ID: x"},
		{"names that are placeholders", "models/_register", `{"name":"${{n}}","description":"${{d}}","function_name":"remote","connector_id":"x"}`, 400, "action_request_validation_exception", `Validation Failed: 1: Model description can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\");2: Model name can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\");`},
		{"a group of a name that is taken", "model_groups/_register", `{"name":"g"}`, 400, "illegal_argument_exception", "The name you provided is already being used by a model group with ID: " + group + "."},
		{"an agent without a type", "agents/_register", `{"name":"a"}`, 400, "illegal_argument_exception", "Agent type can't be null"},
		{"an agent of another type", "agents/_register", `{"name":"a","type":"x"}`, 400, "illegal_argument_exception", "x is not a valid Agent Type"},
		{"a conversation without a model", "agents/_register", `{"name":"a","type":"conversational"}`, 400, "illegal_argument_exception", "We need model information for the conversational agent type"},
		{"a tool twice", "agents/_register", `{"name":"a","type":"flow","tools":[{"type":"T"},{"type":"T"}]}`, 400, "illegal_argument_exception", "Duplicate tool defined: T"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wants(t, s.call("POST", "/_plugins/_ml/"+c.path, c.body), c.status, reason(c.typ, c.text, map[int]string{400: "400", 404: "404"}[c.status]))
		})
	}
}

func TestAnAgentIsStoredAsItIs(t *testing.T) {
	s := mlServer(t)
	a := s.made("POST", "/_plugins/_ml/agents/_register", `{"name":"a","type":"flow","description":"d","llm":{"model_id":"m","parameters":{"max_iteration":5}},"tools":[{"type":"ListIndexTool","name":"lt","parameters":{}}],"parameters":{"p":[1]},"memory":{"type":"conversation_index"},"app_type":"x"}`, "agent_id")
	wants(t, s.call("GET", "/_plugins/_ml/agents/"+a, ""), 200,
		`{"name":"a","type":"flow","description":"d","llm":{"model_id":"m","parameters":{"max_iteration":"5"}},"tools":[{"type":"ListIndexTool","name":"lt","include_output_in_agent_response":false}],"parameters":{"p":"[1]"},"memory":{"type":"conversation_index"},"created_time":0,"last_updated_time":0,"app_type":"x","is_hidden":false}`)
	if got := s.at("/_plugins/_ml/agents/_search", "hits.total.value"); got != 1.0 {
		t.Errorf("%v agents are found", got)
	}
	if got := s.made("DELETE", "/_plugins/_ml/agents/"+a, "", "result"); got != "deleted" {
		t.Error(got)
	}
}

func TestUpdates(t *testing.T) {
	s := mlServer(t)
	c := s.made("POST", "/_plugins/_ml/connectors/_create", connector("http://127.0.0.1:1"), "connector_id")
	s.made("PUT", "/_plugins/_ml/connectors/"+c, `{"description":"new","parameters":{"more":"x"},"credential":{"key":"other"}}`, "result")
	wants(t, s.call("GET", "/_plugins/_ml/connectors/"+c+"?filter_path=description,parameters", ""), 200,
		`{"description":"new","parameters":{"model":"m","more":"x","size":"3"}}`)
	g := s.made("POST", "/_plugins/_ml/model_groups/_register", `{"name":"g"}`, "model_group_id")
	s.made("PUT", "/_plugins/_ml/model_groups/"+g, `{"name":"h"}`, "status")
	wants(t, s.call("GET", "/_plugins/_ml/model_groups/"+g+"?filter_path=name", ""), 200, `{"name":"h"}`)
	m := s.made("POST", "/_plugins/_ml/models/_register", `{"name":"m","function_name":"remote","connector_id":"`+c+`","model_group_id":"`+g+`"}`, "model_id")
	s.made("PUT", "/_plugins/_ml/models/"+m, `{"is_enabled":false}`, "result")
	wants(t, s.call("POST", "/_plugins/_ml/models/"+m+"/_predict", `{"parameters":{}}`), 403, reason("status_exception", "Model is disabled.", "403"))
}

// TestClientsThatWaitForMLCommonsFindItsIndex does what integration tests written for the plugin do first.
func TestClientsThatWaitForMLCommonsFindItsIndex(t *testing.T) {
	s := open(t, engine.Options{Dir: t.TempDir()})
	if w := s.call("HEAD", "/.plugins-ml-config", ""); w.Code != 404 {
		t.Errorf("before a setting is set: %d", w.Code)
	}
	for range 2 {
		s.do("PUT", "/_cluster/settings", `{"persistent":{"plugins.ml_commons.only_run_on_ml_node":false,"plugins.ml_commons.jvm_heap_memory_threshold":100}}`)
	}
	if w := s.call("HEAD", "/.plugins-ml-config", ""); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

func TestTheIndicesHaveNoReplicaOnOneNode(t *testing.T) {
	s := mlServer(t)
	s.model(connector("http://127.0.0.1:1"))
	if got := s.text("/_cluster/health?filter_path=status"); got != `{"status":"green"}` {
		t.Error(got)
	}
}
