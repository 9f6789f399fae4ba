// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"math"
	"slices"

	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// document is what is read of a source document.
type document struct {
	// count is how many documents it stands for.
	count  int64
	fields map[string][]any
}

// grouper makes the values of a key of a document's field.
type grouper struct {
	dimension.Dimension
	dates *rounding
}

func newGroupers(list []dimension.Dimension) ([]grouper, error) {
	out := make([]grouper, len(list))
	for i, d := range list {
		out[i].Dimension = d
		if d.Kind == dimension.DateHistogram {
			var err error
			if out[i].dates, err = newRounding(d); err != nil {
				return nil, err
			}
			if d.Format != nil {
				if err := wire.CheckDateFormat(*d.Format); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// values are the buckets a document belongs in, each once; nil, once, where it has no value.
func (g *grouper) values(doc *document) []any {
	var out []any
	for _, v := range doc.fields[g.SourceField] {
		switch g.Kind {
		case dimension.DateHistogram:
			ms, ok := toMillis(v)
			if !ok {
				continue
			}
			v = g.dates.floor(ms)
		case dimension.Histogram:
			f := toFloat(v)
			if math.IsNaN(f) {
				continue
			}
			v = math.Floor(f/g.Interval) * g.Interval
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return []any{nil}
	}
	return out
}

// toMillis is a value as an instant in epoch milliseconds.
func toMillis(v any) (ms int64, ok bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case float64:
		return int64(x), true
	}
	return 0, false
}

// bucket is one group of documents.
type bucket struct {
	key       []any
	documents int64
	sums      []sum // of the fields that outputs are computed of
}

// sum is what the metrics of one field are made of.
type sum struct {
	count                    int64
	total, lost, least, most float64
}

// add adds one value; lost is what floating-point addition lost so far (Kahan).
func (s *sum) add(x float64) {
	if s.count == 0 || x < s.least {
		s.least = x
	}
	if s.count == 0 || x > s.most {
		s.most = x
	}
	s.count++
	y := x - s.lost
	t := s.total + y
	s.lost = t - s.total - y
	s.total = t
}

// doubleCount is a count that is written as a floating-point number, as the plugin's transforms do.
const doubleCount = "double_count"

// result is a metric's value; nil where there is none.
func (s *sum) result(kind string) any {
	switch {
	case kind == dimension.ValueCount:
		return s.count
	case kind == doubleCount:
		return dimension.Double(s.count)
	case kind == dimension.Sum:
		return dimension.Double(s.total)
	case s.count == 0:
		return nil
	case kind == dimension.Avg:
		return dimension.Double(s.total / float64(s.count))
	case kind == dimension.Min:
		return dimension.Double(s.least)
	default:
		return dimension.Double(s.most)
	}
}

// maxBuckets is how many buckets one pass over the documents keeps. If there are more, the lowest keys are kept, and
// further passes take the rest.
const maxBuckets = 50_000

// grouping collects buckets in one pass over documents.
type grouping struct {
	groupers []grouper
	fields   []string // of the outputs
	// after is the key beyond which buckets are wanted; nil means all.
	after []any
	// within limits the first value of a key, if it is a date: at least Start and before End; nil means any.
	within *Window
	// only limits the keys, by keyText; nil means all.
	only  map[string]bool
	limit int

	table map[string]*bucket
	// most is the greatest key that is still taken; nil until buckets were dropped.
	most []any
	read int64
}

// add takes in one document.
func (g *grouping) add(doc *document) {
	if g.table == nil {
		g.table = map[string]*bucket{}
	}
	g.read++
	lists := make([][]any, len(g.groupers))
	for i := range g.groupers {
		lists[i] = g.groupers[i].values(doc)
	}
	g.combine(doc, lists, make([]any, 0, len(lists)))
}

// combine goes through all combinations of a document's values.
func (g *grouping) combine(doc *document, lists [][]any, key []any) {
	if len(key) == len(lists) {
		g.take(doc, key)
		return
	}
	for _, v := range lists[len(key)] {
		g.combine(doc, lists, append(key, v))
	}
}

func (g *grouping) take(doc *document, key []any) {
	if !g.wants(key) {
		return
	}
	text := keyText(key)
	if g.only != nil && !g.only[text] {
		return
	}
	b := g.table[text]
	if b == nil {
		b = &bucket{key: slices.Clone(key), sums: make([]sum, len(g.fields))}
		g.table[text] = b
	}
	b.documents += doc.count
	for i, f := range g.fields {
		for _, v := range doc.fields[f] {
			if x := toFloat(v); !math.IsNaN(x) {
				b.sums[i].add(x)
			} else if _, is := v.(string); is {
				b.sums[i].count++ // texts can only be counted
			}
		}
	}
	if len(g.table) >= 2*g.limit {
		g.drop()
	}
}

func (g *grouping) wants(key []any) bool {
	if g.within != nil {
		ms, ok := key[0].(int64)
		if !ok || ms < g.within.Start || ms >= g.within.End {
			return false
		}
	}
	return (g.after == nil || compareKeys(key, g.after) > 0) && (g.most == nil || compareKeys(key, g.most) <= 0)
}

// drop keeps the lowest buckets.
func (g *grouping) drop() {
	list := g.sorted()
	for _, b := range list[g.limit:] {
		delete(g.table, keyText(b.key))
	}
	g.most = list[g.limit-1].key
}

func (g *grouping) sorted() []*bucket {
	list := make([]*bucket, 0, len(g.table))
	for _, b := range g.table {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b *bucket) int { return compareKeys(a.key, b.key) })
	return list
}

// buckets are what was collected, in the order of their keys. more says that there are others beyond the last one.
func (g *grouping) buckets() (list []*bucket, more bool) {
	if len(g.table) > g.limit {
		g.drop()
	}
	return g.sorted(), g.most != nil
}
