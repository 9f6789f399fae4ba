// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// attemptStopReplication ends the index's replication from another cluster. That it is about to is stored before: where
// there is no replication then, it has been ended.
func attemptStopReplication(ctx context.Context, e *Env) (ism.Result, error) {
	failed := e.message("Failed to stop replication")
	intended, err := e.Intentions.Load(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	if intended == nil {
		if err := e.Intentions.Store(ctx, Intention{Target: e.Index}); err != nil {
			return ism.Result{}, err
		}
	}
	a, err := e.Client.StopReplication(ctx, e.Index)
	done := e.message("Successfully stopped replication")
	switch {
	case intended != nil && err != nil && strings.Contains(fault.Of(err).Reason, "No replication in progress"):
		return completed(done), nil
	case snapshotInProgress(err):
		return ism.Result{Status: ism.StatusFailed, Info: e.message("Index had snapshot in progress, retrying stop replication")}, nil
	case opensearch.NoSuchAPI(err):
		return ism.Result{Status: ism.StatusFailed, Info: failed.With("cause", "No replication in progress for index:"+e.Index+": the cluster has no cross-cluster replication")}, nil
	}
	return e.outcome(a, err, done, failed)
}
