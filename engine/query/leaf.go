// SPDX-License-Identifier: Apache-2.0

package query

import (
	"net/netip"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/numeric"
	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// value is a value in a query, as text.
type value struct {
	text string
	null bool
}

func readValue(p *parser) (value, error) {
	if p.Token() == wire.Null {
		return value{null: true}, nil
	}
	if p.Token() == wire.StartObject || p.Token() == wire.StartArray {
		line, col := p.Position()
		return value{}, fault.Parsing(line, col, "expected a value but found [%s]", p.Token())
	}
	s, err := p.Text()
	return value{text: s}, err
}

type matchAll struct{}

func (matchAll) build(c *scope) (bq.Query, error) { return c.everything(), nil }

type matchNone struct{}

func (matchNone) build(*scope) (bq.Query, error) { return none(), nil }

// ids finds documents by id.
type ids struct{ values []string }

func (q ids) build(c *scope) (bq.Query, error) {
	if c.nested == "" && len(q.values) > 0 {
		return constantScore{bleve.NewDocIDQuery(q.values), 1}, nil
	}
	list := make([]bq.Query, len(q.values))
	for i, id := range q.values {
		list[i] = term(mapping.InNested(mapping.IDField), id)
	}
	return constantScore{anyOf(list), 1}, nil
}

// terms finds documents that have one of the values, unanalyzed.
type terms struct {
	field           string
	values          []value
	caseInsensitive bool
	// single is true for a term query, whose matches are scored.
	single bool
}

func (q terms) build(c *scope) (bq.Query, error) {
	if q.single {
		return q.one(c, q.values[0])
	}
	var list []bq.Query
	for _, v := range q.values {
		one, err := q.one(c, v)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return constantScore{anyOf(list), 1}, nil
}

// anyOf matches what one of the queries matches.
func anyOf(list []bq.Query) bq.Query {
	switch len(list) {
	case 0:
		return none()
	case 1:
		return list[0]
	}
	return bleve.NewDisjunctionQuery(list...)
}

func (q terms) one(c *scope, v value) (bq.Query, error) {
	switch q.field {
	case mapping.IDField:
		return ids{[]string{v.text}}.build(c)
	case "_index":
		if wire.Match(v.text, c.target.Index) {
			return c.everything(), nil
		}
		return none(), nil
	case mapping.RoutingField:
		return term(mapping.RoutingField, v.text), nil
	case mapping.SeqNo:
		same := &bound{v.text, true}
		return rangeQuery{field: mapping.SeqNo, lower: same, upper: same}.build(c)
	}
	f := c.field(q.field)
	if f == nil {
		return none(), nil
	}
	if err := searchable(c, f); err != nil {
		return nil, err
	}
	if q.caseInsensitive && (f.IsTerm() || f.Type == "text") {
		return constantScore{pattern(f.Path, quoteFold(v.text, true)), 1}, nil
	}
	return exact(c, f, v.text)
}

// searchable refuses fields that are not indexed. Other types than text can be searched by their doc values too.
func searchable(c *scope, f *mapping.Field) error {
	switch {
	case f.Index || f.DocValues && f.Type != "text":
		return nil
	case f.Type == "knn_vector":
		return c.notCreated(fault.Illegal("KNN vector do not support exact searching, use KNN queries instead: [%s]", f.Path))
	case f.IsVector():
		return c.notCreated(fault.Illegal("Queries on [%s] fields are not supported", f.Type))
	case f.Type == "text" || f.Type == "binary":
		return c.notCreated(fault.Illegal("Cannot search on field [%s] since it is not indexed.", f.Path))
	}
	return c.notCreated(fault.Illegal("Cannot search on field [%s] since it is both not indexed, and does not have doc_values enabled.", f.Path))
}

func term(path, text string) bq.Query {
	t := bleve.NewTermQuery(text)
	t.SetField(path)
	return t
}

// exact finds one value of a field.
func exact(c *scope, f *mapping.Field, text string) (bq.Query, error) {
	switch {
	case f.IsDate():
		return constantly(rangeQuery{field: f.Path, lower: &bound{text, true}, upper: &bound{text, true}}.dates(c, f))
	case f.IsInteger():
		n, err := f.ParseInteger(text)
		if fault.Is(err, "illegal_argument_exception") && strings.HasPrefix(fault.Of(err).Reason, "For input string") {
			return nil, c.notCreated(err)
		}
		if err != nil || strings.ContainsAny(text, ".eE") && !wholeNumber(text) {
			return none(), nil // no value of the type is equal
		}
		return constantScore{term(mapping.Exact(f.Path), mapping.ExactTerm(n)), 1}, nil
	case f.IsFloat():
		n, err := f.ParseFloat(text)
		if err != nil {
			return nil, c.notCreated(err)
		}
		return constantScore{term(mapping.Exact(f.Path), mapping.ExactTerm(numeric.Float64ToInt64(n))), 1}, nil
	case f.Type == "ip":
		return constantly(ipQuery(c, f, text))
	case f.Type == "boolean":
		if _, err := wire.ParseBool(text); err != nil {
			return nil, c.notCreated(fault.Illegal("Can't parse boolean value [%s], expected [true] or [false]", text))
		}
	}
	if f.Type != "text" {
		return constantScore{term(f.Path, f.Normalize(text)), 1}, nil
	}
	return termScore{f.Path, f.Normalize(text)}, nil
}

func wholeNumber(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	return whole != "" && strings.Trim(fraction, "0") == ""
}

// ipQuery finds one address or a block in CIDR notation.
func ipQuery(c *scope, f *mapping.Field, text string) (bq.Query, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		t, err := mapping.IPTerm(text)
		if err != nil {
			return nil, c.notCreated(err)
		}
		return term(f.Path, t), nil
	}
	first, err := mapping.IPTerm(prefix.Masked().Addr().String())
	if err != nil {
		return nil, err
	}
	bits := prefix.Bits()
	if prefix.Addr().Is4() {
		bits += 96
	}
	// the bits after the prefix are free: fill them with ones
	last := []byte(first)
	for i := range last {
		free := (i+1)*4 - bits
		if free <= 0 {
			continue
		}
		digit := strings.IndexByte("0123456789abcdef", last[i]) | (1<<min(free, 4) - 1)
		last[i] = "0123456789abcdef"[digit]
	}
	return termRange(f.Path, &bound{first, true}, &bound{string(last), true}), nil
}

// exists finds documents that have a value under a path.
type exists struct{ field string }

func (q exists) build(c *scope) (bq.Query, error) {
	switch q.field {
	case "_id", "_index", mapping.SeqNo, "_version", "_source":
		return c.everything(), nil
	case mapping.RoutingField:
		return constantScore{pattern(mapping.RoutingField, ".*"), 1}, nil
	}
	paths := c.target.Mapping.Fields(q.field)
	if c.target.Mapping.HasObject(q.field) || wire.IsPattern(q.field) {
		paths = append(paths, c.target.Mapping.Fields(q.field+".*")...)
	}
	var list []bq.Query
	for _, path := range paths {
		if f := c.field(path); f != nil {
			list = append(list, term(mapping.FieldNames, f.Path))
		}
	}
	return constantScore{anyOf(list), 1}, nil
}

// textPattern finds values by prefix, wildcard or regular expression.
type textPattern struct {
	kind, field, text string
	caseInsensitive   bool
	analyzed          bool // the text is brought into the form of the field's terms, as query strings ask for
}

func (q textPattern) build(c *scope) (bq.Query, error) {
	if q.field == "_index" {
		return terms{field: q.field, values: []value{{text: q.text + map[string]string{"prefix": "*"}[q.kind]}}}.build(c)
	}
	if q.field == "_id" {
		return nil, fault.Unsupported("a [" + q.kind + "] query on [_id]")
	}
	f := c.field(q.field)
	if f == nil {
		return none(), nil
	}
	if err := searchable(c, f); err != nil {
		return nil, err
	}
	if !f.IsTerm() && f.Type != "text" {
		return nil, c.shardFailure("Can only use %s queries on keyword, text and wildcard fields - not on [%s] which is of type [%s]", q.kind, q.field, f.Type)
	}
	text := q.text
	if q.kind != "regexp" {
		text = f.Normalize(text)
	}
	if q.analyzed {
		text = f.Fold(text)
	}
	if q.kind == "prefix" && !q.caseInsensitive {
		b := bleve.NewPrefixQuery(text)
		b.SetField(f.Path)
		return constantScore{b, 1}, nil
	}
	expression, err := q.expression(text)
	if err != nil {
		return nil, err
	}
	return constantScore{pattern(f.Path, expression), 1}, nil
}

func (q textPattern) expression(text string) (string, error) {
	switch q.kind {
	case "prefix":
		return quoteFold(text, q.caseInsensitive) + ".*", nil
	case "wildcard":
		return wildcard(text, q.caseInsensitive), nil
	default:
		if q.caseInsensitive {
			return "", fault.Unsupported("[case_insensitive] of a regexp query")
		}
		return text, nil
	}
}

func pattern(path, expression string) bq.Query {
	r := bleve.NewRegexpQuery(expression)
	r.SetField(path)
	return r
}

// wildcard makes a regular expression of a pattern in which * and ? are special and \ escapes.
func wildcard(text string, fold bool) string {
	var out strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == '*':
			out.WriteString(".*")
		case c == '?':
			out.WriteByte('.')
		case c == '\\' && i+1 < len(runes):
			i++
			out.WriteString(quoteFold(string(runes[i]), fold))
		default:
			out.WriteString(quoteFold(string(c), fold))
		}
	}
	return out.String()
}

// quoteFold quotes a text for a regular expression; with fold both cases of each letter match.
func quoteFold(text string, fold bool) string {
	var out strings.Builder
	for _, c := range text {
		lower, upper := strings.ToLower(string(c)), strings.ToUpper(string(c))
		switch {
		case fold && lower != upper:
			out.WriteString("[" + lower + upper + "]")
		case strings.ContainsRune(`\.+*?()|[]{}^$#&@~"<>`, c):
			out.WriteString(`\` + string(c))
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// fuzzy finds terms that are nearly the text.
type fuzzy struct {
	field, text  string
	fuzziness    string
	prefixLength int
}

func (q fuzzy) build(c *scope) (bq.Query, error) {
	f := c.field(q.field)
	if f == nil {
		return none(), nil
	}
	return constantly(fuzzyTerm(f.Path, q.text, q.fuzziness, q.prefixLength))
}

func fuzzyTerm(path, text, fuzziness string, prefix int) (bq.Query, error) {
	edits := 0
	switch fuzziness {
	case "", "AUTO":
		// OpenSearch's AUTO: none up to 2 characters, one up to 5, then two
		if n := len([]rune(text)); n > 5 {
			edits = 2
		} else if n > 2 {
			edits = 1
		}
	case "0", "1", "2":
		edits = int(fuzziness[0] - '0')
	default:
		return nil, fault.Illegal("Valid edit distances are [0, 1, 2] but was [%s]", fuzziness)
	}
	if edits == 0 {
		return term(path, text), nil
	}
	b := bleve.NewFuzzyQuery(text)
	b.SetField(path)
	b.SetFuzziness(edits)
	b.SetPrefix(prefix)
	return b, nil
}
