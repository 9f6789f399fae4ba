// SPDX-License-Identifier: Apache-2.0

package query

import (
	"container/heap"
	"context"
	"errors"
	"slices"

	bm "github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	bq "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
)

// walk goes through the matches of one shard.
type walk struct {
	c              *collector
	q              bq.Query
	all            bool // the query finds every document
	sorters        []sorter
	target, number int
	place          int // of the shard among all that are searched
	shard          Shard
	// keys and have are of the match that is looked at; most are not kept.
	keys []key
	have []bool
}

func (w *walk) run(ctx context.Context) (err error) {
	defer w.shard.BeginQuery()()
	idx := w.shard.Index()
	advanced, err := idx.Advanced()
	if err != nil {
		return err
	}
	reader, err := advanced.Reader()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	if w.all {
		if done, err := w.first(ctx, reader); done || err != nil {
			return err
		}
	}
	return w.matches(ctx, reader, idx.Mapping())
}

// matches takes in every match of the query.
func (w *walk) matches(ctx context.Context, reader index.IndexReader, m bm.IndexMapping) (err error) {
	options := search.SearcherOptions{}
	if w.c.counts || !w.c.request.scored() {
		options.Score = unscored
	}
	searcher, err := w.q.Searcher(ctx, reader, m, options)
	if err != nil {
		return fault.Illegal("%s", err)
	}
	defer func() { err = errors.Join(err, searcher.Close()) }()
	values, err := w.docValues(reader)
	if err != nil {
		return err
	}
	sc := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(searcher.DocumentMatchPoolSize()+1, 0), IndexReader: reader}
	found := 0
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m, err := searcher.Next(sc)
		if err != nil || m == nil {
			return err
		}
		if w.c.request.MinScore == nil || m.Score >= *w.c.request.MinScore {
			if err := w.match(reader, values, m.IndexInternalID, m.Score); err != nil {
				return err
			}
			found++
		}
		sc.DocumentMatchPool.Put(m)
		if w.c.request.TerminateAfter > 0 && found >= w.c.request.TerminateAfter {
			return nil
		}
	}
}

// docValues opens what sort keys are read from. The sequence number is always one of them: it decides between equal
// keys, because the index does not keep documents in the order in which they came.
func (w *walk) docValues(reader index.IndexReader) (index.DocValueReader, error) {
	if w.c.want == 0 {
		return nil, nil
	}
	fields := []string{mapping.Exact(mapping.SeqNo)}
	for _, s := range w.sorters {
		if s.docValues != "" && !slices.Contains(fields, s.docValues) {
			fields = append(fields, s.docValues)
		}
	}
	return reader.DocValueReader(fields)
}

// match takes in one match.
func (w *walk) match(reader index.IndexReader, values index.DocValueReader, id index.IndexInternalID, score float64) error {
	c := w.c
	if slice := c.request.Slice; slice != nil {
		if text, err := reader.ExternalID(id); err != nil || !slice.has(text) {
			return err
		}
	}
	c.total++
	if c.want == 0 {
		return nil
	}
	cand := candidate{target: w.target, shard: w.number, score: score}
	if len(w.sorters) == 1 && w.sorters[0].kind == keyScore && len(c.kept) == c.want && w.sorters[0].Desc && score < c.kept[0].score {
		return nil // however it came: the page is full of better ones
	}
	if err := w.look(&cand, reader, values, id); err != nil {
		return err
	}
	if c.after != nil && c.compareKeys(cand.keys, c.after) <= 0 {
		return nil
	}
	if len(c.kept) == c.want && c.compare(cand, c.kept[0]) > 0 {
		return nil
	}
	var err error
	if cand.id, err = reader.ExternalID(id); err != nil {
		return err
	}
	if c.take != nil {
		c.take(cand)
		return nil
	}
	cand.keys = slices.Clone(cand.keys)
	heap.Push(c, cand)
	if len(c.kept) > c.want {
		heap.Pop(c)
	}
	return nil
}

// shardBits leaves room below a shard's number for a sequence number.
const shardBits = 40

// look reads a document's sort values, which are valid until the next one, and its place among equal ones.
func (w *walk) look(cand *candidate, reader index.IndexReader, values index.DocValueReader, id index.IndexInternalID) error {
	if w.keys == nil {
		w.keys, w.have = make([]key, len(w.sorters)), make([]bool, len(w.sorters))
	}
	keys, have := w.keys, w.have
	clear(keys)
	clear(have)
	cand.keys, cand.order = keys, int64(w.place)<<shardBits
	err := values.VisitDocValues(id, func(field string, term []byte) {
		if field == mapping.Exact(mapping.SeqNo) {
			if n, err := mapping.ExactValue(string(term)); err == nil {
				cand.order |= n
			}
		}
		for i, s := range w.sorters {
			if s.docValues != field {
				continue
			}
			if k, ok := s.read(term); ok && (!have[i] || s.better(k, keys[i])) {
				keys[i], have[i] = k, true
			}
		}
	})
	if err != nil {
		return err
	}
	for i, s := range w.sorters {
		switch {
		case s.kind == keyScore:
			keys[i] = key{f: cand.score}
		case s.kind == keyDoc:
			keys[i] = key{i: cand.order}
		case s.kind == keyID:
			if keys[i].s, err = reader.ExternalID(id); err != nil {
				return err
			}
		case !have[i]:
			if keys[i], err = s.absent(); err != nil {
				return err
			}
		}
	}
	return nil
}
