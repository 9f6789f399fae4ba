// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
)

// HeapPercent is how much of its memory the busiest node uses, in percent; 0 if no node says.
func (c *Client) HeapPercent(ctx context.Context) (int, error) {
	var answer struct {
		Nodes map[string]struct {
			JVM struct {
				Mem struct {
					Percent int `json:"heap_used_percent"`
				} `json:"mem"`
			} `json:"jvm"`
		} `json:"nodes"`
	}
	call := Call{
		Method: http.MethodGet, Path: "/_nodes/stats/jvm", Query: query("filter_path", "nodes.*.jvm.mem.heap_used_percent"),
	}
	if err := c.Do(ctx, call, &answer); err != nil {
		return 0, err
	}
	highest := 0
	for _, node := range answer.Nodes {
		highest = max(highest, node.JVM.Mem.Percent)
	}
	return highest, nil
}
