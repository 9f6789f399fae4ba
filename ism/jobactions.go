// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// Rollup is the configuration of a rollup job that the action creates.
type Rollup struct {
	Description, TargetIndex string
	PageSize                 int
	Dimensions               []dimension.Dimension
	Metrics                  []dimension.Metric
	SourceIndex              *string
	RoutingField             *string
	TargetSettings           json.RawMessage
}

// Transform is the configuration of a transform job that the action creates.
type Transform struct {
	Description, TargetIndex string
	PageSize                 int
	Query                    json.RawMessage
	Groups                   []dimension.Dimension
	Aggregations             json.RawMessage
}

// single reads an object with one known member, whose value read takes.
func single(p *wire.Parser, field, missing, where string, read func() error) error {
	found := false
	err := p.Object(func(name string) error {
		if name != field {
			return invalidField(name, where)
		}
		found = true
		return read()
	})
	if err == nil && !found {
		err = fault.Illegal("%s", missing)
	}
	return err
}

func parseRollup(p *wire.Parser) (*Rollup, error) {
	r := &Rollup{Metrics: []dimension.Metric{}}
	err := single(p, "ism_rollup", "RollupAction rollup is null", "RollupAction", func() error {
		return p.Object(func(name string) error { return r.field(p, name) })
	})
	if err != nil {
		return nil, err
	}
	histograms := 0
	for _, d := range r.Dimensions {
		if d.Kind == "date_histogram" {
			histograms++
		}
	}
	switch {
	case r.PageSize < 1 || r.PageSize > 10000:
		return nil, fault.Illegal("Page size must be between 1 and 10000")
	case r.Description == "":
		return nil, fault.Illegal("Description cannot be empty")
	case r.TargetIndex == "":
		return nil, fault.Illegal("Target Index cannot be empty")
	case histograms != 1:
		return nil, fault.Illegal("Must specify precisely one date histogram dimension")
	case r.Dimensions[0].Kind != "date_histogram":
		return nil, fault.Illegal("The first dimension must be a date histogram")
	}
	if f := r.RoutingField; f != nil && !slices.ContainsFunc(r.Dimensions, func(d dimension.Dimension) bool { return d.Kind == "terms" && d.SourceField == *f }) {
		return nil, fault.Illegal("Routing field [%s] must match a terms dimension", *f)
	}
	return r, nil
}

func (r *Rollup) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "description":
		r.Description, err = p.Text()
	case "target_index":
		r.TargetIndex, err = p.Text()
	case "page_size":
		r.PageSize, err = p.Int()
	case "dimensions":
		r.Dimensions, err = dimension.ParseList(p)
	case "metrics":
		r.Metrics, err = dimension.ParseMetrics(p)
	case "source_index":
		r.SourceIndex, err = text(p)
	case "routing_field":
		r.RoutingField, err = p.TextOrNull()
	case "target_index_settings":
		if r.TargetSettings, err = rawObjectOrNull(p); err == nil && r.TargetSettings != nil {
			r.TargetSettings, err = setting.Nested(r.TargetSettings)
		}
	default:
		err = fault.Illegal("Invalid field, [%s] not supported in ISM Rollup.", name)
	}
	return err
}

func (r *Rollup) json() wire.Object {
	o := wire.Obj("description", r.Description, "target_index", r.TargetIndex, "page_size", r.PageSize,
		"dimensions", dimension.ListJSON(r.Dimensions), "metrics", dimension.MetricsJSON(r.Metrics))
	o.AddIf(r.SourceIndex != nil, "source_index", r.SourceIndex)
	o.AddIf(r.RoutingField != nil, "routing_field", r.RoutingField)
	o.AddIf(r.TargetSettings != nil, "target_index_settings", r.TargetSettings)
	return o
}

// matchAll is the default of data_selection_query, in the form in which OpenSearch prints it.
var matchAll = json.RawMessage(`{"match_all":{"boost":1.0}}`)

func parseTransform(p *wire.Parser) (*Transform, error) {
	t := &Transform{Query: matchAll, Groups: []dimension.Dimension{}, Aggregations: json.RawMessage(`{}`)}
	err := single(p, "ism_transform", "TransformAction transform is null.", "TransformAction", func() error {
		return p.Object(func(name string) error { return t.field(p, name) })
	})
	switch {
	case err != nil:
		return nil, err
	case t.Description == "":
		return nil, fault.Illegal("Description cannot be empty")
	case t.TargetIndex == "":
		return nil, fault.Illegal("TargetIndex cannot be empty")
	case t.PageSize < 1 || t.PageSize > 10000:
		return nil, fault.Illegal("Page size must be between 1 and 10000")
	case len(t.Groups) == 0:
		return nil, fault.Illegal("Groups cannot be empty")
	}
	return t, nil
}

func (t *Transform) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "description":
		t.Description, err = p.Text()
	case "target_index":
		t.TargetIndex, err = p.Text()
	case "page_size":
		t.PageSize, err = p.Int()
	case "data_selection_query":
		t.Query, err = rawObjectOrNull(p)
		if string(t.Query) == `{"match_all":{}}` {
			t.Query = matchAll
		}
	case "groups":
		t.Groups, err = dimension.ParseList(p)
	case "aggregations":
		t.Aggregations, err = parseAggregations(p)
	default:
		err = fault.Illegal("Invalid field [%s] found in ISM Transform.", name)
	}
	return err
}

// transformAggregations are what a transform can compute.
var transformAggregations = []string{"sum", "max", "min", "value_count", "avg", "scripted_metric", "percentiles"}

// parseAggregations reads aggregations by name. The plugin fails with a 500 on an empty object; here it means none.
func parseAggregations(p *wire.Parser) (json.RawMessage, error) {
	out := wire.Object{}
	err := p.Object(func(name string) error {
		return p.Object(func(kind string) error {
			if !slices.Contains(transformAggregations, kind) {
				return fault.Illegal("Unsupported aggregation [%s]", kind)
			}
			raw, err := p.Raw()
			out.Add(name, wire.Obj(kind, raw))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out.MarshalJSON()
}

func (t *Transform) json() wire.Object {
	return wire.Obj("description", t.Description, "target_index", t.TargetIndex, "page_size", t.PageSize,
		"data_selection_query", t.Query, "groups", dimension.ListJSON(t.Groups), "aggregations", t.Aggregations)
}
