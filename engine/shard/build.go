// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"go.etcd.io/bbolt"
)

// A build writes so many documents in one transaction, or so many bytes of them.
const (
	buildBatch = 5000
	buildBytes = 16 << 20
)

// Build makes a shard in dir from documents, which get new sequence numbers and keep their versions. Nothing is left at
// dir unless all of it was built; an id that comes twice is a version conflict. It serves shrink, split and clone.
func Build(ctx context.Context, dir string, o Options, docs iter.Seq2[Document, error]) error {
	return build(dir, o, func(s *Shard) error { return s.fill(ctx, docs, false) })
}

// Restore is Build for documents that were one shard: they keep their sequence numbers too, in which order they come, and
// the next write gets one above highest.
func Restore(ctx context.Context, dir string, o Options, highest int64, docs iter.Seq2[Document, error]) error {
	return build(dir, o, func(s *Shard) error {
		if err := s.fill(ctx, docs, true); err != nil {
			return err
		}
		return s.skipTo(highest)
	})
}

func build(dir string, o Options, fill func(*Shard) error) (err error) {
	temp := dir + ".new"
	if err := os.RemoveAll(temp); err != nil {
		return fmt.Errorf("build shard: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("build shard: %w", err), os.RemoveAll(temp))
		}
	}()
	s, err := Create(temp, o)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(s), s.Close()); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

func (s *Shard) fill(ctx context.Context, docs iter.Seq2[Document, error], keep bool) error {
	var ops []Operation
	size := 0
	flush := func() error {
		outcomes, err := s.Apply(ctx, ops)
		ops, size = ops[:0], 0
		for _, o := range outcomes {
			err = errors.Join(err, o.Err)
		}
		if err != nil {
			return err
		}
		return s.Refresh() // bit by bit, because nothing interrupts it
	}
	for doc, err := range docs {
		if err != nil {
			return err
		}
		op := Operation{Op: OpIndex, ID: doc.ID, Routing: doc.Routing, Source: doc.Source, VersionType: External, Version: doc.Version}
		if keep {
			op.at = &doc.SeqNo
		}
		ops, size = append(ops, op), size+len(op.Source)
		if len(ops) == buildBatch || size >= buildBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// skipTo makes a sequence number the highest one given, if it is not lower than that, and shows searches everything.
func (s *Shard) skipTo(seqNo int64) error {
	if seqNo <= s.maxSeq.Load() {
		return nil
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error { return putInt(tx.Bucket(bucketMeta), keyMaxSeq, seqNo) }); err != nil {
		return err
	}
	s.maxSeq.Store(seqNo)
	return s.Refresh()
}
