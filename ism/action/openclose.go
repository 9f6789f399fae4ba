// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"

	"github.com/opensteward/steward/ism"
)

// attemptClose closes the index; a closed one stays closed.
func attemptClose(ctx context.Context, e *Env) (ism.Result, error) {
	a, err := e.Client.CloseIndex(ctx, e.Index)
	if snapshotInProgress(err) {
		return waiting(e.message("Index had snapshot in progress, retrying closing")), nil
	}
	return e.outcome(a, err, e.message("Successfully closed index"), e.message("Failed to close index"))
}

// attemptOpen opens the index; an open one stays open. It does not wait for its shards.
func attemptOpen(ctx context.Context, e *Env) (ism.Result, error) {
	a, err := e.Client.OpenIndex(ctx, e.Index)
	return e.outcome(a, err, e.message("Successfully opened index"), e.message("Failed to open index"))
}
