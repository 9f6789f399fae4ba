// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Limits bound a mapping (OpenSearch's index.mapping.* settings).
type Limits struct {
	TotalFields int // index.mapping.total_fields.limit, default 1000
	Depth       int // index.mapping.depth.limit, default 20
}

// DefaultLimits are OpenSearch's.
var DefaultLimits = Limits{TotalFields: 1000, Depth: 20}

// Dynamic says what happens to fields that are not mapped.
type Dynamic string

// The dynamic modes.
const (
	DynamicTrue   Dynamic = "true"
	DynamicFalse  Dynamic = "false"
	DynamicStrict Dynamic = "strict"
)

// Mapping is the mapping of an index.
type Mapping struct {
	root *object
	// meta is _meta, routing whether a routing is required.
	meta             json.RawMessage
	routing          bool
	sourceParams     json.RawMessage
	dateDetection    *bool
	numericDetection bool
	dynamicFormats   []string
	templates        []template
	limits           Limits
	// fields are all leaves, multi-fields included, by path.
	fields map[string]*Field
}

// object is an object or nested field, or the root.
type object struct {
	path    string
	nested  bool
	enabled bool
	dynamic Dynamic // "" takes it from above
	fields  map[string]*Field
	objects map[string]*object
}

func newObject(path string) *object {
	return &object{path: path, enabled: true, fields: map[string]*Field{}, objects: map[string]*object{}}
}

// Empty is the mapping of an index without one.
func Empty() *Mapping {
	return &Mapping{root: newObject(""), limits: DefaultLimits, fields: map[string]*Field{}}
}

// Parse reads a mapping: {"properties":{...},...}, also wrapped in {"_doc":{...}}. Errors are OpenSearch's
// mapper_parsing_exception.
func Parse(body []byte) (*Mapping, error) { return Empty().Merge(body) }

// WithLimits returns the mapping under other limits.
func (m *Mapping) WithLimits(l Limits) *Mapping {
	out := *m
	out.limits = l
	return &out
}

// Merge returns the mapping with an update added. The type of a field does not change: 400 illegal_argument_exception.
func (m *Mapping) Merge(body []byte) (*Mapping, error) {
	members, err := unwrap(body, "_doc")
	if err != nil {
		return nil, err
	}
	out := *m
	for _, name := range sortedKeys(members) {
		if err := out.member(name, members[name]); err != nil {
			return nil, err
		}
	}
	return out.finish()
}

// unwrap reads an object, without the wrapper that some clients put around it.
func unwrap(body []byte, wrapper string) (map[string]json.RawMessage, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, mapperParsing("Failed to parse mapping: %s", "malformed mapping")
	}
	if inner, ok := members[wrapper]; ok && len(members) == 1 {
		return unwrap(inner, "")
	}
	return members, nil
}

func (m *Mapping) member(name string, raw json.RawMessage) (err error) {
	switch name {
	case "properties":
		root, err := m.root.merge(raw)
		m.root = root
		return err
	case "dynamic":
		root := *m.root
		root.dynamic, err = parseDynamic(raw)
		m.root = &root
	case "_meta":
		m.meta = raw
	case "_source":
		if !bytes.Contains(raw, []byte("false")) {
			m.sourceParams = raw
			return nil
		}
		return fault.Unsupported("[_source] with [enabled: false]")
	case "_routing":
		var r struct{ Required bool }
		err = json.Unmarshal(raw, &r)
		m.routing = r.Required
	case "date_detection":
		var b bool
		err = json.Unmarshal(raw, &b)
		m.dateDetection = &b
	case "numeric_detection":
		err = json.Unmarshal(raw, &m.numericDetection)
	case "dynamic_date_formats":
		err = json.Unmarshal(raw, &m.dynamicFormats)
	case "dynamic_templates":
		m.templates, err = parseTemplates(raw)
	default:
		err = mapperParsing("Root mapping definition has unsupported parameters:  [%s : %s]", name, raw)
	}
	if err != nil && !fault.Is(err, "mapper_parsing_exception") {
		err = mapperParsing("Failed to parse mapping [_doc]: bad value of [%s]", name)
	}
	return err
}

func parseDynamic(raw json.RawMessage) (Dynamic, error) {
	switch d := Dynamic(strings.Trim(string(raw), `"`)); d {
	case DynamicTrue, DynamicFalse, DynamicStrict:
		return d, nil
	case "strict_allow_templates", "false_allow_templates", "runtime":
		return "", fault.Unsupported("[dynamic: " + string(d) + "]")
	default:
		return "", mapperParsing("Could not convert [dynamic] to boolean")
	}
}

// finish collects the leaves and checks the limits.
func (m *Mapping) finish() (*Mapping, error) {
	m.fields = map[string]*Field{}
	objects, err := m.root.collect(m.fields, 1, m.limits.Depth)
	if err != nil {
		return nil, err
	}
	if len(m.fields)+objects > m.limits.TotalFields {
		return nil, fault.Illegal("Limit of total fields [%d] has been exceeded", m.limits.TotalFields)
	}
	return m, nil
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
func (o *object) merge(properties json.RawMessage) (*object, error) {
	var defs map[string]json.RawMessage
	if err := json.Unmarshal(properties, &defs); err != nil {
		return nil, mapperParsing("Expected map for property [properties] on field [%s]", o.path)
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
		if err := out.put(strings.Split(name, "."), def); err != nil {
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
func (o *object) put(names []string, def map[string]json.RawMessage) error {
	name := names[0]
	path := join(o.path, name)
	if len(names) > 1 {
		child, err := o.child(name, path)
		if err != nil {
			return err
		}
		if err := child.put(names[1:], def); err != nil {
			return err
		}
		o.objects[name] = child
		return nil
	}
	typ, err := stringParam(def, "type")
	if err != nil {
		return err
	}
	if typ == "" && def["properties"] == nil && len(def) > 0 && !objectParams(def) {
		return mapperParsing("No type specified for field [%s]", name)
	}
	if typ == "" || typ == "object" || typ == "nested" {
		child, err := o.child(name, path)
		if err != nil {
			return err
		}
		child, err = child.define(typ == "nested", def)
		o.objects[name] = child
		return err
	}
	if o.objects[name] != nil {
		return fault.Illegal("can't merge a non object mapping [%s] with an object mapping", path)
	}
	f, err := parseField(path, def)
	if err != nil {
		return err
	}
	if was := o.fields[name]; was != nil {
		if f, err = was.merge(f); err != nil {
			return err
		}
	}
	o.fields[name] = f
	return nil
}

func objectParams(def map[string]json.RawMessage) bool {
	for name := range def {
		if !slices.Contains([]string{"dynamic", "enabled", "include_in_parent", "include_in_root"}, name) {
			return false
		}
	}
	return true
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

func (o *object) define(nested bool, def map[string]json.RawMessage) (*object, error) {
	o.nested = o.nested || nested
	for _, name := range sortedKeys(def) {
		var err error
		switch name {
		case "type", "include_in_parent", "include_in_root":
		case "properties":
			o, err = o.merge(def[name])
		case "dynamic":
			o.dynamic, err = parseDynamic(def[name])
		case "enabled":
			o.enabled, err = wire.ParseBool(strings.Trim(string(def[name]), `"`))
		default:
			err = mapperParsing("Mapping definition for [%s] has unsupported parameters:  [%s : %s]", o.path, name, def[name])
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Field is the leaf field of this path, aliases followed; nil if there is none.
func (m *Mapping) Field(path string) *Field {
	f := m.fields[path]
	if f != nil && f.AliasOf != "" {
		return m.fields[f.AliasOf]
	}
	return f
}

// Fields are the paths of all leaf fields that match a pattern, sorted.
func (m *Mapping) Fields(pattern string) []string {
	var out []string
	for path := range m.fields {
		if wire.Match(pattern, path) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// HasObject reports whether an object of this path is mapped.
func (m *Mapping) HasObject(path string) bool {
	o := m.root
	for name := range strings.SplitSeq(path, ".") {
		if o = o.objects[name]; o == nil {
			return false
		}
	}
	return true
}

// RoutingRequired reports whether documents need a routing.
func (m *Mapping) RoutingRequired() bool { return m.routing }

// Meta is the _meta object, nil if there is none.
func (m *Mapping) Meta() json.RawMessage { return m.meta }

// JSON prints the mapping as OpenSearch does; an empty one is {}.
func (m *Mapping) JSON() wire.Object {
	o := wire.Object{}
	o.AddIf(m.root.dynamic != "", "dynamic", string(m.root.dynamic))
	o.AddIf(m.meta != nil, "_meta", m.meta)
	o.AddIf(m.routing, "_routing", wire.Obj("required", true))
	o.AddIf(m.sourceParams != nil, "_source", m.sourceParams)
	o.AddIf(m.dateDetection != nil, "date_detection", m.dateDetection)
	o.AddIf(m.numericDetection, "numeric_detection", true)
	o.AddIf(m.dynamicFormats != nil, "dynamic_date_formats", m.dynamicFormats)
	if len(m.templates) > 0 {
		list := make([]json.RawMessage, len(m.templates))
		for i, t := range m.templates {
			list[i] = t.raw
		}
		o.Add("dynamic_templates", list)
	}
	if properties := m.root.properties(); len(properties) > 0 {
		o.Add("properties", properties)
	}
	return o
}

// MarshalJSON is JSON as bytes.
func (m *Mapping) MarshalJSON() ([]byte, error) { return m.JSON().MarshalJSON() }

func (o *object) properties() wire.Object {
	out := wire.Object{}
	names := append(sortedKeys(o.fields), sortedKeys(o.objects)...)
	slices.Sort(names)
	for _, name := range names {
		if f := o.fields[name]; f != nil {
			out.Add(name, f.json())
			continue
		}
		out.Add(name, o.objects[name].json())
	}
	return out
}

func (o *object) json() wire.Object {
	out := wire.Object{}
	out.AddIf(o.nested, "type", "nested")
	out.AddIf(o.dynamic != "", "dynamic", string(o.dynamic))
	out.AddIf(!o.enabled, "enabled", false)
	properties := o.properties()
	if len(properties) > 0 {
		out.Add("properties", properties)
	}
	if len(out) == 0 || (len(properties) == 0 && !o.nested) {
		out = append(wire.Obj("type", "object"), out...)
	}
	return out
}
