// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
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
	if err == nil && there {
		_, err = e.Client.DeleteIndex(ctx, e.Index)
	}
	switch {
	case err == nil || fault.Is(err, "index_not_found_exception"):
		return done, nil
	case Unanswered(err):
		return ism.Result{}, err
	}
	r := e.notRestored("Failed to delete original index")
	r.Info = r.Info.With("delete_error", fault.Of(err).Reason)
	return r, nil
}

func (e *Env) notRestored(cause string) ism.Result {
	return failed("Failed to start restore for [index=" + e.Index + "], cause: " + cause)
}

// restoreRefused is the result of a call that failed.
func (e *Env) restoreRefused(err error) (ism.Result, error) {
	f := fault.Of(err)
	switch f.Type {
	case "concurrent_snapshot_execution_exception", "snapshot_in_progress_exception", "snapshot_exception":
		r := failed("Failed to start restore due to concurrent restore or snapshot in progress [index=" + e.Index + "]")
		r.Info = r.Info.With("cause", f.Reason)
		return r, nil
	}
	if Unanswered(err) {
		return ism.Result{}, err
	}
	return e.notRestored(f.Reason), nil
}
