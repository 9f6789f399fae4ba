// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Snapshotting is a snapshot that is being taken: what has to be known to go on with it after a restart. It is a document
// of the kind [Snapshots]; a snapshot that is finished is known to its repository alone.
type Snapshotting struct {
	Repository string `json:"repository"`
	Snapshot   string `json:"snapshot"`
	UUID       string `json:"uuid"`
	// Source is the snapshot that this one is a clone of, or "".
	Source string `json:"source,omitempty"`
	// Indices are what it takes, by name.
	Indices []SnapshottedIndex `json:"indices"`
	// Streams are the names of the data streams among what it takes.
	Streams []string `json:"data_streams"`
	// Global is true if it takes templates, settings and the like, Partial if indices may go away meanwhile.
	Global  bool `json:"include_global_state"`
	Partial bool `json:"partial"`
	// Metadata is the client's own; nil for none.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// Started is in epoch milliseconds.
	Started int64 `json:"start_time"`
}

// SnapshottedIndex is an index that is being snapshotted.
type SnapshottedIndex struct {
	Name   string `json:"name"`
	UUID   string `json:"uuid"`
	Shards int    `json:"shards"`
}

// Key is the name of the document.
func (s *Snapshotting) Key() string { return s.Repository + "/" + s.Snapshot }

// SnapshotsInProgress are the snapshots that are being taken, oldest first.
func (s *State) SnapshotsInProgress() []*Snapshotting {
	docs := s.Documents[Snapshots]
	out := make([]*Snapshotting, 0, len(docs))
	for _, key := range slices.Sorted(maps.Keys(docs)) {
		one := new(Snapshotting)
		if json.Unmarshal(docs[key], one) == nil { // it was written by BeginSnapshot
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b *Snapshotting) int { return int(a.Started - b.Started) })
	return out
}

// SnapshotInProgress is the snapshot of a name, if it is being taken; nil if not.
func (s *State) SnapshotInProgress(repository, name string) *Snapshotting {
	one := &Snapshotting{Repository: repository, Snapshot: name}
	body, ok := s.Documents[Snapshots][one.Key()]
	if !ok || json.Unmarshal(body, one) != nil {
		return nil
	}
	return one
}

// BeginSnapshot notes that a snapshot is being taken, until EndSnapshot is called. check sees the state that it is noted
// in, and may refuse.
func (c *Catalog) BeginSnapshot(ctx context.Context, s *Snapshotting, check func(now *State) error) error {
	return c.update(ctx, func(next *State) error {
		if err := check(next); err != nil {
			return err
		}
		body, err := wire.Marshal(s)
		if err != nil {
			return err
		}
		if next.Documents[Snapshots] == nil {
			next.Documents[Snapshots] = map[string]json.RawMessage{}
		}
		next.Documents[Snapshots][s.Key()] = body
		return nil
	})
}

// EndSnapshot notes that a snapshot is no longer being taken. No block keeps it from that.
func (c *Catalog) EndSnapshot(ctx context.Context, s *Snapshotting) error {
	return c.update(ctx, func(next *State) error {
		delete(next.Documents[Snapshots], s.Key())
		return nil
	})
}

// refuseSnapshotted refuses to do something to indices of which a snapshot is being taken that must have them.
func (s *State) refuseSnapshotted(verb string, indices []*Index) error {
	taken := map[string]bool{}
	for _, one := range s.SnapshotsInProgress() {
		for _, index := range one.Indices {
			taken[index.UUID] = !one.Partial || taken[index.UUID]
		}
	}
	var names []string
	for _, index := range indices {
		if taken[index.UUID] {
			names = append(names, "["+index.Name+"/"+index.UUID+"]")
		}
	}
	return snapshotInProgress("Cannot "+verb+" indices that are being snapshotted", names)
}

// refuseSnapshottedStreams refuses to delete data streams of which a snapshot is being taken that must have them.
func (s *State) refuseSnapshottedStreams(streams []*DataStream) error {
	var names []string
	for _, stream := range streams {
		if slices.ContainsFunc(s.SnapshotsInProgress(), func(one *Snapshotting) bool {
			return !one.Partial && slices.Contains(one.Streams, stream.Name)
		}) {
			names = append(names, stream.Name)
		}
	}
	return snapshotInProgress("Cannot delete data streams that are being snapshotted", names)
}

func snapshotInProgress(what string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fault.New(http.StatusBadRequest, "snapshot_in_progress_exception",
		"%s: [%s]. Try again after snapshot finishes or cancel the currently running snapshot.", what, strings.Join(names, ", "))
}

// checkSnapshots looks at what is noted of repositories, and of snapshots that are being taken.
func (s *State) checkSnapshots(f *findings) {
	for _, name := range slices.Sorted(maps.Keys(s.Documents[Repositories])) {
		var r struct{ Type string }
		f.add(json.Unmarshal(s.Documents[Repositories][name], &r) != nil || r.Type == "", "the repository [%s] has no type", name)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Documents[Snapshots])) {
		var one Snapshotting
		if err := json.Unmarshal(s.Documents[Snapshots][key], &one); err != nil || one.Key() != key {
			f.add(true, "what is noted of the snapshot [%s] is not that of one", key)
			continue
		}
		f.add(s.Documents[Repositories][one.Repository] == nil, "the snapshot [%s] is being taken, and its repository does not exist", key)
		for _, index := range one.Indices {
			gone := one.Source == "" && !one.Partial && s.IndexByUUID(index.UUID) == nil
			f.add(gone, "the snapshot [%s] is being taken of the index [%s], which does not exist", key, index.Name)
		}
	}
}

// MatchDataStreams are the names of the data streams that the expressions of a request for indices mean, sorted.
func (s *State) MatchDataStreams(expressions []string, now time.Time) []string {
	found := map[string]bool{}
	for _, e := range orAll(expressions) {
		name, err := wire.ResolveDateMath(e, now)
		if err != nil {
			continue // resolving the indices says so
		}
		name, minus := strings.CutPrefix(name, "-")
		if minus && len(found) == 0 {
			continue // nothing to take away from
		}
		for stream := range s.DataStreams {
			if name == "_all" || wire.Match(name, stream) {
				found[stream] = !minus
			}
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(found)), func(name string) bool { return !found[name] })
}
