// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// matchAll is the default of data_selection_query, in the form in which OpenSearch prints it.
var matchAll = json.RawMessage(`{"match_all":{"boost":1.0}}`)

// parseQuery reads a query as it is written.
func parseQuery(p *wire.Parser) (json.RawMessage, error) {
	q, err := raw(p)
	if err == nil && (q == nil || sameJSON(q, json.RawMessage(`{"match_all":{}}`))) {
		q = matchAll
	}
	return q, err
}

// Aggregation is one value that a transform computes of each bucket.
type Aggregation struct {
	Name, Kind, Field string
}

// aggregationKinds are what a transform of the plugin can compute, and whether this package computes it.
var aggregationKinds = map[string]bool{
	dimension.Sum: true, dimension.Max: true, dimension.Min: true, dimension.ValueCount: true, dimension.Avg: true,
	"scripted_metric": false, "percentiles": false,
}

// parseAggregations reads aggregations by name.
func parseAggregations(p *wire.Parser) ([]Aggregation, error) {
	list := []Aggregation{}
	err := p.Object(func(name string) error {
		a := Aggregation{Name: name}
		err := p.Object(func(kind string) error {
			computed, known := aggregationKinds[kind]
			switch {
			case !known:
				return fault.Illegal("Unsupported aggregation [%s]", kind)
			case !computed:
				return fault.Illegal("the transform aggregation [%s] is not supported", kind)
			}
			a.Kind = kind
			return p.Object(func(option string) (err error) {
				if option != "field" {
					return fault.Illegal("[%s] of the transform aggregation [%s] is not supported", option, kind)
				}
				a.Field, err = p.Text()
				return err
			})
		})
		switch {
		case err != nil:
			return err
		case a.Kind == "":
			line, col := p.Position()
			return fault.Parsing(line, col, "Missing definition for aggregation [%s]", name)
		case a.Field == "":
			return fault.Illegal("Required one of fields [field, script], but none were specified.")
		case slices.ContainsFunc(list, func(b Aggregation) bool { return b.Name == name }):
			return fault.Illegal("Two sibling aggregations cannot have the same name: [%s]", name)
		}
		list = append(list, a)
		return nil
	})
	return list, err
}

// sameAggregations compares without regard to the order.
func sameAggregations(a, b []Aggregation) bool {
	byName := func(a, b Aggregation) int { return cmp.Compare(a.Name, b.Name) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byName), slices.SortedFunc(slices.Values(b), byName))
}

func aggregationsJSON(list []Aggregation) wire.Object {
	o := wire.Object{}
	for _, a := range list {
		o.Add(a.Name, wire.Obj(a.Kind, wire.Obj("field", a.Field)))
	}
	return o
}

// output is one value that is written of each bucket.
type output struct {
	name, kind, field string
}

// outputs are what a job writes of each bucket. An average is rolled up as its sum and count, of which averages of
// several buckets can be made. Of a tier, a source that is rolled up, the job reads what the earlier one made of each
// field: counts are sums of counts there.
func (j *Job) outputs(tier bool) []output {
	var out []output
	for _, a := range j.Aggregations {
		if a.Kind == dimension.ValueCount {
			a.Kind = doubleCount
		}
		out = append(out, output{a.Name, a.Kind, a.Field})
	}
	add := func(m dimension.Metric, suffix, kind string) {
		o := output{m.TargetField + suffix, kind, m.SourceField}
		if tier {
			o.field += suffix
			if kind == dimension.ValueCount {
				o.kind = dimension.Sum
			}
		}
		out = append(out, o)
	}
	for _, m := range j.Metrics {
		for _, kind := range m.Kinds {
			if kind == dimension.Avg {
				add(m, ".avg.sum", dimension.Sum)
				add(m, ".avg.value_count", dimension.ValueCount)
				continue
			}
			add(m, "."+kind, kind)
		}
	}
	return out
}

// keyNames are the fields of a bucket's key in the target index.
func (j *Job) keyNames() []string {
	names := make([]string, len(j.Groups))
	for i, d := range j.Groups {
		names[i] = d.TargetField
		if j.Kind == Rollup {
			names[i] += "." + d.Kind
		}
	}
	return names
}
