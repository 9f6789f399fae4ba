// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"go.etcd.io/bbolt"
)

// format is the number of the layout on disk. History: 1, the first.
const format = 1

// primaryTerm never changes: there is one copy of a shard, and nobody else to take over.
const primaryTerm = 1

const (
	documentsFile = "docs.db"
	indexDir      = "index"
)

// The buckets of the document file.
var (
	bucketMeta = []byte("meta")
	bucketDocs = []byte("docs") // sequence number -> record
	bucketIDs  = []byte("ids")  // id -> sequence number
)

// The keys of the meta bucket.
var (
	keyFormat  = []byte("format")
	keyMaxSeq  = []byte("max_seq_no")
	keyLive    = []byte("live")    // documents that are not deleted
	keyDeletes = []byte("deletes") // deletions not yet forgotten
)

// The internal keys of the bleve index: up to which sequence number it was fed. Under the second one, nested objects were
// not indexed as documents of their own.
var (
	keyFed     = []byte("steward_fed")
	keyFedFlat = []byte("steward_seq_no")
)

// An Indexer turns a source into what is indexed of it. It must be safe for concurrent use.
type Indexer interface {
	Document(id, routing string, seqNo int64, source []byte) (*document.Document, error)
	// HasNested reports whether documents may have nested objects.
	HasNested() bool
}

// Options of a shard.
type Options struct {
	// Index, UUID and Number name the shard in errors.
	Index, UUID string
	Number      int
	Indexer     Indexer
	// Now is the time of deletions; nil means time.Now.
	Now func() time.Time
	// OpenFile opens the document file; nil means os.OpenFile. Tests put a failing disk here.
	OpenFile func(name string, flag int, perm os.FileMode) (*os.File, error)
}

// Shard is an open shard.
type Shard struct {
	dir  string
	o    Options
	db   *bbolt.DB
	fts  bleve.Index
	core *scorch.Scorch

	queueMu sync.Mutex
	queue   []*pending
	// commitMu is held while a transaction is written.
	commitMu sync.Mutex
	maxSeq   atomic.Int64 // -1 before the first write
	live     atomic.Int64

	refreshMu sync.Mutex
	fed       atomic.Int64 // up to which sequence number searches see
	counters  counters
	closed    bool // under commitMu
}

// Create makes an empty shard in dir, which must not exist, and opens it.
func Create(dir string, o Options) (*Shard, error) {
	if _, err := os.Stat(dir); err == nil {
		return nil, fmt.Errorf("create shard: %s exists", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create shard: %w", err)
	}
	return Open(dir, o)
}

// Open opens the shard in dir. What the full-text index lacks is fed to it at the next refresh; an index that is
// missing or damaged is built again from the documents.
func Open(dir string, o Options) (*Shard, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Shard{dir: dir, o: o}
	if err := s.openDocuments(); err != nil {
		return nil, fmt.Errorf("open shard %s[%d]: %w", o.Index, o.Number, err)
	}
	if err := s.openIndex(); err != nil {
		return nil, errors.Join(fmt.Errorf("open shard %s[%d]: %w", o.Index, o.Number, err), s.db.Close())
	}
	return s, nil
}

func boltOptions(o Options) *bbolt.Options {
	return &bbolt.Options{
		Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, OpenFile: o.OpenFile,
	}
}

func (s *Shard) openDocuments() error {
	db, err := openBolt(filepath.Join(s.dir, documentsFile), boltOptions(s.o))
	if err != nil {
		return err
	}
	s.db = db
	fresh, err := s.readMeta()
	if err == nil && fresh {
		if err = db.Update(initialise); err == nil {
			_, err = s.readMeta()
		}
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// readMeta reads the counters; fresh is true for a file without anything.
func (s *Shard) readMeta() (fresh bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if fresh = meta == nil; fresh {
			return nil
		}
		if got := getInt(meta, keyFormat); got != format {
			return fmt.Errorf("format %d of %s is not known to this version, which writes %d", got, s.dir, format)
		}
		s.maxSeq.Store(getInt(meta, keyMaxSeq))
		s.live.Store(getInt(meta, keyLive))
		return nil
	})
	return fresh, err
}

// openBolt opens a bbolt file; a damaged one, on which bbolt may panic, is an error.
func openBolt(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s is damaged: %v", path, p)
		}
	}()
	db, err = bbolt.Open(path, 0o644, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err == nil {
		// reading pages beyond the end of a file that was cut would kill the process
		err = db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > info.Size() {
				return fmt.Errorf("%s is damaged: it has %d bytes of %d", path, info.Size(), tx.Size())
			}
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func initialise(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucket(bucketMeta)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketDocs, bucketIDs} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return errors.Join(putInt(meta, keyFormat, format), putInt(meta, keyMaxSeq, -1), putInt(meta, keyLive, 0), putInt(meta, keyDeletes, 0))
}

func getInt(b *bbolt.Bucket, key []byte) int64 {
	v := b.Get(key)
	if len(v) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

func putInt(b *bbolt.Bucket, key []byte, n int64) error { return b.Put(key, bigEndian(n)) }

func bigEndian(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// bleveConfig is made anew for each index: bleve writes the index's path into it. As many small segments are left alone
// as Lucene leaves; the steps between the tiers are so large that a big index has no more of them than it would have.
func bleveConfig() map[string]any {
	return map[string]any{
		"bolt_timeout": "1s", "numSnapshotsToKeep": 1,
		"scorchMergePlanOptions": map[string]any{"FloorSegmentSize": 1, "TierGrowth": 10000},
	}
}

func (s *Shard) openIndex() error {
	path := filepath.Join(s.dir, indexDir)
	idx, err := bleve.OpenUsing(path, bleveConfig())
	if err == nil && !s.outdated(idx) {
		return s.useIndex(idx)
	}
	if err == nil {
		if err := idx.Close(); err != nil {
			return err
		}
	}
	// missing, damaged or outdated: the documents have everything
	if idx, err = newIndex(path); err != nil {
		return fmt.Errorf("full-text index: %w", err)
	}
	return s.useIndex(idx)
}

// newIndex makes an empty index in the place of what is there.
func newIndex(path string) (bleve.Index, error) {
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	return bleve.NewUsing(path, bleve.NewIndexMapping(), scorch.Name, scorch.Name, bleveConfig())
}

// outdated reports whether nested objects lack their documents in an index.
func (s *Shard) outdated(idx bleve.Index) bool {
	_, flat, err := readFed(idx)
	return err == nil && flat && s.o.Indexer.HasNested()
}

// readFed reads up to which sequence number an index was fed, -1 for nothing, and whether under [keyFedFlat].
func readFed(idx bleve.Index) (fed int64, flat bool, err error) {
	v, err := idx.GetInternal(keyFed)
	if err == nil && len(v) != 8 {
		flat = true
		v, err = idx.GetInternal(keyFedFlat)
	}
	if err != nil || len(v) != 8 {
		return -1, false, err
	}
	return int64(binary.BigEndian.Uint64(v)), flat, nil
}

func (s *Shard) useIndex(idx bleve.Index) error {
	advanced, err := idx.Advanced()
	if err != nil {
		return errors.Join(err, idx.Close())
	}
	core, ok := advanced.(*scorch.Scorch)
	if !ok {
		return errors.Join(errors.New("the full-text index is of an unknown kind"), idx.Close())
	}
	fed, _, err := readFed(idx)
	if err != nil {
		return errors.Join(err, idx.Close())
	}
	s.fed.Store(fed)
	s.fts, s.core = idx, core
	return nil
}

// Close releases the files. What was acknowledged is stored already. A second call does nothing.
func (s *Shard) Close() error {
	s.refreshMu.Lock()
	defer s.refreshMu.Unlock()
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.fts.Close(), s.db.Close())
}

// Index is the full-text index, for searches. It shows what the last refresh fed it.
func (s *Shard) Index() bleve.Index { return s.fts }

// MaxSeqNo is the highest sequence number given, -1 before the first write.
func (s *Shard) MaxSeqNo() int64 { return s.maxSeq.Load() }

// Behind is how many writes, deletions and what was written over since among them, searches do not see yet.
func (s *Shard) Behind() int64 { return s.maxSeq.Load() - s.fed.Load() }

// Dirty reports whether something was written that searches do not see yet.
func (s *Shard) Dirty() bool { return s.fed.Load() < s.maxSeq.Load() }
