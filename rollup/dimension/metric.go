// SPDX-License-Identifier: Apache-2.0

package dimension

import (
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The kinds of metrics.
const (
	Avg         = "avg"
	Sum         = "sum"
	Max         = "max"
	Min         = "min"
	ValueCount  = "value_count"
	Cardinality = "cardinality"
)

// metricKinds are what a rollup can compute.
var metricKinds = []string{Avg, Sum, Max, Min, ValueCount, Cardinality}

// ParseMetrics reads an array of metrics.
func ParseMetrics(p *wire.Parser) ([]Metric, error) {
	list := []Metric{}
	err := p.Array(func() error {
		m, err := parseMetric(p)
		list = append(list, m)
		return err
	})
	return list, err
}

func parseMetric(p *wire.Parser) (Metric, error) {
	m := Metric{Kinds: []string{}}
	target := false
	err := p.Object(func(name string) (err error) {
		switch name {
		case "source_field":
			m.SourceField, err = p.Text()
		case "target_field":
			target = true
			m.TargetField, err = p.Text()
		case "metrics":
			err = p.Array(func() error { return m.kind(p) })
		default:
			err = fault.Illegal("Invalid dimension type [%s] found in rollup metrics", name)
		}
		return err
	})
	if !target {
		m.TargetField = m.SourceField
	}
	if err == nil {
		err = m.check()
	}
	return m, err
}

// kind reads {"sum":{}}.
func (m *Metric) kind(p *wire.Parser) error {
	found := false
	err := p.Object(func(name string) error {
		found = true
		if !slices.Contains(metricKinds, name) {
			return fault.Illegal("Invalid metric type [%s] found in metrics", name)
		}
		m.Kinds = append(m.Kinds, name)
		return p.Object(func(option string) error {
			if name == Cardinality && option == "precision_threshold" {
				return fault.Illegal("[precision_threshold] of the metric [cardinality] is not supported")
			}
			return fault.Illegal("Invalid field [%s] found in %s metric", option, name)
		})
	})
	if err == nil && !found {
		err = fault.Illegal("Metric is null")
	}
	return err
}

func (m *Metric) check() error {
	distinct := slices.Clone(m.Kinds)
	slices.Sort(distinct)
	switch {
	case m.SourceField == "" && m.TargetField == "":
		return fault.Illegal("Source field must not be null")
	case len(slices.Compact(distinct)) != len(m.Kinds):
		return fault.Illegal("Cannot have multiple metrics of the same type in a single rollup metric [[%s]]", strings.Join(m.Kinds, ", "))
	case m.SourceField == "" || m.TargetField == "":
		return fault.Illegal("Source and target field must not be empty")
	case len(m.Kinds) == 0:
		return fault.Illegal("Must specify at least one metric to aggregate on for %s", m.SourceField)
	}
	return nil
}

// MetricsJSON is an array of metrics as it is stored; the target field is not.
func MetricsJSON(list []Metric) []wire.Object {
	out := make([]wire.Object, len(list))
	for i, m := range list {
		kinds := make([]wire.Object, len(m.Kinds))
		for j, k := range m.Kinds {
			kinds[j] = wire.Obj(k, wire.Object{})
		}
		out[i] = wire.Obj("source_field", m.SourceField, "metrics", kinds)
	}
	return out
}
