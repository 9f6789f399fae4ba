// SPDX-License-Identifier: Apache-2.0

// Package rollup keeps and runs rollup and transform jobs: /_plugins/_rollup and /_plugins/_transform, and the runner
// that reads the source documents page by page, aggregates them itself and writes the target index, the same way on
// every backend.
//
// Jobs and their progress are documents of OpenSearch's index management plugin, in its index and its shapes. The id of
// a target document is a hash of its bucket's key, and progress is stored after what it is about, under the version that
// was read: a process that dies at any instant is followed by one that writes the last page once more, with the same
// ids, and goes on.
//
// A job that cannot work (no source, a target that is no rollup index) fails with the plugin's words and is disabled. A
// cluster that does not answer, is too busy, or was changed underneath only makes it come back later.
package rollup

// ConfigIndex holds jobs and their progress, as the plugin does.
const ConfigIndex = ".opendistro-ism-config"

// SchemaVersion is the version of the config index's mapping, which stored jobs carry.
const SchemaVersion = 30

// Plugin is the index management plugin's name in _cat/plugins. A cluster that has it is passed all requests, and nothing
// here runs.
const Plugin = "opensearch-index-management"
