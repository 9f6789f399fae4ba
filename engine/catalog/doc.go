// SPDX-License-Identifier: Apache-2.0

// Package catalog keeps the cluster metadata of the embedded engine: indices with their settings, mappings and aliases,
// templates, data streams and cluster settings, in one file.
//
// Readers take a [State], which never changes, from [Catalog.State]. Every change is one durable transaction that
// gives the next State a higher version and a new state uuid, so that a client which watches the version sees all
// changes and only changes. A change that fails leaves nothing behind. A change that would change nothing writes
// nothing.
//
// The catalog knows no HTTP and holds no documents. What has to happen to an index's shards (create, open, close,
// delete) it asks of [Shards], in an order that a crash cannot hurt: shards are created before an index appears and
// deleted after it is gone.
package catalog
