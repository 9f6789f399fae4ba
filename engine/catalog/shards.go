// SPDX-License-Identifier: Apache-2.0

package catalog

import "context"

// Shards is what the catalog needs of whoever keeps the documents. Calls about one index never overlap, but for reads of
// a Resize's source. The catalog calls all but Stats and Resize while no other change runs, so an implementation must
// not change the catalog from within.
type Shards interface {
	// Create makes the empty shards of an index that is about to appear. Shards left over from a creation that a
	// crash cut short belong to a uuid that the catalog does not know; [Catalog.State] after Open tells which to drop.
	Create(ctx context.Context, index *Index) error
	// Resize makes the shards of target, which is about to appear, and fills them with the documents of source, each in
	// the shard that it belongs to there. What it leaves when it fails is removed by Delete.
	Resize(ctx context.Context, source, target *Index) error
	// Delete removes the shards of an index that is gone. It cannot be refused; what it leaves is logged.
	Delete(ctx context.Context, index *Index) error
	// Open makes the shards of a closed index usable again, before the index is shown as open.
	Open(ctx context.Context, index *Index) error
	// Close flushes and releases the shards of an index that is shown as closed already.
	Close(ctx context.Context, index *Index) error
	// Change tells that settings or mapping of an index became others. before and after have the same uuid.
	Change(before, after *Index)
	// Stats counts what rollover conditions ask for.
	Stats(ctx context.Context, index *Index) (ShardStats, error)
}

// ShardStats are the figures of all primary shards of one index together.
type ShardStats struct {
	Docs  int64 // live documents
	Bytes int64 // on disk
}
