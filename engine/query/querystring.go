// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"

	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// queryString is a query in Lucene's syntax: words, "phrases", field:value, wildcards, ranges [a TO b], AND OR NOT + -,
// groups.
type queryString struct {
	text    string
	fields  []string // nil means all
	and     bool
	lenient bool
	simple  bool
}

// ParseText is a query in Lucene's syntax over one field (or all, for ""), as ?q= gives it. lenient says whether a value
// that does not fit its field finds nothing instead of failing; nil for the default.
func ParseText(text, field string, and bool, lenient *bool) (Query, error) {
	q := queryString{text: text, and: and}
	if field != "" {
		q.fields = []string{field}
	}
	q.forgive(lenient)
	return q, q.check()
}

// forgive sets whether the query is lenient: unless it says so itself, where its default fields are all of them.
func (q *queryString) forgive(lenient *bool) {
	q.lenient = len(q.fields) == 0 || len(q.fields) == 1 && q.fields[0] == "*"
	if lenient != nil {
		q.lenient = *lenient
	}
}

// forgiving finds nothing where its query cannot run.
type forgiving struct{ Query }

func (q forgiving) build(c *scope) (bq.Query, error) {
	built, err := q.Query.build(c)
	if err != nil && fault.HasStatus(err, 400) {
		return none(), nil
	}
	return built, err
}

// ranged is a range over a field, as lenient as the whole.
func (q queryString) ranged(r rangeQuery) Query {
	if q.lenient {
		return forgiving{r}
	}
	return r
}

func readQueryString(kind string) reader {
	return func(p *parser, _ int) (Query, error) {
		q := queryString{simple: kind == "simple_query_string"}
		given := false
		var lenient *bool
		err := members(p, kind, func(name string) (known bool, err error) {
			var s string
			switch name {
			case "query":
				given = true
				q.text, err = p.Text()
			case "default_field":
				s, err = p.Text()
				q.fields = []string{s}
			case "fields":
				err = texts(p, &q.fields)
			case "default_operator":
				if s, err = p.Text(); err == nil {
					q.and, err = parseOperator(s)
				}
			case "lenient":
				var on bool
				on, err = p.Bool()
				lenient = &on
			case "analyze_wildcard", "allow_leading_wildcard", "phrase_slop", "fuzzy_max_expansions", "rewrite", "escape",
				"auto_generate_synonyms_phrase_query", "type", "tie_breaker", "minimum_should_match", "time_zone", "flags",
				"max_determinized_states", "fuzzy_transpositions", "fuzziness", "fuzzy_prefix_length", "quote_field_suffix":
				err = tuning(p, name)
			default:
				return false, nil
			}
			return true, err
		})
		q.forgive(lenient)
		if err == nil && !given {
			line, col := p.Position()
			err = fault.Parsing(line, col, "[%s] must be provided with a [query]", kind)
		}
		if err == nil && !q.simple {
			err = q.check()
		}
		return q, err
	}
}

// tuning reads members that only weigh or bound; those that would change what is found are refused by name.
func tuning(p *parser, name string) error {
	s, err := p.Text()
	if err != nil {
		return err
	}
	neutral := map[string]string{"allow_leading_wildcard": "true", "escape": "false", "time_zone": "UTC"}
	if want, ok := neutral[name]; ok && s != want || name == "minimum_should_match" || name == "quote_field_suffix" {
		return fault.Unsupported("[" + name + "] of a query_string query")
	}
	return nil
}

func (q queryString) build(c *scope) (bq.Query, error) {
	tree, err := q.parse()
	if err != nil {
		if q.simple {
			return none(), nil // a simple query string never fails
		}
		return nil, err
	}
	return tree.build(c)
}

// check finds what the text asks for that this engine does not have. That it has no meaning is for the indices to say:
// a search of none does not fail.
func (q queryString) check() error {
	if _, err := q.parse(); err != nil && fault.Of(err).Type != "query_shard_exception" {
		return err
	}
	return nil
}

// parse makes a tree of the text.
func (q queryString) parse() (Query, error) {
	p := &luceneParser{q: q, rest: []rune(q.text)}
	tree, err := p.disjunction()
	if err == nil && p.peek() != 0 {
		err = p.bad()
	}
	return tree, err
}

// overFields matches what the query matches in one of the fields. Of the fields of a pattern those whose type cannot hold
// the text are left out.
type overFields struct {
	names []string
	make  func(name string) Query
}

func (q overFields) build(c *scope) (bq.Query, error) {
	var list []bq.Query
	for _, name := range expand(c, q.names) {
		one, err := q.make(name).build(c)
		switch {
		case err == nil:
			list = append(list, boostedScore{one, boostOf(q.names, name)})
		case !slices.ContainsFunc(q.names, wire.IsPattern):
			return nil, err
		}
	}
	return bestOf(list, 0), nil
}
