// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/engine/catalog"
)

// format is the number of a repository's layout. History: 1, the first.
const format = 1

// The parts of a repository.
const (
	markFile     = "steward-repository.json"
	snapshotsDir = "snapshots"
	contentsDir  = "contents"
	indicesDir   = "indices"
	blobsDir     = "blobs"
)

// State of a snapshot.
type State string

// The states.
const (
	InProgress State = "IN_PROGRESS"
	Success    State = "SUCCESS"
	Partial    State = "PARTIAL" // shards failed, be it all
)

// Info is what a repository says of a snapshot.
type Info struct {
	Name string `json:"name"`
	UUID string `json:"uuid"`
	// Version is that of OpenSearch which it was taken with: "3.4.0".
	Version string `json:"version"`
	// Indices are by name, each with its number of shards.
	Indices []Contained `json:"indices"`
	Streams []string    `json:"data_streams"`
	// Global is true if it holds templates, settings and the like.
	Global bool `json:"include_global_state"`
	// Metadata is the client's own; nil for none.
	Metadata json.RawMessage `json:"metadata,omitempty"`
	State    State           `json:"state"`
	// Start and End are epoch milliseconds; End is 0 while it is being taken.
	Start int64 `json:"start_time"`
	End   int64 `json:"end_time"`
	// Shards is how many shards were to be copied, of which those in Failures were not.
	Shards   int       `json:"shards"`
	Failures []Failure `json:"failures,omitempty"`
}

// Contained is an index in a snapshot.
type Contained struct {
	Name   string `json:"name"`
	Shards int    `json:"shards"`
}

// Failure is a shard that could not be copied.
type Failure struct {
	Index  string `json:"index"`
	UUID   string `json:"index_uuid"`
	Shard  int    `json:"shard"`
	Reason string `json:"reason"`
}

// IndexNames are the names of the indices.
func (i *Info) IndexNames() []string {
	out := make([]string, len(i.Indices))
	for n, index := range i.Indices {
		out[n] = index.Name
	}
	return out
}

// contents is the metadata that a snapshot holds.
type contents struct {
	Indices map[string]*catalog.Index      `json:"indices"`
	Streams map[string]*catalog.DataStream `json:"data_streams,omitempty"`
	Global  *catalog.GlobalState           `json:"global_state,omitempty"`
}

// blob is a file of documents.
type blob struct {
	Name string `json:"name"` // its digest
	Size int64  `json:"size"`
	Docs int    `json:"docs"`
}

// copied is a snapshot's copy of one shard.
type copied struct {
	// IndexUUID and Highest (sequence number) tell whether the shard has changed since.
	IndexUUID string `json:"index_uuid"`
	Highest   int64  `json:"highest_seq_no"`
	Blobs     []blob `json:"blobs"`
	// Added and AddedBytes count the blobs that were not there before.
	Added      int   `json:"added"`
	AddedBytes int64 `json:"added_bytes"`
	// Start and Took are in milliseconds.
	Start int64 `json:"start_time"`
	Took  int64 `json:"took"`
}

func (c *copied) bytes() (n int64) {
	for _, b := range c.Blobs {
		n += b.Size
	}
	return n
}

// directory is a repository's directory. It is safe for concurrent use; nobody else may write to it.
type directory struct {
	path string
	// copying is held for reading while a shard is copied, for writing while blobs are removed.
	copying sync.RWMutex

	mu sync.Mutex
	// sorted and named are the snapshots as they were when the directory was changed last; nil before they are read.
	sorted  []*Info
	named   map[string]*Info
	changed time.Time
}

// mark is what a directory says of itself.
type mark struct {
	Format int `json:"format"`
}

// initialise makes an empty directory a repository, or looks whether it is one that can be read.
func (d *directory) initialise() error {
	var m mark
	switch err := readRecord(filepath.Join(d.path, markFile), &m); {
	case err == nil && m.Format != format:
		return fmt.Errorf("%s has format %d, this version reads %d", d.path, m.Format, format)
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	found, err := names(d.path)
	if err != nil {
		return err
	}
	if slices.Contains(found, "index.latest") || slices.ContainsFunc(found, func(n string) bool { return strings.HasPrefix(n, "index-") }) {
		return fmt.Errorf("%s was written by OpenSearch, whose files cannot be read", d.path)
	}
	return writeRecord(filepath.Join(d.path, markFile), mark{Format: format})
}

// list is what the directory says of its snapshots, the oldest first. It is read again when somebody else changed it.
func (d *directory) list() ([]*Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.read()
	return slices.Clone(d.sorted), err
}

// find is the snapshot of a name; nil if there is none.
func (d *directory) find(name string) (*Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.named[name], nil
}

// read fills sorted and named, unless they are as the directory is. mu is held.
func (d *directory) read() error {
	path := filepath.Join(d.path, snapshotsDir)
	changed, err := changedAt(path)
	if err != nil || d.named != nil && changed.Equal(d.changed) {
		return err
	}
	uuids, err := names(path)
	if err != nil {
		return err
	}
	known := make(map[string]*Info, len(d.sorted))
	for _, info := range d.sorted {
		known[info.UUID] = info
	}
	sorted, named := make([]*Info, 0, len(uuids)), make(map[string]*Info, len(uuids))
	for _, uuid := range uuids {
		info := known[uuid]
		if info == nil {
			info = new(Info)
			err := readRecord(filepath.Join(path, uuid), info)
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted meanwhile
			}
			if err == nil {
				err = checkInfo(uuid, info)
			}
			if err != nil {
				return err
			}
		}
		sorted, named[info.Name] = append(sorted, info), info
	}
	slices.SortFunc(sorted, byStart)
	d.sorted, d.named, d.changed = sorted, named, changed
	return nil
}

// changedAt is when something in a directory was made or removed; zero if there is no such directory.
func changedAt(dir string) (time.Time, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func byStart(a, b *Info) int {
	if a.Start != b.Start {
		return int(a.Start - b.Start)
	}
	return strings.Compare(a.Name, b.Name)
}

// commit makes a snapshot exist, whose shards are copied already.
func (d *directory) commit(info *Info, c *contents) error {
	if err := writeRecord(filepath.Join(d.path, contentsDir, info.UUID), c); err != nil {
		return err
	}
	return d.change(func(path string) error {
		if err := writeRecord(filepath.Join(path, info.UUID), info); err != nil {
			return err
		}
		// One that was committed by a process that died before it could say so is committed again.
		d.sorted = slices.DeleteFunc(d.sorted, func(other *Info) bool { return other.UUID == info.UUID })
		at, _ := slices.BinarySearchFunc(d.sorted, info, byStart)
		d.sorted, d.named[info.Name] = slices.Insert(d.sorted, at, info), info
		return nil
	})
}

// forget makes a snapshot not exist. What it had is left.
func (d *directory) forget(info *Info) error {
	return d.change(func(path string) error {
		if err := removeFile(filepath.Join(path, info.UUID)); err != nil {
			return err
		}
		d.sorted = slices.DeleteFunc(d.sorted, func(other *Info) bool { return other.UUID == info.UUID })
		delete(d.named, info.Name)
		return nil
	})
}

// change changes the directory and what is known of it alike.
func (d *directory) change(do func(path string) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(); err != nil {
		return err
	}
	path := filepath.Join(d.path, snapshotsDir)
	err := do(path)
	if err == nil {
		d.changed, err = changedAt(path)
	}
	if err != nil {
		d.named = nil // whatever became of it is read again
	}
	return err
}

func (d *directory) readContents(uuid string) (*contents, error) {
	c := new(contents)
	err := readRecord(filepath.Join(d.path, contentsDir, uuid), c)
	if err == nil {
		err = checkContents(uuid, c)
	}
	return c, err
}

func (d *directory) shardDir(index string, number int) string {
	return filepath.Join(d.path, indicesDir, index, strconv.Itoa(number))
}

// readCopied reads a snapshot's copy of a shard.
func (d *directory) readCopied(index string, number int, uuid string) (*copied, error) {
	c := new(copied)
	err := readRecord(filepath.Join(d.shardDir(index, number), snapshotsDir, uuid), c)
	if err == nil {
		err = checkCopied(uuid, c)
	}
	return c, err
}

func (d *directory) writeCopied(index string, number int, uuid string, c *copied) error {
	return writeRecord(filepath.Join(d.shardDir(index, number), snapshotsDir, uuid), c)
}

// writeBlob stores documents, unless they are there already. added says whether they were not.
func (d *directory) writeBlob(index string, number int, content []byte) (name string, added bool, err error) {
	name = digest(content)
	path := filepath.Join(d.shardDir(index, number), blobsDir, name)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(content)) {
		return name, false, nil
	}
	return name, true, writeFile(path, content)
}

// readBlob reads documents and looks whether they are what was written.
func (d *directory) readBlob(index string, number int, b blob) ([]byte, error) {
	path := filepath.Join(d.shardDir(index, number), blobsDir, b.Name)
	content, err := os.ReadFile(path)
	if err == nil && digest(content) != b.Name {
		err = damaged(path)
	}
	return content, err
}

// has reports whether blobs are there, by their sizes.
func (d *directory) has(index string, number int, blobs []blob) bool {
	return !slices.ContainsFunc(blobs, func(b blob) bool {
		info, err := os.Stat(filepath.Join(d.shardDir(index, number), blobsDir, b.Name))
		return err != nil || info.Size() != b.Size
	})
}

// shards are all shards of which something is in the repository.
func (d *directory) shards() (out []shardKey, err error) {
	indices, err := names(filepath.Join(d.path, indicesDir))
	if err != nil {
		return nil, err
	}
	for _, index := range indices {
		numbers, err := names(filepath.Join(d.path, indicesDir, index))
		if err != nil {
			return nil, err
		}
		for _, text := range numbers {
			if n, err := strconv.Atoi(text); err == nil {
				out = append(out, shardKey{index, n})
			}
		}
	}
	return out, nil
}
