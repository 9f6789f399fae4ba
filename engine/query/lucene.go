// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// luceneParser is a recursive-descent parser of Lucene's classic syntax.
type luceneParser struct {
	q     queryString
	rest  []rune
	at    int
	depth int
	field string // of a group: field:(a b)
}

func (p *luceneParser) bad() error {
	e := fault.New(400, "query_shard_exception", "Failed to parse query [%s]", p.q.text)
	e.CausedBy = fault.New(400, "parse_exception", "Cannot parse '%s': unexpected input at column %d", p.q.text, p.at)
	return e
}

// peek is the next character that is no blank; 0 at the end.
func (p *luceneParser) peek() rune {
	for p.at < len(p.rest) && strings.ContainsRune(" \t\r\n", p.rest[p.at]) {
		p.at++
	}
	if p.at == len(p.rest) {
		return 0
	}
	return p.rest[p.at]
}

// word takes an operator if it comes next as a word of its own.
func (p *luceneParser) word(names ...string) bool {
	p.peek()
	for _, name := range names {
		end := p.at + len(name)
		if end > len(p.rest) || string(p.rest[p.at:end]) != name {
			continue
		}
		symbol := name == "&&" || name == "||"
		if symbol || end == len(p.rest) || strings.ContainsRune(" \t\r\n()", p.rest[end]) {
			p.at = end
			return true
		}
	}
	return false
}

// disjunction reads clauses up to the end or a closing parenthesis.
func (p *luceneParser) disjunction() (Query, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.bad()
	}
	defer func() { p.depth-- }()
	var b boolean
	for c := p.peek(); c != 0 && c != ')'; c = p.peek() {
		if err := p.clause(&b); err != nil {
			return nil, err
		}
		if len(b.must)+len(b.should)+len(b.mustNot) > maxClauses {
			return nil, fault.Illegal("maxClauseCount is set to %d", maxClauses)
		}
	}
	switch {
	case len(b.must) == 1 && len(b.should)+len(b.mustNot) == 0:
		return b.must[0], nil
	case len(b.should) == 1 && len(b.must)+len(b.mustNot) == 0:
		return b.should[0], nil
	case len(b.must)+len(b.should)+len(b.mustNot) == 0:
		return matchNone{}, nil
	}
	return b, nil
}

// clause reads one clause with the operators before it.
func (p *luceneParser) clause(b *boolean) error {
	and, or := p.word("AND", "&&"), false
	if !and {
		or = p.word("OR", "||")
	}
	if (and || or) && len(b.must)+len(b.should)+len(b.mustNot) == 0 {
		return p.bad()
	}
	not, must := p.signs()
	q, err := p.primary()
	if err != nil {
		return err
	}
	if and && len(b.should) > 0 { // a AND b: the clause before is required too
		b.must = append(b.must, b.should[len(b.should)-1])
		b.should = b.should[:len(b.should)-1]
	}
	if next := p.at; p.word("AND", "&&") {
		p.at = next
		and = true
	}
	switch {
	case not:
		b.mustNot = append(b.mustNot, q)
	case must || and || (p.q.and && !or && !p.orFollows()):
		b.must = append(b.must, q)
	default:
		b.should = append(b.should, q)
	}
	return nil
}

// signs reads what forbids or requires the clause that follows.
func (p *luceneParser) signs() (not, must bool) {
	for {
		switch c := p.peek(); {
		case p.word("NOT"):
			not = true
		case c == '!' || c == '-':
			p.at++
			not = true
		case c == '+':
			p.at++
			must = true
		default:
			return not, must
		}
	}
}

// orFollows reports whether the next operator is OR.
func (p *luceneParser) orFollows() bool {
	at := p.at
	found := p.word("OR", "||")
	p.at = at
	return found
}

// primary reads a group, a range, a phrase, or a word, with its field.
func (p *luceneParser) primary() (Query, error) {
	field := p.field
	if name, ok := p.fieldName(); ok {
		field = name
	}
	var q Query
	var err error
	switch c := p.peek(); c {
	case 0, ')', ':', ']', '}':
		return nil, p.bad()
	case '(':
		q, err = p.group(field)
	case '[', '{':
		q, err = p.rangeOf(field)
	case '"':
		var text string
		if text, err = p.quoted(); err == nil {
			q = p.leaf(field, text, true)
		}
	case '/':
		q, err = p.regexp(field)
	case '>', '<':
		q = p.comparison(field)
	default:
		q = p.bare(field)
	}
	if err != nil {
		return nil, err
	}
	p.suffix()
	return q, nil
}

// fieldName takes "name:" if it comes next.
func (p *luceneParser) fieldName() (string, bool) {
	p.peek()
	var name strings.Builder
	for i := p.at; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			name.WriteRune(p.rest[i])
		case c == ':':
			if name.Len() == 0 {
				return "", false
			}
			p.at = i + 1
			return name.String(), true
		case strings.ContainsRune(" \t\r\n()[]{}\"/", c):
			return "", false
		default:
			name.WriteRune(c)
		}
	}
	return "", false
}

func (p *luceneParser) group(field string) (Query, error) {
	p.at++
	outer := p.field
	p.field = field
	q, err := p.disjunction()
	p.field = outer
	if err == nil && p.peek() != ')' {
		err = p.bad()
	}
	p.at++
	return q, err
}

func (p *luceneParser) quoted() (string, error) {
	var out strings.Builder
	for p.at++; p.at < len(p.rest); p.at++ {
		switch c := p.rest[p.at]; {
		case c == '\\' && p.at+1 < len(p.rest):
			p.at++
			out.WriteRune(p.rest[p.at])
		case c == '"':
			p.at++
			return out.String(), nil
		default:
			out.WriteRune(c)
		}
	}
	return "", p.bad()
}

func (p *luceneParser) regexp(field string) (Query, error) {
	end := slices.Index(p.rest[p.at+1:], '/')
	if end < 0 {
		return nil, p.bad()
	}
	text := string(p.rest[p.at+1 : p.at+1+end])
	p.at += end + 2
	return p.each(field, func(name string) Query { return textPattern{kind: "regexp", field: name, text: text} }), nil
}

// rangeOf reads [a TO b] or {a TO b}, or a mixture.
func (p *luceneParser) rangeOf(field string) (Query, error) {
	open := p.rest[p.at]
	p.at++
	low, err := p.rangeEnd()
	if err != nil {
		return nil, err
	}
	if !p.word("TO") {
		return nil, p.bad()
	}
	high, err := p.rangeEnd()
	if err != nil {
		return nil, err
	}
	end := p.peek()
	if end != ']' && end != '}' {
		return nil, p.bad()
	}
	p.at++
	return p.each(field, func(name string) Query {
		r := rangeQuery{field: name}
		if low != "*" {
			r.lower = &bound{low, open == '['}
		}
		if high != "*" {
			r.upper = &bound{high, end == ']'}
		}
		return p.q.ranged(r)
	}), nil
}

func (p *luceneParser) rangeEnd() (string, error) {
	if p.peek() == '"' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.rest) && !strings.ContainsRune(" \t\r\n]}", p.rest[p.at]) {
		p.at++
	}
	if p.at == start {
		return "", p.bad()
	}
	return string(p.rest[start:p.at]), nil
}

// comparison reads >a, >=a, <a, <=a.
func (p *luceneParser) comparison(field string) Query {
	op := p.rest[p.at]
	p.at++
	inclusive := p.at < len(p.rest) && p.rest[p.at] == '='
	if inclusive {
		p.at++
	}
	text, _ := p.token()
	return p.each(field, func(name string) Query {
		if op == '>' {
			return p.q.ranged(rangeQuery{field: name, lower: &bound{text, inclusive}})
		}
		return p.q.ranged(rangeQuery{field: name, upper: &bound{text, inclusive}})
	})
}

// token reads a bare word. wild reports an unescaped * or ?; the text then keeps its escapes.
func (p *luceneParser) token() (text string, wild bool) {
	var plain, raw strings.Builder
	for ; p.at < len(p.rest); p.at++ {
		c := p.rest[p.at]
		if c == '\\' && p.at+1 < len(p.rest) {
			p.at++
			plain.WriteRune(p.rest[p.at])
			raw.WriteRune('\\')
			raw.WriteRune(p.rest[p.at])
			continue
		}
		if strings.ContainsRune(" \t\r\n()[]{}\"^~", c) {
			break
		}
		wild = wild || c == '*' || c == '?'
		plain.WriteRune(c)
		raw.WriteRune(c)
	}
	if wild {
		return raw.String(), true
	}
	return plain.String(), false
}

func (p *luceneParser) bare(field string) Query {
	text, wild := p.token()
	switch {
	case text == "*" && (field == "" || field == "*"):
		if len(p.q.fields) == 1 && p.q.fields[0] != "*" {
			return exists{p.q.fields[0]}
		}
		return matchAll{}
	case field == "_exists_":
		return exists{text}
	case text == "*":
		return exists{field}
	case wild:
		return p.each(field, func(name string) Query { return textPattern{kind: "wildcard", field: name, text: text, analyzed: true} })
	}
	return p.leaf(field, text, false)
}

func (p *luceneParser) leaf(field, text string, phrase bool) Query {
	if field == "_exists_" {
		return exists{text}
	}
	return p.each(field, func(name string) Query {
		return match{field: name, text: text, phrase: phrase, and: p.q.and, lenient: p.q.lenient}
	})
}

// each makes a query for the field, or one for each default field.
func (p *luceneParser) each(field string, build func(name string) Query) Query {
	if field != "" && !wire.IsPattern(field) {
		return build(field)
	}
	names := p.q.fields
	if field != "" {
		names = []string{field}
	}
	if len(names) == 1 && !wire.IsPattern(names[0]) {
		name, _, _ := strings.Cut(names[0], "^")
		return build(name)
	}
	if len(names) == 0 {
		names = []string{"*"}
	}
	return overFields{names, build}
}

// suffix skips boost (^2) and fuzziness (~1) marks of a clause, which weigh or widen it.
func (p *luceneParser) suffix() {
	for p.at < len(p.rest) && (p.rest[p.at] == '^' || p.rest[p.at] == '~') {
		for p.at++; p.at < len(p.rest) && strings.ContainsRune("0123456789.", p.rest[p.at]); p.at++ {
		}
	}
}
