// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// ConfigIndex holds policies, jobs and metadata, as the plugin does.
const ConfigIndex = ".opendistro-ism-config"

// configVersion is the schema version of config_mapping.json: that of the plugin whose fields it has all of.
const configVersion = 30

//go:embed config_mapping.json
var configMapping []byte

// EnsureConfigIndex creates [ConfigIndex], or brings the mapping of an older one, an existing installation's, up to
// date. It is created by name, so an action.auto_create_index that forbids such names does not matter. It may be
// called at any time, by several processes at once.
func EnsureConfigIndex(ctx context.Context, c *opensearch.Client) error {
	// One shard, whatever the cluster's default is: the order of writes is then one sequence.
	body := map[string]any{
		"settings": map[string]any{"index.hidden": true, "index.number_of_shards": 1},
		"mappings": json.RawMessage(configMapping),
	}
	err := c.CreateIndex(ctx, ConfigIndex, body)
	if !fault.Is(err, "resource_already_exists_exception") {
		return err
	}
	return upgradeConfigIndex(ctx, c)
}

func upgradeConfigIndex(ctx context.Context, c *opensearch.Client) error {
	var stored map[string]struct {
		Mappings struct {
			Meta struct {
				Version int `json:"schema_version"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	path := opensearch.Path(ConfigIndex, "_mapping")
	if err := c.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: path}, &stored); err != nil {
		return err
	}
	if stored[ConfigIndex].Mappings.Meta.Version >= configVersion {
		return nil
	}
	return c.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: path, Body: configMapping}, nil)
}
