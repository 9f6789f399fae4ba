// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/wire"
)

// snapshotMetadata is what the plugin says in its snapshots of who took them.
var snapshotMetadata = map[string]string{"snapshot_created": "Open Distro for Elasticsearch Index Management"}

// attemptSnapshot begins a snapshot of the index.
func attemptSnapshot(ctx context.Context, e *Env) (ism.Result, error) {
	return takeSnapshot(ctx, e, completed(e.message("Successfully started snapshot")))
}

// takeSnapshot begins a snapshot and returns done with its name, which is stored before the call is made: a second call
// with that name, after a crash, is refused, and the snapshot that has it is the one that was meant.
func takeSnapshot(ctx context.Context, e *Env, done ism.Result) (ism.Result, error) {
	if denied := e.Config.DeniedRepositories; wire.MatchAny(denied, e.Action.Snapshot.Repository) {
		info := e.message("Snapshot repository [%s] is blocked in [%s]", e.Action.Snapshot.Repository, strings.Join(denied, ", "))
		return ism.Result{Status: ism.StatusFailed, Info: info}, nil
	}
	failed := e.message("Failed to create snapshot")
	intended, err := e.Intentions.Load(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	var names snapshotNames
	for {
		if intended == nil {
			name, err := names.next(e)
			if err != nil {
				return refused(err, failed)
			}
			intended = &Intention{Snapshot: name}
			if err := e.Intentions.Store(ctx, *intended); err != nil {
				return ism.Result{}, err
			}
		}
		taken, err := beginSnapshot(ctx, e, intended.Snapshot)
		if taken && names.more() {
			intended = nil // another index has this name
			continue
		}
		return begun(e, intended.Snapshot, err, done, failed)
	}
}

// begun reports what became of the call that begins a snapshot.
func begun(e *Env, name string, err error, done ism.Result, failed ism.Info) (r ism.Result, _ error) {
	switch {
	case err == nil:
		r = done
	case fault.Is(err, "concurrent_snapshot_execution_exception"):
		r = waiting(e.message("Concurrent snapshot in progress, retrying next execution"))
	default:
		if r, err = refused(err, failed); err != nil {
			return r, err
		}
	}
	r.Properties = &ism.Properties{SnapshotName: &name}
	return r, nil
}

// beginSnapshot makes the call. taken is true if a snapshot of something else has the name.
func beginSnapshot(ctx context.Context, e *Env, name string) (taken bool, err error) {
	repository := e.Action.Snapshot.Repository
	err = e.Client.CreateSnapshot(ctx, repository, name, e.Index, snapshotMetadata)
	if !fault.Is(err, "invalid_snapshot_name_exception") || !strings.Contains(fault.Of(err).Reason, "snapshot with the same name") {
		return false, err
	}
	s, found, lookErr := e.Client.Snapshot(ctx, repository, name)
	switch {
	case lookErr != nil && Unanswered(lookErr):
		return false, lookErr
	case found && slices.Equal(s.Indices, []string{e.Index}):
		return false, nil
	}
	return true, err
}

// snapshotTime is how the time in a snapshot's name is written.
const snapshotTime = "2006.01.02-15:04:05.000"

// snapshotNames gives names for a snapshot of an index, one after another.
type snapshotNames struct{ tries int }

// maxNames is how many names are tried. Each is later by up to twice as much as the one before: as many indices as may have
// their snapshots begun at one instant, under names that do not differ in more, find one each.
const maxNames = 12

func (n *snapshotNames) more() bool { return n.tries < maxNames }

// next is what the policy's template makes of the index's name, and the time. The template knows the index by
// {{ctx.index}} alone, as the plugin's.
func (n *snapshotNames) next(e *Env) (string, error) {
	prefix := e.Action.Snapshot.Snapshot
	if strings.TrimSpace(prefix) == "" {
		prefix = ""
	} else {
		text, err := notify.Template{Source: prefix}.Render(wire.Obj("index", e.Index))
		if err != nil {
			return "", err
		}
		if prefix = text; strings.TrimSpace(text) == "" {
			prefix = e.Index
		}
	}
	at := e.Now
	if n.tries > 0 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(e.UUID))
		_, _ = h.Write([]byte{byte(n.tries)})
		at = at.Add(time.Duration(h.Sum64()%(256<<n.tries)) * time.Millisecond)
	}
	n.tries++
	return prefix + "-" + at.UTC().Format(snapshotTime), nil
}

// waitForSnapshot waits until the snapshot is taken.
func waitForSnapshot(ctx context.Context, e *Env) (ism.Result, error) {
	stored := e.Meta.Action.Properties
	if stored == nil || stored.SnapshotName == nil {
		info := e.message("Unable to retrieve [snapshot_name] from ActionProperties=%s", stored)
		return ism.Result{Status: ism.StatusFailed, Info: info}, nil
	}
	r, err := lookForSnapshot(ctx, e, *stored.SnapshotName)
	if err == nil && r.Status == ism.StatusConditionNotMet && r.Properties == nil && e.firstLook() {
		r, err = lookAgainSoon(ctx, e, *stored.SnapshotName, r)
	}
	return r, err
}

// A small snapshot takes milliseconds: at first it is looked for again after a pause that doubles, for this long of real
// time, before it is left to later runs.
const (
	snapshotPatience = 500 * time.Millisecond
	snapshotPause    = 5 * time.Millisecond
)

// lookAgainSoon looks for a snapshot until it is no longer in progress, or has been for a while.
func lookAgainSoon(ctx context.Context, e *Env, name string, r ism.Result) (_ ism.Result, err error) {
	left, pause := snapshotPatience, snapshotPause
	for left > 0 && err == nil && r.Status == ism.StatusConditionNotMet && r.Properties == nil {
		pause = min(pause, left)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ism.Result{}, ctx.Err()
		}
		left, pause = left-pause, 2*pause
		r, err = lookForSnapshot(ctx, e, name)
	}
	return r, err
}

// firstLook reports whether the step has just begun.
func (e *Env) firstLook() bool { return e.Meta.Step != nil && !e.Now.After(e.Meta.Step.StartTime) }

// lookForSnapshot reports what has become of a snapshot. One that failed, or that was lost with its cluster, is taken
// again under another name when the policy tries once more, where the plugin looks at the same one again.
func lookForSnapshot(ctx context.Context, e *Env, name string) (ism.Result, error) {
	s, found, err := e.Client.Snapshot(ctx, e.Action.Snapshot.Repository, name)
	if err != nil && !fault.Is(err, "snapshot_missing_exception") {
		return refused(err, e.message("Failed to get status of snapshot"))
	}
	info := func(text string) ism.Info {
		i := e.message("%s", text)
		if found {
			i = i.With("state", s.State)
		}
		return i
	}
	const inProgress = "Snapshot currently in progress"
	switch {
	case s.State == "IN_PROGRESS":
		return waiting(info(inProgress)), nil
	case s.State == "SUCCESS":
		return completed(info("Successfully created snapshot")), nil
	case e.retakes(name):
		return takeSnapshot(ctx, e, waiting(e.message(inProgress)))
	case err != nil:
		return refused(err, e.message("Failed to get status of snapshot"))
	}
	return ism.Result{Status: ism.StatusFailed, Info: info("Snapshot doesn't exist")}, nil
}

// retakes reports whether a snapshot that is no good may be taken again: it is a retry, and the snapshot is older.
func (e *Env) retakes(name string) bool {
	retried := e.Meta.Action.LastRetry
	if e.Config.Native || retried == nil || *retried == 0 || len(name) < len(snapshotTime) {
		return false
	}
	at, err := time.Parse(snapshotTime, name[len(name)-len(snapshotTime):])
	return err == nil && at.UnixMilli() < *retried
}
