// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
)

// buildBatch is how many documents a build writes in one transaction.
const buildBatch = 5000

// Build makes a shard in dir from documents, which get new sequence numbers and keep their versions. Nothing is left at
// dir unless all of it was built; an id that comes twice is a version conflict. It serves shrink, split, clone and
// restore.
func Build(ctx context.Context, dir string, o Options, docs iter.Seq2[Document, error]) (err error) {
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
	if err := errors.Join(s.fill(ctx, docs), s.Close()); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

func (s *Shard) fill(ctx context.Context, docs iter.Seq2[Document, error]) error {
	var ops []Operation
	flush := func() error {
		outcomes, err := s.Apply(ctx, ops)
		ops = ops[:0]
		for _, o := range outcomes {
			err = errors.Join(err, o.Err)
		}
		return err
	}
	for doc, err := range docs {
		if err != nil {
			return err
		}
		ops = append(ops, Operation{
			Op: OpIndex, ID: doc.ID, Routing: doc.Routing, Source: doc.Source, VersionType: External, Version: doc.Version,
		})
		if len(ops) == buildBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return errors.Join(flush(), s.Refresh())
}
