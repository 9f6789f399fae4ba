// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/wire"
)

// Snapshot is what a repository says of one snapshot.
type Snapshot struct {
	Name    string   `json:"snapshot"`
	UUID    string   `json:"uuid"`
	Indices []string `json:"indices"`
	// State is IN_PROGRESS, SUCCESS, PARTIAL, FAILED or INCOMPATIBLE.
	State string `json:"state"`
	// Ended is in epoch milliseconds, 0 while it is being taken.
	Ended int64 `json:"end_time_in_millis"`
}

// CreateSnapshot begins a snapshot of one index, without the cluster's own state. A name that is taken is the 400
// invalid_snapshot_name_exception.
func (c *Client) CreateSnapshot(ctx context.Context, repository, name, index string, metadata map[string]string) error {
	if err := concrete(index); err != nil {
		return err
	}
	return c.Do(ctx, Call{
		Method: http.MethodPut, Path: Path("_snapshot", repository, name), Query: query("wait_for_completion", "false"),
		Body: wire.Obj("indices", index, "include_global_state", false, "metadata", metadata),
	}, nil)
}

// Snapshot reads one snapshot. ok is false if the repository does not list it; a missing one is the 404
// snapshot_missing_exception.
func (c *Client) Snapshot(ctx context.Context, repository, name string) (s Snapshot, ok bool, err error) {
	var answer struct{ Snapshots []Snapshot }
	if err := c.Do(ctx, Call{Method: http.MethodGet, Path: Path("_snapshot", repository, name)}, &answer); err != nil {
		return s, false, err
	}
	for _, one := range answer.Snapshots {
		if one.Name == name {
			return one, true, nil
		}
	}
	return s, false, nil
}
