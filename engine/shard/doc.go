// SPDX-License-Identifier: Apache-2.0

// Package shard is one shard of an index: a durable store of documents and a full-text index over them.
//
// Documents live in one bbolt file, keyed by sequence number, with a table from id to place. A write is acknowledged
// after the file is synced; concurrent writers share one transaction. The full-text index (bleve) is off that path: a
// [Shard.Refresh] feeds it what was written since, and it remembers up to which sequence number it has been fed in the
// same batch, so that after a crash exactly the rest is fed again. Its state never decides whether a document exists.
//
// A shard has no goroutine of its own beyond those of an open bleve index, which idle. It is safe for concurrent use.
package shard
