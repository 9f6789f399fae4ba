// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"math"
	"slices"
	"strconv"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

func newFilterQuery(c *config) *searchStep {
	body := c.object("query")
	if c.err != nil {
		return nil
	}
	if body == nil {
		c.fail(fault.Illegal("Did not specify the query property in processor of type filter_query"))
		return nil
	}
	text, err := wire.Marshal(body)
	if err != nil {
		c.fail(fault.Of(err))
		return nil
	}
	filter, err := query.Parse(text)
	if err != nil {
		c.fail(fault.Of(err))
		return nil
	}
	return &searchStep{request: func(_ *SearchRun, r *query.Request) error {
		r.Query = query.Filtered(r.Query, filter)
		return nil
	}}
}

// originalSize is what oversample keeps the request's size under, behind the prefix that may be given.
func originalSize(prefix string) string {
	if prefix == "" {
		return "original_size"
	}
	return prefix + ".original_size"
}

func newOversample(c *config) *searchStep {
	given := c.need("sample_factor")
	prefix := c.optional("context_prefix", "")
	if c.err != nil {
		return nil
	}
	factor, err := strconv.ParseFloat(text(given), 64)
	switch {
	case err != nil:
		c.wrong("sample_factor", "property cannot be converted to a double [%s]", text(given))
	case !(factor >= 1):
		c.wrong("sample_factor", "Value must be >= 1.0")
	}
	return &searchStep{request: func(run *SearchRun, r *query.Request) error {
		run.sizes[originalSize(prefix)] = r.Size
		r.Size = int(math.Min(math.Ceil(float64(r.Size)*factor), math.MaxInt32))
		return nil
	}}
}

// newQueryEnricher gives neural queries their model. There are no neural queries here: they are refused when a request is
// read, so that there is nothing to enrich.
func newQueryEnricher(c *config) *searchStep {
	model := c.optional("default_model_id", "")
	fields := c.object("neural_field_default_id")
	if c.err == nil && model == "" && fields == nil {
		c.fail(fault.Illegal("model Id or neural info map either of them should be provided"))
	}
	return &searchStep{request: func(*SearchRun, *query.Request) error { return nil }}
}

// newQueryTranslator lets an agent write the query that an agentic query stands for. There are no agentic queries here, as
// there are no neural ones; others it leaves alone.
func newQueryTranslator(c *config) *searchStep {
	c.text("agent_id")
	return &searchStep{request: func(*SearchRun, *query.Request) error { return nil }}
}

func newNormalization(c *config) *searchStep {
	c.technique("normalization", "normalization", "min_max", "l2", "z_score")
	c.technique("combination", "combination", "arithmetic_mean", "geometric_mean", "harmonic_mean")
	return &searchStep{}
}

func newScoreRanker(c *config) *searchStep {
	c.technique("combination", "combination", "rrf")
	return &searchStep{}
}

// technique checks one part of a processor of hybrid scores.
func (c *config) technique(name, what string, known ...string) {
	part := c.object(name)
	if c.err != nil || part == nil {
		return
	}
	inner := &config{typ: c.typ, tag: c.tag, values: part}
	if t := inner.optional("technique", known[0]); inner.err == nil && !slices.Contains(known, t) {
		c.fail(fault.Illegal("provided %s technique is not supported", what))
	}
	parameters := inner.object("parameters")
	switch names := inner.unread(); {
	case inner.err != nil:
		c.fail(inner.err)
	case len(names) > 0:
		c.wrong(name, "doesn't support %s", bracketed(names))
	case parameters != nil && name == "combination":
		c.weights(parameters)
	}
}

// weights checks those of a combination: they have to add up to one.
func (c *config) weights(parameters *Object) {
	v, _ := parameters.Get("weights")
	list, ok := v.(*List)
	if v == nil {
		return
	}
	if !ok {
		c.fail(fault.Illegal("parameter [weights] must be a collection of numbers"))
		return
	}
	sum := 0.0
	for _, item := range list.items {
		f, err := strconv.ParseFloat(text(item), 64)
		if err != nil || f < 0 || f > 1 {
			c.fail(fault.Illegal("all weights must be in range [0.0 ... 1.0], submitted weights: %s", text(list)))
			return
		}
		sum += f
	}
	if math.Abs(sum-1) > 0.01 {
		c.fail(fault.Illegal("sum of weights for combination must be equal to 1.0, submitted weights: %s", text(list)))
	}
}
