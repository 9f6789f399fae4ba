// SPDX-License-Identifier: Apache-2.0

package query

import (
	"math"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2"
	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/fault"
)

// boolean combines queries.
type boolean struct {
	must, should, filter, mustNot []Query
	minimumShould                 string
}

func (q boolean) scored() bool {
	for _, c := range append(append([]Query{}, q.must...), q.should...) {
		if c.scored() {
			return true
		}
	}
	return len(q.should) > 0
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
	if q.minimumShould == "" && len(must)+len(filter) == 0 && len(should) > 0 {
		least = 1
	}
	if least > len(should) {
		return none(), nil
	}
	must = append(must, filter...)
	if len(must) == 0 && least == 0 {
		must = append(must, all())
	}
	b := bleve.NewBooleanQuery()
	b.AddMust(must...)
	if len(should) > 0 {
		b.AddShould(should...)
		b.SetMinShould(float64(least))
	}
	b.AddMustNot(mustNot...)
	return b, nil
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

func (q constant) build(c *scope) (bq.Query, error) { return q.inner.build(c) }
func (constant) scored() bool                       { return false }

// disMax matches what one of the queries matches.
type disMax struct{ queries []Query }

func (disMax) scored() bool { return true }

func (q disMax) build(c *scope) (bq.Query, error) {
	list, err := buildAll(c, q.queries)
	return anyOf(list), err
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

func (match) scored() bool { return true }

func (q match) build(c *scope) (bq.Query, error) {
	f := c.field(q.field)
	if q.field == "_id" {
		return bleve.NewDocIDQuery([]string{q.text}), nil
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
			return all(), nil
		}
		return none(), nil
	}
	if q.phrase {
		return bleve.NewPhraseQuery(words, f.Path), nil
	}
	return q.words(f.Path, words)
}

func (q match) words(path string, words []string) (bq.Query, error) {
	list := make([]bq.Query, len(words))
	for i, w := range words {
		list[i] = term(path, w)
		if q.fuzziness != "" {
			var err error
			if list[i], err = fuzzyTerm(path, w, q.fuzziness, q.prefixLength); err != nil {
				return nil, err
			}
		}
	}
	if q.and {
		return bleve.NewConjunctionQuery(list...), nil
	}
	least, err := minimumShould(q.minimumShould, len(list))
	if err != nil {
		return nil, err
	}
	d := bleve.NewDisjunctionQuery(list...)
	d.SetMin(float64(max(least, 1)))
	return d, nil
}

// multiMatch is a match on several fields.
type multiMatch struct {
	match  match
	fields []string
}

func (multiMatch) scored() bool { return true }

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
		list = append(list, b)
	}
	return anyOf(list), nil
}

// expand resolves field patterns; boosts (title^2) are cut off, they only weigh scores. No field means all texts.
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
