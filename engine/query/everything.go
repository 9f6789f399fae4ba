// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"errors"
	"slices"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/opensteward/steward/engine/mapping"
)

// lookups is how many documents are looked at one after another in the time that it takes to look one up by its sequence
// number (measured with 100,000 documents in ten segments).
const lookups = 64

// everything reports whether a search finds every document of an index.
func (c *collector) everything(t *Target) bool {
	r := c.request
	_, all := r.Query.(matchAll)
	return (all || r.Query == nil) && t.Filter == nil && r.PostFilter == nil && r.MinScore == nil && r.TerminateAfter == 0 && r.Slice == nil
}

// first counts all documents of the shard and takes in those that come first, without looking at the others. done is
// false, and nothing happened, if the page wants another order, or so many that looking at each document is not slower.
func (w *walk) first(ctx context.Context, reader index.IndexReader) (done bool, err error) {
	total, err := reader.DocCount()
	if err != nil {
		return false, err
	}
	tries := int(total / lookups)
	if w.c.want > tries || w.c.want > 0 && !w.asWritten() {
		return false, nil
	}
	ids, err := w.oldest(ctx, reader, tries)
	if err != nil || len(ids) < w.c.want {
		return false, err
	}
	values, err := w.docValues(reader)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if err := w.match(reader, values, id, 1); err != nil {
			return false, err
		}
	}
	w.c.total += int64(total) - int64(len(ids))
	return true, nil
}

// asWritten reports whether documents of equal score come in the order in which they were written.
func (w *walk) asWritten() bool {
	if len(w.sorters) != 1 || w.c.after != nil {
		return false
	}
	s := w.sorters[0]
	return s.kind == keyScore || s.kind == keyDoc && !s.Desc
}

// oldest finds the documents of the page that were written first. It gives up after so many sequence numbers: most may
// be of documents that were changed or deleted since.
func (w *walk) oldest(ctx context.Context, reader index.IndexReader, tries int) (ids []index.IndexInternalID, err error) {
	if w.c.want == 0 {
		return nil, nil
	}
	field := mapping.Exact(mapping.SeqNo)
	numbers, err := reader.FieldDict(field)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, numbers.Close()) }()
	for range tries {
		entry, err := numbers.Next()
		if err != nil || entry == nil {
			return ids, err
		}
		postings, err := reader.TermFieldReader(ctx, []byte(entry.Term), field, false, false, false)
		if err != nil {
			return nil, err
		}
		doc, err := postings.Next(nil)
		if err == nil && doc != nil {
			ids = append(ids, slices.Clone(doc.ID))
		}
		if err := errors.Join(err, postings.Close()); err != nil || len(ids) == w.c.want {
			return ids, err
		}
	}
	return ids, nil
}
