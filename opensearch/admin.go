// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"strconv"

	"github.com/opensteward/steward/wire"
)

// CreateIndex creates an index with this body.
func (c *Client) CreateIndex(ctx context.Context, name string, body any) error {
	return c.Do(ctx, Call{Method: http.MethodPut, Path: Path(name), Body: body}, nil)
}

// DeleteIndex deletes one index.
func (c *Client) DeleteIndex(ctx context.Context, name string) (Acknowledged, error) {
	return c.acknowledge(ctx, name, Call{Method: http.MethodDelete, Path: Path(name)})
}

// OpenIndex opens one index.
func (c *Client) OpenIndex(ctx context.Context, name string) (Acknowledged, error) {
	return c.acknowledge(ctx, name, Call{Method: http.MethodPost, Path: Path(name, "_open")})
}

// CloseIndex closes one index.
func (c *Client) CloseIndex(ctx context.Context, name string) (Acknowledged, error) {
	return c.acknowledge(ctx, name, Call{Method: http.MethodPost, Path: Path(name, "_close")})
}

// PutSettings changes settings of one index; nil values reset.
func (c *Client) PutSettings(ctx context.Context, name string, settings map[string]any) (Acknowledged, error) {
	return c.acknowledge(ctx, name, Call{Method: http.MethodPut, Path: Path(name, "_settings"), Body: settings})
}

// PutSettingsOf changes settings of many indices alike, as many in a request as its address may hold. Indices that are gone
// are passed over.
func (c *Client) PutSettingsOf(ctx context.Context, names []string, settings map[string]any) (Acknowledged, error) {
	all := Acknowledged{true}
	for _, name := range names {
		if err := concrete(name); err != nil {
			return Acknowledged{}, err
		}
	}
	err := c.inChunks(ctx, append([]string{}, names...), func(expression string) error {
		call := Call{Method: http.MethodPut, Path: Path(expression, "_settings"), Query: query("ignore_unavailable", "true"), Body: settings}
		var a Acknowledged
		err := c.Do(ctx, call, &a)
		all.Acknowledged = all.Acknowledged && a.Acknowledged
		return err
	})
	return all, err
}

func (c *Client) acknowledge(ctx context.Context, name string, call Call) (Acknowledged, error) {
	if err := concrete(name); err != nil {
		return Acknowledged{}, err
	}
	var a Acknowledged
	return a, c.Do(ctx, call, &a)
}

// UpdateAliases runs alias actions, each {"add":{...}} or {"remove":{...}}.
func (c *Client) UpdateAliases(ctx context.Context, actions []any) (Acknowledged, error) {
	var a Acknowledged
	call := Call{Method: http.MethodPost, Path: "/_aliases", Body: wire.Obj("actions", actions)}
	return a, c.Do(ctx, call, &a)
}

// RolledOver is the answer of a rollover.
type RolledOver struct {
	Acknowledged bool   `json:"acknowledged"`
	RolledOver   bool   `json:"rolled_over"`
	OldIndex     string `json:"old_index"`
	NewIndex     string `json:"new_index"`
}

// Rollover rolls target over. newIndex "" lets the cluster name it; conditions nil means unconditionally.
func (c *Client) Rollover(ctx context.Context, target, newIndex string, conditions map[string]any, dryRun bool) (RolledOver, error) {
	call := Call{Method: http.MethodPost, Path: Path(target, "_rollover", newIndex)}
	if dryRun {
		call.Query = query("dry_run", "true")
	}
	if conditions != nil {
		call.Body = wire.Obj("conditions", conditions)
	}
	var r RolledOver
	return r, c.Do(ctx, call, &r)
}

// ForceMerge merges an index and returns when it is done, which may take hours. failures are shard failures as text.
func (c *Client) ForceMerge(ctx context.Context, name string, maxSegments int) (failures []string, err error) {
	if err := concrete(name); err != nil {
		return nil, err
	}
	var answer struct {
		Shards shardReport `json:"_shards"`
	}
	call := Call{
		Method: http.MethodPost, Path: Path(name, "_forcemerge"),
		Query: query("max_num_segments", strconv.Itoa(maxSegments)),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	return answer.Shards.texts(), nil
}
