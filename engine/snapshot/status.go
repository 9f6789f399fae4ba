// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// ShardStatus is how far the copy of one shard has got.
type ShardStatus struct {
	Index  string
	Number int
	// IndexUUID is that of the index, while the snapshot is being taken.
	IndexUUID string
	// Stage is INIT, STARTED, DONE or FAILURE; Reason says why it failed.
	Stage, Reason string
	// Added files and bytes were not in the repository before; Files and Bytes are all that the copy consists of.
	Added, Files            int
	AddedBytes, Bytes       int64
	StartMillis, TookMillis int64
}

// Status is how far a snapshot has got.
type Status struct {
	Info
	Repository string
	// Partial is true for one that is being taken and lets indices go away meanwhile.
	Partial bool
	Shards  []ShardStatus
}

// Statuses are the snapshots of these names, or those that are being taken if there are no names; repository "" means all
// repositories. A name that is missing is the 404 snapshot_missing_exception, unless ignoreMissing.
func (s *Service) Statuses(repository string, names []string, ignoreMissing bool) ([]*Status, error) {
	if len(names) == 0 {
		return s.Current(repository), nil
	}
	all, err := s.infos(repository)
	if err != nil {
		return nil, err
	}
	var out []*Status
	for _, name := range names {
		at := slices.IndexFunc(all, func(i *Info) bool { return i.Name == name })
		switch {
		case at < 0 && ignoreMissing:
		case at < 0:
			return nil, Missing(repository, name)
		default:
			status, err := s.status(repository, all[at])
			if err != nil {
				return nil, err
			}
			out = append(out, status)
		}
	}
	return out, nil
}

// Current are the snapshots that are being taken, in one repository, or in all of them for "".
func (s *Service) Current(repository string) []*Status {
	var out []*Status
	for _, one := range s.o.Catalog.State().SnapshotsInProgress() {
		if repository != "" && repository != "_all" && one.Repository != repository {
			continue
		}
		out = append(out, &Status{Info: *s.unfinished(one), Repository: one.Repository, Partial: one.Partial, Shards: s.progress(one.Key())})
	}
	return out
}

// progress is that of a snapshot which this process is taking.
func (s *Service) progress(key string) []ShardStatus {
	s.mu.Lock()
	r := s.running[key]
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []ShardStatus
	for _, index := range r.one.Indices {
		for n := range index.Shards {
			p := r.shards[shardKey{index.Name, n}]
			st := shardStatus(index.Name, n, p.stage, &p.copied)
			st.IndexUUID = index.UUID
			out = append(out, st)
		}
	}
	return out
}

func shardStatus(index string, number int, stage string, c *copied) ShardStatus {
	return ShardStatus{
		Index: index, Number: number, Stage: stage, Added: c.Added, AddedBytes: c.AddedBytes, Files: len(c.Blobs),
		Bytes: c.bytes(), StartMillis: c.Start, TookMillis: c.Took,
	}
}

// status is that of one snapshot.
func (s *Service) status(repository string, info *Info) (*Status, error) {
	out := &Status{Info: *info, Repository: repository}
	if info.State == InProgress {
		out.Shards = s.progress(repository + "/" + info.Name)
		return out, nil
	}
	d, _, err := s.open(repository)
	if err != nil {
		return nil, err
	}
	for _, index := range info.Indices {
		for n := range index.Shards {
			one, err := d.finished(info, index.Name, n)
			if err != nil {
				return nil, s.broken(repository, err)
			}
			out.Shards = append(out.Shards, one)
		}
	}
	return out, nil
}

// finished is the status of a shard of a snapshot that exists.
func (d *directory) finished(info *Info, index string, number int) (ShardStatus, error) {
	for _, f := range info.Failures {
		if f.Index == index && f.Shard == number {
			return ShardStatus{Index: index, Number: number, Stage: stageFailure, Reason: f.Reason}, nil
		}
	}
	c, err := d.readCopied(index, number, info.UUID)
	return shardStatus(index, number, stageDone, c), err
}

// Keep leaves of a status what belongs to these indices. One that the snapshot does not have is the 404
// index_not_found_exception, unless ignoreMissing.
func (st *Status) Keep(names []string, ignoreMissing bool) error {
	if len(names) == 0 {
		return nil
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(st.IndexNames(), name) })
	if len(missing) > 0 && !ignoreMissing {
		name := strings.Join(missing, ", ") + " and possibly more indices"
		e := fault.New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", name).With("index", name).With("index_uuid", "_na_")
		e.CausedBy = fault.Illegal("indices [%s] missing in snapshot [%s] of repository [%s]", name, st.Name, st.Repository)
		return e
	}
	st.Shards = slices.DeleteFunc(st.Shards, func(one ShardStatus) bool { return !slices.Contains(names, one.Index) })
	return nil
}
