// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// createIndex makes an index. A body that cannot be read makes none (the plugin makes an empty one, and fails).
func createIndex(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
	name, configurations := text(in, "index_name"), text(in, "configurations")
	if err := index(name); err != nil {
		return nil, err
	}
	call := opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(name)}
	if configurations != "" {
		if !isObject(configurations) || wrapped(configurations) {
			return nil, failed(http.StatusBadRequest, nil, "Failed to create the index %s, _doc is not permitted in mapping", name)
		}
		call.Body = json.RawMessage(configurations)
	}
	if err := env.Client.Do(ctx, call, nil); err != nil {
		return nil, safe(err, "Failed to create the index %s", name)
	}
	return flow.Outputs{"index_name": name}, nil
}

// wrapped reports whether the mappings have _doc as their only member.
func wrapped(configurations string) bool {
	var c struct{ Mappings map[string]json.RawMessage }
	if json.Unmarshal([]byte(configurations), &c) != nil {
		return false // for the cluster to refuse
	}
	_, doc := c.Mappings["_doc"]
	return doc && len(c.Mappings) == 1
}

// deleteIndex deletes one index, by its name and not by an alias.
func deleteIndex(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
	name := text(in, "index_name")
	if err := index(name); err != nil {
		return nil, err
	}
	_, err := env.Client.DeleteIndex(ctx, name)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return nil, safe(err, "Failed to delete the index %s", name)
	}
	return flow.Outputs{"index_name": name}, nil
}
