// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// object walks an object; o is nil if it is not mapped.
func (w *walker) object(o *object, path string, dynamic Dynamic) error {
	leave, err := w.enter(o)
	if err != nil {
		return err
	}
	defer leave()
	return w.p.Object(func(name string) error {
		if name == docCount && path == "" {
			return w.docCount()
		}
		if !strings.Contains(name, ".") && strings.TrimSpace(name) != "" {
			return w.value(o, path, name, dynamic)
		}
		names, err := splitName(name)
		if err != nil {
			return err
		}
		at, into, mode := o, path, dynamic
		for _, part := range names[:len(names)-1] {
			at, into, mode = w.step(at, into, part, mode)
			switch {
			case at == nil:
			case at.nested && w.part == nil:
				return mapperParsing("Cannot add a value for field [%s] since one of the intermediate objects is mapped as a nested object: [%s]", name, at.path)
			case !at.enabled || at.nested:
				return w.p.Skip()
			}
		}
		return w.value(at, into, names[len(names)-1], mode)
	})
}

// docCount is the metadata field that says how many documents one stands for.
const docCount = "_doc_count"

// docCount checks the metadata field, which is not mapped.
func (w *walker) docCount() error {
	line, col := w.p.Position()
	if w.p.Token() != wire.Number {
		bad := w.bad(&Field{Path: docCount, Type: docCount}, "")
		bad.CausedBy = fault.Parsing(line, col, "Failed to parse object: expecting token of type [VALUE_NUMBER] but found [%s]", w.p.Token())
		return bad
	}
	n, err := w.p.Long()
	if err == nil && n <= 0 {
		text, _ := w.p.Text()
		bad := w.bad(&Field{Path: docCount, Type: docCount}, text)
		bad.CausedBy = fault.Illegal("Field [_doc_count] must be a positive integer. Value [%d] is not allowed.", n)
		return bad
	}
	return err
}

// splitName splits a name at its dots.
func splitName(name string) ([]string, error) {
	if name == "" {
		return nil, fault.Illegal("field name cannot be an empty string")
	}
	names := strings.Split(name, ".")
	for _, part := range names {
		if strings.TrimSpace(part) != "" {
			continue
		}
		if strings.TrimSpace(name) == "" {
			return nil, fault.Illegal("object field cannot contain only whitespace: ['%s']", name)
		}
		return nil, fault.Illegal("object field starting or ending with a [.] makes object resolution ambiguous: [%s]", name)
	}
	return names, nil
}

// step goes one object down.
func (w *walker) step(o *object, path, name string, dynamic Dynamic) (*object, string, Dynamic) {
	path = join(path, name)
	child := w.fresh[path]
	if o != nil && o.objects[name] != nil {
		child = o.objects[name]
	}
	if child != nil && child.dynamic != "" {
		dynamic = child.dynamic
	}
	return child, path, dynamic
}

// value walks one member.
func (w *walker) value(o *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	f, child := w.pending[path], w.fresh[path]
	if o != nil && o.fields[name] != nil {
		f = o.fields[name]
	}
	if o != nil && o.objects[name] != nil {
		child = o.objects[name]
	}
	switch {
	case child != nil && !child.enabled:
		return w.p.Skip()
	case f != nil && f.Type == "flat_object":
		return w.flat(f, f.Path)
	case f != nil && f.IsVector():
		return w.vector(f)
	}
	switch w.p.Token() {
	case wire.Null:
		return w.null(o, f, child, parent, name)
	case wire.StartArray:
		return w.p.Array(func() error { return w.value(o, parent, name, dynamic) })
	case wire.StartObject:
		if f != nil {
			return w.objectForField(f)
		}
		return w.subobject(child, parent, name, dynamic)
	}
	text, err := w.p.Text()
	if err != nil {
		return err
	}
	if child != nil {
		return mapperParsing("object mapping for [%s] tried to parse field [%s] as object, but found a concrete value", path, name)
	}
	if f == nil {
		if f, err = w.newField(path, parent, name, dynamic, text); f == nil {
			return err
		}
	}
	return w.leaf(f, text, w.p.Token())
}

// null takes a null, which is no value unless the field says what stands for it.
func (w *walker) null(o *object, f *Field, child *object, parent, name string) error {
	switch {
	case f != nil && f.NullValue != nil:
		return w.leaf(f, *f.NullValue, wire.Null)
	case f == nil && child == nil && o != nil && (o.dynamic == DynamicStrict || o.dynamic == DynamicStrictTemplates):
		return strict(o.dynamic, parent, name)
	}
	return nil
}

// objectForField is an object where a leaf is mapped.
func (w *walker) objectForField(f *Field) error {
	line, col := w.p.Position()
	raw, err := w.p.Raw()
	if err != nil || f.IgnoreMalformed || f.Type == "binary" {
		return err
	}
	e := w.bad(f, javaMap(raw))
	e.CausedBy = fault.IllegalState("Can't get text on a START_OBJECT at %d:%d", line, col)
	return e
}

// javaMap is JSON as the server's language prints a value.
func javaMap(raw json.RawMessage) string {
	return strings.NewReplacer(`":`, "=", `"`, "", `,`, ", ").Replace(string(raw))
}

// subobject walks an object; child is nil if it is not mapped.
func (w *walker) subobject(child *object, parent, name string, dynamic Dynamic) error {
	path := join(parent, name)
	if child == nil {
		var f *Field
		var err error
		if child, f, err = w.newObject(path, parent, name, dynamic); err != nil {
			return err
		}
		switch {
		case f != nil && f.Type == "flat_object":
			return w.flat(f, path)
		case f != nil:
			return w.objectForField(f)
		case child == nil || !child.enabled:
			return w.p.Skip()
		}
	}
	if child.dynamic != "" {
		dynamic = child.dynamic
	}
	return w.object(child, path, dynamic)
}
