// SPDX-License-Identifier: Apache-2.0

package query

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/blevesearch/bleve/v2/search"
	bq "github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Response is the outcome of a search.
type Response struct {
	Took   time.Duration
	Shards int
	Total  int64
	// MaxScore is nil where the page is sorted by something else, or empty.
	MaxScore *Score
	Hits     []Hit
	failures []failure
	request  *Request
}

// Hit is one document of the page.
type Hit struct {
	Index string
	shard.Document
	Score  *Score
	Sort   []any
	Source json.RawMessage // what the request wants of it; nil if nothing
	// Fields are the doc values that the request wants, by field.
	Fields wire.Object
}

// Execute runs a search over targets. An index that cannot run the query is left out, and the answer says so; if none
// can, the search fails: 400 search_phase_execution_exception. ctx bounds the time.
func Execute(ctx context.Context, targets []Target, r *Request, now time.Time) (*Response, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	started := time.Now()
	c := &collector{request: r, want: r.From + r.Size}
	res := &Response{request: r}
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
	if err := c.page(targets, res); err != nil {
		return nil, err
	}
	res.Took = time.Since(started)
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
		w := walk{c: c, q: q, sorters: sorters, target: number, number: i, place: first + i, shard: s}
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

// walk goes through the matches of one shard.
type walk struct {
	c              *collector
	q              bq.Query
	sorters        []sorter
	target, number int
	place          int // of the shard among all that are searched
	shard          Shard
	// keys and have are of the match that is looked at; most are not kept.
	keys []key
	have []bool
}

func (w *walk) run(ctx context.Context) (err error) {
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
	options := search.SearcherOptions{}
	if w.c.counts || !w.c.request.scored() {
		options.Score = unscored
	}
	searcher, err := w.q.Searcher(ctx, reader, idx.Mapping(), options)
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
	cand.keys = slices.Clone(cand.keys)
	var err error
	if cand.id, err = reader.ExternalID(id); err != nil {
		return err
	}
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

// page fetches the documents of the page.
func (c *collector) page(targets []Target, res *Response) error {
	slices.SortFunc(c.kept, c.compare)
	r := c.request
	if r.From >= len(c.kept) {
		return nil
	}
	page := c.kept[r.From:]
	docs, err := fetch(targets, page)
	if err != nil {
		return err
	}
	for i, cand := range page {
		if docs[i].ID == "" {
			continue // deleted since the last refresh
		}
		hit := Hit{Index: targets[cand.target].Index, Document: docs[i]}
		if err := c.show(&hit, cand); err != nil {
			return err
		}
		if err := hit.docValues(&targets[cand.target], r.DocValues); err != nil {
			return err
		}
		if (len(r.Sort) == 0 || r.TrackScores) && (res.MaxScore == nil || *hit.Score > *res.MaxScore) {
			res.MaxScore = hit.Score
		}
		res.Hits = append(res.Hits, hit)
	}
	return nil
}

// fetch reads the documents of candidates, one transaction a shard.
func fetch(targets []Target, page []candidate) ([]shard.Document, error) {
	type place struct{ target, shard int }
	groups := map[place][]int{}
	for i, cand := range page {
		at := place{cand.target, cand.shard}
		groups[at] = append(groups[at], i)
	}
	out := make([]shard.Document, len(page))
	for at, members := range groups {
		ids := make([]string, len(members))
		for i, m := range members {
			ids[i] = page[m].id
		}
		docs, err := targets[at.target].Shards[at.shard].GetMany(ids)
		if err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		for i, m := range members {
			out[m] = docs[i]
		}
	}
	return out, nil
}

// show fills in score, sort values and source.
func (c *collector) show(hit *Hit, cand candidate) (err error) {
	r := c.request
	for i, s := range r.Sort {
		hit.Sort = append(hit.Sort, s.json(c.kinds[i], c.dates[i], cand.keys[i]))
	}
	if r.shows() {
		score := Score(cand.score)
		hit.Score = &score
	}
	if !r.Source.Off && !r.NoStored {
		hit.Source, err = r.Source.Filter(hit.Document.Source)
	}
	return err
}

// Filter is the part of a source that is wanted.
func (s Source) Filter(source []byte) (json.RawMessage, error) {
	if len(s.Includes)+len(s.Excludes) == 0 {
		return source, nil
	}
	expressions := slices.Clone(s.Includes)
	for _, e := range s.Excludes {
		expressions = append(expressions, "-"+e)
	}
	return wire.FilterPath(source, expressions)
}

// JSON is the search answer. scrollID is "" unless the search can be continued.
func (r *Response) JSON(scrollID string) wire.Object {
	hits := wire.Object{}
	if r.request.TrackTotal >= 0 {
		total, relation := r.Total, "eq"
		if total > r.request.TrackTotal {
			total, relation = r.request.TrackTotal, "gte"
		}
		hits.Add("total", wire.Obj("value", total, "relation", relation))
	}
	best := r.MaxScore
	if r.Shards == 0 {
		best = new(Score) // OpenSearch's answer when there was nothing to search
	}
	hits.Add("max_score", best)
	list := make([]wire.Object, len(r.Hits))
	for i := range r.Hits {
		list[i] = r.hit(&r.Hits[i])
	}
	hits.Add("hits", list)
	o := wire.Object{}
	o.AddIf(scrollID != "", "_scroll_id", scrollID)
	o = append(o, wire.Obj("took", r.Took.Milliseconds(), "timed_out", false)...)
	if n := r.request.TerminateAfter; n > 0 {
		o.Add("terminated_early", r.Total >= int64(n))
	}
	return append(o, wire.Obj("_shards", r.shards(), "hits", hits)...)
}

func (r *Response) shards() wire.Object {
	failed := 0
	for _, f := range r.failures {
		failed += f.shards
	}
	o := wire.Obj("total", r.Shards, "successful", r.Shards-failed, "skipped", 0, "failed", failed)
	o.AddIf(failed > 0, "failures", shardFailures(r.failures))
	return o
}

func (r *Response) hit(h *Hit) wire.Object {
	o := wire.Obj("_index", h.Index, "_id", h.ID)
	o.AddIf(r.request.Version, "_version", h.Version)
	if r.request.SeqNo {
		o.Add("_seq_no", h.SeqNo)
		o.Add("_primary_term", h.PrimaryTerm)
	}
	o.Add("_score", h.Score)
	o.AddIf(h.Routing != "", "_routing", h.Routing)
	o.AddIf(h.Source != nil, "_source", h.Source)
	o.AddIf(len(h.Fields) > 0, "fields", h.Fields)
	o.AddIf(h.Sort != nil, "sort", h.Sort)
	return o
}
