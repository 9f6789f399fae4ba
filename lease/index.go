// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// Index is the hidden index of everything that is Steward's alone: the lease, intentions, and what later comes to
// stand beside them. The ids of its documents begin with their kind ("lease", "intention-...").
const Index = ".steward"

// indexVersion is the mapping's number in _meta. It grows with every change of indexBody.
const indexVersion = 2

// mapping keeps the index from growing fields: every document is {"<kind>": {...}}, of which only the members listed
// here are searched.
func mapping(unsearched map[string]any) map[string]any {
	return map[string]any{
		"dynamic": "strict",
		"_meta":   map[string]any{"schema_version": indexVersion},
		"properties": map[string]any{
			"lease":     unsearched,
			"intention": unsearched,
			"run": map[string]any{
				"type": "object", "dynamic": false, "properties": map[string]any{"open": map[string]any{"type": "boolean"}},
			},
		},
	}
}

var (
	// unread is how a kind is mapped of which nothing is searched.
	unread = map[string]any{"type": "object", "enabled": false}
	// unlisted is as much of that as can still be had once a write has mapped the kind by itself.
	unlisted = map[string]any{"type": "object", "dynamic": false}
)

var indexSettings = map[string]any{
	"index.hidden":               true,
	"index.number_of_shards":     1,
	"index.auto_expand_replicas": "0-1",
}

// EnsureIndex creates [Index], or brings an older one, or one that a write created by itself after somebody deleted
// it, up to this mapping. It may be called at any time.
func EnsureIndex(ctx context.Context, c *opensearch.Client) error {
	err := c.CreateIndex(ctx, Index, map[string]any{"settings": indexSettings, "mappings": mapping(unread)})
	if !fault.Is(err, "resource_already_exists_exception") {
		return err
	}
	var stored map[string]struct {
		Mappings struct {
			Meta struct {
				Version int `json:"schema_version"`
			} `json:"_meta"`
		} `json:"mappings"`
	}
	path := opensearch.Path(Index, "_mapping")
	if err := c.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: path}, &stored); err != nil {
		return err
	}
	if stored[Index].Mappings.Meta.Version >= indexVersion {
		return nil
	}
	return repair(ctx, c)
}

// repair gives an index that is there these settings and this mapping. A renewal that comes after the index was deleted
// makes one with a mapping of its own, even if it is refused then: what it has mapped cannot be taken back.
func repair(ctx context.Context, c *opensearch.Client) error {
	if _, err := c.PutSettings(ctx, Index, map[string]any{"index.hidden": true, "index.auto_expand_replicas": "0-1"}); err != nil {
		return err
	}
	call := opensearch.Call{Method: http.MethodPut, Path: opensearch.Path(Index, "_mapping"), Body: mapping(unread)}
	err := c.Do(ctx, call, &json.RawMessage{})
	if fault.Is(err, "mapper_exception") {
		call.Body = mapping(unlisted)
		err = c.Do(ctx, call, &json.RawMessage{})
	}
	return err
}

// Read reads a document of [Index]. While another process makes the index, or a node starts, its shard may not answer
// yet; that is waited for, for at most five seconds.
func Read(ctx context.Context, c *opensearch.Client, id string) (opensearch.Document, error) {
	doc, err := c.Get(ctx, Index, id, "")
	if fault.Is(err, "no_shard_available_action_exception") && c.AwaitShard(ctx, Index) == nil {
		return c.Get(ctx, Index, id, "")
	}
	return doc, err
}
