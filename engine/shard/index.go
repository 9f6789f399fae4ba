// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/index/scorch/mergeplan"
	"go.etcd.io/bbolt"
)

// feedBatch is how many documents go into the full-text index at a time.
const feedBatch = 1000

// Refresh makes everything written so far visible to searches.
func (s *Shard) Refresh() error {
	defer s.counters.begin(Refreshing)()
	return s.CatchUp(0)
}

// CatchUp makes so much visible to searches that they are no more than so many writes behind. Several may do it at the
// same time: they take turns, batch by batch, so that none waits for longer than it has to.
func (s *Shard) CatchUp(behind int64) error {
	for s.Behind() > behind {
		if err := s.catchUp(behind); err != nil {
			return fmt.Errorf("refresh shard %s[%d]: %w", s.o.Index, s.o.Number, err)
		}
	}
	return nil
}

// catchUp feeds one batch, unless somebody else has done enough.
func (s *Shard) catchUp(behind int64) error {
	s.refreshMu.Lock()
	defer s.refreshMu.Unlock()
	if s.Behind() <= behind {
		return nil
	}
	last, some, err := s.feedNext(s.fts, s.fed.Load()+1)
	if err == nil && some {
		s.fed.Store(last)
	}
	return err
}

// feed gives an index everything, in batches that carry how far they go.
func (s *Shard) feed(idx bleve.Index) error {
	for from := int64(0); ; {
		last, some, err := s.feedNext(idx, from)
		if err != nil || !some {
			return err
		}
		from = last + 1
	}
}

// feedNext gives the index one batch. last is how far it goes; some is false if there was nothing to give.
func (s *Shard) feedNext(idx bleve.Index, from int64) (last int64, some bool, err error) {
	batch, last, err := s.nextBatch(idx, from)
	if err != nil || batch == nil {
		return 0, false, err
	}
	batch.SetInternal(keyFed, bigEndian(last))
	return last, true, idx.Batch(batch)
}

var errFull = errors.New("batch is full")

// nextBatch collects what was written from a sequence number on; nil if nothing was. last is up to where it goes.
func (s *Shard) nextBatch(idx bleve.Index, from int64) (batch *bleve.Batch, last int64, err error) {
	n := 0
	err = s.db.View(func(tx *bbolt.Tx) error {
		highest := getInt(tx.Bucket(bucketMeta), keyMaxSeq)
		if highest < from {
			return nil
		}
		batch, last = idx.NewBatch(), highest
		return scan(tx, from, func(seqNo int64, r record) error {
			if n++; n > feedBatch {
				last = seqNo - 1
				return errFull
			}
			if r.deleted != 0 {
				batch.Delete(r.id)
				return nil
			}
			doc, err := s.document(r, seqNo)
			if err != nil {
				return err
			}
			return batch.IndexAdvanced(doc)
		})
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return batch, last, err
}

func (s *Shard) document(r record, seqNo int64) (*document.Document, error) {
	doc, err := s.o.Indexer.Document(r.id, r.routing, seqNo, r.source)
	if err != nil {
		return nil, fmt.Errorf("document %q: %w", r.id, err)
	}
	return doc, nil
}

// Flush forgets deletions that are old enough and fed to the full-text index. Nothing has to be made durable: it is.
func (s *Shard) Flush() error {
	defer s.counters.begin(Flushing)()
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	fed, before := s.fed.Load(), s.o.Now().Add(-keepDeletes).UnixMilli()
	return s.db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		deletes := getInt(meta, keyDeletes)
		if deletes == 0 {
			return nil
		}
		var forget []record
		var keys [][]byte
		err := scan(tx, 0, func(seqNo int64, r record) error {
			if r.deleted != 0 && r.deleted < before && seqNo <= fed {
				forget, keys = append(forget, r), append(keys, bigEndian(seqNo))
			}
			return nil
		})
		for i, r := range forget {
			err = errors.Join(err, tx.Bucket(bucketDocs).Delete(keys[i]), tx.Bucket(bucketIDs).Delete([]byte(r.id)))
		}
		return errors.Join(err, putInt(meta, keyDeletes, deletes-int64(len(forget))))
	})
}

// ForceMerge merges the full-text index to at most limit segments, or, with onlyExpunge, rebuilds it where it holds
// deleted documents. It first refreshes. A merge to one segment drops all deleted documents.
func (s *Shard) ForceMerge(ctx context.Context, limit int, onlyExpunge bool) error {
	if err := s.Refresh(); err != nil {
		return err
	}
	s.refreshMu.Lock()
	defer s.refreshMu.Unlock()
	defer s.counters.begin(Merging)()
	if !onlyExpunge {
		if err := s.merge(ctx, limit); err != nil {
			return err
		}
	}
	segments, err := s.segments()
	if err != nil {
		return err
	}
	deleted := int64(0)
	for _, g := range segments {
		deleted += g.Deleted
	}
	if deleted > 0 && (onlyExpunge || limit == 1) {
		return s.rebuild(ctx)
	}
	return nil
}

// merge asks for merges until there are few enough segments. One merge takes in at most as many as the plan says.
func (s *Shard) merge(ctx context.Context, limit int) error {
	plan := mergeplan.SingleSegmentMergePlanOptions
	plan.SegmentsPerMergeTask = 1000
	for before := -1; ; {
		segments, err := s.segments()
		if err != nil || len(segments) <= limit || len(segments) == before {
			return err
		}
		before = len(segments)
		for _, g := range segments {
			s.counters.mergedDocs.Add(g.Docs)
			s.counters.mergedBytes.Add(g.Size)
		}
		if err := s.core.ForceMerge(ctx, &plan); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// rebuild makes the full-text index anew from the documents: bleve cannot drop the deleted documents of one segment.
func (s *Shard) rebuild(ctx context.Context) error {
	path, temp := filepath.Join(s.dir, indexDir), filepath.Join(s.dir, indexDir+".new")
	idx, err := newIndex(temp)
	if err != nil {
		return err
	}
	if err := errors.Join(s.feed(idx), mergeAll(ctx, idx), idx.Close()); err != nil {
		return err
	}
	if err := s.fts.Close(); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(path), os.Rename(temp, path)); err != nil {
		return err
	}
	return s.openIndex()
}

func mergeAll(ctx context.Context, idx bleve.Index) error {
	advanced, err := idx.Advanced()
	if err != nil {
		return err
	}
	core, ok := advanced.(*scorch.Scorch)
	if !ok {
		return nil
	}
	plan := mergeplan.SingleSegmentMergePlanOptions
	plan.SegmentsPerMergeTask = 1000
	return core.ForceMerge(ctx, &plan)
}

// Segment is a part of the full-text index.
type Segment struct {
	Name          string // "_0"
	Generation    int64
	Docs, Deleted int64
	Size          int64 // bytes on disk
}

// Segments lists the segments that searches see.
func (s *Shard) Segments() ([]Segment, error) {
	s.refreshMu.Lock()
	defer s.refreshMu.Unlock()
	return s.segments()
}

func (s *Shard) segments() ([]Segment, error) {
	reader, err := s.core.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	snapshot, ok := reader.(*scorch.IndexSnapshot)
	if !ok {
		return nil, errors.New("the full-text index is of an unknown kind")
	}
	var out []Segment
	for _, g := range snapshot.Segments() {
		docs := int64(g.Count())
		if g.FullSize() == 0 {
			continue
		}
		out = append(out, Segment{
			Name: fmt.Sprintf("_%x", g.Id()), Generation: int64(g.Id()),
			Docs: docs, Deleted: g.FullSize() - docs, Size: max(g.FileSize(), 0),
		})
	}
	return out, nil
}

// Stats are a shard's numbers.
type Stats struct {
	Docs, Deleted int64 // of what searches see
	Live          int64 // documents stored, refreshed or not
	Size          int64 // bytes that documents and segments take on disk
	Segments      int
	MaxSeqNo      int64
	Uncommitted   int64 // writes that searches do not see yet
	Work          Work
}

// Stats reads the numbers. The size is what documents, segments and the description of the full-text index take on disk.
// What else an empty shard has does not count: without documents it takes a few hundred bytes, as one of Lucene's does.
func (s *Shard) Stats() (Stats, error) {
	segments, err := s.Segments()
	if err != nil {
		return Stats{}, err
	}
	st := Stats{
		Live: s.live.Load(), Segments: len(segments), MaxSeqNo: s.maxSeq.Load(), Uncommitted: s.maxSeq.Load() - s.fed.Load(),
		Work: s.counters.work(),
	}
	for _, g := range segments {
		st.Docs, st.Deleted, st.Size = st.Docs+g.Docs, st.Deleted+g.Deleted, st.Size+g.Size
	}
	st.Size += s.documentBytes()
	if info, err := os.Stat(filepath.Join(s.dir, indexDir, "index_meta.json")); err == nil {
		st.Size += info.Size()
	}
	return st, nil
}

// emptyPages is how many pages the documents' file of an empty shard has in use.
const emptyPages = 3

// documentBytes is what the pages take that hold documents.
func (s *Shard) documentBytes() int64 {
	var pages int64
	_ = s.db.View(func(tx *bbolt.Tx) error {
		db := s.db.Stats()
		pages = tx.Size()/int64(s.db.Info().PageSize) - int64(db.FreePageN+db.PendingPageN) - emptyPages
		return nil
	})
	return max(pages, 0) * int64(s.db.Info().PageSize)
}
