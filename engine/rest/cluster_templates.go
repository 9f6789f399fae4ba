// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/wire"
)

// shownEach are templates by name, as the APIs of templates show them.
func shownEach[T any](v *stateView, all map[string]T, show func(*catalog.State, T) wire.Object) wire.Object {
	out := wire.Object{}
	for _, name := range sorted(all) {
		out.Add(name, show(v.state, all[name]))
	}
	return out
}

func (v *stateView) legacyTemplates() wire.Object {
	out := wire.Object{}
	for _, name := range sorted(v.state.LegacyTemplates) {
		t := v.state.LegacyTemplates[name]
		out.Add(name, append(legacyTemplateHead(t), wire.Obj("settings", v.state.IndexRegistry().JSON(t.Template.Settings, v.flat),
			"mappings", typed(t.Template.Mappings), "aliases", aliasesJSON(t.Template.Aliases))...))
	}
	return out
}

func (v *stateView) dataStreams() wire.Object {
	out := wire.Object{}
	for _, name := range sorted(v.state.DataStreams) {
		d := v.state.DataStreams[name]
		backing := []wire.Object{}
		for _, index := range d.Indices {
			backing = append(backing, wire.Obj("index_name", index, "index_uuid", v.state.Indices[index].UUID))
		}
		out.Add(name, wire.Obj("name", d.Name, "timestamp_field", wire.Obj("name", d.TimestampField), "indices", backing, "generation", d.Generation))
	}
	return out
}
