// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/wire"
)

// Snapshots are the snapshots of a repository whose names match a pattern; none is no error.
func (c *Client) Snapshots(ctx context.Context, repository, pattern string) ([]Snapshot, error) {
	var answer struct{ Snapshots []Snapshot }
	call := Call{
		Method: http.MethodGet, Path: Path("_snapshot", repository, pattern),
		Query: query("ignore_unavailable", "true", "verbose", "true"),
	}
	return answer.Snapshots, c.Do(ctx, call, &answer)
}

// RemoteRestore is a request for an index that is searched in its snapshot.
type RemoteRestore struct {
	Repository, Snapshot, Index string
	// Rename is the name of the new index, with $1 for that of the old one.
	Rename         string
	IncludeAliases bool
	IgnoreSettings []string
	Replicas       *int // nil: as in the snapshot
}

// RestoreRemote begins a restore and does not wait for its end.
func (c *Client) RestoreRemote(ctx context.Context, r RemoteRestore) error {
	if err := concrete(r.Index); err != nil {
		return err
	}
	body := wire.Obj("indices", r.Index, "storage_type", "remote_snapshot", "rename_pattern", "^(.*)$", "rename_replacement", r.Rename,
		"include_aliases", r.IncludeAliases)
	body.AddIf(len(r.IgnoreSettings) > 0, "ignore_index_settings", r.IgnoreSettings)
	if r.Replicas != nil {
		body.Add("index_settings", wire.Obj("index.number_of_replicas", *r.Replicas))
	}
	return c.Do(ctx, Call{
		Method: http.MethodPost, Path: Path("_snapshot", r.Repository, r.Snapshot, "_restore"),
		Query: query("wait_for_completion", "false"), Body: body,
	}, nil)
}

// StopReplication makes a follower index of cross-cluster replication an ordinary one.
func (c *Client) StopReplication(ctx context.Context, index string) (Acknowledged, error) {
	return c.acknowledge(ctx, index, Call{
		Method: http.MethodPost, Path: Path("_plugins", "_replication", index, "_stop"), Body: wire.Object{},
	})
}

// ScaleToSearch leaves an index its search replicas alone.
func (c *Client) ScaleToSearch(ctx context.Context, index string) (Acknowledged, error) {
	return c.acknowledge(ctx, index, Call{
		Method: http.MethodPost, Path: Path(index, "_scale"), Body: wire.Obj("search_only", true),
	})
}
