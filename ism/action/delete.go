// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// attemptDelete deletes the index. Its uuid is looked up in the same step, so that an index which took its name
// meanwhile is left alone; one that is gone is done.
func attemptDelete(ctx context.Context, e *Env) (ism.Result, error) {
	done, failed := e.message("Successfully deleted index"), e.message("Failed to delete index")
	_, present, err := e.present(ctx)
	if err != nil {
		return refused(err, failed)
	}
	if !present {
		return completed(done), nil
	}
	a, err := e.Client.DeleteIndex(ctx, e.Index)
	switch {
	case fault.Is(err, "index_not_found_exception"):
		return completed(done), nil
	case snapshotInProgress(err):
		return waiting(e.message("Index had snapshot in progress, retrying deletion")), nil
	}
	return e.outcome(a, err, done, failed)
}
