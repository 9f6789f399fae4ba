// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"net/http"
	"slices"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Missing is the 404 for a snapshot that does not exist.
func Missing(repository, name string) error {
	return fault.New(http.StatusNotFound, "snapshot_missing_exception", "[%s:%s] is missing", repository, name)
}

// Get are the snapshots of a repository that expressions mean: names, patterns, _all, and _current for those that are
// being taken. They are sorted by start. A name or pattern that means nothing is the 404 snapshot_missing_exception,
// unless ignoreMissing.
func (s *Service) Get(repository string, expressions []string, ignoreMissing bool) ([]*Info, error) {
	if len(expressions) == 1 && expressions[0] != "_all" && expressions[0] != "_current" && !wire.IsPattern(expressions[0]) {
		return s.one(repository, expressions[0], ignoreMissing)
	}
	all, err := s.infos(repository)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, e := range expressions {
		some := e == "_all" || e == "_current"
		for _, info := range all {
			if e == "_all" || e == "_current" && info.State == InProgress || wire.Match(e, info.Name) {
				found[info.UUID], some = true, true
			}
		}
		if !some && !ignoreMissing {
			return nil, Missing(repository, e)
		}
	}
	return slices.DeleteFunc(all, func(info *Info) bool { return !found[info.UUID] }), nil
}

// one is the snapshot of a name, for whoever waits for it: it costs the same however many there are.
func (s *Service) one(repository, name string, ignoreMissing bool) ([]*Info, error) {
	state := s.o.Catalog.State()
	d, _, err := s.open(repository)
	if err != nil {
		return nil, err
	}
	if taking := state.SnapshotInProgress(repository, name); taking != nil {
		return []*Info{s.unfinished(taking)}, nil
	}
	info, err := d.find(name)
	switch {
	case err != nil:
		return nil, s.broken(repository, err)
	case info != nil:
		return []*Info{info}, nil
	case ignoreMissing:
		return nil, nil
	}
	return nil, Missing(repository, name)
}

// infos are all snapshots of a repository, those that are being taken too. The catalog is read first: what is no longer
// there is in the repository.
func (s *Service) infos(repository string) ([]*Info, error) {
	taking := s.o.Catalog.State().SnapshotsInProgress()
	d, _, err := s.open(repository)
	if err != nil {
		return nil, err
	}
	all, err := d.list()
	if err != nil {
		return nil, s.broken(repository, err)
	}
	for _, one := range taking {
		if one.Repository == repository {
			all = slices.DeleteFunc(all, func(info *Info) bool { return info.UUID == one.UUID })
			all = append(all, s.unfinished(one))
		}
	}
	slices.SortFunc(all, byStart)
	return all, nil
}

// unfinished is what is known of a snapshot that is being taken.
func (s *Service) unfinished(one *catalog.Snapshotting) *Info {
	info := &Info{
		Name: one.Snapshot, UUID: one.UUID, Version: s.o.Version, Indices: []Contained{}, Streams: one.Streams,
		Global: one.Global, Metadata: one.Metadata, State: InProgress, Start: one.Started,
	}
	for _, index := range one.Indices {
		info.Indices = append(info.Indices, Contained{index.Name, index.Shards})
	}
	return info
}
