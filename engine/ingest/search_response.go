// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"slices"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// newAgenticContext shows what an agent did for an agentic query: nothing, since there are none.
func newAgenticContext(c *config) *searchStep {
	c.flag("agent_steps_summary", false)
	c.flag("dsl_query", false)
	return &searchStep{response: func(*SearchRun, *query.Response) error { return nil }}
}

// newGeneration lets a model write an answer from the hits; it is kept, and fails when it runs.
func newGeneration(c *config) *searchStep {
	for _, name := range []string{"model_id", "llm_model", "system_prompt", "user_instructions"} {
		c.optional(name, "")
	}
	fields := c.asList("context_field_list", c.need("context_field_list"))
	if c.err == nil && len(fields.items) == 0 {
		c.wrong("context_field_list", "required property can't be empty.")
	}
	return refusing(c.typ)
}

func newTruncateHits(c *config) *searchStep {
	target, prefix := c.number("target_size", -1), c.optional("context_prefix", "")
	return &searchStep{response: func(run *SearchRun, res *query.Response) error {
		size := target
		if size < 0 {
			original, known := run.sizes[originalSize(prefix)]
			if !known {
				return fault.IllegalState("Must specify target_size unless an earlier processor set %s", originalSize(prefix))
			}
			size = original
		}
		res.Hits = res.Hits[:min(size, len(res.Hits))]
		return nil
	}}
}

// newCollapse keeps the best hit of those that have the same value in a field.
func newCollapse(c *config) *searchStep {
	field := c.text("field")
	return &searchStep{response: func(_ *SearchRun, res *query.Response) error {
		best := map[string]int{}
		var out []query.Hit
		for i := range res.Hits {
			h := &res.Hits[i]
			value, err := collapseValue(h, field)
			if err != nil {
				return err
			}
			at, seen := best[value]
			switch {
			case !seen:
				best[value] = len(out)
				out = append(out, *h)
			case score(h) > score(&out[at]):
				out[at] = *h
			}
		}
		slices.SortStableFunc(out, func(a, b query.Hit) int { return cmp.Compare(score(&b), score(&a)) })
		res.Hits = out
		return nil
	}}
}

func score(h *query.Hit) float64 {
	if h.Score == nil {
		return 0
	}
	return float64(*h.Score)
}

// collapseValue is a hit's value of a field, from its doc values or its source.
func collapseValue(h *query.Hit, field string) (string, error) {
	source, fields, err := parts(h)
	if err != nil {
		return "", err
	}
	if v, ok := fields.Get(field); ok {
		list, _ := v.(*List)
		switch {
		case list == nil || len(list.items) == 0:
		case len(list.items) > 1:
			return "", fault.IllegalState("Document %s has multiple values for field %s", h.ID, field)
		default:
			return text(list.items[0]), nil
		}
	}
	if v, _ := source.Get(field); v != nil {
		return text(v), nil
	}
	return "<missing>", nil
}

// parts are a hit's source and doc values; empty where the hit shows none.
func parts(h *query.Hit) (source, fields *Object, err error) {
	source, fields = NewObject(), NewObject()
	if h.Source != nil {
		if source, err = ParseObject(h.Source); err != nil {
			return nil, nil, err
		}
	}
	if len(h.Fields) > 0 {
		body, err := wire.Marshal(h.Fields)
		if err != nil {
			return nil, nil, err
		}
		if fields, err = ParseObject(body); err != nil {
			return nil, nil, err
		}
	}
	return source, fields, nil
}

// editHits lets a processor change the source and the doc values of every hit.
func editHits(res *query.Response, edit func(h *query.Hit, source, fields *Object) error) error {
	for i := range res.Hits {
		h := &res.Hits[i]
		source, fields, err := parts(h)
		if err != nil {
			return err
		}
		if err := edit(h, source, fields); err != nil {
			return err
		}
		if h.Source != nil {
			h.Source = appendValue(nil, source)
		}
		h.Fields = fields.members
	}
	return nil
}

func newRenameField(c *config) *searchStep {
	field, target, ignoreMissing := c.text("field"), c.text("target_field"), c.flag("ignore_missing", false)
	return &searchStep{response: func(_ *SearchRun, res *query.Response) error {
		found := false // in this hit or one before it: what OpenSearch asks for
		return editHits(res, func(h *query.Hit, source, fields *Object) error {
			for _, o := range []*Object{source, fields} {
				if v, ok := o.Get(field); ok {
					found = true
					o.Delete(field)
					o.Set(target, v)
				}
			}
			if !found && !ignoreMissing {
				return fault.Illegal("Document with id %s is missing field %s", h.ID, field)
			}
			return nil
		})
	}}
}

func newSortHits(c *config) *searchStep {
	field := c.text("field")
	target, order := c.optional("target_field", field), c.sortOrder()
	return &searchStep{response: func(_ *SearchRun, res *query.Response) error {
		return editHits(res, func(_ *query.Hit, source, fields *Object) error {
			for _, o := range []*Object{source, fields} {
				list, ok := member[*List](o, field)
				if !ok {
					continue
				}
				for _, item := range list.items {
					if item == nil {
						return fault.Illegal("field [%s] contains a null value.]", field)
					}
				}
				o.Set(target, sortList(list, order))
			}
			return nil
		})
	}}
}

// member is a member of an object if it is of this type.
func member[T any](o *Object, name string) (T, bool) {
	v, _ := o.Get(name)
	t, ok := v.(T)
	return t, ok
}

func newSplitHits(c *config) *searchStep {
	field := c.text("field")
	re := c.pattern("separator", c.text("separator"))
	trailing, target := c.flag("preserve_trailing", false), c.optional("target_field", field)
	return &searchStep{response: func(_ *SearchRun, res *query.Response) error {
		return editHits(res, func(_ *query.Hit, source, fields *Object) error {
			if s, ok := member[string](source, field); ok {
				source.Set(target, texts(split(re, s, trailing)))
			}
			list, ok := member[*List](fields, field)
			if !ok || len(list.items) == 0 {
				return nil
			}
			s, ok := list.items[0].(string)
			if !ok {
				return fault.Illegal("field [%s] is not a string, cannot split", field)
			}
			fields.Set(target, texts(split(re, s, trailing)))
			return nil
		})
	}}
}
