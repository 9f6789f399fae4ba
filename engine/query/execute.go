// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"slices"
	"time"

	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// Execute runs a search over targets. An index that cannot run the query is left out, and the answer says so; if none
// can, the search fails: 400 search_phase_execution_exception. ctx bounds the time.
func Execute(ctx context.Context, targets []Target, r *Request, now time.Time) (*Response, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	started := time.Now()
	c := &collector{request: r, want: r.From + r.Size}
	res, err := c.search(ctx, targets, now)
	if err != nil {
		return nil, err
	}
	fetch := func(target, place int, ids []string) ([]shard.Document, error) {
		return targets[target].Shards[place].GetMany(ids)
	}
	if err := c.page(targets, c.kept[min(r.From, len(c.kept)):], fetch, res); err != nil {
		return nil, err
	}
	res.Took = time.Since(started)
	return res, nil
}

// search walks all targets and puts what it keeps in order. The response has no hits yet.
func (c *collector) search(ctx context.Context, targets []Target, now time.Time) (*Response, error) {
	res := &Response{request: c.request}
	for i := range targets {
		if err := c.target(ctx, &targets[i], now); err != nil {
			if !ofShards(err) {
				return nil, err
			}
			res.failures = append(res.failures, failure{targets[i].Index, len(targets[i].Shards), fault.Of(err)})
		}
	}
	if len(res.failures) > 0 && len(res.failures) == len(targets) {
		return nil, allFailed(res.failures)
	}
	res.Total, res.Shards = c.total, c.shards
	slices.SortFunc(c.kept, c.compare)
	return res, nil
}

// Count counts the matches. It fails if one index cannot run the query.
func Count(ctx context.Context, targets []Target, q Query, now time.Time) (total int64, shards int, err error) {
	c := &collector{request: &Request{Query: q}, counts: true}
	for i := range targets {
		if err := c.target(ctx, &targets[i], now); err != nil {
			return 0, 0, failed(&targets[i], err)
		}
	}
	return c.total, c.shards, nil
}

func failed(t *Target, err error) error {
	if !ofShards(err) {
		return err
	}
	return allFailed([]failure{{t.Index, len(t.Shards), fault.Of(err)}})
}

// candidate is a match that may come on the page.
type candidate struct {
	target, shard int
	id            string
	score         float64
	keys          []key
	order         int64 // of shards and sequence numbers, which decides between equal keys
}

// collector walks matches and keeps the best ones, the worst on top of the heap.
type collector struct {
	request *Request
	want    int
	total   int64
	shards  int
	kept    []candidate
	kinds   []keyKind // of the sort keys, as the indices' mappings have them
	dates   []bool
	after   []key
	targets int
	counts  bool // nothing but the number of matches is wanted
	// take is given every match, which is then not kept; nil keeps the best.
	take func(candidate)
}

// Len, Less, Swap, Push and Pop make it a heap.
func (c *collector) Len() int           { return len(c.kept) }
func (c *collector) Less(i, j int) bool { return c.compare(c.kept[i], c.kept[j]) > 0 }
func (c *collector) Swap(i, j int)      { c.kept[i], c.kept[j] = c.kept[j], c.kept[i] }

// Push appends a candidate.
func (c *collector) Push(x any) { c.kept = append(c.kept, x.(candidate)) }

// Pop takes the last one off.
func (c *collector) Pop() any {
	last := len(c.kept) - 1
	x := c.kept[last]
	c.kept = c.kept[:last]
	return x
}

func (c *collector) compare(a, b candidate) int {
	if n := c.compareKeys(a.keys, b.keys); n != 0 {
		return n
	}
	if a.order < b.order {
		return -1
	}
	return 1
}

func (c *collector) compareKeys(a, b []key) int {
	for i, s := range c.sorts() {
		if n := s.compare(c.kinds[i], a[i], b[i]); n != 0 {
			return n
		}
	}
	return 0
}

// byScore is the sort of a request without one.
var byScore = []Sort{{Field: "_score", Desc: true}}

func (c *collector) sorts() []Sort {
	if len(c.request.Sort) == 0 {
		return byScore
	}
	return c.request.Sort
}

// target searches one index.
func (c *collector) target(ctx context.Context, t *Target, now time.Time) error {
	sc := &scope{target: t, now: now}
	number := c.targets
	c.targets++
	first := c.shards
	c.shards += len(t.Shards)
	if err := c.request.window(t); err != nil {
		return err
	}
	if err := sc.docValues(c.request.DocValues); err != nil {
		return err
	}
	sorters, err := c.sortersOf(sc)
	if err != nil {
		return err
	}
	q, err := c.build(sc)
	if err != nil {
		return err
	}
	for i, s := range t.Shards {
		w := walk{c: c, q: q, all: c.everything(t), sorters: sorters, target: number, number: i, place: first + i, shard: s}
		if err := w.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) sortersOf(sc *scope) ([]sorter, error) {
	var out []sorter
	for _, s := range c.sorts() {
		one, err := sc.sorter(s)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if c.kinds == nil {
		c.kinds, c.dates = make([]keyKind, len(out)), make([]bool, len(out))
	}
	for i, s := range out {
		switch {
		case s.kind == keyMissing:
		case c.kinds[i] == keyMissing:
			c.kinds[i], c.dates[i] = s.kind, s.date
		case c.kinds[i] != s.kind:
			e := fault.Illegal("Can't sort on field [%s]; the field has incompatible sort types across indices", s.Field)
			e.Err = errWhole
			return nil, e
		}
	}
	if c.request.After != nil {
		c.after = c.after[:0]
		for i, s := range out {
			s.kind, s.date = c.kinds[i], c.dates[i]
			k, err := s.parse(c.request.After[i])
			if err != nil {
				return nil, err
			}
			c.after = append(c.after, k)
		}
	}
	return out, nil
}

// build makes the index's query.
func (c *collector) build(sc *scope) (bq.Query, error) {
	query := c.request.Query
	if query == nil {
		query = matchAll{}
	}
	q, err := query.build(sc)
	if err != nil {
		return nil, err
	}
	out := combined{must: []bq.Query{q}}
	for _, f := range []Query{sc.target.Filter, c.request.PostFilter} {
		if f == nil {
			continue
		}
		b, err := f.build(sc)
		if err != nil {
			return nil, err
		}
		out.filter = append(out.filter, b)
	}
	if len(out.filter) == 0 {
		return q, nil
	}
	return out, nil
}
