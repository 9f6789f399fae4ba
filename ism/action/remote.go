// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// attemptRestore has the index restored from its newest snapshot as one that is searched there. It is done when that index
// exists; then the original is deleted if the action says so.
func attemptRestore(ctx context.Context, e *Env) (ism.Result, error) {
	a := e.Action.ConvertToRemote
	if strings.TrimSpace(a.RenamePattern) == "" || !strings.Contains(a.RenamePattern, "$1") {
		return e.notRestored("rename_pattern must be non-empty and contain '$1'"), nil
	}
	prefix, err := e.snapshotPrefix(a.Snapshot)
	if err != nil {
		return e.restoreRefused(err)
	}
	list, err := e.Client.Snapshots(ctx, a.Repository, prefix+"*")
	if err != nil {
		return e.restoreRefused(err)
	}
	newest, found := newestSuccess(list)
	switch {
	case len(list) == 0:
		return e.notRestored("No snapshots found matching pattern [" + prefix + "*]"), nil
	case !found:
		return e.notRestored("No successful snapshots found matching pattern [" + prefix + "*]"), nil
	}
	r, err := e.remote(ctx, newest.Name)
	r.Properties = &ism.Properties{SnapshotName: &newest.Name}
	return r, err
}

// snapshotPrefix is what the names of the index's snapshots begin with. The template knows the index by {{ctx.index}}.
func (e *Env) snapshotPrefix(template string) (string, error) {
	text, err := notify.Template{Source: template}.Render(wire.Obj("index", e.Index))
	if err == nil && strings.TrimSpace(text) == "" {
		text = e.Index
	}
	return text, err
}

// newestSuccess is the snapshot that ended last of those that have everything.
func newestSuccess(list []opensearch.Snapshot) (newest opensearch.Snapshot, found bool) {
	for _, s := range list {
		if s.State == "SUCCESS" && (!found || s.Ended > newest.Ended) {
			newest, found = s, true
		}
	}
	return newest, found
}

// remote looks for the remote index, and begins its restore if there is none.
func (e *Env) remote(ctx context.Context, snapshot string) (ism.Result, error) {
	a := e.Action.ConvertToRemote
	name := strings.ReplaceAll(a.RenamePattern, "$1", e.Index)
	infos, err := e.Client.Indices(ctx, []string{name})
	if err != nil {
		return e.restoreRefused(err)
	}
	if infos[name].Settings["index.store.type"] == "remote_snapshot" {
		return e.converted(ctx)
	}
	err = e.Client.RestoreRemote(ctx, opensearch.RemoteRestore{
		Repository: a.Repository, Snapshot: snapshot, Index: e.Index, Rename: a.RenamePattern,
		IncludeAliases: a.IncludeAliases, IgnoreSettings: a.IgnoredSettings(), Replicas: a.NumberOfReplicas,
	})
	if err != nil {
		return e.restoreRefused(err)
	}
	return waiting(ism.Message("Waiting for remote index [" + name + "] to be created")), nil
}

// converted ends the action once the remote index exists.
func (e *Env) converted(ctx context.Context) (ism.Result, error) {
	done := completed(ism.Message("Successfully started restore for [index=" + e.Index + "]"))
	if !e.Action.ConvertToRemote.DeleteOriginal {
		return done, nil
	}
	_, there, err := e.present(ctx)
	answer := opensearch.Acknowledged{Acknowledged: true}
	if err == nil && there {
		answer, err = e.Client.DeleteIndex(ctx, e.Index)
	}
	reason := "Delete request was not acknowledged"
	switch {
	case err == nil && answer.Acknowledged, fault.Is(err, "index_not_found_exception"):
		done.Info = done.Info.With("deleted_original_index", true)
		return done, nil
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		reason = fault.Of(err).Reason
	}
	r := e.notRestored("Failed to delete original index")
	r.Info = r.Info.With("deleted_original_index", false).With("delete_error", reason)
	return r, nil
}

func (e *Env) notRestored(cause string) ism.Result {
	return failed("Failed to start restore for [index=" + e.Index + "], cause: " + cause)
}

// snapshotFailures are the types of errors about a snapshot itself, which the plugin has one text for.
var snapshotFailures = []string{
	"snapshot_exception", "concurrent_snapshot_execution_exception", "invalid_snapshot_name_exception",
	"snapshot_creation_exception", "snapshot_missing_exception", "snapshot_restore_exception",
}

// restoreRefused is the result of a call that failed.
func (e *Env) restoreRefused(err error) (ism.Result, error) {
	f := fault.Of(err)
	r := e.notRestored(f.Reason)
	switch {
	case slices.Contains(snapshotFailures, f.Type):
		r = failed("Failed to start restore due to concurrent restore or snapshot in progress [index=" + e.Index + "]")
	case Unanswered(err):
		return ism.Result{}, err
	}
	r.Info = r.Info.With("cause", f.Reason)
	return r, nil
}
