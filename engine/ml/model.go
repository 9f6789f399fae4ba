// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Model is a remote model, or the record of a local one.
type Model struct {
	Name        string          `json:"name"`
	GroupID     string          `json:"model_group_id,omitempty"`
	Algorithm   string          `json:"algorithm"`
	Version     string          `json:"model_version"`
	Description *string         `json:"description,omitempty"`
	Format      string          `json:"model_format,omitempty"`
	State       string          `json:"model_state"`
	Hash        string          `json:"model_content_hash_value,omitempty"`
	Config      json.RawMessage `json:"model_config,omitempty"`
	Created     int64           `json:"created_time,omitempty"`
	Updated     int64           `json:"last_updated_time,omitempty"`
	Registered  int64           `json:"last_registered_time,omitempty"`
	Deployed    int64           `json:"last_deployed_time,omitempty"`
	Undeployed  int64           `json:"last_undeployed_time,omitempty"`
	Retries     *int            `json:"auto_redeploy_retry_times,omitempty"`
	Planned     *int            `json:"planning_worker_node_count,omitempty"`
	Current     *int            `json:"current_worker_node_count,omitempty"`
	Nodes       []string        `json:"planning_worker_nodes,omitempty"`
	AllNodes    bool            `json:"deploy_to_all_nodes,omitempty"`
	Hidden      bool            `json:"is_hidden"`
	Enabled     *bool           `json:"is_enabled,omitempty"`
	Limiter     json.RawMessage `json:"rate_limiter,omitempty"`
	Guardrails  json.RawMessage `json:"guardrails,omitempty"`
	Interface   json.RawMessage `json:"interface,omitempty"`
	Connector   *Connector      `json:"connector,omitempty"`
	ConnectorID string          `json:"connector_id,omitempty"`
}

// remote is the algorithm of models that a connector calls.
const remote = "REMOTE"

// The states of models.
const (
	registered = "REGISTERED"
	deployed   = "DEPLOYED"
	undeployed = "UNDEPLOYED"
)

func (m *Model) deployed() bool { return m.State == deployed }

func noModel(id string) error {
	return notFound("Failed to find model with the provided model id: %s", id)
}

// model reads a model as it is stored.
func (s *Service) model(id string) (*Model, error) {
	var m Model
	ok, err := s.read(Models, id, &m)
	if err == nil && !ok {
		err = noModel(id)
	}
	return &m, err
}

// GetModel returns a model, without the credentials of a connector of its own.
func (s *Service) GetModel(id string) (*Model, error) {
	m, err := s.model(id)
	if err == nil && m.Connector != nil {
		m.Connector.Credential = nil
	}
	return m, err
}

// modelUpdate is what changes of a model; nil for what stays.
type modelUpdate struct {
	name, description, connector *string
	enabled                      *bool
}

func parseModelUpdate(body []byte) (u modelUpdate, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, field string) error {
		switch field {
		case "name":
			return optional(p, &u.name)
		case "description":
			return optional(p, &u.description)
		case "connector_id":
			return optional(p, &u.connector)
		case "is_enabled":
			return flag(p, &u.enabled)
		}
		return fault.Unsupported("[" + field + "] of an update of a model")
	})
	if err == nil {
		err = checkTexts("Model", u.name, u.description)
	}
	return u, err
}

func (u modelUpdate) apply(m *Model) error {
	if u.connector != nil {
		if m.Algorithm != remote || m.Connector != nil {
			return fault.Illegal("Trying to update the connector or connector_id field on a local model.")
		}
		m.ConnectorID = *u.connector
	}
	if u.name != nil {
		m.Name = *u.name
	}
	if u.description != nil {
		m.Description = u.description
	}
	if u.enabled != nil {
		m.Enabled = u.enabled
	}
	return nil
}

// UpdateModel changes a model's name, description, switch or connector.
func (s *Service) UpdateModel(ctx context.Context, id string, body []byte) (Written, error) {
	u, err := parseModelUpdate(body)
	if err != nil {
		return Written{}, err
	}
	s.uses.RLock()
	defer s.uses.RUnlock()
	if u.connector != nil {
		if err := s.usable(*u.connector); err != nil {
			return Written{}, err
		}
	}
	missing := notFound("Failed to find model to update with the provided model id: %s", id)
	return change(ctx, s, Models, id, missing, func(m *Model) error {
		m.Updated = s.now()
		return u.apply(m)
	})
}

// usable refuses a connector that is not there.
func (s *Service) usable(connector string) error {
	_, err := s.connector(connector)
	if fault.HasStatus(err, http.StatusNotFound) {
		return notFound("Failed to find connector:%s", connector)
	}
	return err
}

// Deploy makes a model ready, and returns the id of the task that did it.
func (s *Service) Deploy(ctx context.Context, id string) (task string, err error) {
	m, err := s.model(id)
	if err != nil {
		return "", err
	}
	if m.Algorithm == remote {
		err = s.remoteEnabled()
	} else {
		err = s.localEnabled()
	}
	if err != nil {
		return "", err
	}
	s.uses.RLock()
	defer s.uses.RUnlock()
	_, err = change(ctx, s, Models, id, noModel(id), func(m *Model) error {
		m.deploy(s.o.Node, s.now())
		return nil
	})
	if err != nil {
		return "", err
	}
	return s.record(ctx, deploying, m.Algorithm, id, nil)
}

// deploy makes a model one that is deployed to the one node.
func (m *Model) deploy(node string, now int64) {
	one := 1
	m.State, m.Planned, m.Current = deployed, &one, &one
	m.Nodes, m.AllNodes = []string{node}, true
	m.Deployed, m.Updated = now, now
}

// Undeploy releases models and says of each whether it was deployed.
func (s *Service) Undeploy(ctx context.Context, ids []string) (map[string]string, error) {
	stats := make(map[string]string, len(ids))
	for _, id := range ids {
		was := false
		_, err := change(ctx, s, Models, id, noModel(id), func(m *Model) error {
			was = m.deployed()
			none := 0
			m.State, m.Planned, m.Current = undeployed, &none, &none
			m.Nodes, m.AllNodes = nil, false
			m.Undeployed = s.now()
			m.Updated = m.Undeployed
			return nil
		})
		if err != nil {
			return nil, err
		}
		stats[id] = "not_found"
		if was {
			stats[id] = "undeployed"
		}
	}
	return stats, nil
}

// Deployed lists the ids of the deployed models.
func (s *Service) Deployed(ctx context.Context) ([]string, error) {
	return s.find(ctx, Models, "model_state", deployed, everything)
}

// DeleteModel removes a model that is not deployed.
func (s *Service) DeleteModel(ctx context.Context, id string) (Written, error) {
	s.uses.Lock()
	defer s.uses.Unlock()
	m, err := s.model(id)
	switch {
	case fault.HasStatus(err, http.StatusNotFound):
		return Written{}, notFound("Failed to find model")
	case err != nil:
		return Written{}, err
	case m.deployed():
		return Written{}, fault.Status(http.StatusBadRequest, "Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete")
	}
	return s.remove(ctx, Models, id)
}

func (s *Service) localEnabled() error {
	if !s.enabled(localModels) {
		return fault.IllegalState("Local Model is currently disabled. To enable it, update the setting \"%s\" to true.", localModels)
	}
	return nil
}

// limits are what a model can have that nothing here keeps to: such a model is stored, and fails when it is asked.
func (m *Model) limits() error {
	for name, raw := range map[string]json.RawMessage{"guardrails": m.Guardrails, "interface": m.Interface, "rate_limiter": m.Limiter} {
		if raw != nil && !slices.Contains([]string{"null", "{}"}, string(raw)) {
			return fault.Unsupported("running a model with [" + name + "]")
		}
	}
	return nil
}
