// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
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
	// The next two map what a dynamic template fits, and else are strict or false.
	DynamicStrictTemplates Dynamic = "strict_allow_templates"
	DynamicFalseTemplates  Dynamic = "false_allow_templates"
)

// Mapping is the mapping of an index.
type Mapping struct {
	root *object
	// meta is _meta, routing whether a routing is required.
	meta    json.RawMessage
	routing bool
	// timestamp is the field that each document of a data stream has one value of; "" outside of data streams.
	timestamp                       string
	dateDetection, numericDetection *bool
	// dynamicFormats are the date formats of new texts; nil means OpenSearch's, empty none.
	dynamicFormats []string
	templates      []template
	limits         Limits
	// fields are all leaves, multi-fields included, by path.
	fields map[string]*Field
	// constants are the fields that have the same value in every document.
	constants []*Field
	nested    bool // there are nested objects
}

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

// reason is why a mapping is merged.
type reason int

const (
	update       reason = iota
	fromTemplate        // of an index template: later definitions win
	growth              // by a document's fields
)

// Merge returns the mapping with an update added. The type of a field does not change: 400 illegal_argument_exception.
func (m *Mapping) Merge(body []byte) (*Mapping, error) { return m.merge(body, update) }

// MergeTemplate returns the mapping with that of a template added, whose definitions replace those of the same name.
func (m *Mapping) MergeTemplate(body []byte) (*Mapping, error) { return m.merge(body, fromTemplate) }

func (m *Mapping) merge(body []byte, why reason) (*Mapping, error) {
	members, err := unwrap(body, "_doc")
	if err != nil {
		return nil, err
	}
	out := *m
	for _, name := range sortedKeys(members) {
		if err := out.member(name, members[name], why); err != nil {
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

func (m *Mapping) member(name string, raw json.RawMessage, why reason) (err error) {
	switch name {
	case "properties":
		m.root, err = m.root.merge(raw, why)
	case "dynamic":
		root := *m.root
		root.dynamic, err = parseDynamic(raw)
		m.root = &root
	case "_meta":
		err = m.mergeMeta(raw, why)
	case "_source":
		err = checkSource(raw)
	case "_routing":
		var r struct{ Required bool }
		err = json.Unmarshal(raw, &r)
		m.routing = r.Required
	case "_data_stream_timestamp":
		err = m.dataStream(raw)
	case "date_detection":
		m.dateDetection, err = explicitBool(name, raw)
	case "numeric_detection":
		m.numericDetection, err = explicitBool(name, raw)
	case "dynamic_date_formats":
		m.dynamicFormats, err = parseFormats(raw)
	case "dynamic_templates":
		err = m.mergeTemplates(raw, why)
	default:
		err = mapperParsing("Root mapping definition has unsupported parameters:  [%s : %s]", name, javaMap(raw))
	}
	if _, ok := errors.AsType[*fault.Error](err); err != nil && !ok {
		err = mapperParsing("Failed to parse mapping [_doc]: bad value of [%s]", name)
	}
	return err
}

func (m *Mapping) mergeMeta(raw json.RawMessage, why reason) error {
	if string(raw) == "null" {
		return nil
	}
	if why != fromTemplate || m.meta == nil {
		m.meta = raw
		return nil
	}
	var was, is map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(m.meta, &was), json.Unmarshal(raw, &is)); err != nil {
		return err
	}
	maps.Copy(was, is)
	merged, err := wire.Marshal(was)
	m.meta = merged
	return err
}

// checkSource takes the source settings that leave documents as they are.
func checkSource(raw json.RawMessage) error {
	members, err := unwrap(raw, "")
	if err != nil {
		return err
	}
	for name, value := range members {
		switch {
		case name == "enabled" && unquote(value) == "true":
		case slices.Contains([]string{"includes", "excludes"}, name) && slices.Contains([]string{"[]", "null"}, string(value)):
		case slices.Contains([]string{"enabled", "includes", "excludes"}, name):
			return fault.Unsupported("[_source] with [" + name + ": " + javaMap(value) + "]")
		default:
			return mapperParsing("unknown parameter [%s] on metadata field [_source]", name)
		}
	}
	return nil
}

func (m *Mapping) dataStream(raw json.RawMessage) error {
	d := struct {
		Enabled   bool `json:"enabled"`
		Timestamp struct {
			Name string `json:"name"`
		} `json:"timestamp_field"`
	}{}
	err := json.Unmarshal(raw, &d)
	m.timestamp = ""
	if d.Enabled {
		m.timestamp = cmp.Or(d.Timestamp.Name, defaultTimestamp)
	}
	return err
}

// defaultTimestamp is the timestamp field of a data stream that names none.
const defaultTimestamp = "@timestamp"

func explicitBool(name string, raw json.RawMessage) (*bool, error) {
	b, err := wire.ParseBool(unquote(raw))
	if err != nil {
		return nil, fault.Illegal("Could not convert [%s] to boolean", name)
	}
	return &b, nil
}

func parseDynamic(raw json.RawMessage) (Dynamic, error) {
	switch d := Dynamic(strings.ToLower(unquote(raw))); d {
	case DynamicTrue, DynamicFalse, DynamicStrict, DynamicStrictTemplates, DynamicFalseTemplates:
		return d, nil
	}
	return "", fault.Illegal("Could not convert [dynamic.dynamic] to boolean")
}

// finish collects the leaves and checks the limits.
func (m *Mapping) finish() (*Mapping, error) {
	m.fields, m.nested = map[string]*Field{}, m.root.hasNested()
	objects, err := m.root.collect(m.fields, 1, m.limits.Depth)
	if err != nil {
		return nil, err
	}
	if len(m.fields)+objects > m.limits.TotalFields {
		return nil, fault.Illegal("Limit of total fields [%d] has been exceeded", m.limits.TotalFields)
	}
	m.constants = nil
	for _, path := range sortedKeys(m.fields) {
		switch f := m.fields[path]; {
		case f.Constant != nil:
			m.constants = append(m.constants, f)
		case f.AliasOf != "" && (m.fields[f.AliasOf] == nil || m.fields[f.AliasOf].AliasOf != ""):
			return nil, mapperParsing("Invalid [path] value [%s] for field alias [%s]: an alias must refer to an existing field in the mappings.", f.AliasOf, path)
		}
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

// Field is the leaf field of this path, aliases followed; nil if there is none.
func (m *Mapping) Field(path string) *Field {
	f := m.fields[path]
	if f != nil && f.AliasOf != "" {
		return m.fields[f.AliasOf]
	}
	return f
}

// Definition prints the leaf field of this path as the mapping has it; nil if there is none.
func (m *Mapping) Definition(path string) wire.Object {
	if f := m.fields[path]; f != nil {
		return f.json()
	}
	return nil
}

// Stored reports whether the leaf field of this path is to be stored beside the source.
func (m *Mapping) Stored(path string) bool {
	f := m.fields[path]
	return f != nil && f.paramOf("store") == "true"
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

// Timestamp is the field that each document has exactly one value of, because the index is part of a data stream; ""
// if it is not.
func (m *Mapping) Timestamp() string { return m.timestamp }

// JSON prints the mapping as OpenSearch does; an empty one is {}.
func (m *Mapping) JSON() wire.Object {
	o := wire.Object{}
	o.AddIf(m.root.dynamic != "", "dynamic", string(m.root.dynamic))
	o.AddIf(m.meta != nil, "_meta", m.meta)
	if m.timestamp != "" {
		d := wire.Obj("enabled", true)
		d.AddIf(m.timestamp != defaultTimestamp, "timestamp_field", wire.Obj("name", m.timestamp))
		o.Add("_data_stream_timestamp", d)
	}
	o.AddIf(m.routing, "_routing", wire.Obj("required", true))
	o.AddIf(m.dynamicFormats != nil, "dynamic_date_formats", m.dynamicFormats)
	if m.templates != nil {
		list := make([]wire.Object, len(m.templates))
		for i, t := range m.templates {
			list[i] = wire.Obj(t.name, t.json())
		}
		o.Add("dynamic_templates", list)
	}
	o.AddIf(m.dateDetection != nil, "date_detection", m.dateDetection)
	o.AddIf(m.numericDetection != nil, "numeric_detection", m.numericDetection)
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
	out.AddIf(o.inParent, "include_in_parent", true)
	out.AddIf(o.inRoot, "include_in_root", true)
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
