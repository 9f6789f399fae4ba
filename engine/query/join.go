// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"errors"

	bm "github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	bq "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"
)

// scoreMode is how the scores of an owner's objects become one.
type scoreMode string

// The modes of OpenSearch. The score of scoreNone is 0.
const (
	scoreAvg  scoreMode = "avg"
	scoreSum  scoreMode = "sum"
	scoreMin  scoreMode = "min"
	scoreMax  scoreMode = "max"
	scoreNone scoreMode = "none"
)

// add takes one more score in; n is how many there are with it.
func (m scoreMode) add(sum, score float64, n int) float64 {
	switch {
	case m == scoreNone:
		return 0
	case n == 1:
		return score
	case m == scoreMin:
		return min(sum, score)
	case m == scoreMax:
		return max(sum, score)
	}
	return sum + score
}

// joined finds the owners of nested objects: documents, or objects further out, so many levels above.
type joined struct {
	objects bq.Query
	levels  int
	mode    scoreMode
}

// Searcher makes the searcher of the query.
func (q joined) Searcher(ctx context.Context, r index.IndexReader, m bm.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	reader, ok := r.(index.NestedReader)
	if !ok {
		return nil, errors.New("the full-text index is of an unknown kind")
	}
	if q.mode == scoreNone {
		o.Score = unscored
	}
	objects, err := q.objects.Searcher(ctx, r, m, o)
	if err != nil {
		return nil, err
	}
	return &joinSearcher{Searcher: objects, reader: reader, levels: q.levels, mode: q.mode}, nil
}

// joinSearcher walks nested objects and gives their owners. The objects of an owner follow it, before those of the next.
type joinSearcher struct {
	search.Searcher
	reader index.NestedReader
	levels int
	mode   scoreMode
	// object is the first object of the next owner, nil at the end; begun is false before the first.
	object *search.DocumentMatch
	owner  index.AncestorID
	begun  bool
	chain  []index.AncestorID
}

// Next goes to the next owner.
func (s *joinSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	if !s.begun {
		if err := s.step(ctx, nil); err != nil {
			return nil, err
		}
	}
	return s.match(ctx)
}

// Advance goes to a document or the first owner after it.
func (s *joinSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	if !s.begun || s.object != nil && s.object.IndexInternalID.Compare(id) < 0 {
		if err := s.step(ctx, id); err != nil {
			return nil, err
		}
	}
	// what is not before the document may still belong to an owner before it
	for s.object != nil && uint64(s.owner) < id.Value() {
		if err := s.step(ctx, nil); err != nil {
			return nil, err
		}
	}
	return s.match(ctx)
}

// step goes to the next object, or to the first that is not before a document.
func (s *joinSearcher) step(ctx *search.SearchContext, id index.IndexInternalID) (err error) {
	ctx.DocumentMatchPool.Put(s.object)
	s.begun = true
	if id == nil {
		s.object, err = s.Searcher.Next(ctx)
	} else {
		s.object, err = s.Searcher.Advance(ctx, id)
	}
	if err != nil || s.object == nil {
		return err
	}
	s.chain, err = s.reader.Ancestors(s.object.IndexInternalID, s.chain[:0])
	if err == nil {
		s.owner = s.chain[s.levels]
	}
	return err
}

// match makes one match of the objects of the next owner.
func (s *joinSearcher) match(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	if s.object == nil {
		return nil, nil
	}
	owner, score, n := s.owner, 0.0, 0
	for s.object != nil && s.owner == owner {
		n++
		score = s.mode.add(score, s.object.Score, n)
		if err := s.step(ctx, nil); err != nil {
			return nil, err
		}
	}
	if s.mode == scoreAvg {
		score /= float64(n)
	}
	m := ctx.DocumentMatchPool.Get()
	m.IndexInternalID = owner.ToIndexInternalID(m.IndexInternalID)
	m.Score = score
	return m, nil
}

// DocumentMatchPoolSize is how many matches are held at a time.
func (s *joinSearcher) DocumentMatchPoolSize() int { return s.Searcher.DocumentMatchPoolSize() + 2 }
