// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// attemptSearchOnly leaves the index its search replicas alone, unless it has been left them.
func attemptSearchOnly(ctx context.Context, e *Env) (ism.Result, error) {
	failed := e.message("Failed to set index to search-only mode")
	info, _, err := e.present(ctx)
	if err != nil {
		return refused(err, failed)
	}
	if info.Settings["index.blocks.search_only"] == "true" {
		return completed(e.message("Index is already in search-only mode")), nil
	}
	a, err := e.Client.ScaleToSearch(ctx, e.Index)
	switch {
	case snapshotInProgress(err):
		return waiting(e.message("Index had snapshot in progress, retrying search_only action")), nil
	case err != nil && temporary(err):
		cause := fault.Of(err).Reason
		if cause == "" {
			cause = "Unknown"
		}
		return waiting(e.message("Temporary condition prevented search_only operation, retrying").With("cause", cause)), nil
	}
	return e.outcome(a, err, e.message("Successfully set index to search-only mode"), failed)
}

// temporary reports whether the cluster refused the call for what will pass, in the plugin's judgement: it is overloaded,
// or says so.
func temporary(err error) bool {
	f := fault.Of(err)
	if f.Type == "transport_exception" {
		return false // there is no answer
	}
	if f.Type == "rejected_execution_exception" || f.Type == "open_search_rejected_execution_exception" {
		return true
	}
	text := strings.ToLower(f.Reason)
	for _, word := range []string{"timeout", "timed out", "backpressure", "rejected"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
