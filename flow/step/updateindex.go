// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// updateIndex puts those settings of the configuration that differ from the index's own. Mappings and aliases stay.
func updateIndex(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	name, configurations := text(in, "index_name"), text(in, "configurations")
	if err := index(name); err != nil {
		return Result{}, err
	}
	wanted, err := wantedSettings(name, configurations)
	if err != nil {
		return Result{}, err
	}
	current, err := explicitSettings(ctx, env.Client, name)
	if err != nil {
		return Result{}, safe(err, "Failed to retrieve the index settings for index %s", name)
	}
	leaveDifferent(wanted, current)
	if len(wanted) == 0 {
		return Result{}, failed(http.StatusBadRequest, nil, "Failed to update index settings for index %s, no settings have been updated", name)
	}
	if err := env.Note(ctx, updateNote{Settings: slices.Sorted(maps.Keys(wanted))}); err != nil {
		return Result{}, err
	}
	if _, err := env.Client.PutSettings(ctx, name, wanted); err != nil {
		return Result{}, safe(err, "Failed to update the index settings for index %s", name)
	}
	return updated(name, current), nil
}

// updated tells which index was updated.
func updated(name string, current map[string]any) Result {
	uuid, _ := current["index.uuid"].(string)
	return Result{Outputs: flow.Outputs{"index_name": name}, Note: indexNote{UUID: uuid}}
}

// updateNote is what update_index notes before it writes.
type updateNote struct {
	Settings []string `json:"settings"`
}

// lookUpdate finds out whether the settings have become what an attempt wanted: the step itself fails where nothing is
// left to update.
func lookUpdate(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	name := text(in, "index_name")
	if note == nil {
		return Result{}, ErrNotMade
	}
	wanted, err := wantedSettings(name, text(in, "configurations"))
	if err != nil {
		return Result{}, err
	}
	current, err := explicitSettings(ctx, env.Client, name)
	if err != nil {
		return Result{}, safe(err, "Failed to retrieve the index settings for index %s", name)
	}
	leaveDifferent(wanted, current)
	if len(wanted) > 0 {
		return Result{}, ErrNotMade
	}
	return updated(name, current), nil
}

// leaveDifferent removes from wanted what is so already.
func leaveDifferent(wanted, current map[string]any) {
	for key, v := range wanted {
		if has, ok := current[key]; ok && settingText(has) == settingText(v) {
			delete(wanted, key)
		}
	}
}

// wantedSettings are the settings of a configuration, by their full keys.
func wantedSettings(name, configurations string) (map[string]any, error) {
	if configurations == "" {
		return nil, failed(http.StatusBadRequest, nil, "Failed to update index settings for index %s, index configuration is not given", name)
	}
	var c struct{ Settings map[string]any }
	if err := decode(configurations, &c); err != nil {
		return nil, failed(http.StatusBadRequest, err, "Failed to update the index settings for index %s", name)
	}
	if len(c.Settings) == 0 {
		return nil, failed(http.StatusBadRequest, nil, "Failed to update index settings for index %s, settings are not found in the index configuration", name)
	}
	return fullKeys(c.Settings), nil
}

func flatten(prefix string, from, into map[string]any) {
	for name, v := range from {
		if inner, ok := v.(map[string]any); ok {
			flatten(prefix+name+".", inner, into)
			continue
		}
		into[prefix+name] = v
	}
}

func explicitSettings(ctx context.Context, c *opensearch.Client, name string) (map[string]any, error) {
	var answer map[string]struct{ Settings map[string]any }
	err := c.Do(ctx, opensearch.Call{
		Method: http.MethodGet, Path: opensearch.Path(name, "_settings"),
		Query: url.Values{"flat_settings": {"true"}},
	}, &answer)
	return answer[name].Settings, err
}
