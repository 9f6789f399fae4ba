// SPDX-License-Identifier: Apache-2.0

// Package dimension reads and prints what rollup and transform jobs, and the policies that create them, group documents
// by and compute of them, in the shapes and with the refusals of OpenSearch's index management plugin. It computes
// nothing.
package dimension

import (
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The kinds of dimensions.
const (
	DateHistogram = "date_histogram"
	Terms         = "terms"
	Histogram     = "histogram"
)

// Dimension groups documents by the values of a field.
type Dimension struct {
	Kind                     string
	SourceField, TargetField string
	// FixedInterval or CalendarInterval, Timezone and Format are for date_histogram.
	FixedInterval, CalendarInterval, Format *string
	Timezone                                string
	Interval                                float64 // histogram
}

// Metric is a field and what is computed of it.
type Metric struct {
	SourceField, TargetField string
	Kinds                    []string
}

// ParseList reads an array of dimensions.
func ParseList(p *wire.Parser) ([]Dimension, error) {
	list := []Dimension{}
	err := p.Array(func() error {
		var d *Dimension
		err := p.Object(func(kind string) error {
			one, err := parse(p, kind)
			d = &one
			return err
		})
		switch {
		case err != nil:
			return err
		case d == nil:
			return fault.Illegal("Dimension cannot be null")
		}
		list = append(list, *d)
		return nil
	})
	return list, err
}

func parse(p *wire.Parser, kind string) (Dimension, error) {
	d := Dimension{Kind: kind}
	if kind == DateHistogram {
		d.Timezone = "UTC"
	} else if kind != Terms && kind != Histogram {
		return d, fault.Illegal("Invalid dimension type [%s] found in dimensions", kind)
	}
	target, interval := false, false
	err := p.Object(func(name string) (err error) {
		switch {
		case name == "source_field":
			d.SourceField, err = p.Text()
		case name == "target_field":
			target = true
			d.TargetField, err = p.Text()
		case kind == Histogram && name == "interval":
			interval = true
			d.Interval, err = p.Double()
		case kind == DateHistogram:
			err = d.dateField(p, name)
		default:
			err = fault.Illegal("Invalid field [%s] found in %s dimension.", name, kind)
		}
		return err
	})
	if !target {
		d.TargetField = d.SourceField
	}
	if err == nil {
		err = d.check(interval)
	}
	return d, err
}

func (d *Dimension) dateField(p *wire.Parser, name string) (err error) {
	switch name {
	case "fixed_interval":
		d.FixedInterval, err = text(p)
	case "calendar_interval":
		d.CalendarInterval, err = text(p)
	case "format":
		d.Format, err = p.TextOrNull()
	case "timezone":
		if d.Timezone, err = p.Text(); err == nil {
			_, err = wire.ParseZone(d.Timezone)
		}
	default:
		err = fault.Illegal("Invalid field [%s] found in date histogram", name)
	}
	return err
}

func (d *Dimension) check(interval bool) error {
	switch {
	case d.SourceField == "" && d.TargetField == "":
		if d.Kind == Terms {
			return fault.Illegal("Source field cannot be null")
		}
		return fault.Illegal("Source field must not be null")
	case d.Kind == Histogram && !interval:
		return fault.Illegal("Interval field must not be null")
	case d.SourceField == "" || d.TargetField == "":
		return fault.Illegal("Source and target field must not be empty")
	case d.Kind == DateHistogram && d.FixedInterval == nil && d.CalendarInterval == nil:
		return fault.Illegal("Must specify a fixed or calendar interval")
	case d.Kind == DateHistogram && d.FixedInterval != nil && d.CalendarInterval != nil:
		return fault.Illegal("Can only specify a fixed or calendar interval")
	case d.Kind == Histogram && d.Interval <= 0:
		return fault.Illegal("Interval must be a positive decimal")
	}
	return nil
}

func text(p *wire.Parser) (*string, error) {
	s, err := p.Text()
	return &s, err
}

// JSON is the dimension as it is stored: {"terms":{...}}.
func (d Dimension) JSON() wire.Object {
	fields := wire.Obj("source_field", d.SourceField, "target_field", d.TargetField)
	switch d.Kind {
	case DateHistogram:
		o := wire.Object{}
		o.AddIf(d.FixedInterval != nil, "fixed_interval", d.FixedInterval)
		o.AddIf(d.CalendarInterval != nil, "calendar_interval", d.CalendarInterval)
		return wire.Obj(d.Kind, append(append(o, fields...), wire.Obj("timezone", d.Timezone, "format", d.Format)...))
	case Histogram:
		return wire.Obj(d.Kind, append(fields, wire.Obj("interval", Double(d.Interval))...))
	default:
		return wire.Obj(d.Kind, fields)
	}
}

// ListJSON is an array of dimensions as it is stored.
func ListJSON(list []Dimension) []wire.Object {
	out := make([]wire.Object, len(list))
	for i, d := range list {
		out[i] = d.JSON()
	}
	return out
}

// Double prints a number with a point, as the server's language does.
type Double float64

// MarshalJSON writes 10 as 10.0.
func (d Double) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(float64(d))
	if err == nil && !slices.ContainsFunc(b, func(c byte) bool { return c == '.' || c == 'e' }) {
		b = append(b, '.', '0')
	}
	return b, err
}
