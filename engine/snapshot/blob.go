// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"

	"github.com/opensteward/steward/engine/shard"
)

// The sizes of blobs in bytes: none ends before the least, they have about the mean on top of it, and none goes on beyond
// the most, but for a single document. Small ones cost files, large ones are copied again when little changed in them.
const (
	leastBlob = 256 << 10
	meanBlob  = 768 << 10
	mostBlob  = 8 << 20
)

// cutter cuts documents into blobs. Where a blob ends depends on its own documents alone.
type cutter struct {
	buf  []byte
	docs int
	emit func(ctx context.Context, content []byte, docs int) error
}

func (c *cutter) add(ctx context.Context, d shard.Document) error {
	size := len(c.buf)
	c.buf = appendDocument(c.buf, d)
	c.docs++
	if len(c.buf) >= mostBlob || len(c.buf) >= leastBlob && ends(d, len(c.buf)-size) {
		return c.flush(ctx)
	}
	return nil
}

// ends reports whether a blob may end after this document, which is so once in meanBlob bytes.
func ends(d shard.Document, size int) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(d.ID))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(d.SeqNo)))
	return h.Sum64() < math.MaxUint64/meanBlob*uint64(min(size, meanBlob))
}

func (c *cutter) flush(ctx context.Context) error {
	if c.docs == 0 {
		return nil
	}
	err := c.emit(ctx, c.buf, c.docs)
	c.buf, c.docs = c.buf[:0], 0
	return err
}

// appendDocument writes one document: texts with their lengths, numbers as varints.
func appendDocument(b []byte, d shard.Document) []byte {
	text := func(s []byte) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text([]byte(d.ID))
	text([]byte(d.Routing))
	b = binary.AppendUvarint(b, uint64(d.SeqNo))
	b = binary.AppendUvarint(b, uint64(d.Version))
	text(d.Source)
	return b
}

var errBlob = errors.New("a blob ends in the middle of a document")

// cutDocument reads what appendDocument wrote, and returns what follows it. The source is a part of b.
func cutDocument(b []byte) (d shard.Document, rest []byte, err error) {
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			err = errBlob
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() []byte {
		n := number()
		if err != nil || n > uint64(len(b)) {
			err = errBlob
			return nil
		}
		s := b[:n]
		b = b[n:]
		return s
	}
	d.ID, d.Routing = string(text()), string(text())
	d.SeqNo, d.Version = int64(number()), int64(number())
	d.Source = text()
	return d, b, err
}
