// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// NoSuchAPI reports whether an error says that the cluster does not know the path that was called.
func NoSuchAPI(err error) bool {
	return fault.HasStatus(err, http.StatusBadRequest) && strings.HasPrefix(fault.Of(err).Reason, "no handler found for uri")
}

// HasReplication reports whether the cluster has the cross-cluster replication plugin.
func (c *Client) HasReplication(ctx context.Context) (bool, error) {
	err := c.Do(ctx, Call{Method: http.MethodGet, Path: "/_plugins/_replication/follower_stats"}, nil)
	if NoSuchAPI(err) {
		return false, nil
	}
	return err == nil, err
}

// HasRole reports whether some node has one of these roles.
func (c *Client) HasRole(ctx context.Context, roles ...string) (bool, error) {
	var answer struct {
		Nodes map[string]struct {
			Roles []string `json:"roles"`
		} `json:"nodes"`
	}
	call := Call{Method: http.MethodGet, Path: "/_nodes/_all/http", Query: query("filter_path", "nodes.*.roles")}
	if err := c.Do(ctx, call, &answer); err != nil {
		return false, err
	}
	for _, node := range answer.Nodes {
		if slices.ContainsFunc(node.Roles, func(r string) bool { return slices.Contains(roles, r) }) {
			return true, nil
		}
	}
	return false, nil
}
