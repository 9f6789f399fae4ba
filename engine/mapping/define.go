// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// object is an object or nested field, or the root.
type object struct {
	path    string
	nested  bool
	enabled bool
	dynamic Dynamic // "" takes it from above
	// inParent and inRoot say that a nested object's fields are those of its parent, of the document too.
	inParent, inRoot bool
	fields           map[string]*Field
	objects          map[string]*object
}

func newObject(path string) *object {
	return &object{path: path, enabled: true, fields: map[string]*Field{}, objects: map[string]*object{}}
}

// collect puts the leaves below o into fields and counts the objects.
func (o *object) collect(fields map[string]*Field, depth, limit int) (objects int, err error) {
	for _, f := range o.fields {
		fields[f.Path] = f
		for _, sub := range f.Multi {
			fields[sub.Path] = sub
		}
	}
	for _, child := range o.objects {
		if depth+1 > limit {
			return 0, fault.Illegal("Limit of mapping depth [%d] has been exceeded due to object field [%s]", limit, child.path)
		}
		n, err := child.collect(fields, depth+1, limit)
		if err != nil {
			return 0, err
		}
		objects += n + 1
	}
	return objects, nil
}

// merge adds properties to an object.
func (o *object) merge(properties json.RawMessage, why reason) (*object, error) {
	if string(bytes.TrimSpace(properties)) == "[]" {
		return o, nil // how some clients write an empty object
	}
	var defs map[string]json.RawMessage
	if err := json.Unmarshal(properties, &defs); err != nil {
		return nil, fault.Parse("properties must be a map type")
	}
	out := *o
	out.fields, out.objects = maps.Clone(o.fields), maps.Clone(o.objects)
	for _, name := range sortedKeys(defs) {
		if strings.TrimSpace(name) == "" {
			return nil, mapperParsing("field name cannot be an empty string")
		}
		var def map[string]json.RawMessage
		if err := json.Unmarshal(defs[name], &def); err != nil || def == nil {
			return nil, mapperParsing("Expected map for property [fields] on field [%s] but got a class java.lang.String", name)
		}
		if err := out.put(strings.Split(name, "."), def, why); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// put adds one definition; dots in its name stand for objects.
func (o *object) put(names []string, def map[string]json.RawMessage, why reason) error {
	name := names[0]
	path := join(o.path, name)
	if len(names) > 1 {
		child, err := o.child(name, path)
		if err == nil {
			err = child.put(names[1:], def, why)
			o.objects[name] = child
		}
		return err
	}
	typ, err := stringParam(def, "type")
	if err != nil {
		return err
	}
	if typ == "" && def["properties"] == nil && (def["enabled"] == nil || len(def) > 1) {
		return mapperParsing("No type specified for field [%s]", name)
	}
	if typ == "" || typ == "object" || typ == "nested" {
		return o.putObject(name, typ == "nested", def, why)
	}
	if o.objects[name] != nil {
		return fault.Illegal("can't merge a non object mapping [%s] with an object mapping", path)
	}
	f, err := parseField(path, def)
	if err != nil {
		return err
	}
	if was := o.fields[name]; was != nil && why != fromTemplate {
		if f, err = was.merge(f); err != nil {
			return err
		}
	}
	o.fields[name] = f
	return nil
}

func (o *object) putObject(name string, nested bool, def map[string]json.RawMessage, why reason) error {
	was := o.objects[name]
	child, err := o.child(name, join(o.path, name))
	if err != nil {
		return err
	}
	if child, err = child.define(nested, def, why); err != nil {
		return err
	}
	if was != nil && why != growth {
		if err := was.checkUpdate(child, nested, def["enabled"] == nil, why); err != nil {
			return err
		}
	}
	o.objects[name] = child
	return nil
}

// checkUpdate refuses what an object cannot become. An update that leaves out enabled means true.
func (o *object) checkUpdate(is *object, nested, implied bool, why reason) error {
	mapper := func(format string, args ...any) error { return fault.New(500, "mapper_exception", format, args...) }
	switch {
	case o.nested && !nested:
		return mapper("cannot change object mapping from nested to non-nested")
	case !o.nested && nested:
		return mapper("cannot change object mapping from non-nested to nested")
	case why == update && (o.enabled != is.enabled || implied && !o.enabled):
		return mapper("the [enabled] parameter can't be updated for the object mapping [%s]", o.path)
	}
	return nil
}

// child is a copy of an object below o, or a new one.
func (o *object) child(name, path string) (*object, error) {
	if o.fields[name] != nil {
		return nil, fault.Illegal("can't merge a non object mapping [%s] with an object mapping", path)
	}
	was := o.objects[name]
	if was == nil {
		return newObject(path), nil
	}
	out := *was
	out.fields, out.objects = maps.Clone(was.fields), maps.Clone(was.objects)
	return &out, nil
}

func (o *object) define(nested bool, def map[string]json.RawMessage, why reason) (*object, error) {
	o.nested = o.nested || nested
	for _, name := range sortedKeys(def) {
		var err error
		switch name {
		case "type":
		case "include_in_parent":
			o.inParent, err = wire.ParseBool(unquote(def[name]))
		case "include_in_root":
			o.inRoot, err = wire.ParseBool(unquote(def[name]))
		case "properties":
			o, err = o.merge(def[name], why)
		case "dynamic":
			o.dynamic, err = parseDynamic(def[name])
		case "enabled":
			o.enabled, err = wire.ParseBool(unquote(def[name]))
		default:
			err = mapperParsing("Mapping definition for [%s] has unsupported parameters:  [%s : %s]", lastName(o.path), name, javaMap(def[name]))
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
