// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"strings"

	"github.com/opensteward/steward/rollup/dimension"
)

// numberTypes are the types that a histogram groups.
var numberTypes = []string{
	"byte", "short", "integer", "long", "unsigned_long", "half_float", "float", "double", "scaled_float",
}

// computable refuses what the server's own aggregations refuse: to compute something of a field of a type that has it
// not. What the mapping does not know is no value.
func (x *run) computable() error {
	for i := range x.src.indices {
		mapping := &x.src.indices[i].mapping
		for _, d := range x.groups {
			if f := mapping.field(d.SourceField); !f.has(d.Kind) {
				return x.notComputable(d.SourceField, f.Type, d.Kind)
			}
		}
		for _, o := range x.outputs {
			if f := mapping.field(o.field); !f.has(o.kind) {
				return x.notComputable(o.field, f.Type, o.kind)
			}
		}
	}
	return nil
}

func (x *run) notComputable(field, kind, aggregation string) error {
	if x.job.Kind == Transform {
		return failed("Failed to search data in source indices")
	}
	return failed("Field [" + field + "] of type [" + kind + "] is not supported for aggregation [" + aggregation + "]")
}

// has reports whether an aggregation takes values of a field. Texts have an error of their own when they are read.
func (m *fieldMap) has(aggregation string) bool {
	if m == nil || m.Type == "" || m.Type == "object" || m.Type == "nested" || m.Type == "text" {
		return true
	}
	number := m.isTime()
	switch aggregation {
	case dimension.Terms:
		return !strings.HasSuffix(m.Type, "_range") && !strings.HasPrefix(m.Type, "geo_")
	case dimension.Histogram, dimension.DateHistogram:
		return number
	case dimension.ValueCount, doubleCount:
		return true
	default:
		return number || m.Type == "boolean"
	}
}
