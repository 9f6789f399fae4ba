// SPDX-License-Identifier: Apache-2.0

package query

import (
	"strings"

	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
)

// nested finds documents of which a nested object matches. Nested objects are no documents of their own here: the values of
// all of them are indexed together, which answers every question about one value exactly. One about several values of the
// same object is refused.
type nested struct {
	path           string
	inner          Query
	ignoreUnmapped bool
}

func (q nested) build(c *scope) (bq.Query, error) {
	_, included, found := c.target.Mapping.NestedObject(q.path)
	switch {
	case !found && q.ignoreUnmapped:
		return none(), nil
	case !found:
		return nil, c.notCreated(fault.New(400, "illegal_state_exception", "[nested] failed to find nested object under path [%s]", q.path))
	case included:
		return nil, fault.Unsupported("a [nested] query on objects that are included in their parents")
	case !ofOneValue(q.inner):
		return nil, fault.Unsupported("a [nested] query with several conditions on one object")
	}
	in := *c
	in.nested = q.path
	return q.inner.build(&in)
}

// everything finds every document, or every one that has a nested object where those are asked about.
func (c *scope) everything() bq.Query {
	if name, _, found := c.target.Mapping.NestedObject(c.nested); found {
		return constantScore{term(mapping.FieldNames, name), 1}
	}
	return all()
}

// ofOneValue reports whether a query matches an object if, and only if, one of its values matches.
func ofOneValue(q Query) bool {
	all := func(list []Query) bool {
		for _, one := range list {
			if !ofOneValue(one) {
				return false
			}
		}
		return true
	}
	switch q := q.(type) {
	case matchAll, matchNone, terms, rangeQuery, exists, textPattern, fuzzy, nested:
		return true
	case match:
		return !q.and && q.minimumShould == "" || len(strings.Fields(q.text)) < 2 || q.phrase
	case constant:
		return ofOneValue(q.inner)
	case boosted:
		return ofOneValue(q.inner)
	case disMax:
		return all(q.queries)
	case boolean:
		required := append(append([]Query{}, q.must...), q.filter...)
		switch {
		case len(q.mustNot) > 0 || q.minimumShould != "" && q.minimumShould != "1" || len(required) > 1:
			return false
		case len(required) == 1:
			return len(q.should) == 0 && ofOneValue(required[0])
		}
		return all(q.should)
	}
	return false
}

func readNested(p *parser, depth int) (Query, error) {
	var q nested
	err := members(p, "nested", func(name string) (_ bool, err error) {
		switch name {
		case "path":
			q.path, err = p.Text()
		case "query":
			q.inner, err = parse(p, depth+1)
		case "ignore_unmapped":
			q.ignoreUnmapped, err = p.Bool()
		case "score_mode":
			_, err = scoreMode(p)
		case "inner_hits":
			return true, fault.Unsupported("[inner_hits] of a query")
		default:
			return false, nil
		}
		return true, err
	})
	switch line, col := p.Position(); {
	case err != nil:
		return nil, err
	case q.inner == nil:
		return nil, fault.Parsing(line, col, "[nested] requires either 'query' or 'filter' field")
	case q.path == "":
		return nil, fault.Parsing(line, col, "[nested] requires 'path' field")
	}
	return q, nil
}

// scoreMode reads how the scores of several objects become one. With one value asked for they hardly differ.
func scoreMode(p *parser) (string, error) {
	mode, err := p.Text()
	switch mode {
	case "avg", "max", "min", "sum", "none":
		return mode, err
	}
	if err == nil {
		err = fault.Illegal("No score mode for child query [%s] found", mode)
	}
	return "", err
}
