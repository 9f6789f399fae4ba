// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.etcd.io/bbolt"

	"github.com/opensteward/steward/fault"
)

// Op is what an operation does.
type Op int

// The operations.
const (
	OpIndex  Op = iota // store, whatever was there
	OpCreate           // store, unless the document exists
	OpDelete
)

// VersionType says how an operation's Version is meant.
type VersionType int

// The version types.
const (
	Internal    VersionType = iota // versions count by themselves
	External                       // Version must be greater than the stored one, and is stored
	ExternalGTE                    // Version must not be less than the stored one, and is stored
)

// Operation is one write.
type Operation struct {
	Op          Op
	ID, Routing string
	Source      []byte // OpIndex and OpCreate
	// Conditional asks for a compare-and-set on IfSeqNo and IfPrimaryTerm.
	Conditional            bool
	IfSeqNo, IfPrimaryTerm int64
	VersionType            VersionType
	Version                int64

	at *int64 // the sequence number to keep, not below those given before
}

// Outcome is what became of an operation.
type Outcome struct {
	Result string // created, updated, deleted, not_found
	Document
	Err error // a fault; nothing was written
}

// pending is a caller's operations on their way into a transaction.
type pending struct {
	ops      []Operation
	outcomes []Outcome
	err      error
	done     bool
}

// Apply writes operations in order and returns when they are on disk. Callers that come together share a transaction.
// A failing operation has Err set and does not touch the others; the error is for all of them: nothing was written.
func (s *Shard) Apply(ctx context.Context, ops []Operation) ([]Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &pending{ops: ops}
	s.queueMu.Lock()
	s.queue = append(s.queue, p)
	s.queueMu.Unlock()

	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	if !p.done { // whoever had the lock before may have taken ours along
		s.queueMu.Lock()
		batch := s.queue
		s.queue = nil
		s.queueMu.Unlock()
		s.commit(batch)
	}
	return p.outcomes, p.err
}

// commit writes batches in one transaction.
func (s *Shard) commit(batch []*pending) {
	began := time.Now()
	t := transaction{s: s, next: s.maxSeq.Load() + 1, live: s.live.Load()}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		t.open(tx)
		for _, p := range batch {
			p.outcomes = make([]Outcome, len(p.ops))
			for i := range p.ops {
				p.outcomes[i] = t.apply(&p.ops[i])
				if t.broken != nil {
					return t.broken
				}
			}
		}
		return t.close()
	})
	if err != nil {
		err = s.writeFailed(err)
	} else {
		s.maxSeq.Store(t.next - 1)
		s.live.Store(t.live)
		s.counters.written(&t, time.Since(began))
	}
	for _, p := range batch {
		p.done, p.err = true, err
		if err != nil {
			p.outcomes = nil
		}
	}
}

// writeFailed is what a client is told when the disk refuses.
func (s *Shard) writeFailed(err error) error {
	e := fault.New(http.StatusServiceUnavailable, "engine_failed_exception", "shard [%s][%d] cannot write: %s", s.o.Index, s.o.Number, err).
		With("index", s.o.Index).With("shard", fmt.Sprint(s.o.Number)).With("index_uuid", s.o.UUID)
	e.Err = err
	return e
}

// transaction is the state of a commit.
type transaction struct {
	s               *Shard
	meta, docs, ids *bbolt.Bucket
	next            int64 // the sequence number to give next
	live            int64
	deletes         int64
	indexed         int64
	deleted         int64
	failed          int64
	broken          error // the store itself failed
}

func (t *transaction) open(tx *bbolt.Tx) {
	t.meta, t.docs, t.ids = tx.Bucket(bucketMeta), tx.Bucket(bucketDocs), tx.Bucket(bucketIDs)
	t.docs.FillPercent = 0.95 // sequence numbers only grow
	t.deletes = getInt(t.meta, keyDeletes)
}

func (t *transaction) close() error {
	return errors.Join(putInt(t.meta, keyMaxSeq, t.next-1), putInt(t.meta, keyLive, t.live), putInt(t.meta, keyDeletes, t.deletes))
}

// stored is what is there under an id.
type stored struct {
	record
	seqNo int64
	known bool // something is there, be it a deletion
}

func (s stored) exists() bool { return s.known && s.deleted == 0 }

func (t *transaction) find(id string) stored {
	key := t.ids.Get([]byte(id))
	if len(key) != 8 {
		return stored{}
	}
	r, err := decodeRecord(t.docs.Get(key))
	if err != nil {
		t.broken = err
		return stored{}
	}
	return stored{record: r, seqNo: int64(binary.BigEndian.Uint64(key)), known: true}
}

func (t *transaction) apply(op *Operation) Outcome {
	was := t.find(op.ID)
	if t.broken != nil {
		return Outcome{}
	}
	if err := t.check(op, was); err != nil {
		t.failed++
		return Outcome{Err: err}
	}
	if op.Op == OpDelete {
		return t.delete(op, was)
	}
	return t.put(op, was)
}

// check is the compare of compare-and-set.
func (t *transaction) check(op *Operation, was stored) error {
	switch {
	case op.Conditional && !was.exists():
		return t.conflict(op.ID, "required seqNo [%d], primary term [%d]. but no document was found", op.IfSeqNo, op.IfPrimaryTerm)
	case op.Conditional && (was.seqNo != op.IfSeqNo || op.IfPrimaryTerm != primaryTerm):
		return t.conflict(op.ID, "required seqNo [%d], primary term [%d]. current document has seqNo [%d] and primary term [%d]",
			op.IfSeqNo, op.IfPrimaryTerm, was.seqNo, primaryTerm)
	case op.Op == OpCreate && was.exists():
		return t.conflict(op.ID, "document already exists (current version [%d])", was.version)
	case op.VersionType == External && was.known && op.Version <= was.version:
		return t.conflict(op.ID, "current version [%d] is higher or equal to the one provided [%d]", was.version, op.Version)
	case op.VersionType == ExternalGTE && was.known && op.Version < was.version:
		return t.conflict(op.ID, "current version [%d] is higher than the one provided [%d]", was.version, op.Version)
	}
	return nil
}

func (t *transaction) conflict(id, format string, args ...any) error {
	return fault.Conflict(t.s.o.Index, t.s.o.UUID, t.s.o.Number, "[%s]: version conflict, "+format, append([]any{id}, args...)...)
}

func (t *transaction) put(op *Operation, was stored) Outcome {
	r := record{id: op.ID, routing: op.Routing, version: was.version + 1, source: op.Source}
	if op.VersionType != Internal {
		r.version = op.Version
	}
	result := "updated"
	if !was.exists() {
		result = "created"
		t.live++
	}
	t.indexed++
	return t.write(op, r, was, result)
}

func (t *transaction) delete(op *Operation, was stored) Outcome {
	r := record{id: op.ID, routing: op.Routing, version: was.version + 1, deleted: max(t.s.o.Now().UnixMilli(), 1)}
	if op.VersionType != Internal {
		r.version = op.Version
	}
	result := "deleted"
	if was.exists() {
		t.live--
	} else {
		result = "not_found"
	}
	t.deleted++
	t.deletes++
	return t.write(op, r, was, result)
}

// write stores a record in the place of what was there.
func (t *transaction) write(op *Operation, r record, was stored, result string) Outcome {
	seqNo := t.next
	if op.at != nil {
		if *op.at < seqNo {
			t.broken = fmt.Errorf("document %q has sequence number %d after %d", r.id, *op.at, seqNo-1)
			return Outcome{}
		}
		seqNo = *op.at
	}
	t.next = seqNo + 1
	key := bigEndian(seqNo)
	if was.known {
		if was.deleted != 0 {
			t.deletes--
		}
		t.broken = t.docs.Delete(bigEndian(was.seqNo))
	}
	t.broken = errors.Join(t.broken, t.docs.Put(key, r.encode()), t.ids.Put([]byte(r.id), key))
	return Outcome{Result: result, Document: Document{
		ID: r.id, Routing: r.routing, Version: r.version, SeqNo: seqNo, PrimaryTerm: primaryTerm, Source: r.source,
	}}
}
