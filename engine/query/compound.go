// SPDX-License-Identifier: Apache-2.0

package query

import (
	"math"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2"
	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// boolean combines queries.
type boolean struct {
	must, should, filter, mustNot []Query
	minimumShould                 string
}

func (q boolean) build(c *scope) (bq.Query, error) {
	must, err := buildAll(c, q.must)
	if err != nil {
		return nil, err
	}
	filter, err := buildAll(c, q.filter)
	if err != nil {
		return nil, err
	}
	should, err := buildAll(c, q.should)
	if err != nil {
		return nil, err
	}
	mustNot, err := buildAll(c, q.mustNot)
	if err != nil {
		return nil, err
	}
	least, err := minimumShould(q.minimumShould, len(should))
	if err != nil {
		return nil, err
	}
	switch required := len(must)+len(filter) > 0; {
	case !required && len(should) > 0:
		least = max(least, 1)
	case !required && len(mustNot) == 0:
		return c.everything(), nil
	case !required:
		filter = append(filter, c.everything())
	}
	if least > len(should) {
		return none(), nil
	}
	return combined{must: must, filter: filter, should: should, mustNot: mustNot, least: least}, nil
}

func buildAll(c *scope, list []Query) ([]bq.Query, error) {
	out := make([]bq.Query, len(list))
	for i, q := range list {
		b, err := q.build(c)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// minimumShould reads minimum_should_match: a number, a negative number, or a percentage of the optional clauses.
func minimumShould(text string, optional int) (int, error) {
	if text == "" {
		return 0, nil
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
	}
	if percent {
		share := int(math.Floor(float64(optional) * math.Abs(float64(n)) / 100))
		if n < 0 {
			return max(optional-share, 0), nil
		}
		return share, nil
	}
	if n < 0 {
		return max(optional+n, 0), nil
	}
	return n, nil
}

// constant gives every match the same score.
type constant struct{ inner Query }

func (q constant) build(c *scope) (bq.Query, error) { return constantly(q.inner.build(c)) }

// boosted multiplies the scores of a query.
type boosted struct {
	inner Query
	boost float64
}

func (q boosted) build(c *scope) (bq.Query, error) {
	inner, err := q.inner.build(c)
	return boostedScore{inner, q.boost}, err
}

// disMax matches what one of the queries matches.
type disMax struct {
	queries []Query
	tie     float64
}

func (q disMax) build(c *scope) (bq.Query, error) {
	list, err := buildAll(c, q.queries)
	return bestOf(list, q.tie), err
}

// bestOf matches what one of the queries matches; the best score counts, and a share of the others.
func bestOf(list []bq.Query, tie float64) bq.Query {
	switch len(list) {
	case 0:
		return none()
	case 1:
		return list[0]
	}
	return combined{should: list, least: 1, best: true, tie: tie}
}

// match finds analyzed text.
type match struct {
	field, text   string
	and           bool
	minimumShould string
	fuzziness     string
	prefixLength  int
	phrase        bool
	zeroTermsAll  bool
	lenient       bool
}

func (q match) build(c *scope) (bq.Query, error) {
	f := c.field(q.field)
	if q.field == "_id" {
		return ids{[]string{q.text}}.build(c)
	}
	if f == nil {
		return none(), nil
	}
	if err := searchable(c, f); err != nil {
		return nil, err
	}
	if f.Type != "text" {
		one, err := exact(c, f, q.text)
		if err != nil && q.lenient {
			return none(), nil
		}
		return one, err
	}
	words := f.Analyze(q.text)
	if len(words) == 0 {
		if q.zeroTermsAll {
			return c.everything(), nil
		}
		return none(), nil
	}
	if q.phrase {
		phrase := combined{filter: []bq.Query{bleve.NewPhraseQuery(words, f.Path)}}
		for _, w := range words {
			phrase.must = append(phrase.must, termScore{f.Path, w})
		}
		return phrase, nil
	}
	return q.words(f.Path, words)
}

func (q match) words(path string, words []string) (bq.Query, error) {
	list := make([]bq.Query, len(words))
	for i, w := range words {
		list[i] = termScore{path, w}
		if q.fuzziness != "" {
			var err error
			if list[i], err = constantly(fuzzyTerm(path, w, q.fuzziness, q.prefixLength)); err != nil {
				return nil, err
			}
		}
	}
	if q.and {
		return combined{must: list}, nil
	}
	least, err := minimumShould(q.minimumShould, len(list))
	if err != nil {
		return nil, err
	}
	if least > len(list) {
		return none(), nil
	}
	return combined{should: list, least: max(least, 1)}, nil
}

// multiMatch is a match on several fields.
type multiMatch struct {
	match  match
	fields []string
	tie    float64
	sum    bool // the scores of the fields are added
}

func (q multiMatch) build(c *scope) (bq.Query, error) {
	var list []bq.Query
	for _, name := range expand(c, q.fields) {
		m := q.match
		m.field = name
		m.lenient = true
		b, err := m.build(c)
		if err != nil {
			return nil, err
		}
		list = append(list, boostedScore{b, boostOf(q.fields, name)})
	}
	if q.sum {
		return bestOf(list, 1), nil
	}
	return bestOf(list, q.tie), nil
}

// boostOf is the boost of a field: 2 for title^2.
func boostOf(fields []string, name string) float64 {
	for _, f := range fields {
		pattern, boost, ok := strings.Cut(f, "^")
		if n, err := strconv.ParseFloat(boost, 64); ok && err == nil && wire.Match(pattern, name) {
			return n
		}
	}
	return 1
}

// expand resolves field patterns; boosts (title^2) are cut off. No field means all texts.
func expand(c *scope, names []string) []string {
	var out []string
	for _, name := range names {
		name, _, _ = strings.Cut(name, "^")
		if !strings.Contains(name, "*") {
			out = append(out, name)
			continue
		}
		for _, path := range c.target.Mapping.Fields(name) {
			if f := c.field(path); f != nil && f.Index && f.Type != "binary" {
				out = append(out, path)
			}
		}
	}
	return out
}

// AnyOf matches what one of the queries matches.
func AnyOf(list []Query) Query { return boolean{should: list} }

// Filtered matches what both queries match; the scores are those of q (nil: everything, without scores).
func Filtered(q, filter Query) Query {
	out := boolean{filter: []Query{filter}}
	if q != nil {
		out.must = []Query{q}
	}
	return out
}
