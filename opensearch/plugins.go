// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"slices"
	"time"
)

const (
	// pluginFor is how long the answer about a plugin counts: plugins come and go with the restart of nodes.
	pluginFor = time.Minute
	// pluginWithin bounds the question.
	pluginWithin = 5 * time.Second
)

// Plugins are the names of the plugins of all nodes, as _cat/plugins lists them; header is the caller's, if not nil.
func (c *Client) Plugins(ctx context.Context, header http.Header) ([]string, error) {
	var rows []struct{ Component string }
	call := Call{Method: http.MethodGet, Path: "/_cat/plugins", Query: query("h", "component", "format", "json"), Header: header}
	if err := c.Do(ctx, call, &rows); err != nil {
		return nil, err
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Component
	}
	return names, nil
}

// AskPlugin returns a function that tells whether the cluster has a plugin, which asks when that is wanted, once in a
// minute. While the cluster does not answer the last answer counts.
func (c *Client) AskPlugin(component string) func() bool {
	has := Keep(pluginFor, 0, func(ctx context.Context) (bool, error) {
		names, err := c.Plugins(ctx, nil)
		return slices.Contains(names, component), err
	})
	return func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), pluginWithin)
		defer cancel()
		last, _ := has.Get(ctx)
		return last
	}
}
