// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"slices"
	"strconv"
)

// IndexStats are the numbers conditions ask for.
type IndexStats struct {
	Docs         int64 // primaries, deleted documents excluded
	PrimaryBytes int64 // store size of the primaries that have segments
	MaxShard     int   // number of the largest primary shard
	MaxShardSize int64 // its store size in bytes
	// Segments is the number of segments per shard copy.
	Segments []int64
	// Failures are shard failures as text, one each.
	Failures []string
}

type statsAnswer struct {
	Shards  shardReport `json:"_shards"`
	Indices map[string]struct {
		Primaries struct {
			Docs struct{ Count int64 }
		}
		Shards map[string][]shardStats
	}
}

type shardStats struct {
	Routing struct{ Primary bool }
	Store   struct {
		Size int64 `json:"size_in_bytes"`
	}
	Segments struct{ Count int64 }
}

// add counts a copy of shard n. The plugin adds up the sizes of segments, which are not in the answer: where there is no
// segment there is no size, whatever the files take.
func (s *IndexStats) add(n int, shard shardStats) {
	s.Segments = append(s.Segments, shard.Segments.Count)
	if !shard.Routing.Primary || shard.Segments.Count == 0 {
		return
	}
	size := shard.Store.Size
	s.PrimaryBytes += size
	if size > s.MaxShardSize || (size == s.MaxShardSize && n < s.MaxShard) {
		s.MaxShard, s.MaxShardSize = n, size
	}
}

const statsFilter = "_shards.failures,indices.*.primaries.docs.count," +
	"indices.*.shards.*.routing.primary,indices.*.shards.*.store.size_in_bytes,indices.*.shards.*.segments.count"

// Stats reads the numbers of many indices in one request (nil: of all). An index that is gone or closed is left out.
func (c *Client) Stats(ctx context.Context, names []string) (map[string]IndexStats, error) {
	out := map[string]IndexStats{}
	err := c.inChunks(ctx, names, func(expression string) error {
		q := lenient("level", "shards", "filter_path", statsFilter)
		q.Set("expand_wildcards", "open,hidden")
		var answer statsAnswer
		call := Call{Method: http.MethodGet, Path: Path(expression, "_stats", "docs,store,segments"), Query: q}
		if err := c.Do(ctx, call, &answer); err != nil {
			return err
		}
		answer.collect(out)
		return nil
	})
	return out, err
}

func (a statsAnswer) collect(out map[string]IndexStats) {
	for name, idx := range a.Indices {
		s := IndexStats{Docs: idx.Primaries.Docs.Count}
		for number, copies := range idx.Shards {
			n, _ := strconv.Atoi(number)
			for _, shard := range copies {
				s.add(n, shard)
			}
		}
		slices.Sort(s.Segments)
		out[name] = s
	}
	for i, f := range a.Shards.Failures {
		s := out[f.Index]
		s.Failures = append(s.Failures, shardReport{Failures: a.Shards.Failures[i : i+1]}.texts()...)
		out[f.Index] = s
	}
}
