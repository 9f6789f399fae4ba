// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"encoding/json"
	"net/http"
)

// Repositories are the snapshot repositories by name, each with its type and settings as the cluster shows them.
func (c *Client) Repositories(ctx context.Context) (map[string]json.RawMessage, error) {
	var out map[string]json.RawMessage
	return out, c.Do(ctx, Call{Method: http.MethodGet, Path: Path("_snapshot")}, &out)
}
