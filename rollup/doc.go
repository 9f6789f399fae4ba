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

import (
	"context"
	"net/http"
	"net/url"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// ConfigIndex holds jobs and their progress, as the plugin does.
const ConfigIndex = ".opendistro-ism-config"

// SchemaVersion is the version of the config index's mapping, which stored jobs carry.
const SchemaVersion = 30

// Native reports whether the cluster has rollup and transform jobs itself: requests for them are then passed on, and
// nothing here runs.
func Native(ctx context.Context, c *opensearch.Client) (bool, error) {
	call := opensearch.Call{Method: http.MethodGet, Path: rollupPrefix, Query: url.Values{"size": {"0"}}}
	err := c.Do(ctx, call, nil)
	switch f := fault.Of(err); {
	case err == nil, f.Type == "index_not_found_exception":
		return true, nil
	case f.Form == fault.PlainNoStatus || f.Form == fault.Plain: // no handler found
		return false, nil
	case f.Status == http.StatusForbidden: // the security plugin asks before it is known whether there is a handler
		return false, nil
	}
	return false, err
}
