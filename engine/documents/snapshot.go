// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"context"
	"iter"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// Highest is the highest sequence number given in a shard of an index, open or closed; -1 before the first write.
func (s *Store) Highest(index *catalog.Index, number int) (highest int64, err error) {
	g, err := s.group(index)
	if err != nil {
		return 0, err
	}
	err = s.with(g.slots[number], func(sh *shard.Shard) error {
		highest = sh.MaxSeqNo()
		return nil
	})
	return highest, err
}

// Scan calls fn for every document of a shard of an index, open or closed, in the order of sequence numbers, at one point
// in time. It ends early, with an error, when ctx is done or the index goes away; so does the context that fn gets.
func (s *Store) Scan(ctx context.Context, index *catalog.Index, number int, fn func(context.Context, shard.Document) error) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.life, func() { cancel(fault.IndexNotFound(g.name, "index_or_alias")) })()
	return s.with(g.slots[number], func(sh *shard.Shard) error {
		return sh.Scan(0, func(doc shard.Document) error {
			if err := g.abandoned(ctx); err != nil {
				return err
			}
			return fn(ctx, doc)
		})
	})
}

// Restore makes one shard of an index that is about to appear, from documents that keep their sequence numbers; see
// [shard.Restore]. What it leaves when another shard fails is removed by Delete.
func (s *Store) Restore(ctx context.Context, index *catalog.Index, number int, highest int64, docs iter.Seq2[shard.Document, error]) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	sl := g.slots[number]
	return shard.Restore(ctx, sl.dir, s.shardOptions(sl), highest, docs)
}
