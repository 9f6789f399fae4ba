// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The values of a document are nil, bool, string, json.Number, *Object and *List.

// Object is a JSON object that keeps the order of its members.
type Object struct {
	members wire.Object
	// places are those of the members by name, of as many as placed says: of none before one is set among many.
	places map[string]int
	placed int
}

// manyMembers is from how many members on a table finds one faster than a walk through them.
const manyMembers = 32

// List is a JSON array.
type List struct{ items []any }

// NewObject returns an empty object.
func NewObject() *Object { return &Object{} }

// Get returns a member.
func (o *Object) Get(name string) (any, bool) {
	if i := o.index(name); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Set puts a member, in the place of one of the same name or else last.
func (o *Object) Set(name string, v any) {
	o.place()
	if i := o.index(name); i >= 0 {
		o.members[i].Value = v
		return
	}
	o.members.Add(name, v)
}

// Delete removes a member and returns what it was.
func (o *Object) Delete(name string) any {
	i := o.index(name)
	if i < 0 {
		return nil
	}
	v := o.members[i].Value
	o.members, o.places, o.placed = slices.Delete(o.members, i, i+1), nil, 0
	return v
}

// Names are the members' names in order.
func (o *Object) Names() []string {
	out := make([]string, len(o.members))
	for i, m := range o.members {
		out[i] = m.Name
	}
	return out
}

// index is the place of the first member of a name; negative if there is none.
func (o *Object) index(name string) int {
	if i, ok := o.places[name]; ok {
		return i
	}
	i := slices.IndexFunc(o.members[o.placed:], func(m wire.Member) bool { return m.Name == name })
	if i >= 0 {
		i += o.placed
	}
	return i
}

// place completes the table of places, if there are many. Only who may write to the object does so.
func (o *Object) place() {
	if len(o.members) < manyMembers {
		return
	}
	if o.places == nil {
		o.places = make(map[string]int, len(o.members))
	}
	for ; o.placed < len(o.members); o.placed++ { // members are added at the end, and leave by Delete
		if _, twice := o.places[o.members[o.placed].Name]; !twice {
			o.places[o.members[o.placed].Name] = o.placed
		}
	}
}

// MarshalJSON writes the members in order.
func (o *Object) MarshalJSON() ([]byte, error) { return appendValue(nil, o), nil }

// MarshalJSON writes the items.
func (l *List) MarshalJSON() ([]byte, error) { return appendValue(nil, l), nil }

// appendValue writes a value.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	case string:
		b, _ = jsontext.AppendQuote(b, v) // what is no UTF-8 is replaced
		return b
	case *Object:
		b = append(b, '{')
		for i, m := range v.members {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, m.Name)
			b = appendValue(append(b, ':'), m.Value)
		}
		return append(b, '}')
	case *List:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, item)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// ParseObject reads a JSON object. Malformed JSON, or another value, is a 400.
func ParseObject(body []byte) (*Object, error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, err
	}
	v, err := readValue(p)
	if err != nil {
		return nil, err
	}
	if t, err := p.Next(); err != nil || t != wire.None {
		if err == nil {
			err = fault.Parse("unexpected token [%s] after the end of the object", t)
		}
		return nil, err
	}
	return v.(*Object), nil
}

// readValue reads the value at the parser's token.
func readValue(p *wire.Parser) (any, error) {
	switch p.Token() {
	case wire.StartObject:
		o := NewObject()
		err := p.Object(func(name string) error {
			v, err := readValue(p)
			o.members.Add(name, v)
			return err
		})
		return o, err
	case wire.StartArray:
		l := &List{}
		err := p.Array(func() error {
			v, err := readValue(p)
			l.items = append(l.items, v)
			return err
		})
		return l, err
	case wire.Null:
		return nil, nil
	case wire.Boolean:
		return p.Bool()
	case wire.Number:
		text, err := p.Text()
		return json.Number(text), err
	default:
		return p.Text()
	}
}

// clone is a copy that shares nothing which can be written to.
func clone(v any) any {
	switch v := v.(type) {
	case *Object:
		return v.clone()
	case *List:
		out := &List{items: make([]any, len(v.items))}
		for i, item := range v.items {
			out.items[i] = clone(item)
		}
		return out
	}
	return v
}

func (o *Object) clone() *Object {
	out := &Object{members: make(wire.Object, len(o.members))}
	for i, m := range o.members {
		out.members[i] = wire.Member{Name: m.Name, Value: clone(m.Value)}
	}
	return out
}

// equal compares values as they would be printed.
func equal(a, b any) bool { return bytes.Equal(appendValue(nil, a), appendValue(nil, b)) }

// javaType is what OpenSearch's messages call the type of a value.
func javaType(v any) string {
	switch v := v.(type) {
	case bool:
		return "java.lang.Boolean"
	case string:
		return "java.lang.String"
	case json.Number:
		return numberType(string(v))
	case *Object:
		return "java.util.HashMap"
	case *List:
		return "java.util.ArrayList"
	}
	return "null"
}

func numberType(text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case strings.ContainsAny(text, ".eE"):
		return "java.lang.Double"
	case err != nil:
		return "java.math.BigInteger"
	case n < math.MinInt32 || n > math.MaxInt32:
		return "java.lang.Long"
	}
	return "java.lang.Integer"
}

// text is a value as the processors that want a text see it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil && numberType(string(v)) == "java.lang.Double" {
			return floatText(f, 64)
		}
		return string(v)
	case *Object:
		parts := make([]string, len(v.members))
		for i, m := range v.members {
			parts[i] = m.Name + "=" + text(m.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *List:
		parts := make([]string, len(v.items))
		for i, item := range v.items {
			parts[i] = text(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return ""
}

// floatText prints a number as OpenSearch does: always with a fraction, with an exponent from 10^7 and below 10^-3.
func floatText(f float64, bits int) string {
	size := math.Abs(f)
	if size == 0 || size >= 1e-3 && size < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, bits), "E")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return digits + "E" + strconv.Itoa(n)
}
