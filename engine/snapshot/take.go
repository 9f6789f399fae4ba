// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// running is a snapshot being taken by this process.
type running struct {
	one    *catalog.Snapshotting
	cancel context.CancelCauseFunc
	done   chan struct{}
	// info and err are set when done is closed. info is nil for one that was given up.
	info *Info
	err  error

	mu     sync.Mutex
	shards map[shardKey]*progress
}

type shardKey struct {
	index  string
	number int
}

// progress of one shard.
type progress struct {
	stage string // of the status API: INIT, STARTED, DONE or FAILURE
	copied
	reason string
}

// The stages.
const (
	stageInit    = "INIT"
	stageStarted = "STARTED"
	stageDone    = "DONE"
	stageFailure = "FAILURE"
)

// errAborted ends a snapshot that is deleted before it is taken.
var errAborted error = fault.New(500, "snapshot_exception", "Snapshot was aborted by deletion")

// start takes a snapshot that is noted in the catalog.
func (s *Service) start(one *catalog.Snapshotting) *running {
	ctx, cancel := context.WithCancelCause(s.all)
	r := &running{one: one, cancel: cancel, done: make(chan struct{}), shards: map[shardKey]*progress{}}
	for _, index := range one.Indices {
		for n := range index.Shards {
			r.shards[shardKey{index.Name, n}] = &progress{stage: stageInit}
		}
	}
	s.mu.Lock()
	s.running[one.Key()] = r
	s.mu.Unlock()
	release := s.o.Clock.Hold()
	s.group.Go(func() {
		defer release()
		defer cancel(nil)
		r.info, r.err = s.take(ctx, r)
		s.mu.Lock()
		delete(s.running, one.Key())
		s.mu.Unlock()
		close(r.done)
	})
	return r
}

// take copies the shards and makes the snapshot exist. That it is being taken stays in the catalog if the service is
// closed meanwhile.
func (s *Service) take(ctx context.Context, r *running) (*Info, error) {
	var d *directory
	err := fault.Guard(s.o.Logger, "snapshot", func() (err error) {
		var o options
		if d, o, err = s.openToWrite(r.one.Repository, "create snapshot in a"); err != nil {
			return err
		}
		return s.copyShards(ctx, d, o, r)
	})
	if s.all.Err() != nil {
		return nil, fault.New(503, "node_closed_exception", "node closed")
	}
	s.naming.Lock()
	defer s.naming.Unlock()
	var info *Info
	if err == nil {
		info, err = s.commit(d, r)
	}
	if err != nil {
		if !errors.Is(err, errAborted) {
			s.o.Logger.Error("snapshot", "repository", r.one.Repository, "snapshot", r.one.Snapshot, "err", err)
		}
		err = snapshotFault(r.one, err)
	}
	return info, errors.Join(err, s.o.Catalog.EndSnapshot(context.WithoutCancel(ctx), r.one))
}

// snapshotFault is the error of a snapshot that could not be taken at all.
func snapshotFault(one *catalog.Snapshotting, err error) error {
	reason := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		reason = f.Reason
	}
	e := fault.New(500, "snapshot_exception", "[%s:%s/%s] %s", one.Repository, one.Snapshot, one.UUID, reason)
	e.Err = err
	return e
}

// copyShards copies every shard, some at once. A shard that cannot be copied is noted and stops no other.
func (s *Service) copyShards(ctx context.Context, d *directory, o options, r *running) error {
	pace := &pacer{perSecond: o.writing}
	var group sync.WaitGroup
	for _, index := range r.one.Indices {
		for n := range index.Shards {
			select {
			case s.slots <- struct{}{}:
			case <-ctx.Done():
				group.Wait()
				return context.Cause(ctx)
			}
			group.Go(func() {
				defer func() { <-s.slots }()
				s.copyOne(ctx, d, pace, r, index, n)
			})
		}
	}
	group.Wait()
	return context.Cause(ctx)
}

// copyOne copies one shard and notes what became of it.
func (s *Service) copyOne(ctx context.Context, d *directory, pace *pacer, r *running, index catalog.SnapshottedIndex, number int) {
	p := r.shards[shardKey{index.Name, number}]
	r.note(func() { p.stage, p.Start = stageStarted, s.o.Clock.Now().UnixMilli() })
	err := fault.Guard(s.o.Logger, "snapshot of a shard", func() error {
		if r.one.Source != "" {
			return s.copyClone(ctx, d, r, index, number)
		}
		return s.copyShard(ctx, d, pace, r, index, number)
	})
	if err != nil && ctx.Err() == nil {
		s.o.Logger.Error("snapshot of a shard", "snapshot", r.one.Snapshot, "index", index.Name, "shard", number, "err", err)
	}
	r.note(func() {
		p.stage = stageDone
		if err != nil {
			p.stage, p.reason = stageFailure, err.Error()
		}
	})
}

// note changes the progress that others read.
func (r *running) note(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// copyShard writes the blobs of a shard that are not there yet, and which ones it consists of.
func (s *Service) copyShard(ctx context.Context, d *directory, pace *pacer, r *running, of catalog.SnapshottedIndex, number int) error {
	index := s.o.Catalog.State().IndexByUUID(of.UUID)
	if index == nil {
		return fault.IndexNotFound(of.Name, "index_or_alias")
	}
	highest, err := s.o.Docs.Highest(index, number)
	if err != nil {
		return err
	}
	d.copying.RLock()
	defer d.copying.RUnlock()
	p := r.shards[shardKey{of.Name, number}]
	c := copied{IndexUUID: of.UUID, Highest: highest, Start: p.Start}
	if c.Blobs = d.unchanged(of.Name, number, of.UUID, highest); c.Blobs == nil {
		if err := s.copyDocuments(ctx, d, pace, index, number, r, &c); err != nil {
			return err
		}
	}
	c.Took = s.o.Clock.Now().UnixMilli() - c.Start
	r.note(func() { p.copied = c })
	return d.writeCopied(of.Name, number, r.one.UUID, &c)
}

// copyDocuments cuts the documents of a shard into blobs.
func (s *Service) copyDocuments(ctx context.Context, d *directory, pace *pacer, index *catalog.Index, number int, r *running, c *copied) error {
	p := r.shards[shardKey{index.Name, number}]
	c.Blobs = []blob{}
	emit := func(ctx context.Context, content []byte, docs int) error {
		name, added, err := d.writeBlob(index.Name, number, content)
		if err != nil {
			return err
		}
		c.Blobs = append(c.Blobs, blob{name, int64(len(content)), docs})
		if added {
			c.Added++
			c.AddedBytes += int64(len(content))
			err = pace.spend(ctx, len(content))
		}
		r.note(func() { p.copied = *c })
		return err
	}
	cut := cutter{emit: emit}
	err := s.o.Docs.Scan(ctx, index, number, func(ctx context.Context, doc shard.Document) error {
		c.Highest = max(c.Highest, doc.SeqNo)
		return cut.add(ctx, doc)
	})
	if err != nil {
		return err
	}
	return cut.flush(ctx)
}

// unchanged are the blobs of a shard if its last snapshot has all there is; nil if not. A shard without documents has an
// empty list.
func (d *directory) unchanged(index string, number int, uuid string, highest int64) []blob {
	last, err := newest(filepath.Join(d.shardDir(index, number), snapshotsDir))
	if err != nil || last == "" {
		return nil
	}
	c, err := d.readCopied(index, number, last)
	if err != nil || c.IndexUUID != uuid || c.Highest != highest || !d.has(index, number, c.Blobs) {
		return nil
	}
	return c.Blobs
}

// commit makes a snapshot exist whose shards are copied, as far as they could be.
func (s *Service) commit(d *directory, r *running) (*Info, error) {
	one := r.one
	info := &Info{
		Name: one.Snapshot, UUID: one.UUID, Version: s.o.Version, Indices: []Contained{}, Streams: one.Streams,
		Global: one.Global, Metadata: one.Metadata, Start: one.Started, End: s.o.Clock.Now().UnixMilli(),
	}
	c, err := s.contents(d, one)
	if err != nil {
		return nil, err
	}
	for _, index := range one.Indices {
		info.Indices = append(info.Indices, Contained{index.Name, index.Shards})
		for n := range index.Shards {
			info.Shards++
			if p := r.shards[shardKey{index.Name, n}]; p.stage == stageFailure {
				info.Failures = append(info.Failures, Failure{index.Name, index.UUID, n, p.reason})
			}
		}
	}
	info.State = Success
	if len(info.Failures) > 0 {
		info.State = Partial
	}
	return info, d.commit(info, c)
}

// contents is the metadata of what a snapshot takes, as it is when all is copied.
func (s *Service) contents(d *directory, one *catalog.Snapshotting) (*contents, error) {
	if one.Source != "" {
		return s.clonedContents(d, one)
	}
	now := s.o.Catalog.State()
	c := &contents{Indices: map[string]*catalog.Index{}, Streams: map[string]*catalog.DataStream{}}
	for _, of := range one.Indices {
		if index := now.IndexByUUID(of.UUID); index != nil {
			c.Indices[of.Name] = index
		}
	}
	for _, name := range one.Streams {
		if stream := now.DataStreams[name]; stream != nil {
			c.Streams[name] = stream
		}
	}
	if one.Global {
		c.Global = now.Global()
	}
	return c, nil
}
