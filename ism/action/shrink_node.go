// SPDX-License-Identifier: Apache-2.0

package action

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// targetName is the name of the target: what the action's template makes of the index's, or the index's and "_shrunken".
// Like the plugin's the template knows the index by {{ctx.index}} alone.
func (e *Env) targetName() (string, error) {
	if t := e.Action.Shrink.TargetTemplate; t != nil {
		name, err := notify.Template{Source: t.Source, Options: t.Options, Params: t.Params}.Render(wire.Obj("index", e.Index))
		if err != nil || strings.TrimSpace(name) != "" {
			return name, err
		}
	}
	return e.Index + shrunken, nil
}

// targetShards is how many shards an index of so many, and so many bytes with its replicas, is shrunk to: a factor.
func targetShards(a *ism.Shrink, shards int, bytes int64) int {
	switch {
	case a.NumNewShards != nil:
		return greatestFactor(shards, *a.NumNewShards)
	case a.Percentage != nil:
		return greatestFactor(shards, int(math.Floor(*a.Percentage*float64(shards))))
	}
	least := (bytes + a.MaxShardSize.Value() - 1) / a.MaxShardSize.Value()
	for n := max(1, least); n < int64(shards); n++ {
		if int64(shards)%n == 0 {
			return int(n)
		}
	}
	return shards
}

// greatestFactor is the greatest factor of n that is not greater than k, and at least 1.
func greatestFactor(n, k int) int {
	for f := min(n, k); f > 1; f-- {
		if n%f == 0 {
			return f
		}
	}
	return 1
}

// spaciousNodes are the names of the nodes that have space for the index twice and may get all its shards, the fullest
// first.
func (e *Env) spaciousNodes(ctx context.Context, copies opensearch.Copies) ([]string, error) {
	nodes, err := e.Client.DataNodes(ctx)
	if err != nil {
		return nil, err
	}
	high, err := e.Client.HighWatermark(ctx)
	if err != nil {
		return nil, err
	}
	type candidate struct {
		node opensearch.DataNode
		left int64
	}
	var spacious []candidate
	for _, n := range nodes {
		if left := spaceLeft(n, copies.Bytes, high); left > 0 {
			spacious = append(spacious, candidate{n, left})
		}
	}
	slices.SortFunc(spacious, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.node.Name, b.node.Name))
	})
	var names []string
	for _, c := range spacious {
		moves := movesTo(e.Index, c.node, nodes, copies.Shards)
		if len(moves) > 0 {
			yes, err := e.Client.Movable(ctx, moves)
			if err != nil {
				return nil, err
			}
			if yes < len(moves) {
				continue
			}
		}
		names = append(names, c.node.Name)
	}
	return names, nil
}

// spaceLeft is how many bytes a node has left beyond the index twice and what the high watermark keeps free.
func spaceLeft(n opensearch.DataNode, bytes int64, high string) int64 {
	var keep int64
	if used, ok := strings.CutSuffix(high, "%"); ok {
		if percent, err := strconv.ParseFloat(used, 64); err == nil {
			keep = int64((100 - percent) * float64(n.Total) / 100)
		}
	} else if size, err := wire.ParseBytes(high, "high"); err == nil {
		keep = size.Value()
	} else if ratio, err := strconv.ParseFloat(high, 64); err == nil {
		keep = int64((1 - ratio) * float64(n.Total))
	}
	return n.Free - 2*bytes - keep
}

// movesTo moves one copy of every shard that the node has no copy of.
func movesTo(index string, to opensearch.DataNode, nodes map[string]opensearch.DataNode, copies []opensearch.ShardCopy) []opensearch.ShardMove {
	has := map[int]bool{}
	for _, c := range copies {
		if c.Node == to.ID {
			has[c.Number] = true
		}
	}
	var moves []opensearch.ShardMove
	for _, c := range copies {
		if !has[c.Number] {
			has[c.Number] = true
			moves = append(moves, opensearch.ShardMove{Index: index, Shard: c.Number, From: nodes[c.Node].Name, To: to.Name})
		}
	}
	return moves
}
