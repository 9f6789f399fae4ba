// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func unsupportedParam(name string) error { return fault.Unsupported("parameter [" + name + "]") }

// instant is a time as ISO 8601 with milliseconds.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stateAliases are the aliases of a template as the cluster state shows them.
func stateAliases(aliases map[string]catalog.Alias) wire.Object {
	o := wire.Object{}
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		a := aliases[name]
		one := wire.Object{}
		one.AddIf(a.Filter != nil, "filter", a.Filter)
		one.AddIf(a.IndexRouting != "", "index_routing", a.IndexRouting)
		one.AddIf(a.SearchRouting != "", "search_routing", a.SearchRouting)
		if a.IsWrite != nil {
			one.Add("is_write_index", *a.IsWrite)
		}
		if a.IsHidden != nil {
			one.Add("is_hidden", *a.IsHidden)
		}
		o.Add(name, one)
	}
	return o
}

func (v *stateView) legacyTemplates() wire.Object {
	out := wire.Object{}
	for _, name := range slices.Sorted(maps.Keys(v.state.LegacyTemplates)) {
		t := v.state.LegacyTemplates[name]
		o := wire.Obj("order", t.Order)
		addVersion(&o, t.Version)
		o.Add("index_patterns", t.Patterns)
		o.Add("settings", v.settings(v.state.IndexRegistry(), t.Template.Settings))
		o.Add("mappings", typed(t.Template.Mappings))
		o.Add("aliases", stateAliases(t.Template.Aliases))
		out.Add(name, o)
	}
	return out
}

func (v *stateView) template(t *catalog.Template) wire.Object {
	o := wire.Object{}
	if t.Settings != nil {
		o.Add("settings", v.settings(v.state.IndexRegistry(), t.Settings))
	}
	o.AddIf(t.Mappings != nil, "mappings", t.Mappings)
	if t.Aliases != nil {
		o.Add("aliases", stateAliases(t.Aliases))
	}
	return o
}

func (v *stateView) componentTemplates() wire.Object {
	out := wire.Object{}
	for _, name := range slices.Sorted(maps.Keys(v.state.ComponentTemplates)) {
		t := v.state.ComponentTemplates[name]
		o := wire.Obj("template", v.template(&t.Template))
		addVersion(&o, t.Version)
		addMeta(&o, t.Meta)
		out.Add(name, o)
	}
	return out
}

func (v *stateView) indexTemplates() wire.Object {
	out := wire.Object{}
	for _, name := range slices.Sorted(maps.Keys(v.state.IndexTemplates)) {
		t := v.state.IndexTemplates[name]
		o := wire.Obj("index_patterns", t.Patterns)
		if t.Template != nil {
			o.Add("template", v.template(t.Template))
		}
		o.AddIf(len(t.ComposedOf) > 0, "composed_of", t.ComposedOf)
		if t.Priority != nil {
			o.Add("priority", *t.Priority)
		}
		addVersion(&o, t.Version)
		addMeta(&o, t.Meta)
		if t.DataStream != nil {
			o.Add("data_stream", wire.Obj("timestamp_field", wire.Obj("name", t.DataStream.TimestampField)))
		}
		out.Add(name, o)
	}
	return out
}

func (v *stateView) dataStreams() wire.Object {
	out := wire.Object{}
	for _, name := range slices.Sorted(maps.Keys(v.state.DataStreams)) {
		d := v.state.DataStreams[name]
		backing := []wire.Object{}
		for _, index := range d.Indices {
			backing = append(backing, wire.Obj("index_name", index, "index_uuid", v.state.Indices[index].UUID))
		}
		out.Add(name, wire.Obj("name", d.Name, "timestamp_field", wire.Obj("name", d.TimestampField), "indices", backing, "generation", d.Generation))
	}
	return out
}

func addVersion(o *wire.Object, version *int64) {
	if version != nil {
		o.Add("version", *version)
	}
}

func addMeta(o *wire.Object, meta json.RawMessage) { o.AddIf(meta != nil, "_meta", meta) }
