// SPDX-License-Identifier: Apache-2.0

package shard

import (
	"encoding/binary"
	"errors"
	"time"
)

// Document is a stored document.
type Document struct {
	ID, Routing string
	// Version counts the document's own changes, from 1.
	Version     int64
	SeqNo       int64
	PrimaryTerm int64
	Source      []byte
}

// record is a document or a deletion as it is stored.
type record struct {
	id, routing string
	version     int64
	// deleted is when it was deleted, in epoch milliseconds; 0 for a document.
	deleted int64
	source  []byte
}

var errRecord = errors.New("a stored document is damaged")

// encode writes id, routing, version and deletion with their lengths, then the source as it is.
func (r record) encode() []byte {
	b := make([]byte, 0, len(r.id)+len(r.routing)+len(r.source)+24)
	b = appendText(b, r.id)
	b = appendText(b, r.routing)
	b = binary.AppendUvarint(b, uint64(r.version))
	b = binary.AppendUvarint(b, uint64(r.deleted))
	return append(b, r.source...)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeRecord reads what encode wrote. The source is a part of b.
func decodeRecord(b []byte) (r record, err error) {
	if r.id, b, err = cutText(b); err != nil {
		return r, err
	}
	if r.routing, b, err = cutText(b); err != nil {
		return r, err
	}
	if r.version, b, err = cutInt(b); err != nil {
		return r, err
	}
	r.deleted, b, err = cutInt(b)
	r.source = b
	return r, err
}

func cutInt(b []byte) (int64, []byte, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 {
		return 0, nil, errRecord
	}
	return int64(n), b[size:], nil
}

func cutText(b []byte) (string, []byte, error) {
	n, rest, err := cutInt(b)
	if err != nil || n < 0 || n > int64(len(rest)) {
		return "", nil, errRecord
	}
	return string(rest[:n]), rest[n:], nil
}

func (r record) document(seqNo int64) Document {
	return Document{
		ID: r.id, Routing: r.routing, Version: r.version, SeqNo: seqNo, PrimaryTerm: primaryTerm,
		Source: append([]byte(nil), r.source...),
	}
}

// keepDeletes is how long a deletion is remembered, so that versions go on counting (index.gc_deletes of OpenSearch).
const keepDeletes = 60 * time.Second
