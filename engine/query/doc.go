// SPDX-License-Identifier: Apache-2.0

// Package query is search: OpenSearch's query DSL, read into a small tree; and a whole search request, executed over the
// shards of several indices.
//
// [Parse] reads a query without knowing any mapping, so that its mistakes are found once. Under a mapping a query becomes
// a query of the full-text index (bleve). [Execute] walks the matches of every shard, orders them by the request's sort
// and keeps the page asked for; equal keys stand in the order of indices, shards and documents. Totals are exact.
//
// A page shows documents as they are stored when the page is fetched: one that was deleted since the last refresh is left
// out, one that was changed shows its new source.
package query

import (
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	bq "github.com/blevesearch/bleve/v2/search/query"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// A Shard is what a search needs of a shard.
type Shard interface {
	Index() bleve.Index
	GetMany(ids []string) ([]shard.Document, error)
	BeginQuery() (end func())
}

// Target is one index that is searched.
type Target struct {
	Index, UUID string
	Mapping     *mapping.Mapping
	Shards      []Shard
	// Numbers are those of the shards in their index.
	Numbers []int
	// Filter limits the index to what an alias shows; nil means all.
	Filter Query
	// MaxResultWindow is index.max_result_window; 0 means its default.
	MaxResultWindow int
}

// Query is one query of the DSL.
type Query interface {
	// build makes the query of the full-text index under a mapping.
	build(c *scope) (bq.Query, error)
}

// scope is what a query is built under.
type scope struct {
	target *Target
	now    time.Time
	// nested is the path of the nested objects that are asked about, level how many objects it goes through; "" and 0 for
	// the document.
	nested string
	level  int
}

// field is the field of a path, as the documents or nested objects have it that are asked about; nil if there is none.
func (c *scope) field(path string) *mapping.Field {
	f := c.target.Mapping.Field(path)
	if c.nested == "" || f == nil {
		return f
	}
	in := *f
	in.Path = mapping.InNested(f.Path)
	return &in
}

// none finds nothing.
func none() bq.Query { return bleve.NewMatchNoneQuery() }

// everything finds every document, or every nested object where those are asked about.
func (c *scope) everything() bq.Query {
	documents := bleve.NewMatchAllQuery()
	switch {
	case c.nested != "":
		return constantScore{term(mapping.FieldNames, mapping.InNested(c.nested)), 1}
	case c.target.Mapping.HasNested():
		return constantScore{combined{filter: []bq.Query{documents}, mustNot: []bq.Query{term(mapping.FieldNames, mapping.InNested(""))}}, 1}
	}
	return constantScore{documents, 1}
}

// constantly gives every match of a query the score 1.
func constantly(q bq.Query, err error) (bq.Query, error) { return constantScore{q, 1}, err }

// Parse reads a query object. Errors are OpenSearch's parsing_exception.
func Parse(body []byte) (Query, error) {
	p := &parser{Parser: wire.NewParser(body)}
	if _, err := p.Next(); err != nil {
		return nil, err
	}
	q, err := parse(p, 0)
	if err != nil {
		return nil, err
	}
	if t, err := p.Next(); err != nil || t != wire.None {
		line, col := p.Position()
		return nil, fault.Parsing(line, col, "unexpected token [%s] after the query", t)
	}
	return q, nil
}

// maxClauses bounds the nesting and the number of clauses (indices.query.bool.max_nested_depth, max_clause_count).
const (
	maxNesting = 20
	maxClauses = 1024
)

// parser reads queries. boost is that of the query which is being read.
type parser struct {
	*wire.Parser
	boost float64
}

// parse reads the query at the parser's token.
func parse(p *parser, depth int) (Query, error) {
	line, col := p.Position()
	if depth > maxNesting {
		return nil, fault.Parsing(line, col, "The nested depth of the query exceeds the maximum nested depth for bool queries set in [indices.query.bool.max_nested_depth]")
	}
	if p.Token() != wire.StartObject {
		return nil, fault.Parsing(line, col, "[_na] query malformed, must start with start_object")
	}
	var q Query
	var first string
	err := p.Object(func(name string) error {
		line, col := p.Position()
		if q != nil {
			return fault.Parsing(line, col, "[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", first)
		}
		first = name
		if p.Token() != wire.StartObject {
			return fault.Parsing(line, col, "[_na] query malformed, no start_object after query name")
		}
		read, ok := readers[name]
		if !ok {
			return unknown(name, line, col)
		}
		outer := p.boost
		p.boost = 1
		var err error
		q, err = read(p, depth)
		if p.boost != 1 {
			q = boosted{q, p.boost}
		}
		p.boost = outer
		return err
	})
	if err == nil && q == nil {
		err = fault.Illegal("query malformed, empty clause found at [%d:%d]", line, col)
	}
	return q, err
}

// refused are queries of OpenSearch that this engine does not have.
const refused = " has_child has_parent geo_bounding_box geo_distance geo_shape geo_polygon script script_score function_score " +
	"more_like_this percolate knn neural neural_sparse hybrid agentic rank_feature span_term span_near span_or span_not span_first " +
	"span_multi span_containing span_within intervals distance_feature pinned wrapper parent_id terms_set boosting template " +
	"match_phrase_prefix match_bool_prefix common combined_fields "

func unknown(name string, line, col int) error {
	if strings.Contains(refused, " "+name+" ") {
		return fault.Unsupported("the query [" + name + "]")
	}
	e := fault.Parsing(line, col, "unknown query [%s]", name)
	e.CausedBy = fault.New(400, "named_object_not_found_exception", "[%d:%d] unknown field [%s]", line, col, name)
	return e
}
