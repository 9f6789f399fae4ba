// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// RestoreRequest asks for indices of a snapshot.
type RestoreRequest struct {
	Repository, Snapshot string
	// Indices are expressions over the snapshot's indices and data streams; none means all.
	Indices []string
	Options wire.IndexOptions
	// Rename gives indices and data streams other names, RenameAlias aliases; nil keeps them.
	Rename, RenameAlias *Renaming
	// Global replaces the cluster's templates, settings and the like too.
	Global bool
	// Partial brings indices back of which some shards were not copied, those shards empty.
	Partial bool
	// Aliases brings aliases back.
	Aliases bool
	// Settings are laid over those of the indices, of which those that match Dropped are left out.
	Settings catalog.SettingsChange
	Dropped  []string
}

// Origin is where restored indices come from.
type Origin struct {
	Repository, Snapshot string
	// id is the restore's own, uuid the snapshot's.
	id, uuid string
	// Indices are what comes back; none before that is certain.
	Indices []*catalog.Index
}

// Names are the names of the indices.
func (o *Origin) Names() []string {
	out := []string{}
	for _, index := range o.Indices {
		out = append(out, index.Name)
	}
	return out
}

// Restores are those under way.
func (s *Service) Restores() (out []Origin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.restores {
		out = append(out, *r)
	}
	return out
}

// Origin is where an index was restored from since this service was made; nil if it was not.
func (s *Service) Origin(uuid string) *Origin {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.origins[uuid]
}

// restoring reports whether something is being restored from a repository.
func (s *Service) restoring(repository string) bool {
	return slices.ContainsFunc(s.Restores(), func(r Origin) bool { return r.Repository == repository })
}

// refuseRestored refuses to delete a snapshot from which something is being restored.
func (s *Service) refuseRestored(repository string, info *Info) error {
	for _, r := range s.Restores() {
		if r.Repository == repository && r.uuid == info.UUID {
			id := info.Name + "/" + info.UUID
			return concurrent(repository, id, "cannot delete snapshot during a restore in progress in [RestoreInProgress[{%s}{%s:%s}]]", r.id, repository, id)
		}
	}
	return nil
}

// refuseCleanup refuses to clean up while something is under way that a cleanup could take for left over.
func (s *Service) refuseCleanup(repository string) error {
	var taking []string
	for _, one := range s.o.Catalog.State().SnapshotsInProgress() {
		if one.Repository == repository {
			taking = append(taking, one.Snapshot)
		}
	}
	if len(taking) > 0 {
		return fault.IllegalState("Cannot cleanup [%s] - a snapshot is currently running in [SnapshotsInProgress[%s]]", repository, strings.Join(taking, ", "))
	}
	return nil
}

// Restoring is a restore under way.
type Restoring struct {
	done    chan struct{}
	indices []*catalog.Index
	err     error
}

// Wait waits until the indices are back, and returns them.
func (r *Restoring) Wait(ctx context.Context) ([]*catalog.Index, error) {
	select {
	case <-r.done:
		return r.indices, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Restore begins to bring indices back. They appear when all of them are complete.
func (s *Service) Restore(r RestoreRequest) (*Restoring, error) {
	d, o, err := s.open(r.Repository)
	if err != nil {
		return nil, err
	}
	info, err := d.find(r.Snapshot)
	switch {
	case err != nil:
		return nil, s.broken(r.Repository, err)
	case info == nil:
		return nil, catalog.RestoreFault(r.Repository+":"+r.Snapshot, "snapshot does not exist")
	}
	c, err := d.readContents(info.UUID)
	if err != nil {
		return nil, s.broken(r.Repository, err)
	}
	plan, err := s.plan(&r, info, c)
	if err != nil {
		return nil, err
	}
	return s.run(&r, info, plan, func(indices []*catalog.Index) error { return s.fill(s.all, d, o, &r, info, plan, indices) })
}

// run brings indices back in the background. It returns when nothing can be refused any more.
func (s *Service) run(r *RestoreRequest, info *Info, plan *catalog.Restore, fill func([]*catalog.Index) error) (*Restoring, error) {
	from := &Origin{Repository: r.Repository, Snapshot: r.Snapshot, id: newUUID(), uuid: info.UUID}
	note := func(change func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		change()
	}
	note(func() { s.restores[from] = true })
	begun := make(chan error, 1)
	out := &Restoring{done: make(chan struct{})}
	release := s.o.Clock.Hold()
	s.group.Go(func() {
		defer release()
		defer close(out.done)
		defer func() { note(func() { delete(s.restores, from) }) }()
		started := false
		out.err = fault.Guard(s.o.Logger, "restore", func() (err error) {
			out.indices, err = s.o.Catalog.Restore(s.all, *plan, func(indices []*catalog.Index) error {
				note(func() { from.Indices = indices })
				started = true
				begun <- nil
				return fill(indices)
			})
			return err
		})
		switch {
		case out.err == nil:
			note(func() {
				for _, index := range out.indices {
					s.origins[index.UUID] = from
				}
			})
		case started:
			s.o.Logger.Error("restore", "repository", r.Repository, "snapshot", r.Snapshot, "err", out.err)
		default:
			begun <- out.err
		}
	})
	return out, <-begun
}

// plan says what comes back, and by which names.
func (s *Service) plan(r *RestoreRequest, info *Info, c *contents) (*catalog.Restore, error) {
	source := fmt.Sprintf("%s:%s/%s", r.Repository, info.Name, info.UUID)
	plan := &catalog.Restore{Source: source}
	wanted, streams, err := r.choose(info, c)
	if err != nil {
		return nil, err
	}
	if err := s.o.Catalog.State().CheckRestoredSettings(source, r.Settings, r.Dropped); err != nil {
		return nil, err
	}
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		saved := c.Indices[name]
		if saved == nil || !r.Partial && info.failed(name) {
			return nil, catalog.RestoreFault(source, "index [%s] wasn't fully snapshotted - cannot restore", name)
		}
		one := catalog.Restored{Saved: saved, Name: catalog.BackingName(saved, r.Rename.apply), Settings: r.Settings.Set, Dropped: r.Dropped}
		if other, twice := taken[one.Name]; twice {
			return nil, catalog.RestoreFault(r.Repository+":"+info.Name, "indices [%s] and [%s] are renamed into the same index [%s]", name, other, one.Name)
		}
		taken[one.Name] = name
		if streams[saved.DataStream] != nil {
			one.Stream = r.Rename.apply(saved.DataStream)
		}
		if r.Aliases {
			one.Aliases = map[string]catalog.Alias{}
			for alias, a := range saved.Aliases {
				one.Aliases[r.RenameAlias.apply(alias)] = a
			}
		}
		plan.Indices = append(plan.Indices, one)
	}
	for _, stream := range streams {
		plan.Streams = append(plan.Streams, renamed(stream, c, r.Rename))
	}
	if r.Global {
		plan.Global = c.Global // nil if it has none
	}
	return plan, nil
}

// failed reports whether some shard of an index was not copied.
func (i *Info) failed(index string) bool {
	return slices.ContainsFunc(i.Failures, func(f Failure) bool { return f.Index == index })
}

func (i *Info) failedShard(index string, number int) bool {
	return slices.ContainsFunc(i.Failures, func(f Failure) bool { return f.Index == index && f.Shard == number })
}

// renamed is a data stream under the names that it and its indices get.
func renamed(stream *catalog.DataStream, c *contents, to *Renaming) *catalog.DataStream {
	next := *stream
	next.Name = to.apply(stream.Name)
	next.Indices = make([]string, len(stream.Indices))
	for n, name := range stream.Indices {
		next.Indices[n] = catalog.BackingName(c.Indices[name], to.apply)
	}
	return &next
}

// choose are the indices and data streams of a snapshot that a request means.
func (r *RestoreRequest) choose(info *Info, c *contents) (wanted map[string]bool, streams map[string]*catalog.DataStream, err error) {
	streams = map[string]*catalog.DataStream{}
	all := info.IndexNames()
	for name := range c.Streams {
		all = append(all, name)
	}
	if wanted, err = pick(all, r.Indices, r.Options); err != nil {
		return nil, nil, err
	}
	for name, stream := range c.Streams {
		if !wanted[name] {
			continue
		}
		delete(wanted, name)
		streams[name] = stream
		for _, backing := range stream.Indices {
			if c.Indices[backing] == nil {
				return nil, nil, fault.IndexNotFound(backing, "index_or_alias")
			}
			wanted[backing] = true
		}
	}
	return wanted, streams, nil
}

// pick are the names that expressions mean: names, patterns, and -name or -pattern after a pattern to take away.
func pick(all, expressions []string, o wire.IndexOptions) (map[string]bool, error) {
	found := map[string]bool{}
	if len(expressions) == 0 {
		expressions = []string{"*"}
	}
	for n, e := range expressions {
		minus := n > 0 && strings.HasPrefix(e, "-")
		e = strings.TrimPrefix(e, "-")
		some := wire.IsPattern(e) && o.AllowNoIndices || e == "_all" || minus || o.IgnoreUnavailable
		for _, name := range all {
			if e != "_all" && !wire.Match(e, name) {
				continue
			}
			some = true
			if minus {
				delete(found, name)
			} else {
				found[name] = true
			}
		}
		if !some {
			return nil, fault.New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", e).With("index", e).With("index_uuid", "_na_")
		}
	}
	return found, nil
}

func join(expressions []string) string { return strings.Join(expressions, ",") }

// fill makes the shards of all indices, some at once.
func (s *Service) fill(ctx context.Context, d *directory, o options, r *RestoreRequest, info *Info, plan *catalog.Restore, indices []*catalog.Index) error {
	d.copying.RLock()
	defer d.copying.RUnlock()
	pace := &pacer{perSecond: o.reading}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n, index := range indices {
		saved := plan.Indices[n].Saved.Name
		for number := range index.Shards() {
			group.Go(func() error {
				return fault.Guard(s.o.Logger, "restore of a shard", func() error {
					return s.fillShard(ctx, d, pace, r, info, saved, index, number)
				})
			})
		}
	}
	return group.Wait()
}

// fillShard makes one shard of an index of what the snapshot has saved under a name.
func (s *Service) fillShard(ctx context.Context, d *directory, pace *pacer, r *RestoreRequest, info *Info, saved string, index *catalog.Index, number int) error {
	c, err := &copied{Highest: -1}, error(nil)
	if !info.failedShard(saved, number) {
		c, err = d.readCopied(saved, number, info.UUID)
	}
	if err != nil {
		return s.broken(r.Repository, err)
	}
	err = s.o.Docs.Restore(ctx, index, number, c.Highest, d.documents(ctx, pace, saved, number, c))
	if err != nil {
		return restoreFailed(index, number, err)
	}
	return nil
}

// restoreFailed is the error of a shard that could not be brought back.
func restoreFailed(index *catalog.Index, number int, err error) error {
	e := fault.New(http.StatusInternalServerError, "index_shard_restore_failed_exception", "restore failed: %s", err).
		With("index", index.Name).With("shard", strconv.Itoa(number)).With("index_uuid", index.UUID)
	e.Err = err
	return e
}

// errEnough ends a reading whose reader wants no more.
var errEnough = errors.New("enough")

// documents reads a copy of a shard.
func (d *directory) documents(ctx context.Context, pace *pacer, index string, number int, c *copied) iter.Seq2[shard.Document, error] {
	return func(yield func(shard.Document, error) bool) {
		for _, b := range c.Blobs {
			content, err := d.readBlob(index, number, b)
			if err == nil {
				err = pace.spend(ctx, len(content))
			}
			docs := 0
			for len(content) > 0 && err == nil {
				var doc shard.Document
				if doc, content, err = cutDocument(content); err == nil && !yield(doc, nil) {
					err = errEnough
				}
				docs++
			}
			if err == nil && docs != b.Docs {
				err = fmt.Errorf("blob %s has %d documents, not %d", b.Name, docs, b.Docs)
			}
			if errors.Is(err, errEnough) {
				return
			}
			if err != nil {
				yield(shard.Document{}, err)
				return
			}
		}
	}
}
