// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

var connectors = maker{"connectors", "connector_id"}

var connectorOptions = []string{"backend_roles", "add_all_backend_roles", "access_mode", "client_config", "url", "headers"}

// createConnector makes a connector.
func createConnector(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	b, err := connectorBody(in)
	if err != nil {
		return Result{}, err
	}
	credential, ok := in.Get("credential")
	if _, isMap := credential.(flow.Map); ok && !isMap {
		return Result{}, badConnector()
	}
	b.objects(in, "credential")
	b.provisionedBy()
	if _, err := connectors.prepare(ctx, env, text(in, "name")); err != nil {
		return Result{}, safe(err, "Failed to create connector")
	}
	var made struct {
		ID string `json:"connector_id"`
	}
	call := opensearch.Call{Method: http.MethodPost, Path: mlPath("connectors", "_create"), Body: b.Object}
	if err := env.Client.Do(ctx, call, &made); err != nil {
		return Result{}, safe(err, "Failed to create connector")
	}
	return Result{Outputs: flow.Outputs{"connector_id": made.ID}}, nil
}

func lookConnector(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	before, ok := noted(note)
	b, err := connectorBody(in)
	if !ok || err != nil {
		return Result{}, ErrNotMade
	}
	id, err := connectors.find(ctx, env, text(in, "name"), b.Object, before)
	return Result{Outputs: flow.Outputs{"connector_id": id}}, err
}

func badConnector() error {
	return failed(http.StatusBadRequest, nil, "IllegalArgumentException in connector configuration")
}

// connectorBody is a connector but for its credential.
func connectorBody(in flow.Inputs) (body, error) {
	var b body
	b.texts(in, "name", "description", "version", "protocol", "access_mode", "url")
	b.flags(in, "add_all_backend_roles")
	b.lists(in, "backend_roles")
	b.objects(in, "headers")
	if m, ok := in.Get("parameters"); ok {
		if _, isMap := m.(flow.Map); !isMap {
			return b, badConnector()
		}
		b.objects(in, "parameters")
	}
	if err := b.clientConfig(in); err != nil {
		return b, err
	}
	v, _ := in.Get("actions")
	actions, ok := v.(flow.List)
	if !ok {
		return b, badConnector()
	}
	list := make([]wire.Object, len(actions))
	for i, a := range actions {
		if !a.Has("action_type") {
			return b, badConnector()
		}
		for _, member := range a {
			value := member.JSON()
			if member.Name == "action_type" {
				value = strings.ToUpper(text(a, "action_type")) // as it is stored
			}
			list[i].Add(member.Name, value)
		}
	}
	b.Add("actions", list)
	return b, b.err
}

// clientConfig adds the bounds of calls, which are numbers.
func (b *body) clientConfig(in flow.Inputs) error {
	v, ok := in.Get("client_config")
	if !ok {
		return nil
	}
	m, ok := v.(flow.Map)
	if !ok {
		return badConnector()
	}
	var o wire.Object
	for _, p := range m {
		if p.Name == "retry_backoff_policy" {
			o.Add(p.Name, p.Value)
			continue
		}
		n, err := integer(p.Name, p.Value)
		if err != nil {
			return err
		}
		o.Add(p.Name, n)
	}
	b.Add("client_config", o)
	return nil
}

// deleteConnector deletes a connector. One that a model uses stays, which is a failure.
func deleteConnector(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	return remove(ctx, env, in, connectors, "Failed to delete connector %s")
}

// remove deletes a resource of ML Commons by its id.
func remove(ctx context.Context, env Env, in flow.Inputs, m maker, format string) (Result, error) {
	id := text(in, m.resource)
	if err := single(m.resource, id); err != nil {
		return Result{}, err
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: mlPath(m.kind, id)}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, format, id)
	}
	return Result{Outputs: flow.Outputs{m.resource: id}}, nil
}
