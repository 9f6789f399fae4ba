// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// toolOptions are the optional inputs of create_tool.
var toolOptions = []string{"name", "description", "parameters", "include_output_in_agent_response", "config", "attributes", "runtime_resources"}

// createTool describes a tool for the agents after it; it calls nothing.
func createTool(_ context.Context, env Env, in flow.Inputs) (Result, error) {
	var b body
	b.texts(in, "type", "name", "description")
	b.objects(in, "attributes")
	parameters, err := toolParameters(env, in)
	if err != nil {
		return Result{}, err
	}
	b.AddIf(len(parameters) > 0, "parameters", parameters)
	inResponse, err := wants(in, "include_output_in_agent_response")
	if err != nil {
		return Result{}, err
	}
	b.Add("include_output_in_agent_response", inResponse)
	b.objects(in, "config", "runtime_resources")
	if b.err != nil {
		return Result{}, b.err
	}
	return Result{Outputs: flow.Outputs{"tools": withoutEmpty(b.Object)}}, nil
}

// withoutEmpty leaves out members that are empty objects.
func withoutEmpty(o wire.Object) wire.Object {
	return slices.DeleteFunc(o, func(m wire.Member) bool {
		inner, ok := m.Value.(wire.Object)
		return ok && len(inner) == 0
	})
}

// toolParameters are the parameters of a tool, with the ids of predecessors that stand for them.
func toolParameters(env Env, in flow.Inputs) (wire.Object, error) {
	v, ok := in.Get("parameters")
	m, isMap := v.(flow.Map)
	if ok && !isMap {
		return nil, failed(http.StatusBadRequest, nil, "[parameters] must be a key-value map.")
	}
	out := wire.Object{}
	for _, p := range m {
		out.Add(p.Name, p.Value)
	}
	for _, name := range []string{"connector_id", "model_id", "agent_id"} {
		if _, given := m.Get(name); given {
			continue
		}
		if id, ok := fromPrevious(env, name); ok {
			out.Add(name, id)
		}
	}
	return out, nil
}

// fromPrevious is the output that the first predecessor gives which previous_node_inputs names for it.
func fromPrevious(env Env, name string) (string, bool) {
	if env.Node.Node == nil {
		return "", false
	}
	for _, previous := range env.Node.Node.Previous {
		if previous.Value != name {
			continue
		}
		if id, ok := env.Before[previous.Name][name].(string); ok {
			return id, true
		}
	}
	return "", false
}

var agents = maker{"agents", "agent_id"}

// agentOptions are the optional inputs of register_agent; the two with a dot are those of older templates.
var agentOptions = []string{
	"description", "app_type", "parameters", "llm", "llm.model_id", "llm.parameters", "tools_order", "memory", "model",
	"context_management_name", "context_management", "created_time", "last_updated_time",
}

// registerAgent makes an agent of the tools and the model before it.
func registerAgent(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	b, err := agentBody(env, in)
	if err != nil {
		return Result{}, err
	}
	b.provisionedBy()
	if _, err := agents.prepare(ctx, env, text(in, "name")); err != nil {
		return Result{}, safe(err, "Failed to register the agent")
	}
	var made struct {
		ID string `json:"agent_id"`
	}
	call := opensearch.Call{Method: http.MethodPost, Path: mlPath("agents", "_register"), Body: b.Object}
	if err := env.Client.Do(ctx, call, &made); err != nil {
		return Result{}, safe(err, "Failed to register the agent")
	}
	return Result{Outputs: flow.Outputs{"agent_id": made.ID}}, nil
}

func lookAgent(ctx context.Context, env Env, in flow.Inputs, raw json.RawMessage) (Result, error) {
	note, ok := noted(raw)
	b, err := agentBody(env, in)
	if !ok || err != nil {
		return Result{}, ErrNotMade
	}
	id, err := agents.find(ctx, env, text(in, "name"), b.Object, note)
	return Result{Outputs: flow.Outputs{"agent_id": id}}, err
}

func deleteAgent(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	return remove(ctx, env, in, agents, "Failed to delete agent %s")
}

func agentBody(env Env, in flow.Inputs) (body, error) {
	var b body
	b.texts(in, "name", "type", "description")
	llm, err := agentLLM(env, in)
	if err != nil {
		return b, err
	}
	b.AddIf(llm != nil, "llm", llm)
	if tools := agentTools(env, in); len(tools) > 0 {
		b.Add("tools", tools)
	}
	b.objects(in, "parameters", "model")
	if v, ok := in.Get("context_management"); ok {
		o, err := object(v)
		if err != nil {
			return b, failed(http.StatusBadRequest, err, "Failed to parse context_management field: %s", err)
		}
		b.Add("context_management", o)
	}
	b.texts(in, "app_type", "context_management_name")
	if b.err != nil {
		return b, b.err
	}
	memory, err := agentMemory(in)
	b.AddIf(memory != nil, "memory", memory)
	return b, err
}

// agentLLM is the model of an agent and its parameters; nil without a model.
func agentLLM(env Env, in flow.Inputs) (wire.Object, error) {
	var llm struct {
		ModelID    string          `json:"model_id"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if v, ok := in.Get("llm"); ok {
		raw, err := object(v)
		if err == nil {
			var encoded []byte
			if encoded, err = wire.Marshal(raw); err == nil {
				err = json.Unmarshal(encoded, &llm)
			}
		}
		if err != nil {
			return nil, failed(http.StatusBadRequest, err, "llm field must be a key-value map.")
		}
	}
	if llm.ModelID == "" {
		llm.ModelID = text(in, "llm.model_id")
	}
	if llm.ModelID == "" {
		llm.ModelID, _ = fromPrevious(env, "model_id")
	}
	if llm.ModelID == "" {
		return nil, nil
	}
	out := wire.Obj("model_id", llm.ModelID)
	parameters := map[string]string{}
	if llm.Parameters != nil && json.Unmarshal(llm.Parameters, &parameters) != nil {
		return nil, failed(http.StatusBadRequest, nil, "llm field [parameters] must be a string to string map")
	}
	if m, ok := in.Get("llm.parameters"); ok && llm.Parameters == nil {
		for _, p := range asMap(m) {
			parameters[p.Name] = p.Value
		}
	}
	out.AddIf(len(parameters) > 0, "parameters", parameters)
	return out, nil
}

func asMap(v any) flow.Map {
	m, _ := v.(flow.Map)
	return m
}

// agentTools are the tools that the predecessors give: first in the order that the node asks for, then the others in
// the order that it names them.
func agentTools(env Env, in flow.Inputs) []any {
	if env.Node.Node == nil {
		return nil
	}
	var ids []string
	for _, previous := range env.Node.Node.Previous {
		if previous.Value == "tools" {
			ids = append(ids, previous.Name)
		}
	}
	v, _ := in.Get("tools_order")
	order, _ := v.(flow.Texts)
	var sorted []string
	for _, id := range order {
		if slices.Contains(ids, id) && !slices.Contains(sorted, id) {
			sorted = append(sorted, id)
		}
	}
	for _, id := range ids {
		if !slices.Contains(sorted, id) {
			sorted = append(sorted, id)
		}
	}
	var tools []any
	for _, id := range sorted {
		if tool, ok := env.Before[id]["tools"]; ok {
			tools = append(tools, tool)
		}
	}
	return tools
}

// agentMemory is where an agent keeps conversations; its window is a number.
func agentMemory(in flow.Inputs) (wire.Object, error) {
	v, ok := in.Get("memory")
	if !ok {
		return nil, nil
	}
	m, isMap := v.(flow.Map)
	if !isMap {
		return nil, failed(http.StatusBadRequest, nil, "[memory] must be a key-value map.")
	}
	var out wire.Object
	for _, p := range m {
		if p.Name != "window_size" {
			out.Add(p.Name, p.Value)
			continue
		}
		n, err := integer(p.Name, p.Value)
		if err != nil {
			return nil, err
		}
		out.Add(p.Name, n)
	}
	return out, nil
}
