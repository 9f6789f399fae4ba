// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Rollup is the configuration of a rollup job that the action creates.
type Rollup struct {
	Description, TargetIndex string
	PageSize                 int
	Dimensions               []Dimension
	Metrics                  []Metric
	SourceIndex              *string
	RoutingField             *string
	TargetSettings           json.RawMessage
}

// Dimension groups documents.
type Dimension struct {
	// Kind is "date_histogram", "terms" or "histogram".
	Kind                     string
	SourceField, TargetField string
	// FixedInterval or CalendarInterval, Timezone and Format are for date_histogram.
	FixedInterval, CalendarInterval, Format *string
	Timezone                                string
	Interval                                float64 // histogram
}

// Metric is a field and what is computed of it.
type Metric struct {
	SourceField string
	Kinds       []string
}

// Transform is the configuration of a transform job that the action creates.
type Transform struct {
	Description, TargetIndex string
	PageSize                 int
	Query                    json.RawMessage
	Groups                   []Dimension
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
	r := &Rollup{Metrics: []Metric{}}
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
	if f := r.RoutingField; f != nil && !slices.ContainsFunc(r.Dimensions, func(d Dimension) bool { return d.Kind == "terms" && d.SourceField == *f }) {
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
		r.Dimensions, err = parseDimensions(p)
	case "metrics":
		err = p.Array(func() error {
			m, err := parseMetric(p)
			r.Metrics = append(r.Metrics, m)
			return err
		})
	case "source_index":
		r.SourceIndex, err = text(p)
	case "routing_field":
		r.RoutingField, err = p.TextOrNull()
	case "target_index_settings":
		r.TargetSettings, err = rawObjectOrNull(p)
	default:
		err = fault.Illegal("Invalid field, [%s] not supported in ISM Rollup.", name)
	}
	return err
}

func parseDimensions(p *wire.Parser) ([]Dimension, error) {
	list := []Dimension{}
	err := p.Array(func() error {
		return p.Object(func(kind string) error {
			d, err := parseDimension(p, kind)
			list = append(list, d)
			return err
		})
	})
	return list, err
}

func parseDimension(p *wire.Parser, kind string) (Dimension, error) {
	d := Dimension{Kind: kind, Timezone: "UTC"}
	if kind != "date_histogram" && kind != "terms" && kind != "histogram" {
		return d, fault.Illegal("Invalid dimension type [%s] found in dimensions", kind)
	}
	err := p.Object(func(name string) (err error) {
		dates, numbers := kind == "date_histogram", kind == "histogram"
		switch {
		case name == "source_field":
			d.SourceField, err = p.Text()
		case name == "target_field":
			d.TargetField, err = p.Text()
		case dates && name == "fixed_interval":
			d.FixedInterval, err = text(p)
		case dates && name == "calendar_interval":
			d.CalendarInterval, err = text(p)
		case dates && name == "timezone":
			d.Timezone, err = p.Text()
			if err == nil {
				_, err = wire.ParseZone(d.Timezone)
			}
		case dates && name == "format":
			d.Format, err = p.TextOrNull()
		case numbers && name == "interval":
			d.Interval, err = p.Double()
		default:
			err = fault.Illegal("Invalid field [%s] found in %s dimension.", name, kind)
		}
		return err
	})
	if d.TargetField == "" {
		d.TargetField = d.SourceField
	}
	switch {
	case err != nil:
		return d, err
	case d.SourceField == "":
		return d, fault.Illegal("Source field must not be null")
	case kind == "date_histogram" && (d.FixedInterval == nil) == (d.CalendarInterval == nil):
		return d, fault.Illegal("Must specify precisely one of fixed_interval or calendar_interval")
	case kind == "histogram" && d.Interval <= 0:
		return d, fault.Illegal("Interval must be a positive decimal")
	}
	return d, nil
}

// metricKinds are what a rollup can compute.
var metricKinds = []string{"avg", "sum", "max", "min", "value_count", "cardinality"}

func parseMetric(p *wire.Parser) (Metric, error) {
	m := Metric{Kinds: []string{}}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "source_field":
			m.SourceField, err = p.Text()
		case "target_field":
			_, err = p.Text()
		case "metrics":
			err = p.Array(func() error {
				return p.Object(func(kind string) error {
					if !slices.Contains(metricKinds, kind) {
						return fault.Illegal("Invalid metric type: [%s]", kind)
					}
					m.Kinds = append(m.Kinds, kind)
					return p.Skip()
				})
			})
		default:
			err = fault.Illegal("Invalid field [%s] found in rollup metrics", name)
		}
		return err
	})
	if err == nil && m.SourceField == "" {
		err = fault.Illegal("Source field must not be null")
	}
	return m, err
}

func (d Dimension) json() wire.Object {
	switch d.Kind {
	case "date_histogram":
		o := wire.Object{}
		o.AddIf(d.FixedInterval != nil, "fixed_interval", d.FixedInterval)
		o.AddIf(d.CalendarInterval != nil, "calendar_interval", d.CalendarInterval)
		o = append(o, wire.Obj("source_field", d.SourceField, "target_field", d.TargetField, "timezone", d.Timezone, "format", d.Format)...)
		return wire.Obj(d.Kind, o)
	case "histogram":
		return wire.Obj(d.Kind, wire.Obj("source_field", d.SourceField, "target_field", d.TargetField, "interval", double(d.Interval)))
	default:
		return wire.Obj(d.Kind, wire.Obj("source_field", d.SourceField, "target_field", d.TargetField))
	}
}

// double prints a number with a decimal point, as Java does.
type double float64

// MarshalJSON writes 10 as 10.0.
func (d double) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(float64(d))
	if err == nil && !slices.ContainsFunc(b, func(c byte) bool { return c == '.' || c == 'e' }) {
		b = append(b, '.', '0')
	}
	return b, err
}

func dimensionsJSON(list []Dimension) []wire.Object {
	out := make([]wire.Object, len(list))
	for i, d := range list {
		out[i] = d.json()
	}
	return out
}

func (r *Rollup) json() wire.Object {
	metrics := make([]wire.Object, len(r.Metrics))
	for i, m := range r.Metrics {
		kinds := make([]wire.Object, len(m.Kinds))
		for j, k := range m.Kinds {
			kinds[j] = wire.Obj(k, wire.Object{})
		}
		metrics[i] = wire.Obj("source_field", m.SourceField, "metrics", kinds)
	}
	o := wire.Obj("description", r.Description, "target_index", r.TargetIndex, "page_size", r.PageSize,
		"dimensions", dimensionsJSON(r.Dimensions), "metrics", metrics)
	o.AddIf(r.SourceIndex != nil, "source_index", r.SourceIndex)
	o.AddIf(r.RoutingField != nil, "routing_field", r.RoutingField)
	o.AddIf(r.TargetSettings != nil, "target_index_settings", r.TargetSettings)
	return o
}

// matchAll is the default of data_selection_query, in the form in which OpenSearch prints it.
var matchAll = json.RawMessage(`{"match_all":{"boost":1.0}}`)

func parseTransform(p *wire.Parser) (*Transform, error) {
	t := &Transform{Query: matchAll, Groups: []Dimension{}, Aggregations: json.RawMessage(`{}`)}
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
		t.Groups, err = parseDimensions(p)
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
		"data_selection_query", t.Query, "groups", dimensionsJSON(t.Groups), "aggregations", t.Aggregations)
}
