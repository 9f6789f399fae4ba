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

// indexNote is what create_index notes: first that the index is not there, then which one it is.
type indexNote struct {
	Absent bool   `json:"absent,omitempty"`
	UUID   string `json:"uuid,omitempty"`
}

// createIndex makes an index. A body that cannot be read makes none (the plugin makes an empty one, and fails).
func createIndex(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	if err := checkIndex(env, in); err != nil {
		return Result{}, err
	}
	name, configurations := text(in, "index_name"), text(in, "configurations")
	call := opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(name)}
	if configurations != "" {
		call.Body = json.RawMessage(configurations)
	}
	adopt, err := wants(in, "adopt")
	if err != nil {
		return Result{}, err
	}
	before, err := indexUUID(ctx, env.Client, name)
	if err != nil {
		return Result{}, safe(err, "Failed to create the index %s", name)
	}
	made := Result{Outputs: flow.Outputs{"index_name": name}}
	switch {
	case before != "" && adopt:
		made.Adopted = true
		return made, nil
	case before == "":
		if err := env.Note(ctx, indexNote{Absent: true}); err != nil {
			return Result{}, err
		}
	}
	if err := env.Client.Do(ctx, call, nil); err != nil {
		return Result{}, safe(err, "Failed to create the index %s", name)
	}
	uuid, err := indexUUID(ctx, env.Client, name)
	if err != nil {
		return Result{}, safe(err, "Failed to create the index %s", name)
	}
	made.Note = indexNote{UUID: uuid}
	return made, nil
}

// checkIndex refuses a name that could mean more than one index, and a body that cannot be read.
func checkIndex(_ Env, in flow.Inputs) error {
	name, configurations := text(in, "index_name"), text(in, "configurations")
	if err := index(name); err != nil {
		return err
	}
	if configurations != "" && (!isObject(configurations) || wrapped(configurations)) {
		return failed(http.StatusBadRequest, nil, "Failed to create the index %s, _doc is not permitted in mapping", name)
	}
	return nil
}

// lookIndex takes an index for the one of an attempt if it was not there before and has what the attempt asked for.
func lookIndex(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	name := text(in, "index_name")
	var noted indexNote
	if note == nil || json.Unmarshal(note, &noted) != nil || !noted.Absent {
		return Result{}, ErrNotMade
	}
	var found map[string]indexFound
	err := env.Client.Do(ctx, opensearch.Call{
		Method: http.MethodGet, Path: opensearch.Path(name), Query: map[string][]string{"flat_settings": {"true"}},
	}, &found)
	if fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, ErrNotMade
	}
	if err != nil {
		return Result{}, safe(err, "Failed to create the index %s", name)
	}
	at, ok := found[name]
	if !ok || !at.has(text(in, "configurations")) {
		return Result{}, ErrNotMade
	}
	uuid, _ := at.Settings["index.uuid"].(string)
	return Result{Outputs: flow.Outputs{"index_name": name}, Note: indexNote{UUID: uuid}}, nil
}

// indexUUID is the uuid of the index of exactly this name; "" if there is none.
func indexUUID(ctx context.Context, c *opensearch.Client, name string) (string, error) {
	settings, err := explicitSettings(ctx, c, name)
	if fault.HasStatus(err, http.StatusNotFound) {
		return "", nil
	}
	uuid, _ := settings["index.uuid"].(string)
	return uuid, err
}

func indexExists(ctx context.Context, env Env, in flow.Inputs) (bool, error) {
	uuid, err := indexUUID(ctx, env.Client, text(in, "index_name"))
	return uuid != "", err
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

// deleteIndex deletes one index, by its name and not by an alias. Another index that has got the name meanwhile stays.
func deleteIndex(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	name := text(in, "index_name")
	if err := index(name); err != nil {
		return Result{}, err
	}
	gone := Result{Outputs: flow.Outputs{"index_name": name}}
	var noted indexNote
	if env.Left != nil && json.Unmarshal(env.Left, &noted) == nil && noted.UUID != "" {
		uuid, err := indexUUID(ctx, env.Client, name)
		if err != nil {
			return Result{}, safe(err, "Failed to delete the index %s", name)
		}
		if uuid != noted.UUID {
			return gone, nil
		}
	}
	_, err := env.Client.DeleteIndex(ctx, name)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to delete the index %s", name)
	}
	return gone, nil
}
