// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// updateIndex puts those settings of the configuration that differ from the index's own. Mappings and aliases stay.
func updateIndex(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
	name, configurations := text(in, "index_name"), text(in, "configurations")
	if err := index(name); err != nil {
		return nil, err
	}
	wanted, err := wantedSettings(name, configurations)
	if err != nil {
		return nil, err
	}
	current, err := explicitSettings(ctx, env.Client, name)
	if err != nil {
		return nil, safe(err, "Failed to retrieve the index settings for index %s", name)
	}
	for key, v := range wanted {
		if has, ok := current[key]; ok && fmt.Sprint(has) == fmt.Sprint(v) {
			delete(wanted, key)
		}
	}
	if len(wanted) == 0 {
		return nil, failed(http.StatusBadRequest, nil, "Failed to update index settings for index %s, no settings have been updated", name)
	}
	if _, err := env.Client.PutSettings(ctx, name, wanted); err != nil {
		return nil, safe(err, "Failed to update the index settings for index %s", name)
	}
	return flow.Outputs{"index_name": name}, nil
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
	flat := map[string]any{}
	flatten("", c.Settings, flat)
	full := make(map[string]any, len(flat))
	for key, v := range flat {
		if !strings.HasPrefix(key, "index.") {
			key = "index." + key
		}
		full[key] = v
	}
	return full, nil
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

// decode keeps numbers as they are written.
func decode(body string, into any) error {
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	return d.Decode(into)
}

func explicitSettings(ctx context.Context, c *opensearch.Client, name string) (map[string]any, error) {
	var answer map[string]struct{ Settings map[string]any }
	err := c.Do(ctx, opensearch.Call{
		Method: http.MethodGet, Path: opensearch.Path(name, "_settings"),
		Query: url.Values{"flat_settings": {"true"}},
	}, &answer)
	return answer[name].Settings, err
}
