// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/opensteward/steward/opensearch"
)

// pluginComponent is the plugin's name in _cat/plugins.
const pluginComponent = "opensearch-notifications"

// Native reports whether the cluster has the notifications plugin.
func Native(ctx context.Context, c *opensearch.Client) (bool, error) {
	var rows []struct{ Component string }
	call := opensearch.Call{
		Method: http.MethodGet, Path: "/_cat/plugins",
		Query: url.Values{"h": {"component"}, "format": {"json"}},
	}
	if err := c.Do(ctx, call, &rows); err != nil {
		return false, err
	}
	for _, r := range rows {
		if r.Component == pluginComponent {
			return true, nil
		}
	}
	return false, nil
}

const (
	// nativeFor is how long the answer of Native counts: plugins come and go with the restart of nodes.
	nativeFor = time.Minute
	// nativeWithin bounds the question.
	nativeWithin = 5 * time.Second
)

// AskNative returns a function that tells whether the cluster has the plugin, which asks when that is wanted, once in a
// minute. While the cluster does not answer the last answer counts.
func AskNative(c *opensearch.Client) func() bool {
	var mu sync.Mutex
	var last bool
	var at time.Time
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !at.IsZero() && time.Since(at) < nativeFor {
			return last
		}
		ctx, cancel := context.WithTimeout(context.Background(), nativeWithin)
		defer cancel()
		if has, err := Native(ctx, c); err == nil {
			last, at = has, time.Now()
		}
		return last
	}
}
