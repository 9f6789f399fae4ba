// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Limits bound a mapping (OpenSearch's index.mapping.* settings).
type Limits struct {
	TotalFields int // index.mapping.total_fields.limit, default 1000
	Depth       int // index.mapping.depth.limit, default 20
	// NestedFields is how many nested objects may be mapped, NestedObjects how many a document may have.
	NestedFields  int // index.mapping.nested_fields.limit, default 50
	NestedObjects int // index.mapping.nested_objects.limit, default 10000
}

// DefaultLimits are OpenSearch's.
var DefaultLimits = Limits{TotalFields: 1000, Depth: 20, NestedFields: 50, NestedObjects: 10_000}

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
	nested    int // how many nested objects are mapped
}

// Empty is the mapping of an index without one.
func Empty() *Mapping {
	return &Mapping{root: newObject(""), limits: DefaultLimits, fields: map[string]*Field{}}
}

// ParseStored reads a mapping that an index has, under its limits: they may have been lowered since it got so large.
func ParseStored(body []byte, l Limits) (*Mapping, error) {
	none := Limits{TotalFields: math.MaxInt, Depth: math.MaxInt, NestedFields: math.MaxInt, NestedObjects: math.MaxInt}
	m, err := Empty().WithLimits(none).Merge(body)
	if err != nil {
		return nil, err
	}
	return m.WithLimits(l), nil
}

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

// Merge returns the mapping with an update added: {"properties":{...},...}, also wrapped in {"_doc":{...}}. What is wrong
// with it is a 400 mapper_parsing_exception; the type of a field does not change: 400 illegal_argument_exception.
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
	m.fields, m.nested = map[string]*Field{}, m.root.countNested()
	objects, err := m.root.collect(m.fields, 1, m.limits.Depth)
	if err != nil {
		return nil, err
	}
	if len(m.fields)+objects > m.limits.TotalFields {
		return nil, fault.Illegal("Limit of total fields [%d] has been exceeded", m.limits.TotalFields)
	}
	if m.nested > m.limits.NestedFields {
		return nil, fault.Illegal("Limit of nested fields [%d] has been exceeded", m.limits.NestedFields)
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
