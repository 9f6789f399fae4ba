// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"math"
	"slices"
	"time"
)

// Match is one document that a query finds: its id, and the places of its target and of the shard in it.
type Match struct {
	Target, Shard int
	ID            string
}

// List returns what a query finds in several indices, at most limit (negative: all), in the order of a sort; without one
// in the order in which documents were written. It fails if one index cannot run the query.
func List(ctx context.Context, targets []Target, q Query, sort []Sort, limit int, now time.Time) ([]Match, error) {
	if len(sort) == 0 {
		sort = []Sort{NewSort("_doc", "")}
	}
	if limit < 0 {
		limit = math.MaxInt
	}
	c := &collector{request: &Request{Query: q, Sort: sort}, want: limit}
	for i := range targets {
		if err := c.target(ctx, &targets[i], now); err != nil {
			return nil, failed(&targets[i], err)
		}
	}
	slices.SortFunc(c.kept, c.compare)
	out := make([]Match, len(c.kept))
	for i, k := range c.kept {
		out[i] = Match{k.target, k.shard, k.id}
	}
	return out, nil
}
