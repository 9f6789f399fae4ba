// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/opensteward/steward/wire"
)

// Delete removes the snapshots that names and patterns mean, and the blobs that no other one needs. One that is being
// taken is given up first. A name that is missing is the 404 snapshot_missing_exception; nothing is removed then.
func (s *Service) Delete(ctx context.Context, repository string, expressions []string) error {
	all, err := s.infos(repository)
	if err != nil {
		return err
	}
	gone := map[string]*Info{}
	for _, e := range expressions {
		some := e == "_all" || wire.IsPattern(e)
		for _, info := range all {
			if e == "_all" || wire.Match(e, info.Name) {
				gone[info.UUID], some = info, true
			}
		}
		if !some {
			return Missing(repository, e)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	d, _, err := s.openToWrite(repository, "delete snapshot from a")
	if err != nil {
		return err
	}
	for _, info := range gone {
		if err := s.refuseRestored(repository, info); err != nil {
			return err
		}
	}
	for _, info := range gone {
		if info.State == InProgress {
			if err := s.abort(ctx, repository, info.Name); err != nil {
				return err
			}
		}
	}
	return s.remove(d, repository, gone)
}

// abort gives up a snapshot that is being taken.
func (s *Service) abort(ctx context.Context, repository, name string) error {
	s.mu.Lock()
	r := s.running[repository+"/"+name]
	s.mu.Unlock()
	if r == nil {
		return nil // it is finished
	}
	r.cancel(errAborted)
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// remove makes snapshots not exist, and then removes what they had to themselves.
func (s *Service) remove(d *directory, repository string, gone map[string]*Info) (err error) {
	for _, info := range gone {
		if err := d.forget(info); err != nil {
			return s.broken(repository, err)
		}
	}
	d.copying.Lock()
	defer d.copying.Unlock()
	shards := map[shardKey]bool{}
	for uuid, info := range gone {
		err = errors.Join(err, removeFile(filepath.Join(d.path, contentsDir, uuid)))
		for _, index := range info.Indices {
			for n := range index.Shards {
				shards[shardKey{index.Name, n}] = true
				err = errors.Join(err, removeFile(filepath.Join(d.shardDir(index.Name, n), snapshotsDir, uuid)))
			}
		}
	}
	for shard := range shards {
		_, cleanErr := d.clean(shard.index, shard.number)
		err = errors.Join(err, cleanErr)
	}
	if err != nil {
		s.o.Logger.Error("remove what a deleted snapshot leaves", "repository", repository, "err", err)
	}
	return nil // the snapshots are gone; a cleanup removes the rest
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Removed counts what a cleanup has removed.
type Removed struct {
	Files int
	Bytes int64
}

func (r *Removed) add(path string) error {
	info, err := os.Stat(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		r.Files, r.Bytes = r.Files+1, r.Bytes+info.Size()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// clean removes the blobs of a shard that no snapshot has, and the directories of the shard and its index once they are
// empty. copying is held.
func (d *directory) clean(index string, number int) (r Removed, err error) {
	dir := d.shardDir(index, number)
	taken, err := names(filepath.Join(dir, snapshotsDir))
	if err != nil {
		return r, err
	}
	needed := map[string]bool{}
	for _, uuid := range taken {
		c, err := d.readCopied(index, number, uuid)
		if err != nil {
			return r, fmt.Errorf("nothing is removed: %w", err)
		}
		for _, b := range c.Blobs {
			needed[b.Name] = true
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, blobsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	for _, f := range files {
		if !needed[f.Name()] {
			err = errors.Join(err, r.add(filepath.Join(dir, blobsDir, f.Name())))
		}
	}
	if len(taken) == 0 {
		for _, empty := range []string{filepath.Join(dir, blobsDir), filepath.Join(dir, snapshotsDir), dir, filepath.Dir(dir)} {
			_ = os.Remove(empty) // unless something is in it
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return r, err
}

// Cleanup removes what no snapshot of a repository needs: what a crash left of one being taken or deleted.
func (s *Service) Cleanup(repository string) (r Removed, err error) {
	d, _, err := s.openToWrite(repository, "run cleanup on")
	if err != nil {
		return r, err
	}
	if err := s.refuseCleanup(repository); err != nil {
		return r, err // before waiting for it
	}
	s.naming.Lock()
	defer s.naming.Unlock()
	d.copying.Lock()
	defer d.copying.Unlock()
	if err := s.refuseCleanup(repository); err != nil {
		return r, err
	}
	known, err := names(filepath.Join(d.path, snapshotsDir))
	if err != nil {
		return r, s.broken(repository, err)
	}
	shards, err := d.shards()
	if err == nil {
		err = r.addUnknown(filepath.Join(d.path, contentsDir), known)
	}
	for _, shard := range shards {
		err = errors.Join(err, r.addUnknown(filepath.Join(d.shardDir(shard.index, shard.number), snapshotsDir), known))
		one, cleanErr := d.clean(shard.index, shard.number)
		r.Files, r.Bytes = r.Files+one.Files, r.Bytes+one.Bytes
		err = errors.Join(err, cleanErr)
	}
	if err != nil {
		return r, s.broken(repository, err)
	}
	return r, nil
}

// addUnknown removes the files of a directory that belong to no snapshot.
func (r *Removed) addUnknown(dir string, known []string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		if !slices.Contains(known, f.Name()) {
			err = errors.Join(err, r.add(filepath.Join(dir, f.Name())))
		}
	}
	return err
}
