// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Request asks for a snapshot.
type Request struct {
	Repository string
	// Name may be a date-math name.
	Name string
	// Indices are expressions; none means all.
	Indices []string
	Options wire.IndexOptions
	// Global takes the cluster's templates, settings and the like along.
	Global bool
	// Partial takes what can be taken, and lets indices go away meanwhile.
	Partial  bool
	Metadata json.RawMessage
}

// DefaultOptions are how expressions are meant unless a request says otherwise: open indices, hidden ones too.
var DefaultOptions = wire.IndexOptions{Open: true, Hidden: true, AllowNoIndices: true}

func invalidName(repository, name, why string) error {
	return fault.New(http.StatusBadRequest, "invalid_snapshot_name_exception", "[%s:%s] Invalid snapshot name [%s], %s",
		repository, name, name, why)
}

func checkName(repository, name string) error {
	switch {
	case name == "":
		return invalidName(repository, name, "cannot be empty")
	case strings.ContainsAny(name, " \t\n\r"):
		return invalidName(repository, name, "must not contain whitespace")
	case strings.Contains(name, ","):
		return invalidName(repository, name, "must not contain ','")
	case strings.Contains(name, "#"):
		return invalidName(repository, name, "must not contain '#'")
	case name[0] == '_':
		return invalidName(repository, name, "must not start with '_'")
	case strings.ToLower(name) != name:
		return invalidName(repository, name, "must be lowercase")
	case strings.ContainsAny(name, badCharacters):
		return invalidName(repository, name, badFileName)
	}
	return nil
}

// Create begins a snapshot. When it returns, the snapshot is noted durably and gets taken whatever happens to the process.
func (s *Service) Create(ctx context.Context, r Request) (*Taking, error) {
	d, _, err := s.open(r.Repository)
	if err != nil {
		return nil, err
	}
	name, err := wire.ResolveDateMath(r.Name, s.o.Clock.Now())
	if err != nil {
		return nil, err
	}
	if err := checkName(r.Repository, name); err != nil {
		return nil, err
	}
	one := &catalog.Snapshotting{
		Repository: r.Repository, Snapshot: name, UUID: newUUID(), Global: r.Global, Partial: r.Partial, Metadata: r.Metadata,
	}
	return s.begin(ctx, d, one, func(now *catalog.State) error {
		indices, err := now.Resolve(r.Indices, r.Options, s.o.Clock.Now())
		if err != nil {
			return err
		}
		one.Indices, one.Streams = []catalog.SnapshottedIndex{}, now.MatchDataStreams(r.Indices, s.o.Clock.Now())
		for _, index := range indices {
			one.Indices = append(one.Indices, catalog.SnapshottedIndex{Name: index.Name, UUID: index.UUID, Shards: index.Shards()})
		}
		return nil
	})
}

// begin notes a snapshot in the catalog and starts to take it. fill sees the state it is noted in.
func (s *Service) begin(ctx context.Context, d *directory, one *catalog.Snapshotting, fill func(now *catalog.State) error) (*Taking, error) {
	s.naming.Lock()
	defer s.naming.Unlock()
	if taken, err := d.find(one.Snapshot); err != nil {
		return nil, s.broken(one.Repository, err)
	} else if taken != nil {
		return nil, invalidName(one.Repository, one.Snapshot, "snapshot with the same name already exists")
	}
	if _, _, err := s.openToWrite(one.Repository, "create snapshot in a"); err != nil {
		return nil, err
	}
	err := s.o.Catalog.BeginSnapshot(ctx, one, func(now *catalog.State) error {
		if _, known := repositoryOf(now, one.Repository); !known {
			return missingRepository(one.Repository)
		}
		if _, taken := now.Documents[catalog.Snapshots][one.Key()]; taken {
			return invalidName(one.Repository, one.Snapshot, "snapshot with the same name is already in-progress")
		}
		if err := checkConcurrency(now, one); err != nil {
			return err
		}
		one.Started = s.o.Clock.Now().UnixMilli()
		return fill(now)
	})
	if err != nil {
		return nil, err
	}
	return &Taking{s.start(one)}, nil
}

// checkConcurrency refuses more snapshots at a time than the cluster's setting allows.
func checkConcurrency(now *catalog.State, one *catalog.Snapshotting) error {
	limit, err := strconv.Atoi(now.ClusterSetting("snapshot.max_concurrent_operations"))
	if n := len(now.Documents[catalog.Snapshots]); err == nil && n >= limit {
		return concurrent(one.Repository, one.Snapshot, "Cannot start another operation, already running [%d] operations and the current limit for concurrent snapshot operations is set to [%d]", n, limit)
	}
	return nil
}

func concurrent(repository, name, format string, args ...any) error {
	return fault.New(http.StatusConflict, "concurrent_snapshot_execution_exception", "[%s:%s] %s", repository, name, fmt.Sprintf(format, args...))
}

// Taking is a snapshot that is being taken.
type Taking struct{ r *running }

// Wait waits until the snapshot is taken, and says what became of it.
func (t *Taking) Wait(ctx context.Context) (*Info, error) {
	select {
	case <-t.r.done:
		return t.r.info, t.r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
