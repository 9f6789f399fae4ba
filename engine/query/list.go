// SPDX-License-Identifier: Apache-2.0

package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// Match is one document that a query finds: its id, the places of its target and of the shard in it, and its sequence
// number as searches see it.
type Match struct {
	Target, Shard int32
	SeqNo         int64
	ID            string
}

func (c candidate) asMatch() Match {
	return Match{int32(c.target), int32(c.shard), c.order & (1<<shardBits - 1), c.id}
}

// List returns what a query finds in several indices, at most limit (negative: all), in the order of a sort; without one
// in the order in which documents were written. It fails if one index cannot run the query.
func List(ctx context.Context, targets []Target, q Query, sort []Sort, limit int, now time.Time) (out []Match, err error) {
	c := &collector{request: &Request{Query: q, Sort: sort}, want: limit}
	if len(sort) == 0 {
		c.request.Sort = []Sort{NewSort("_doc", "")}
	}
	if limit < 0 {
		c.want = math.MaxInt
	}
	if limit < 0 && len(sort) == 0 { // may be millions: they are put in order here, and nothing else is kept of them
		c.take = func(one candidate) { out = append(out, one.asMatch()) }
	}
	for i := range targets {
		if err := c.target(ctx, &targets[i], now); err != nil {
			return nil, failed(&targets[i], err)
		}
	}
	if c.take != nil {
		slices.SortFunc(out, func(a, b Match) int {
			return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.SeqNo, b.SeqNo))
		})
		return out, nil
	}
	slices.SortFunc(c.kept, c.compare)
	out = make([]Match, len(c.kept))
	for i, k := range c.kept {
		out[i] = k.asMatch()
	}
	return out, nil
}
