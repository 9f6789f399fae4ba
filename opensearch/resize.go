// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/opensteward/steward/wire"
)

// ResizeSource is the setting that holds the uuid of the index that a resized one was made of.
const ResizeSource = "index.resize.source.uuid"

// Shrink makes target, a copy of an index with fewer shards. A target that exists is the 400
// resource_already_exists_exception; [ResizeSource] tells what it was made of.
func (c *Client) Shrink(ctx context.Context, index, target string, settings map[string]any, aliases wire.Object) (Acknowledged, error) {
	body := wire.Obj("settings", settings)
	body.AddIf(len(aliases) > 0, "aliases", aliases)
	return c.acknowledge(ctx, index, Call{Method: http.MethodPost, Path: Path(index, "_shrink", target), Body: body})
}

// Copies are the copies of an index's shards that some node has, with their numbers added up: replicas count too.
type Copies struct {
	Docs, Bytes int64
	Shards      []ShardCopy // by number
}

// ShardCopy is one copy of a shard.
type ShardCopy struct {
	Number           int
	Primary, Started bool
	Node             string // its id
}

// Copies reads where the shards of one index are. A missing index is the index_not_found_exception.
func (c *Client) Copies(ctx context.Context, index string) (Copies, error) {
	if err := concrete(index); err != nil {
		return Copies{}, err
	}
	var answer struct {
		Indices map[string]struct {
			Total struct {
				Docs  struct{ Count int64 }
				Store struct {
					Size int64 `json:"size_in_bytes"`
				}
			}
			Shards map[string][]struct {
				Routing struct {
					State, Node string
					Primary     bool
				}
			}
		}
	}
	call := Call{
		Method: http.MethodGet, Path: Path(index, "_stats", "docs,store"),
		Query: query("level", "shards", "filter_path", "indices.*.total,indices.*.shards.*.routing"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return Copies{}, err
	}
	one := answer.Indices[index]
	out := Copies{Docs: one.Total.Docs.Count, Bytes: one.Total.Store.Size}
	for number, copies := range one.Shards {
		n, err := strconv.Atoi(number)
		if err != nil {
			return Copies{}, transportFault(call, err)
		}
		for _, s := range copies {
			out.Shards = append(out.Shards, ShardCopy{n, s.Routing.Primary, s.Routing.State == "STARTED", s.Routing.Node})
		}
	}
	slices.SortFunc(out.Shards, func(a, b ShardCopy) int { return a.Number - b.Number })
	return out, nil
}

// InSync is how many copies of each shard of an index are in sync, by number.
func (c *Client) InSync(ctx context.Context, index string) (map[string]int, error) {
	if err := concrete(index); err != nil {
		return nil, err
	}
	var answer struct {
		Metadata struct {
			Indices map[string]struct {
				InSync map[string][]string `json:"in_sync_allocations"`
			}
		}
	}
	call := Call{
		Method: http.MethodGet, Path: Path("_cluster", "state", "metadata", index),
		Query: query("filter_path", "metadata.indices.*.in_sync_allocations"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	out := map[string]int{}
	for number, ids := range answer.Metadata.Indices[index].InSync {
		out[number] = len(ids)
	}
	return out, nil
}

// DataNode is a node that keeps shards, with the bytes of its disks.
type DataNode struct {
	ID, Name    string
	Free, Total int64
}

// DataNodes are the nodes that keep shards, by id.
func (c *Client) DataNodes(ctx context.Context) (map[string]DataNode, error) {
	var answer struct {
		Nodes map[string]struct {
			Name  string
			Roles []string
			FS    struct {
				Total struct {
					Free  int64 `json:"free_in_bytes"`
					Total int64 `json:"total_in_bytes"`
				}
			}
		}
	}
	call := Call{
		Method: http.MethodGet, Path: "/_nodes/stats/fs",
		Query: query("filter_path", "nodes.*.name,nodes.*.roles,nodes.*.fs.total"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return nil, err
	}
	out := map[string]DataNode{}
	for id, n := range answer.Nodes {
		if slices.Contains(n.Roles, "data") {
			out[id] = DataNode{id, n.Name, n.FS.Total.Free, n.FS.Total.Total}
		}
	}
	return out, nil
}

// HighWatermark is the setting cluster.routing.allocation.disk.watermark.high as it applies: how full a disk may be
// ("90%"), or how many bytes have to be free ("10gb").
func (c *Client) HighWatermark(ctx context.Context) (string, error) {
	const key = "cluster.routing.allocation.disk.watermark.high"
	var answer map[string]struct {
		Cluster struct {
			Routing struct {
				Allocation struct {
					Disk struct{ Watermark struct{ High string } }
				}
			}
		}
	}
	call := Call{
		Method: http.MethodGet, Path: "/_cluster/settings",
		Query: query("include_defaults", "true", "filter_path", "*."+key),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return "", err
	}
	for _, level := range []string{"transient", "persistent", "defaults"} {
		if high := answer[level].Cluster.Routing.Allocation.Disk.Watermark.High; high != "" {
			return high, nil
		}
	}
	return "", nil
}

// ShardMove is a move of one shard copy from a node to another, by their names.
type ShardMove struct {
	Index string `json:"index"`
	Shard int    `json:"shard"`
	From  string `json:"from_node"`
	To    string `json:"to_node"`
}

// Movable asks how many of these moves the cluster would make now, all together. Nothing is moved.
func (c *Client) Movable(ctx context.Context, moves []ShardMove) (int, error) {
	commands := make([]wire.Object, len(moves))
	for i, m := range moves {
		commands[i] = wire.Obj("move", m)
	}
	var answer struct {
		Explanations []struct {
			Decisions []struct{ Decision string }
		}
	}
	call := Call{
		Method: http.MethodPost, Path: "/_cluster/reroute", Body: wire.Obj("commands", commands),
		Query: query("dry_run", "true", "explain", "true", "metric", "none", "filter_path", "explanations"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return 0, err
	}
	yes := 0
	for _, e := range answer.Explanations {
		refused := false
		for _, d := range e.Decisions {
			refused = refused || d.Decision == "NO"
		}
		if !refused {
			yes++
		}
	}
	return yes, nil
}
