// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// maxRerankFields bounds the fields whose texts are ranked (plugins.neural_search.reranker_max_document_fields).
const maxRerankFields = 50

// Ranker gives each of some texts a rank by a query, with a model.
type Ranker func(model, query string, texts []string) ([]float64, error)

// newRerank gives hits other scores, and sorts them by those: what a model says of their texts, or a number in each.
func newRerank(c *config) *searchStep {
	var given []string
	for _, typ := range []string{"ml_opensearch", "by_field"} {
		if _, ok := c.values.Get(typ); ok {
			given = append(given, typ)
		}
	}
	switch {
	case len(given) == 0:
		c.fail(fault.Illegal("No rerank type found. Possible rerank types are: [ml_opensearch, by_field]"))
		return &searchStep{}
	case len(given) > 1:
		c.fail(fault.Illegal("Multiple rerank types found: [%s]. Only one is permitted.", strings.Join(given, ", ")))
		return &searchStep{}
	}
	inner := &config{typ: c.typ, tag: c.tag, values: NewObject()}
	if o := c.asObject(given[0], c.need(given[0])); o != nil {
		inner.values = o
	}
	var scores func(run *SearchRun, res *query.Response) ([]float64, error)
	if given[0] == "by_field" {
		scores = newFieldRank(inner)
	} else {
		scores = newModelRank(c, inner)
	}
	if names := inner.unread(); len(names) > 0 {
		inner.wrong("", "processor [rerank] doesn't support one or more provided configuration parameters: %s", bracketed(names))
	}
	if inner.err != nil {
		c.fail(inner.err)
	}
	return &searchStep{response: func(run *SearchRun, res *query.Response) error {
		if len(res.Hits) == 0 {
			return nil
		}
		ranks, err := scores(run, res)
		if err != nil {
			return err
		}
		return rescore(res, ranks)
	}}
}

// rescore gives the hits these scores, and sorts them.
func rescore(res *query.Response, ranks []float64) error {
	if len(ranks) != len(res.Hits) {
		return fault.IllegalState("scores and hits are not the same length")
	}
	for i := range res.Hits {
		s := query.Score(ranks[i])
		res.Hits[i].Score = &s
	}
	slices.SortStableFunc(res.Hits, func(a, b query.Hit) int { return cmp.Compare(score(&b), score(&a)) })
	res.MaxScore = res.Hits[0].Score
	return nil
}

// newModelRank asks a model to compare the texts of the hits with the query's.
func newModelRank(c, inner *config) func(*SearchRun, *query.Response) ([]float64, error) {
	model, fields := inner.text("model_id"), rerankFields(c)
	return func(run *SearchRun, res *query.Response) ([]float64, error) {
		text, err := run.rerankText()
		if err != nil {
			return nil, err
		}
		texts := make([]string, len(res.Hits))
		for i := range res.Hits {
			source, values, err := parts(&res.Hits[i])
			if err != nil {
				return nil, err
			}
			for _, field := range fields {
				texts[i] += textOf(source, values, field)
			}
		}
		if run.rank == nil {
			return nil, fault.Unsupported("running a model")
		}
		return run.rank(model, text, texts)
	}
}

// rerankFields are the fields whose texts are ranked.
func rerankFields(c *config) (names []string) {
	o := c.asObject("context", c.need("context"))
	if o == nil {
		return nil
	}
	for _, key := range o.Names() {
		v, _ := o.Get(key)
		switch key {
		case "inner_hits":
			if v != false {
				c.fail(fault.Unsupported("[inner_hits] of a search processor"))
			}
		case "document_fields":
			list, ok := v.(*List)
			switch {
			case !ok:
				c.fail(fault.Illegal("document_fields must be a list of field names"))
				return nil
			case len(list.items) == 0:
				c.fail(fault.Illegal("document_fields must be nonempty"))
			case len(list.items) > maxRerankFields:
				c.fail(fault.Illegal("document_fields must not contain more than %d fields. Configure by setting plugins.neural_search.reranker_max_document_fields", maxRerankFields))
			}
			for _, item := range list.items {
				names = append(names, c.asText("document_fields", item))
			}
		default:
			c.fail(fault.Illegal("unrecognized context field: %s", key))
		}
	}
	if names == nil {
		c.fail(fault.IllegalState("No document context found! Perhaps \"context.document_fields\" is missing from the pipeline definition?"))
	}
	return names
}

// textOf is what stands in a field of a hit, as text; "" if nothing does.
func textOf(source, values *Object, field string) string {
	if v, ok := values.Get(field); ok {
		if list, is := v.(*List); is && len(list.items) > 0 {
			return text(list.items[0])
		}
	}
	switch v := at(source, field).(type) {
	case nil:
		return ""
	case *List:
		items := make([]string, len(v.items))
		for i, item := range v.items {
			items[i] = text(item)
		}
		return strings.Join(items, " ")
	default:
		return text(v)
	}
}

// at is what stands at a dotted path; nil if nothing does.
func at(o *Object, path string) any {
	if v, ok := o.Get(path); ok {
		return v
	}
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		return nil
	}
	v, _ := o.Get(name)
	if inner, ok := v.(*Object); ok {
		return at(inner, rest)
	}
	return nil
}

// rerankText is the text that hits are compared with: the ext of a search says it.
func (run *SearchRun) rerankText() (string, error) {
	ext := NewObject()
	if run.ext != nil {
		var err error
		if ext, err = ParseObject(run.ext); err != nil {
			return "", err
		}
	}
	v := at(ext, "rerank.query_context")
	if v == nil {
		return "", fault.Illegal("must specify query_context")
	}
	o, ok := v.(*Object)
	if !ok {
		return "", fault.Illegal("query_context must be a map")
	}
	if _, ok := o.Get("query_text_path"); ok {
		return "", fault.Unsupported("[query_text_path] of a query_context")
	}
	said, ok := o.Get("query_text")
	if !ok {
		return "", fault.Illegal(`Must specify either "query_text" or "query_text_path"`)
	}
	return text(said), nil
}

// newFieldRank takes a number of each hit for its score.
func newFieldRank(c *config) func(*SearchRun, *query.Response) ([]float64, error) {
	target, remove := c.text("target_field"), c.flag("remove_target_field", false)
	keep, previous := c.flag("keep_previous_score", false), c.optional("previous_score_field", "previous_score")
	return func(_ *SearchRun, res *query.Response) ([]float64, error) {
		ranks := make([]float64, len(res.Hits))
		sources := make([]*Object, len(res.Hits))
		for i := range res.Hits {
			var err error
			if ranks[i], sources[i], err = fieldRank(&res.Hits[i], i, target); err != nil {
				return nil, err
			}
		}
		for i := range res.Hits {
			h := &res.Hits[i]
			if remove {
				removeAt(sources[i], target)
			}
			if keep {
				sources[i].Set(previous, scoreValue(h))
			}
			h.Source = appendValue(nil, sources[i])
		}
		return ranks, nil
	}
}

// fieldRank is the number in a hit's field, and the hit's source.
func fieldRank(h *query.Hit, i int, target string) (float64, *Object, error) {
	if h.Source == nil {
		return 0, nil, fault.Illegal("There is no source field to be able to perform rerank on hit [%d]", i)
	}
	source, err := ParseObject(h.Source)
	if err != nil {
		return 0, nil, err
	}
	switch v := at(source, target).(type) {
	case nil:
		return 0, nil, fault.Illegal("The field to rerank [%s] is not found at hit [%d]", target, i)
	case json.Number:
		f, err := strconv.ParseFloat(v.String(), 32)
		if err != nil {
			return 0, nil, fault.Illegal("the number of the field to rerank [%s] is too large at hit [%d]", target, i)
		}
		return f, source, nil
	default:
		return 0, nil, fault.Illegal("The field mapping to rerank [%s: %s] is not of type Number", target, text(v))
	}
}

// removeAt takes away what stands at a dotted path.
func removeAt(o *Object, path string) {
	if _, ok := o.Get(path); ok {
		o.Delete(path)
		return
	}
	name, rest, _ := strings.Cut(path, ".")
	v, _ := o.Get(name)
	if inner, ok := v.(*Object); ok {
		removeAt(inner, rest)
	}
}

// scoreValue is a hit's score as a value of its source; null where it has none.
func scoreValue(h *query.Hit) any {
	if h.Score == nil {
		return nil
	}
	number, err := wire.Marshal(*h.Score)
	if err != nil {
		return nil
	}
	return json.Number(number)
}
