// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// pluginFor is how long the answer about a plugin counts: plugins come and go with the restart of nodes.
	pluginFor = time.Minute
	// pluginWithin bounds the question.
	pluginWithin = 5 * time.Second
)

// HasPlugin reports whether some node of the cluster has a plugin of this name, as _cat/plugins lists it.
func (c *Client) HasPlugin(ctx context.Context, component string) (bool, error) {
	type row struct{ Component string }
	var rows []row
	call := Call{Method: http.MethodGet, Path: "/_cat/plugins", Query: query("h", "component", "format", "json")}
	err := c.Do(ctx, call, &rows)
	return slices.Contains(rows, row{component}), err
}

// AskPlugin returns a function that tells whether the cluster has a plugin, which asks when that is wanted, once in a
// minute. While the cluster does not answer the last answer counts.
func (c *Client) AskPlugin(component string) func() bool {
	var mu sync.Mutex
	var last bool
	var at time.Time
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !at.IsZero() && time.Since(at) < pluginFor {
			return last
		}
		ctx, cancel := context.WithTimeout(context.Background(), pluginWithin)
		defer cancel()
		if has, err := c.HasPlugin(ctx, component); err == nil {
			last, at = has, time.Now()
		}
		return last
	}
}
