// SPDX-License-Identifier: Apache-2.0

package query

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// maxDocValues is how many fields docvalue_fields may name (OpenSearch's index.max_docvalue_fields_search).
const maxDocValues = 100

// DocValue is a field, or a pattern of fields, whose doc values are shown.
type DocValue struct {
	Field string
	// Format is a date format; "" means the field's own.
	Format string
}

func parseDocValues(p *wire.Parser) ([]DocValue, error) {
	var list []DocValue
	err := p.Array(func() error {
		var d DocValue
		var err error
		if p.Token() == wire.String {
			d.Field, err = p.Text()
		} else {
			err = p.Object(func(name string) (err error) {
				switch name {
				case "field":
					d.Field, err = p.Text()
				case "format":
					d.Format, err = p.Text()
				default:
					line, col := p.Position()
					err = fault.Parsing(line, col, "[fields_option] unknown field [%s]", name)
				}
				return err
			})
		}
		list = append(list, d)
		return err
	})
	if err == nil && len(list) > maxDocValues {
		err = fault.Illegal("Trying to retrieve too many docvalue_fields. Must be less than or equal to: [%d] but was [%d]. This limit can be set by changing the [index.max_docvalue_fields_search] index level setting.", maxDocValues, len(list))
	}
	return list, err
}

// docValues refuses fields that an index has no doc values of, and formats that do not fit. An unmapped field is left
// out.
func (c *scope) docValues(wanted []DocValue) error {
	for _, d := range wanted {
		if strings.Contains(d.Field, "*") {
			continue
		}
		f := c.field(d.Field)
		switch {
		case f == nil:
		case f.Type == "text" || !f.DocValues:
			if _, err := c.sorter(Sort{Field: d.Field}); err != nil {
				return err
			}
		case d.Format == "":
		case !f.IsDate():
			return fault.Illegal("Field [%s] of type [%s] does not support custom formats", f.Path, f.Type)
		default:
			if err := wire.CheckDateFormat(d.Format); err != nil {
				return err
			}
		}
	}
	return nil
}

// docValues fills in the wanted doc values.
func (h *Hit) docValues(t *Target, wanted []DocValue) error {
	if len(wanted) == 0 {
		return nil
	}
	shown, paths := map[string]DocValue{}, map[string]bool{}
	var order []string
	for _, d := range wanted {
		for _, name := range t.fieldsOf(d.Field) {
			if _, twice := shown[name]; !twice {
				order = append(order, name)
			}
			shown[name] = d
			paths[t.Mapping.Field(name).Path] = true
		}
	}
	values, err := t.Mapping.Values(h.ID, h.Document.Source, paths)
	if err != nil {
		return err
	}
	for _, name := range order {
		f := t.Mapping.Field(name)
		list := make([]any, len(values[f.Path]))
		for i, v := range values[f.Path] {
			list[i] = docValue(f, v, shown[name].Format)
		}
		h.Fields.AddIf(len(list) > 0, name, list)
	}
	return nil
}

// fieldsOf are the fields with doc values that a name or pattern means.
func (t *Target) fieldsOf(name string) []string {
	if !strings.Contains(name, "*") {
		if t.Mapping.Field(name) == nil {
			return nil
		}
		return []string{name}
	}
	var out []string
	for _, path := range t.Mapping.Fields(name) {
		if f := t.Mapping.Field(path); f != nil && f.DocValues {
			out = append(out, path)
		}
	}
	return out
}

// docValue is one value as a hit shows it.
func docValue(f *mapping.Field, v mapping.Value, format string) any {
	switch {
	case f.IsDate():
		if format == "" {
			format = f.Format
		}
		return wire.FormatDate(time.UnixMilli(v.Integer).UTC(), format)
	case f.IsUnsigned():
		return uint64(v.Integer) ^ 1<<63
	case f.IsInteger():
		return v.Integer
	case f.IsFloat():
		return float(v.Float)
	case f.Type == "boolean":
		return v.Term == "true"
	case f.Type == "ip":
		return mapping.IPText(v.Term)
	default:
		return v.Term
	}
}

// float is a floating-point number that is written with a point, as the server's language does.
type float float64

// MarshalJSON writes 10 as 10.0, and what is no number as text.
func (f float) MarshalJSON() ([]byte, error) {
	x := float64(f)
	switch {
	case math.IsNaN(x):
		return []byte(`"NaN"`), nil
	case math.IsInf(x, 0):
		return json.Marshal(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+") + "inity")
	}
	b, err := json.Marshal(x)
	if err == nil && !strings.ContainsAny(string(b), ".e") {
		b = append(b, '.', '0')
	}
	return b, err
}
