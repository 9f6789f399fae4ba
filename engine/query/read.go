// SPDX-License-Identifier: Apache-2.0

package query

import (
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

type reader func(p *parser, depth int) (Query, error)

// readers are the queries by name. It is filled by init because compound queries read others.
var readers map[string]reader

func init() {
	readers = map[string]reader{
		"match_all":           plain("match_all", matchAll{}),
		"match_none":          plain("match_none", matchNone{}),
		"ids":                 readIDs,
		"term":                readTerm,
		"terms":               readTerms,
		"range":               readRange,
		"exists":              readExists,
		"prefix":              readPattern("prefix"),
		"wildcard":            readPattern("wildcard"),
		"regexp":              readPattern("regexp"),
		"fuzzy":               readFuzzy,
		"match":               readMatch("match", false),
		"match_phrase":        readMatch("match_phrase", true),
		"multi_match":         readMultiMatch,
		"bool":                readBool,
		"constant_score":      readConstant,
		"dis_max":             readDisMax,
		"nested":              readNested,
		"query_string":        readQueryString("query_string"),
		"simple_query_string": readQueryString("simple_query_string"),
	}
}

// common reads the members that every query has; known is false for others.
func common(p *parser, name string) (known bool, err error) {
	switch name {
	case "boost":
		p.boost, err = p.Double()
		if err == nil && p.boost < 0 {
			err = fault.Illegal("negative [boost] are not allowed in [%v], use a value between 0 and 1 to deboost", p.boost)
		}
		return true, err
	case "_name":
		return true, fault.Unsupported("[_name] of a query")
	}
	return false, nil
}

func unsupportedMember(p *parser, query, name string) error {
	line, col := p.Position()
	return fault.Parsing(line, col, "[%s] query does not support [%s]", query, name)
}

// members reads an object: read takes what it knows, the common ones are read here, the rest is refused.
func members(p *parser, query string, read func(name string) (known bool, err error)) error {
	return p.Object(func(name string) error {
		known, err := read(name)
		if !known && err == nil {
			known, err = common(p, name)
		}
		if !known && err == nil {
			err = unsupportedMember(p, query, name)
		}
		return err
	})
}

func plain(name string, q Query) reader {
	return func(p *parser, _ int) (Query, error) {
		return q, members(p, name, func(string) (bool, error) { return false, nil })
	}
}

func readIDs(p *parser, _ int) (Query, error) {
	var q ids
	err := members(p, "ids", func(name string) (bool, error) {
		switch name {
		case "values":
			return true, texts(p, &q.values)
		case "type":
			return true, p.Skip()
		}
		return false, nil
	})
	return q, err
}

// texts adds a text or an array of texts.
func texts(p *parser, into *[]string) error {
	list, err := p.TextOrTexts()
	*into = append(*into, list...)
	return err
}

// perField reads {"field": value} or {"field": {members}}.
func perField(p *parser, query string, short func(field string) error, long func(field, name string) (bool, error)) error {
	seen := ""
	return p.Object(func(field string) error {
		if known, err := common(p, field); known || err != nil {
			return err
		}
		if seen != "" {
			line, col := p.Position()
			return fault.Parsing(line, col, "[%s] query doesn't support multiple fields, found [%s] and [%s]", query, seen, field)
		}
		seen = field
		if p.Token() != wire.StartObject {
			return short(field)
		}
		return members(p, query, func(name string) (bool, error) { return long(field, name) })
	})
}

func noField(field string) error {
	if field == "" {
		return fault.Illegal("field name is null or empty")
	}
	return nil
}

func readTerm(p *parser, _ int) (Query, error) {
	var q terms
	set := func(field string) error {
		v, err := readValue(p)
		if v.null {
			return fault.Illegal("value cannot be null")
		}
		q.field, q.values, q.single = field, []value{v}, true
		return err
	}
	err := perField(p, "term", func(field string) error {
		if p.Token() == wire.StartArray {
			line, col := p.Position()
			return fault.Parsing(line, col, "[term] query does not support array of values")
		}
		return set(field)
	}, func(field, name string) (bool, error) {
		switch name {
		case "value":
			return true, set(field)
		case "case_insensitive":
			var err error
			q.caseInsensitive, err = p.Bool()
			return true, err
		}
		return false, nil
	})
	if err == nil {
		err = noField(q.field)
	}
	return q, err
}

func readTerms(p *parser, _ int) (Query, error) {
	var q terms
	err := p.Object(func(field string) error {
		if known, err := common(p, field); known || err != nil {
			return err
		}
		line, col := p.Position()
		switch {
		case q.field != "":
			return fault.Parsing(line, col, "[terms] query does not support multiple fields")
		case p.Token() == wire.StartObject:
			return fault.Unsupported("a terms lookup")
		case p.Token() != wire.StartArray:
			return fault.Parsing(line, col, "[terms] query does not support [%s]", field)
		}
		q.field = field
		return p.Array(func() error {
			v, err := readValue(p)
			if v.null {
				return fault.Illegal("No value specified for terms query")
			}
			q.values = append(q.values, v)
			return err
		})
	})
	if len(q.values) > 65536 {
		return nil, fault.Illegal("The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [65536]. This maximum can be set by changing the [index.max_terms_count] index level setting.", len(q.values))
	}
	if err == nil {
		err = noField(q.field)
	}
	return q, err
}

func readRange(p *parser, _ int) (Query, error) {
	var q rangeQuery
	include := map[string]bool{"include_lower": true, "include_upper": true}
	err := perField(p, "range", func(field string) error {
		line, col := p.Position()
		return fault.Parsing(line, col, "[range] query does not support [%s]", field)
	}, func(field, name string) (known bool, err error) {
		q.field = field
		if _, known := include[name]; known {
			include[name], err = p.Bool()
			return true, err
		}
		return q.member(p, name)
	})
	if q.lower != nil && !include["include_lower"] {
		q.lower.inclusive = false
	}
	if q.upper != nil && !include["include_upper"] {
		q.upper.inclusive = false
	}
	if err == nil {
		err = noField(q.field)
	}
	return q, err
}

func (q *rangeQuery) member(p *parser, name string) (known bool, err error) {
	switch name {
	case "gt", "gte", "from":
		err = readBound(p, &q.lower, name != "gt")
	case "lt", "lte", "to":
		err = readBound(p, &q.upper, name != "lt")
	case "format":
		if q.format, err = p.Text(); err == nil {
			err = wire.CheckDateFormat(q.format)
		}
	case "time_zone":
		if q.zone, err = p.Text(); err == nil {
			_, err = wire.ParseZone(q.zone)
		}
	case "relation":
		_, err = p.Text()
	default:
		return false, nil
	}
	return true, err
}

// readBound reads an end of a range; null leaves it open.
func readBound(p *parser, into **bound, inclusive bool) error {
	v, err := readValue(p)
	if !v.null {
		*into = &bound{v.text, inclusive}
	}
	return err
}

func readExists(p *parser, _ int) (Query, error) {
	var q exists
	err := members(p, "exists", func(name string) (bool, error) {
		if name != "field" {
			return false, nil
		}
		var err error
		q.field, err = p.Text()
		return true, err
	})
	if err == nil && q.field == "" {
		line, col := p.Position()
		err = fault.Parsing(line, col, "[exists] must be provided with a [field]")
	}
	return q, err
}

func readPattern(kind string) reader {
	return func(p *parser, _ int) (Query, error) {
		q := textPattern{kind: kind}
		err := perField(p, kind, func(field string) (err error) {
			q.field = field
			q.text, err = p.Text()
			return err
		}, func(field, name string) (known bool, err error) {
			q.field = field
			switch name {
			case "value", kind:
				q.text, err = p.Text()
			case "case_insensitive":
				q.caseInsensitive, err = p.Bool()
			case "rewrite", "flags", "flags_value", "max_determinized_states":
				err = p.Skip() // they tune how it is found, not what
			default:
				return false, nil
			}
			return true, err
		})
		if err == nil {
			err = noField(q.field)
		}
		return q, err
	}
}

func readFuzzy(p *parser, _ int) (Query, error) {
	var q fuzzy
	err := perField(p, "fuzzy", func(field string) (err error) {
		q.field = field
		q.text, err = p.Text()
		return err
	}, func(field, name string) (known bool, err error) {
		q.field = field
		switch name {
		case "value":
			q.text, err = p.Text()
		case "fuzziness":
			q.fuzziness, err = p.Text()
		case "prefix_length":
			q.prefixLength, err = p.Int()
		case "max_expansions", "transpositions", "rewrite":
			err = p.Skip()
		default:
			return false, nil
		}
		return true, err
	})
	return q, err
}

// member reads one member of a match query.
func (q *match) member(p *parser, name string) (known bool, err error) {
	var s string
	switch name {
	case "query":
		q.text, err = p.Text()
	case "operator":
		if s, err = p.Text(); err == nil {
			q.and, err = parseOperator(s)
		}
	case "minimum_should_match":
		q.minimumShould, err = p.Text()
	case "fuzziness":
		q.fuzziness, err = p.Text()
	case "prefix_length":
		q.prefixLength, err = p.Int()
	case "zero_terms_query":
		s, err = p.Text()
		q.zeroTermsAll = s == "all"
	case "lenient":
		q.lenient, err = p.Bool()
	case "max_expansions", "fuzzy_transpositions", "auto_generate_synonyms_phrase_query", "fuzzy_rewrite":
		err = p.Skip()
	case "analyzer", "slop":
		if s, err = p.Text(); err == nil && s != "0" {
			err = fault.Unsupported("[" + name + "] of a match query")
		}
	default:
		return false, nil
	}
	return true, err
}

func parseOperator(s string) (and bool, err error) {
	switch s {
	case "and", "AND", "And":
		return true, nil
	case "or", "OR", "Or":
		return false, nil
	}
	return false, fault.Illegal("operator needs to be either and/or, but not [%s]", s)
}

func readMatch(kind string, phrase bool) reader {
	return func(p *parser, _ int) (Query, error) {
		q := match{phrase: phrase}
		err := perField(p, kind, func(field string) (err error) {
			q.field = field
			q.text, err = p.Text()
			return err
		}, func(field, name string) (bool, error) {
			q.field = field
			return q.member(p, name)
		})
		if err == nil {
			err = noField(q.field)
		}
		return q, err
	}
}

func readMultiMatch(p *parser, _ int) (Query, error) {
	var q multiMatch
	err := members(p, "multi_match", func(name string) (bool, error) {
		switch name {
		case "fields":
			return true, texts(p, &q.fields)
		case "tie_breaker":
			var err error
			q.tie, err = p.Double()
			return true, err
		case "type":
			s, err := p.Text()
			switch s {
			case "best_fields", "most_fields":
				q.sum = s == "most_fields"
			case "phrase":
				q.match.phrase = true
			default:
				err = fault.Unsupported("[type: " + s + "] of a multi_match query")
			}
			return true, err
		}
		return q.match.member(p, name)
	})
	if len(q.fields) == 0 {
		q.fields = []string{"*"}
	}
	return q, err
}

func readBool(p *parser, depth int) (Query, error) {
	var q boolean
	err := members(p, "bool", func(name string) (known bool, err error) {
		switch name {
		case "must":
			err = clauses(p, depth, &q.must)
		case "should":
			err = clauses(p, depth, &q.should)
		case "filter":
			err = clauses(p, depth, &q.filter)
		case "must_not":
			err = clauses(p, depth, &q.mustNot)
		case "minimum_should_match":
			q.minimumShould, err = p.Text()
		case "adjust_pure_negative":
			_, err = p.Bool()
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil {
		_, err = minimumShould(q.minimumShould, 1)
	}
	return q, err
}

// clauses reads a query or an array of queries.
func clauses(p *parser, depth int, into *[]Query) error {
	one := func() error {
		q, err := parse(p, depth+1)
		*into = append(*into, q)
		if len(*into) > maxClauses {
			return fault.Illegal("maxClauseCount is set to %d", maxClauses)
		}
		return err
	}
	if p.Token() == wire.StartArray {
		return p.Array(one)
	}
	return one()
}

func readConstant(p *parser, depth int) (Query, error) {
	var q constant
	err := members(p, "constant_score", func(name string) (bool, error) {
		if name != "filter" {
			return false, nil
		}
		inner, err := parse(p, depth+1)
		q.inner = inner
		return true, err
	})
	if err == nil && q.inner == nil {
		line, col := p.Position()
		err = fault.Parsing(line, col, "[constant_score] requires a 'filter' element")
	}
	return q, err
}

func readDisMax(p *parser, depth int) (Query, error) {
	var q disMax
	err := members(p, "dis_max", func(name string) (bool, error) {
		switch name {
		case "queries":
			return true, clauses(p, depth, &q.queries)
		case "tie_breaker":
			var err error
			q.tie, err = p.Double()
			return true, err
		}
		return false, nil
	})
	return q, err
}
