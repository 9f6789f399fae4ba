// SPDX-License-Identifier: Apache-2.0

package query

import (
	"strings"

	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
)

// nested finds documents, or the nested objects that are asked about, of which a nested object matches.
type nested struct {
	path           string
	inner          Query
	mode           scoreMode
	ignoreUnmapped bool
}

func (q nested) build(c *scope) (bq.Query, error) {
	level, found := c.target.Mapping.NestedObject(q.path)
	switch {
	case !found && q.ignoreUnmapped:
		return none(), nil
	case !found:
		return nil, c.notCreated(fault.New(400, "illegal_state_exception", "[nested] failed to find nested object under path [%s]", q.path))
	case q.path == c.nested:
		return nil, fault.Unsupported("a [nested] query within one on the same objects")
	case c.nested != "" && !strings.HasPrefix(q.path, c.nested+"."):
		return none(), nil // an object has none of these
	}
	in := *c
	in.nested, in.level = q.path, level
	inner, err := q.inner.build(&in)
	if err != nil {
		return nil, err
	}
	objects := combined{must: []bq.Query{inner}, filter: []bq.Query{term(mapping.FieldNames, mapping.InNested(q.path))}}
	return joined{objects: objects, levels: level - c.level, mode: q.mode}, nil
}

func readNested(p *parser, depth int) (Query, error) {
	q := nested{mode: scoreAvg}
	err := members(p, "nested", func(name string) (_ bool, err error) {
		switch name {
		case "path":
			q.path, err = p.Text()
		case "query":
			q.inner, err = parse(p, depth+1)
		case "ignore_unmapped":
			q.ignoreUnmapped, err = p.Bool()
		case "score_mode":
			q.mode, err = readScoreMode(p)
		case "inner_hits":
			err = fault.Unsupported("[inner_hits] of a query")
		default:
			return false, nil
		}
		return true, err
	})
	switch {
	case err != nil:
		return nil, err
	case q.path == "":
		return nil, fault.Illegal("[nested] requires 'path' field")
	case q.inner == nil:
		return nil, fault.Illegal("[nested] requires 'query' field")
	}
	return q, nil
}

func readScoreMode(p *parser) (scoreMode, error) {
	text, err := p.Text()
	switch mode := scoreMode(text); mode {
	case scoreAvg, scoreSum, scoreMin, scoreMax, scoreNone:
		return mode, err
	}
	if err == nil {
		err = fault.Illegal("No score mode for child query [%s] found", text)
	}
	return "", err
}
