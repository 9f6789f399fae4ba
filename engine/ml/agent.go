// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Agent is a stored agent. Nothing here runs one.
type Agent struct {
	Name              string            `json:"name"`
	Type              string            `json:"type"`
	Description       *string           `json:"description,omitempty"`
	LLM               *LLM              `json:"llm,omitempty"`
	Model             json.RawMessage   `json:"model,omitempty"`
	Tools             []Tool            `json:"tools,omitempty"`
	Parameters        map[string]string `json:"parameters,omitempty"`
	Memory            *Memory           `json:"memory,omitempty"`
	Created           int64             `json:"created_time,omitempty"`
	Updated           int64             `json:"last_updated_time,omitempty"`
	AppType           *string           `json:"app_type,omitempty"`
	Hidden            bool              `json:"is_hidden"`
	ContextName       *string           `json:"context_management_name,omitempty"`
	ContextManagement json.RawMessage   `json:"context_management,omitempty"`
}

// LLM is the model of an agent.
type LLM struct {
	ModelID    string            `json:"model_id,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
}

// Memory is where an agent keeps conversations.
type Memory struct {
	Type        string  `json:"type"`
	WindowSize  *int    `json:"window_size,omitempty"`
	SessionID   *string `json:"session_id,omitempty"`
	ContainerID *string `json:"memory_container_id,omitempty"`
}

// Tool is one tool of an agent.
type Tool struct {
	Type        string            `json:"type"`
	Name        *string           `json:"name,omitempty"`
	Description *string           `json:"description,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	InResponse  bool              `json:"include_output_in_agent_response"`
	Config      map[string]string `json:"config,omitempty"`
}

// maxAgentName is the longest name of an agent, in characters.
const maxAgentName = 128

var agentTypes = []string{"FLOW", "CONVERSATIONAL", "CONVERSATIONAL_FLOW", "PLAN_EXECUTE_AND_REFLECT", "AG_UI", "CONVERSATIONAL_V2"}

func parseAgent(body []byte) (a Agent, err error) {
	var name, typ *string
	err = wire.ReadObject(body, func(p *wire.Parser, field string) (err error) {
		switch field {
		case "name":
			err = optional(p, &name)
		case "type":
			err = optional(p, &typ)
		case "description":
			err = optional(p, &a.Description)
		case "llm":
			a.LLM, err = parseLLM(p)
		case "model":
			a.Model, err = p.Raw()
		case "tools":
			err = p.Array(func() error { return a.addTool(p) })
		case "parameters":
			a.Parameters, err = parameterMap(p)
		case "memory":
			a.Memory, err = parseMemory(p)
		case "app_type":
			err = optional(p, &a.AppType)
		case "context_management_name":
			err = optional(p, &a.ContextName)
		case "context_management":
			a.ContextManagement, err = p.Raw()
		default:
			err = p.Skip()
		}
		return err
	})
	if err != nil {
		return a, err
	}
	if name == nil {
		return a, fault.Illegal("Agent name can't be null")
	}
	if typ == nil {
		return a, fault.Illegal("Agent type can't be null")
	}
	a.Name, a.Type = *name, *typ
	return a, a.check()
}

func (a *Agent) addTool(p *wire.Parser) error {
	t, err := parseTool(p)
	a.Tools = append(a.Tools, t)
	return err
}

func parseLLM(p *wire.Parser) (*LLM, error) {
	var l LLM
	err := p.Object(func(name string) (err error) {
		switch name {
		case "model_id":
			l.ModelID, err = p.Text()
		case "parameters":
			l.Parameters, err = parameterMap(p)
		default:
			err = p.Skip()
		}
		return err
	})
	return &l, err
}

func parseMemory(p *wire.Parser) (*Memory, error) {
	var m Memory
	err := p.Object(func(name string) (err error) {
		switch name {
		case "type":
			m.Type, err = p.Text()
		case "window_size":
			var n int
			n, err = p.Int()
			m.WindowSize = &n
		case "session_id":
			err = optional(p, &m.SessionID)
		case "memory_container_id":
			err = optional(p, &m.ContainerID)
		default:
			err = p.Skip()
		}
		return err
	})
	if err == nil && m.Type == "" {
		err = fault.Illegal("agent name is null") // ML Commons' words for a memory without a type
	}
	return &m, err
}

func parseTool(p *wire.Parser) (t Tool, err error) {
	var typ *string
	maps := map[string]*map[string]string{"attributes": &t.Attributes, "parameters": &t.Parameters, "config": &t.Config}
	err = p.Object(func(name string) (err error) {
		if into := maps[name]; into != nil {
			*into, err = parameterMap(p)
			return err
		}
		switch name {
		case "type":
			err = optional(p, &typ)
		case "name":
			err = optional(p, &t.Name)
		case "description":
			err = optional(p, &t.Description)
		case "include_output_in_agent_response":
			t.InResponse, err = p.Bool()
		default:
			err = p.Skip()
		}
		return err
	})
	if err == nil && typ == nil {
		err = fault.Illegal("tool type is null")
	}
	if typ != nil {
		t.Type = *typ
	}
	return t, err
}

// check refuses what ML Commons refuses.
func (a *Agent) check() error {
	if strings.TrimSpace(a.Name) == "" || len([]rune(a.Name)) > maxAgentName {
		return fault.Illegal("Agent name cannot be empty or exceed max length of %d characters", maxAgentName)
	}
	typ := strings.ToUpper(a.Type)
	if !slices.Contains(agentTypes, typ) {
		return fault.Illegal("%s is not a valid Agent Type", a.Type)
	}
	if (typ == "CONVERSATIONAL" || typ == "PLAN_EXECUTE_AND_REFLECT") && a.LLM == nil && a.Model == nil {
		return fault.Illegal("We need model information for the %s agent type", strings.ToLower(typ))
	}
	names := map[string]bool{}
	for _, t := range a.Tools {
		name := t.Type
		if t.Name != nil {
			name = *t.Name
		}
		if names[name] {
			return fault.Illegal("Duplicate tool defined: %s", name)
		}
		names[name] = true
	}
	if a.ContextName != nil && a.ContextManagement != nil {
		return fault.Illegal("Cannot specify both context_management_name and context_management")
	}
	return nil
}

func (s *Service) agentsEnabled() error {
	if !s.enabled(agentFramework) {
		return fault.IllegalState("Agent Framework is currently disabled. To enable it, update the setting \"%s\" to true.", agentFramework)
	}
	return nil
}

// RegisterAgent stores an agent and returns its id.
func (s *Service) RegisterAgent(ctx context.Context, body []byte) (string, error) {
	if err := s.agentsEnabled(); err != nil {
		return "", err
	}
	a, err := parseAgent(body)
	if err != nil {
		return "", err
	}
	if a.Model != nil {
		return "", fault.Unsupported("[model] of an agent")
	}
	a.Created = s.now()
	a.Updated = a.Created
	id := newID()
	return id, s.insert(ctx, Agents, id, a)
}

// GetAgent returns an agent.
func (s *Service) GetAgent(id string) (*Agent, error) {
	if err := s.agentsEnabled(); err != nil {
		return nil, err
	}
	var a Agent
	ok, err := s.read(Agents, id, &a)
	if err == nil && !ok {
		err = notFound("Failed to find agent with the provided agent id: %s", id)
	}
	return &a, err
}

// DeleteAgent removes an agent.
func (s *Service) DeleteAgent(ctx context.Context, id string) (Written, error) {
	switch _, err := s.GetAgent(id); {
	case fault.HasStatus(err, http.StatusNotFound):
		return Written{}, notFound("Fail to find ml agent")
	case err != nil:
		return Written{}, err
	}
	return s.remove(ctx, Agents, id)
}
