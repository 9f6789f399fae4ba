// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

var models = maker{"models", "model_id"}

// modelOptions are the optional inputs of all steps that register a model.
var modelOptions = []string{
	"description", "model_group_id", "deploy", "guardrails", "interface", "is_enabled", "access_mode", "add_all_backend_roles",
	"backend_roles", "rate_limiter", "deploy_setting", "model_node_ids",
}

// registration is how one of the steps registers a model.
type registration struct {
	step string // its name
	// own are its inputs besides name, version and model_format that become texts of the body.
	own []string
	// custom is true for a model that brings its own content and configuration.
	custom bool
}

var (
	remoteModel     = registration{step: "register_remote_model", own: []string{"connector_id"}}
	pretrainedModel = registration{step: "register_local_pretrained_model"}
	sparseModel     = registration{step: "register_local_sparse_encoding_model", own: []string{"model_content_hash_value", "url"}}
	customModel     = registration{step: "register_local_custom_model", own: []string{"model_content_hash_value", "url"}, custom: true}
)

func (r registration) remote() bool { return r.step == remoteModel.step }

// options are its optional inputs.
func (r registration) options() []string {
	switch r.step {
	case sparseModel.step:
		return append([]string{"function_name", "model_content_hash_value", "url"}, modelOptions...)
	case customModel.step:
		return append([]string{"model_config", "all_config"}, modelOptions...)
	}
	return modelOptions
}

// asStep is how it runs.
func (r registration) asStep() Step {
	return Step{Optional: r.options(), Run: r.run, Look: r.look}
}

// run registers the model and waits until it is there.
func (r registration) run(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	b, deploy, err := r.body(in)
	if err != nil {
		return Result{}, err
	}
	note, err := models.prepare(ctx, env, text(in, "name"))
	if err != nil {
		return Result{}, r.refused(err, env)
	}
	call := opensearch.Call{Method: http.MethodPost, Path: mlPath("models", "_register"), Body: b.Object}
	if deploy {
		call.Query = url.Values{"deploy": {"true"}}
	}
	var made struct {
		Task   string `json:"task_id"`
		Model  string `json:"model_id"`
		Status string `json:"status"`
	}
	if err := env.Client.Do(ctx, call, &made); err != nil {
		return Result{}, r.refused(err, env)
	}
	if r.remote() {
		return r.result(made.Model, made.Status, deploy), nil
	}
	note.Task = made.Task
	if err := env.Note(ctx, note); err != nil {
		return Result{}, err
	}
	return r.wait(ctx, env, note.Task, deploy)
}

// wait waits for a local model.
func (r registration) wait(ctx context.Context, env Env, task string, deploy bool) (Result, error) {
	id, err := await(ctx, env, task, "Local model registration")
	return r.result(id, "COMPLETED", deploy), err
}

// look finds the model that an attempt has registered; of a local one by its task, if it is known.
func (r registration) look(ctx context.Context, env Env, in flow.Inputs, raw json.RawMessage) (Result, error) {
	note, ok := noted(raw)
	want, deploy, err := r.stored(in)
	if !ok || err != nil {
		return Result{}, ErrNotMade
	}
	if note.Task != "" {
		res, err := r.wait(ctx, env, note.Task, deploy)
		if !fault.HasStatus(clusterError(err), http.StatusNotFound) {
			return res, err
		}
	}
	id, err := models.find(ctx, env, text(in, "name"), want, note)
	if err != nil {
		return Result{}, err
	}
	if err := settled(ctx, env, id); err != nil {
		return Result{}, err
	}
	status := "COMPLETED"
	if r.remote() {
		status = "CREATED"
	}
	return r.result(id, status, deploy), nil
}

// clusterError is the cluster's answer behind a step's failure.
func clusterError(err error) error {
	if f := fault.Of(err); f != nil {
		return f.Err
	}
	return nil
}

// settled waits until a model is registered, whose task nobody knows.
func settled(ctx context.Context, env Env, id string) error {
	for pause := firstPoll; ; pause = min(2*pause, max(env.Poll, firstPoll)) {
		var m struct {
			State string `json:"model_state"`
		}
		err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: mlPath("models", id)}, &m)
		switch {
		case err != nil:
			return failed(http.StatusBadRequest, err, "Local model registration failed")
		case m.State != "REGISTERING":
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (r registration) result(id, status string, deploy bool) Result {
	res := Result{Outputs: flow.Outputs{"model_id": id, "register_model_status": status}}
	if deploy {
		// what the registration deployed is undeployed like what a step of its own deploys
		res.Also = []flow.Resource{{Step: "deploy_model", Type: "model_id", ID: id}}
	}
	return res
}

func (r registration) refused(err error, env Env) error {
	if r.remote() {
		return safe(err, "Failed to register remote model")
	}
	return safe(err, "Failed to register local model in step %s", env.Node.Node.ID)
}

// formats are those of local models, as the plugin wants them written.
var formats = []string{"TORCH_SCRIPT", "ONNX"}

// body is the request, and whether it is to deploy the model too. function_name comes first: ML Commons reads
// model_config by it.
func (r registration) body(in flow.Inputs) (b body, deploy bool, err error) {
	if deploy, err = wants(in, "deploy"); err != nil {
		return b, false, err
	}
	switch {
	case r.remote():
		b.Add("function_name", "REMOTE")
	case in.Has("function_name"):
		b.Add("function_name", strings.ToUpper(text(in, "function_name")))
	}
	b.texts(in, "name", "version")
	if !r.remote() {
		if !slices.Contains(formats, text(in, "model_format")) {
			return b, false, failed(http.StatusBadRequest, nil, "Wrong model format")
		}
		b.texts(in, "model_format")
	}
	b.texts(in, append([]string{"description", "model_group_id", "access_mode"}, r.own...)...)
	b.flags(in, "is_enabled", "add_all_backend_roles")
	b.lists(in, "backend_roles", "model_node_ids")
	b.objects(in, "guardrails", "rate_limiter", "deploy_setting")
	if b.err == nil {
		b.err = b.modelInterface(in)
	}
	if r.custom && b.err == nil {
		b.err = b.modelConfig(in)
	}
	b.provisionedBy()
	return b, deploy, b.err
}

// stored is what a model that was registered has, and whether it was to be deployed.
func (r registration) stored(in flow.Inputs) (wire.Object, bool, error) {
	b, deploy, err := r.body(in)
	var want wire.Object
	for _, m := range b.Object {
		switch m.Name {
		case "name", "description", "model_group_id", "model_format", "connector_id", "model_content_hash_value":
			want.Add(m.Name, m.Value)
		case "function_name":
			want.Add("algorithm", m.Value)
		}
	}
	return want, deploy, err
}

// modelInterface adds the interface: texts of JSON schemas.
func (b *body) modelInterface(in flow.Inputs) error {
	v, ok := in.Get("interface")
	if !ok {
		return nil
	}
	raw, err := object(v)
	bad := failed(http.StatusBadRequest, err, "Failed to create model interface")
	if err != nil {
		return bad
	}
	if m, isMap := v.(flow.Map); isMap {
		b.Add("interface", flow.Input{Value: m}.JSON())
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw.(json.RawMessage), &members) != nil {
		return bad
	}
	schemas := map[string]string{}
	for name, member := range members {
		var schema string
		if json.Unmarshal(member, &schema) != nil {
			schema = string(member)
		}
		schemas[name] = schema
	}
	b.Add("interface", schemas)
	return nil
}

// modelConfig adds the configuration of a custom model: what the map says, completed by the inputs beside it.
func (b *body) modelConfig(in flow.Inputs) error {
	v, _ := in.Get("model_config")
	m, ok := v.(flow.Map)
	if v != nil && !ok {
		return failed(http.StatusBadRequest, nil, "[model_config] must be a key-value map.")
	}
	var config wire.Object
	add := func(name, value string) error {
		if name != "embedding_dimension" {
			config.Add(name, value)
			return nil
		}
		n, err := integer(name, value)
		config.Add(name, n)
		return err
	}
	for _, p := range m {
		if err := add(p.Name, p.Value); err != nil {
			return err
		}
	}
	for _, name := range []string{"model_type", "embedding_dimension", "framework_type", "all_config"} {
		if _, given := m.Get(name); given || !in.Has(name) {
			continue
		}
		if err := add(name, text(in, name)); err != nil {
			return err
		}
	}
	b.Add("model_config", config)
	return nil
}

// deployModel makes a model ready and waits until it is.
func deployModel(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, "model_id")
	if err := single("model_id", id); err != nil {
		return Result{}, err
	}
	var begun struct {
		Task string `json:"task_id"`
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodPost, Path: mlPath("models", id, "_deploy")}, &begun)
	if err != nil {
		return Result{}, safe(err, "Failed to deploy model %s", id)
	}
	if err := env.Note(ctx, madeNote{Task: begun.Task}); err != nil {
		return Result{}, err
	}
	return deployment(ctx, env, id, begun.Task)
}

// lookDeployment waits for a deployment that has begun.
func lookDeployment(ctx context.Context, env Env, in flow.Inputs, raw json.RawMessage) (Result, error) {
	note, ok := noted(raw)
	if !ok {
		return Result{}, ErrNotMade // deploying again does no harm
	}
	res, err := deployment(ctx, env, text(in, "model_id"), note.Task)
	if fault.HasStatus(clusterError(err), http.StatusNotFound) {
		return Result{}, ErrNotMade
	}
	return res, err
}

func deployment(ctx context.Context, env Env, id, task string) (Result, error) {
	model, err := await(ctx, env, task, "Deploy model")
	if err != nil {
		if ctx.Err() != nil {
			return Result{}, err
		}
		f := fault.Of(err)
		return Result{}, failed(f.Status, deployCause(f), "Failed to deploy model")
	}
	if model == "" {
		model = id
	}
	return Result{Outputs: flow.Outputs{"model_id": model, "register_model_status": "COMPLETED"}}, nil
}

// deployCause is why a deployment failed: the cluster's answer, or what its task says.
func deployCause(f *fault.Error) error {
	if f.Err != nil {
		return f.Err
	}
	return fault.New(f.Status, "m_l_exception", "%s", f.Reason)
}

// undeployModel releases a model; one that is not there is not deployed.
func undeployModel(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, "model_id")
	if err := single("model_id", id); err != nil {
		return Result{}, err
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodPost, Path: mlPath("models", id, "_undeploy")}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to undeploy model %s", id)
	}
	return Result{Outputs: flow.Outputs{"success": true}}, nil
}

func deleteModel(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	return remove(ctx, env, in, models, "Failed to delete model %s")
}

var groups = maker{"model_groups", "model_group_id"}

func groupBody(in flow.Inputs) body {
	var b body
	b.texts(in, "name", "description")
	if in.Has("access_mode") {
		b.Add("access_mode", strings.ToLower(text(in, "access_mode")))
	}
	b.flags(in, "add_all_backend_roles")
	b.lists(in, "backend_roles")
	return b
}

// registerGroup makes a model group.
func registerGroup(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	b := groupBody(in)
	if b.err != nil {
		return Result{}, b.err
	}
	if _, err := groups.prepare(ctx, env, text(in, "name")); err != nil {
		return Result{}, safe(err, "Failed to register model group")
	}
	var made struct {
		ID     string `json:"model_group_id"`
		Status string `json:"status"`
	}
	call := opensearch.Call{Method: http.MethodPost, Path: mlPath("model_groups", "_register"), Body: b.Object}
	if err := env.Client.Do(ctx, call, &made); err != nil {
		return Result{}, safe(err, "Failed to register model group")
	}
	return Result{Outputs: flow.Outputs{"model_group_id": made.ID, "model_group_status": made.Status}}, nil
}

func lookGroup(ctx context.Context, env Env, in flow.Inputs, raw json.RawMessage) (Result, error) {
	note, ok := noted(raw)
	if !ok {
		return Result{}, ErrNotMade
	}
	id, err := groups.find(ctx, env, text(in, "name"), groupBody(in).Object, note)
	return Result{Outputs: flow.Outputs{"model_group_id": id, "model_group_status": "CREATED"}}, err
}

// deleteGroup deletes a model group that is empty. One in which others keep models stays, as it does with the plugin
// always: then a workflow could not be provisioned again, because names of groups are unique.
func deleteGroup(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	res, err := remove(ctx, env, in, groups, "Failed to delete model group %s")
	if fault.HasStatus(clusterError(err), http.StatusConflict) {
		return Result{Outputs: flow.Outputs{"model_group_id": text(in, "model_group_id")}}, nil
	}
	return res, err
}
