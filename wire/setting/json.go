// SPDX-License-Identifier: Apache-2.0

package setting

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Flatten turns nested or dotted JSON settings into Values; null becomes a key of the second result.
func Flatten(body []byte) (values Values, nulls []string, err error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, nil, err
	}
	f := flattener{p: p, values: Values{}}
	err = f.object("")
	return f.values, f.nulls, err
}

type flattener struct {
	p      *wire.Parser
	values Values
	nulls  []string
}

func (f *flattener) object(prefix string) error {
	return f.p.Object(func(name string) error {
		key := prefix + name
		switch f.p.Token() {
		case wire.StartObject:
			return f.object(key + ".")
		case wire.StartArray:
			return f.array(key)
		case wire.Null:
			f.nulls = append(f.nulls, key)
			return nil
		}
		text, err := f.p.Text()
		if _, twice := f.values[key]; twice && err == nil {
			line, col := f.p.Position()
			err = fault.Parse("duplicate settings key [%s] found at line number [%d], column number [%d]", key, line, col)
		}
		f.values[key] = text
		return err
	})
}

func (f *flattener) array(key string) error {
	var items []string
	err := f.p.Array(func() error {
		if f.p.Token() == wire.StartObject || f.p.Token() == wire.StartArray || f.p.Token() == wire.Null {
			return fault.Parse("only value lists are allowed in serialized settings")
		}
		s, err := f.p.Text()
		items = append(items, s)
		return err
	})
	f.values[key] = strings.Join(items, ",")
	return err
}

// Nested turns nested or dotted JSON settings into the form in which OpenSearch prints them: nested, keys sorted, values as
// texts.
func Nested(body []byte) (json.RawMessage, error) {
	values, nulls, err := Flatten(body)
	if err != nil {
		return nil, err
	}
	for _, name := range nulls {
		values[name] = Null
	}
	return wire.Marshal((&Registry{}).nest(values))
}

// nest is the nested JSON form of values, keys sorted, leaves as texts (lists as arrays where the registry says so).
func (r *Registry) nest(values Values) any {
	root := &branch{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		root.put(strings.Split(key, "."), r.leaf(key, values[key]))
	}
	return root.object()
}

// JSON is the flat or the nested form, as requests choose with flat_settings.
func (r *Registry) JSON(values Values, flat bool) any {
	if flat {
		return r.Flat(values)
	}
	return r.nest(values)
}

// Flat is the flat JSON form of values, keys sorted.
func (r *Registry) Flat(values Values) wire.Object {
	out := wire.Object{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		out.Add(key, r.leaf(key, values[key]))
	}
	return out
}

// Null is the value of a setting that is there and has none: it is written as null.
const Null = "\x00"

func (r *Registry) leaf(key, value string) any {
	if value == Null {
		return json.RawMessage("null")
	}
	d, ok := r.Lookup(key)
	if !ok || d.Kind != List {
		return value
	}
	if value == "" {
		return []string{}
	}
	return strings.Split(value, ",")
}

// branch is an object under construction. Where a name is both a value and an object, the object's members keep their
// dotted names, as OpenSearch prints them.
type branch struct {
	names    []string
	children map[string]*branch
	value    any
}

func (b *branch) put(path []string, value any) {
	if len(path) == 0 {
		b.value = value
		return
	}
	if b.children == nil {
		b.children = map[string]*branch{}
	}
	next := b.children[path[0]]
	if next == nil {
		next = &branch{}
		b.children[path[0]] = next
		b.names = append(b.names, path[0])
	}
	next.put(path[1:], value)
}

func (b *branch) object() wire.Object {
	out := wire.Object{}
	for _, name := range b.names {
		b.children[name].write(&out, name)
	}
	return out
}

func (b *branch) write(out *wire.Object, name string) {
	if b.value == nil {
		out.Add(name, b.object())
		return
	}
	out.Add(name, b.value)
	for _, below := range b.names {
		b.children[below].write(out, name+"."+below)
	}
}
