// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/blevesearch/bleve/v2"
	"go.etcd.io/bbolt"
)

// Check walks through everything stored in a shard that is not open, and reports every inconsistency as a sentence.
func Check(dir string) (findings []string) {
	say := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	defer func() {
		if p := recover(); p != nil {
			say("%s is damaged: %v", documentsFile, p)
		}
	}()
	o := boltOptions(Options{})
	o.ReadOnly = true
	path := filepath.Join(dir, documentsFile)
	if _, err := os.Stat(path); err != nil {
		say("%s is missing", documentsFile)
		return findings
	}
	db, err := openBolt(path, o)
	if err != nil {
		say("cannot be opened: %v", err)
		return findings
	}
	defer func() { _ = db.Close() }()
	live := map[string]int64{}
	maxSeq := int64(-1)
	if err := db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			say("%s: %v", documentsFile, err)
		}
		if tx.Bucket(bucketMeta) == nil || tx.Bucket(bucketDocs) == nil || tx.Bucket(bucketIDs) == nil {
			say("%s lacks a bucket", documentsFile)
			return nil
		}
		maxSeq = getInt(tx.Bucket(bucketMeta), keyMaxSeq)
		checkTables(tx, live, maxSeq, say)
		return nil
	}); err != nil {
		say("cannot be read: %v", err)
	}
	checkIndex(filepath.Join(dir, indexDir), live, maxSeq, say)
	return findings
}

// checkTables compares documents, the table of ids and the counters. live gets the ids of documents.
func checkTables(tx *bbolt.Tx, live map[string]int64, maxSeq int64, say func(string, ...any)) {
	meta, docs, ids := tx.Bucket(bucketMeta), tx.Bucket(bucketDocs), tx.Bucket(bucketIDs)
	if got := getInt(meta, keyFormat); got != format {
		say("format %d is not known", got)
	}
	records := 0
	for k, v := range all(docs) {
		seqNo := int64(binary.BigEndian.Uint64(k))
		r, err := decodeRecord(v)
		switch {
		case err != nil:
			say("document at sequence number %d: %v", seqNo, err)
			continue
		case seqNo > maxSeq:
			say("document %q has sequence number %d beyond the highest, %d", r.id, seqNo, maxSeq)
		case !bytes.Equal(ids.Get([]byte(r.id)), k):
			say("document %q at sequence number %d is not the one the table of ids names", r.id, seqNo)
		}
		records++
		if r.deleted == 0 {
			live[r.id] = seqNo
		}
	}
	named := 0
	for id, k := range all(ids) {
		named++
		if docs.Get(k) == nil {
			say("id %q names a document that is not there", id)
		}
	}
	if named != records {
		say("%d ids for %d documents", named, records)
	}
	if got := getInt(meta, keyLive); got != int64(len(live)) {
		say("the counter says %d documents, there are %d", got, len(live))
	}
}

// all iterates over a bucket.
func all(b *bbolt.Bucket) func(func(k, v []byte) bool) {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil && yield(k, v); k, v = c.Next() {
		}
	}
}

// checkIndex looks whether the full-text index has just the documents it says it was fed. A missing one is built again
// when the shard is opened.
func checkIndex(path string, live map[string]int64, maxSeq int64, say func(string, ...any)) {
	if _, err := os.Stat(path); err != nil {
		return
	}
	idx, err := bleve.OpenUsing(path, map[string]any{"read_only": true, "bolt_timeout": "1s"})
	if err != nil {
		return // it is built again
	}
	defer func() { _ = idx.Close() }()
	fed, _, err := readFed(idx)
	if err != nil {
		say("the full-text index does not say how far it was fed: %v", err)
		return
	}
	if fed > maxSeq {
		say("the full-text index was fed up to %d, beyond the highest sequence number, %d", fed, maxSeq)
	}
	if fed != maxSeq {
		return // the rest is fed at the next refresh
	}
	count, err := idx.DocCount()
	if err != nil {
		say("the full-text index cannot count: %v", err)
		return
	}
	if count != uint64(len(live)) {
		say("the full-text index has %d documents, the store %d", count, len(live))
	}
	for id := range live {
		if doc, err := idx.Document(id); err != nil || doc == nil {
			say("document %q is not in the full-text index", id)
		}
	}
}
