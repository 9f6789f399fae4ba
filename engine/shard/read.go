// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// Get reads a document as it is now, refreshed or not. ok is false if there is none.
func (s *Shard) Get(id string) (doc Document, ok bool, err error) {
	began := time.Now()
	err = s.db.View(func(tx *bbolt.Tx) error {
		doc, ok, err = get(tx, id)
		return err
	})
	kind := Finding
	if !ok {
		kind = Missing
	}
	s.counters.add(kind, 1, time.Since(began))
	return doc, ok, err
}

// GetMany reads documents by id from one point in time, in the order of ids. One that is missing has ID "".
func (s *Shard) GetMany(ids []string) ([]Document, error) {
	defer s.counters.begin(Fetching)()
	docs := make([]Document, len(ids))
	err := s.db.View(func(tx *bbolt.Tx) error {
		for i, id := range ids {
			doc, ok, err := get(tx, id)
			if err != nil {
				return err
			}
			if ok {
				docs[i] = doc
			}
		}
		return nil
	})
	return docs, err
}

func get(tx *bbolt.Tx, id string) (Document, bool, error) {
	key := tx.Bucket(bucketIDs).Get([]byte(id))
	if len(key) != 8 {
		return Document{}, false, nil
	}
	r, err := decodeRecord(tx.Bucket(bucketDocs).Get(key))
	if err != nil || r.deleted != 0 {
		return Document{}, false, err
	}
	return r.document(int64(binary.BigEndian.Uint64(key))), true, nil
}

// Scan calls fn for every document in the order of sequence numbers, from one, at one point in time. It stops at fn's
// first error and returns it. fn must not write to the shard.
func (s *Shard) Scan(from int64, fn func(Document) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		return scan(tx, from, func(seqNo int64, r record) error {
			if r.deleted != 0 {
				return nil
			}
			return fn(r.document(seqNo))
		})
	})
}

func scan(tx *bbolt.Tx, from int64, fn func(int64, record) error) error {
	c := tx.Bucket(bucketDocs).Cursor()
	for k, v := c.Seek(bigEndian(max(from, 0))); k != nil; k, v = c.Next() {
		r, err := decodeRecord(v)
		if err != nil {
			return err
		}
		if err := fn(int64(binary.BigEndian.Uint64(k)), r); err != nil {
			return err
		}
	}
	return nil
}
