// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Clone makes a snapshot of indices of another one, without copying blobs.
func (s *Service) Clone(ctx context.Context, repository, source, target string, expressions []string) error {
	d, _, err := s.open(repository)
	if err != nil {
		return err
	}
	if err := checkName(repository, target); err != nil {
		return err
	}
	one := &catalog.Snapshotting{Repository: repository, Snapshot: target, UUID: newUUID(), Source: source, Metadata: []byte("{}"), Streams: []string{}}
	taking, err := s.begin(ctx, d, one, func(*catalog.State) error {
		info, err := d.find(source)
		switch {
		case err != nil:
			return s.broken(repository, err)
		case info == nil:
			return Missing(repository, source)
		}
		one.Global = info.Global
		one.Indices, err = cloned(repository, info, expressions)
		return err
	})
	if err != nil {
		return err
	}
	_, err = taking.Wait(ctx)
	return err
}

// cloned are the indices of a snapshot that expressions mean.
func cloned(repository string, info *Info, expressions []string) ([]catalog.SnapshottedIndex, error) {
	wanted, err := pick(info.IndexNames(), expressions, wire.IndexOptions{AllowNoIndices: true})
	if err != nil {
		return nil, err
	}
	var out []catalog.SnapshottedIndex
	for _, index := range info.Indices {
		if wanted[index.Name] {
			out = append(out, catalog.SnapshottedIndex{Name: index.Name, Shards: index.Shards})
		}
	}
	if len(out) == 0 {
		id := info.Name + "/" + info.UUID
		return nil, fault.New(http.StatusInternalServerError, "snapshot_exception", "[%s:%s] No indices in the source snapshot [%s] matched requested pattern [%s]",
			repository, id, id, join(expressions))
	}
	return out, nil
}

// copyClone gives a snapshot the copy of a shard that another one has.
func (s *Service) copyClone(_ context.Context, d *directory, r *running, index catalog.SnapshottedIndex, number int) error {
	d.copying.RLock()
	defer d.copying.RUnlock()
	source, err := d.find(r.one.Source)
	if err != nil {
		return err
	}
	if source == nil {
		return Missing(r.one.Repository, r.one.Source)
	}
	c, err := d.readCopied(index.Name, number, source.UUID)
	if err != nil {
		return err
	}
	c.Added, c.AddedBytes = 0, 0
	r.note(func() { r.shards[shardKey{index.Name, number}].copied = *c })
	return d.writeCopied(index.Name, number, r.one.UUID, c)
}

// clonedContents is the part of a snapshot's metadata that a clone takes.
func (s *Service) clonedContents(d *directory, one *catalog.Snapshotting) (*contents, error) {
	source, err := d.find(one.Source)
	if err != nil {
		return nil, err
	}
	if source == nil {
		return nil, Missing(one.Repository, one.Source)
	}
	all, err := d.readContents(source.UUID)
	if err != nil {
		return nil, err
	}
	c := &contents{Indices: map[string]*catalog.Index{}, Global: all.Global}
	for _, index := range one.Indices {
		if kept := all.Indices[index.Name]; kept != nil {
			c.Indices[index.Name] = kept
		}
	}
	return c, nil
}
