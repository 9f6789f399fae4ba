// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"context"
	"errors"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// Resize makes the shards of target and fills them with the documents of source, each in the shard that its routing
// leads to there. It reads each shard of source as it was at one point in time.
func (s *Store) Resize(ctx context.Context, source, target *catalog.Index) error {
	from, err := s.group(source)
	if err != nil {
		return err
	}
	to, err := s.group(target)
	if err != nil {
		return err
	}
	builders, ctx := errgroup.WithContext(ctx)
	builders.SetLimit(runtime.GOMAXPROCS(0))
	for _, sl := range to.slots {
		builders.Go(func() error {
			err := fault.Guard(s.o.Logger, "resize", func() error {
				return shard.Build(ctx, sl.dir, s.shardOptions(sl), s.resized(ctx, from, target, sl.number))
			})
			if fault.Is(err, "version_conflict_engine_exception") {
				return fault.Illegal("cannot resize index [%s]: two of its documents have one id and different routings, and belong to shard [%d] of [%s]: %s",
					source.Name, sl.number, target.Name, fault.Of(err).Reason)
			}
			return err
		})
	}
	return builders.Wait()
}

// resized are the documents of one shard of target.
func (s *Store) resized(ctx context.Context, from *group, target *catalog.Index, number int) iter.Seq2[shard.Document, error] {
	return func(yield func(shard.Document, error) bool) {
		for _, sl := range contributors(from.slots, target.Shards(), number) {
			err := s.with(sl, func(sh *shard.Shard) error {
				return sh.Scan(0, func(doc shard.Document) error {
					if err := from.abandoned(ctx); err != nil {
						return err
					}
					if Route(target, routingOf(&shard.Operation{ID: doc.ID, Routing: doc.Routing})) == number && !yield(doc, nil) {
						return errEnough
					}
					return nil
				})
			})
			if errors.Is(err, errEnough) {
				return
			}
			if err != nil {
				yield(shard.Document{}, err)
				return
			}
		}
	}
}

// errEnough ends a scan whose reader wants no more.
var errEnough = errors.New("enough")

// contributors are the shards of an index that have the documents of one shard of a resized one: when shards are merged
// several whole ones, when they are split a part of one.
func contributors(from []*slot, shards, number int) []*slot {
	if len(from) <= shards {
		at := number / (shards / len(from))
		return from[at : at+1]
	}
	each := len(from) / shards
	return from[number*each : (number+1)*each]
}

// abandoned says why a long read of an index has to end: its reader has left, or the index is deleted or closed.
func (g *group) abandoned(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.gone {
		return fault.IndexNotFound(g.name, "index_or_alias")
	}
	return nil
}
