// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	bm "github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	bq "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/opensteward/steward/engine/mapping"
)

// The nodes below give matches the scores that OpenSearch gives: BM25 for terms, a constant for what has no
// frequencies, sums for clauses. (The index library would weigh clauses by norms of its own, and it forgets required
// clauses that match nothing.)

// unscored is the option for searchers whose scores nobody reads.
const unscored = "none"

// constantScore gives every match of a query the same score.
type constantScore struct {
	inner bq.Query
	score float64
}

// Searcher makes the searcher of the query.
func (q constantScore) Searcher(ctx context.Context, r index.IndexReader, m bm.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	o.Score = unscored
	s, err := q.inner.Searcher(ctx, r, m, o)
	return rescored{s, func(float64) float64 { return q.score }}, err
}

// boostedScore multiplies scores.
type boostedScore struct {
	inner bq.Query
	boost float64
}

// Searcher makes the searcher of the query.
func (q boostedScore) Searcher(ctx context.Context, r index.IndexReader, m bm.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	s, err := q.inner.Searcher(ctx, r, m, o)
	return rescored{s, func(score float64) float64 { return score * q.boost }}, err
}

// rescored changes the scores of a searcher.
type rescored struct {
	search.Searcher
	score func(float64) float64
}

// Next is the searcher's, with the score changed.
func (s rescored) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	return s.apply(s.Searcher.Next(ctx))
}

// Advance is the searcher's, with the score changed.
func (s rescored) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	return s.apply(s.Searcher.Advance(ctx, id))
}

func (s rescored) apply(m *search.DocumentMatch, err error) (*search.DocumentMatch, error) {
	if m != nil {
		m.Score = s.score(m.Score)
	}
	return m, err
}

// bm25 are Lucene's parameters.
const (
	bm25K = 1.2
	bm25B = 0.75
)

// lengthSample is over how many documents of a term the mean length of a text is estimated.
const lengthSample = 256

// termScore finds one term of analyzed text, scored by BM25.
type termScore struct{ path, term string }

// Searcher makes the searcher of the query.
func (q termScore) Searcher(ctx context.Context, r index.IndexReader, m bm.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	if o.Score == unscored {
		return term(q.path, q.term).Searcher(ctx, r, m, o)
	}
	mean, err := q.meanLength(ctx, r)
	if err != nil {
		return nil, err
	}
	withField, err := r.TermFieldReader(ctx, []byte(q.path), mapping.FieldNames, false, false, false)
	if err != nil {
		return nil, err
	}
	total := float64(withField.Count())
	if err := withField.Close(); err != nil {
		return nil, err
	}
	postings, err := r.TermFieldReader(ctx, []byte(q.term), q.path, true, true, false)
	if err != nil {
		return nil, err
	}
	n := float64(postings.Count())
	return &termSearcher{
		postings: postings, mean: mean,
		idf: math.Log(1 + (max(total, n)-n+0.5)/(n+0.5)),
	}, nil
}

func (q termScore) meanLength(ctx context.Context, r index.IndexReader) (mean float64, err error) {
	postings, err := r.TermFieldReader(ctx, []byte(q.term), q.path, false, true, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, postings.Close()) }()
	sum, n := 0.0, 0.0
	for n < lengthSample {
		doc, err := postings.Next(nil)
		if err != nil {
			return 0, err
		}
		if doc == nil {
			break
		}
		sum, n = sum+length(doc.Norm), n+1
	}
	return max(sum/max(n, 1), 1), nil
}

// length is the number of terms of a text; the index keeps one over its root.
func length(norm float64) float64 {
	if norm == 0 {
		return 1
	}
	return 1 / (norm * norm)
}

// termSearcher walks the documents of one term.
type termSearcher struct {
	postings  index.TermFieldReader
	doc       index.TermFieldDoc
	idf, mean float64
}

// Next goes to the next document.
func (s *termSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	return s.match(ctx)(s.postings.Next(s.doc.Reset()))
}

// Advance goes to a document or the first after it.
func (s *termSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	return s.match(ctx)(s.postings.Advance(id, s.doc.Reset()))
}

func (s *termSearcher) match(ctx *search.SearchContext) func(*index.TermFieldDoc, error) (*search.DocumentMatch, error) {
	return func(doc *index.TermFieldDoc, err error) (*search.DocumentMatch, error) {
		if doc == nil || err != nil {
			return nil, err
		}
		frequency, share := float64(doc.Freq), 1-bm25B+bm25B*length(doc.Norm)/s.mean
		m := ctx.DocumentMatchPool.Get()
		m.IndexInternalID = append(m.IndexInternalID[:0], doc.ID...)
		m.Score = s.idf * frequency / (frequency + bm25K*share)
		return m, nil
	}
}

// Close releases the postings.
func (s *termSearcher) Close() error { return s.postings.Close() }

// Count is how many documents there are.
func (s *termSearcher) Count() uint64 { return s.postings.Count() }

// Weight, SetQueryNorm, Min, Size and DocumentMatchPoolSize are the index library's.
func (s *termSearcher) Weight() float64            { return 0 }
func (s *termSearcher) SetQueryNorm(float64)       {}
func (s *termSearcher) Min() int                   { return 0 }
func (s *termSearcher) Size() int                  { return s.postings.Size() }
func (s *termSearcher) DocumentMatchPoolSize() int { return 1 }

// Score is the score of a hit. It is written as a number of single precision, with a point or an exponent: 1.0, 1.5E-4.
type Score float64

// MarshalJSON writes the number.
func (s Score) MarshalJSON() ([]byte, error) {
	format := byte('f')
	if abs := math.Abs(float64(s)); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		format = 'E'
	}
	text := strconv.FormatFloat(float64(s), format, -1, 32)
	if format == 'f' && !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}
