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

// combined is what all of must and filter, at least some of should, and none of mustNot match. The score is the sum of
// those of must and should, or, with best, the highest of should and a share of the others.
type combined struct {
	must, filter, should, mustNot []bq.Query
	least                         int
	best                          bool
	tie                           float64
}

// Searcher makes the searcher of the query.
func (q combined) Searcher(ctx context.Context, r index.IndexReader, m bm.IndexMapping, o search.SearcherOptions) (_ search.Searcher, err error) {
	s := &combinedSearcher{least: q.least, best: q.best, tie: q.tie}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	open := func(list []bq.Query, o search.SearcherOptions, scored bool) ([]*cursor, error) {
		var out []*cursor
		for _, q := range list {
			one, err := q.Searcher(ctx, r, m, o)
			if err != nil {
				return nil, err
			}
			c := &cursor{Searcher: one, scored: scored}
			s.all, out = append(s.all, c), append(out, c)
		}
		return out, nil
	}
	quiet := o
	quiet.Score = unscored
	must, err := open(q.must, o, true)
	if err != nil {
		return nil, err
	}
	filter, err := open(q.filter, quiet, false)
	if err != nil {
		return nil, err
	}
	s.required = append(must, filter...)
	if s.should, err = open(q.should, o, true); err != nil {
		return nil, err
	}
	s.mustNot, err = open(q.mustNot, quiet, false)
	return s, err
}

// cursor is a searcher and the match it stands on; nil before the first and after the last.
type cursor struct {
	search.Searcher
	at     *search.DocumentMatch
	begun  bool
	scored bool
}

// seek goes to a document or the first after it; nil means the next one.
func (c *cursor) seek(ctx *search.SearchContext, id index.IndexInternalID) (err error) {
	switch {
	case c.begun && c.at == nil:
		return nil // at its end
	case id == nil:
		was := c.at
		c.at, err = c.Next(ctx)
		ctx.DocumentMatchPool.Put(was)
	case !c.begun || c.at.IndexInternalID.Compare(id) < 0:
		was := c.at
		c.at, err = c.Advance(ctx, id)
		ctx.DocumentMatchPool.Put(was)
	}
	c.begun = true
	return err
}

// on reports whether the cursor stands on a document.
func (c *cursor) on(id index.IndexInternalID) bool {
	return c.at != nil && c.at.IndexInternalID.Equals(id)
}

type combinedSearcher struct {
	required, should, mustNot, all []*cursor
	least                          int
	best                           bool
	tie                            float64
	last                           index.IndexInternalID
	begun                          bool
}

// Next goes to the next match.
func (s *combinedSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	return s.find(ctx, nil)
}

// Advance goes to a document or the first match after it.
func (s *combinedSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	if s.begun && s.last.Compare(id) >= 0 {
		return s.find(ctx, nil)
	}
	return s.find(ctx, id)
}

// find looks for the next match that is not before a document; nil means the one after the last.
func (s *combinedSearcher) find(ctx *search.SearchContext, from index.IndexInternalID) (*search.DocumentMatch, error) {
	for {
		candidate, err := s.candidate(ctx, from)
		if err != nil || candidate == nil {
			return nil, err
		}
		s.last, s.begun = append(s.last[:0], candidate...), true
		m, err := s.match(ctx, s.last)
		if err != nil || m != nil {
			return m, err
		}
		from = nil
	}
}

// candidate is the next document that all required clauses match, or, without any, one of should.
func (s *combinedSearcher) candidate(ctx *search.SearchContext, from index.IndexInternalID) (index.IndexInternalID, error) {
	if len(s.required) == 0 {
		return s.optional(ctx, from)
	}
	lead := s.required[0]
	if err := lead.seek(ctx, from); err != nil || lead.at == nil {
		return nil, err
	}
	for i := 1; i < len(s.required); {
		c := s.required[i]
		if err := c.seek(ctx, lead.at.IndexInternalID); err != nil || c.at == nil {
			return nil, err
		}
		if c.on(lead.at.IndexInternalID) {
			i++
			continue
		}
		if err := lead.seek(ctx, c.at.IndexInternalID); err != nil || lead.at == nil {
			return nil, err
		}
		i = 1
	}
	return lead.at.IndexInternalID, nil
}

func (s *combinedSearcher) optional(ctx *search.SearchContext, from index.IndexInternalID) (first index.IndexInternalID, err error) {
	for _, c := range s.should {
		switch {
		case from != nil:
			err = c.seek(ctx, from)
		case !s.begun || c.on(s.last):
			err = c.seek(ctx, nil)
		}
		if err != nil {
			return nil, err
		}
		if c.at != nil && (first == nil || c.at.IndexInternalID.Compare(first) < 0) {
			first = c.at.IndexInternalID
		}
	}
	return first, nil
}

// match makes the match of a candidate; nil if clauses speak against it.
func (s *combinedSearcher) match(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	for _, c := range s.mustNot {
		if err := c.seek(ctx, id); err != nil || c.on(id) {
			return nil, err
		}
	}
	matched, sum, highest := 0, 0.0, 0.0
	for _, c := range s.should {
		if err := c.seek(ctx, id); err != nil {
			return nil, err
		}
		if c.on(id) {
			matched++
			sum, highest = sum+c.at.Score, max(highest, c.at.Score)
		}
	}
	if matched < s.least {
		return nil, nil
	}
	if s.best {
		sum = highest + s.tie*(sum-highest)
	}
	for _, c := range s.required {
		if c.scored {
			sum += c.at.Score
		}
	}
	m := ctx.DocumentMatchPool.Get()
	m.IndexInternalID = append(m.IndexInternalID[:0], id...)
	m.Score = sum
	return m, nil
}

// Close closes all clauses.
func (s *combinedSearcher) Close() error {
	var err error
	for _, c := range s.all {
		err = errors.Join(err, c.Close())
	}
	return err
}

// Count is an upper bound of the matches.
func (s *combinedSearcher) Count() uint64 {
	if len(s.required) > 0 {
		return s.required[0].Count()
	}
	n := uint64(0)
	for _, c := range s.should {
		n += c.Count()
	}
	return n
}

// Weight, SetQueryNorm, Min, Size and DocumentMatchPoolSize are the index library's.
func (s *combinedSearcher) Weight() float64      { return 0 }
func (s *combinedSearcher) SetQueryNorm(float64) {}
func (s *combinedSearcher) Min() int             { return s.least }
func (s *combinedSearcher) Size() int            { return 0 }

// DocumentMatchPoolSize is how many matches are held at a time.
func (s *combinedSearcher) DocumentMatchPoolSize() int {
	n := 1
	for _, c := range s.all {
		n += c.DocumentMatchPoolSize() + 1
	}
	return n
}
