// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// named are the entries of a kind of templates that a request asks for. A name without wildcards that does not exist is
// missing.
func named[T any](r *rest.Request, all map[string]T) (names []string, missing string) {
	wanted := r.List("name")
	for _, name := range sorted(all) {
		if len(wanted) == 0 || wire.MatchAny(wanted, name) {
			names = append(names, name)
		}
	}
	for _, w := range wanted {
		if _, ok := all[w]; !ok && !wire.IsPattern(w) {
			missing = w
		}
	}
	return names, missing
}

// getParams reads what requests that read templates have in common.
func getParams(r *rest.Request) (flat bool) {
	r.Ignore("local", "name")
	timeouts(r)
	return r.Bool("flat_settings", false)
}

// foundAny is an answer that is a 404 all the same if nothing was found.
func foundAny(body wire.Object, found bool) *rest.Response {
	res := rest.OK(body)
	if !found {
		res.Status = http.StatusNotFound
	}
	return res
}

// getTemplates answers index or component templates. Their settings are never flat, whatever flat_settings says.
func getTemplates[T any](s *Server, kind string, all func(*catalog.State) map[string]T, show func(*catalog.State, T) wire.Object) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		getParams(r)
		return func(context.Context) (*rest.Response, error) {
			state := s.Catalog.State()
			names, missing := named(r, all(state))
			if missing != "" {
				return nil, fault.New(http.StatusNotFound, "resource_not_found_exception", "%s template matching [%s] not found", kind, missing)
			}
			list := []wire.Object{}
			for _, name := range names {
				list = append(list, wire.Obj("name", name, kind+"_template", show(state, all(state)[name])))
			}
			return foundAny(wire.Obj(kind+"_templates", list), len(list) > 0 || r.Path("name") == ""), nil
		}, nil
	}
}

func (s *Server) getLegacyTemplates(r *rest.Request) (rest.Action, error) {
	flat := getParams(r)
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, _ := named(r, state.LegacyTemplates)
		out := wire.Object{}
		for _, name := range names {
			t := state.LegacyTemplates[name]
			shown := whole(t.Template)
			out.Add(name, append(legacyTemplateHead(t), templateJSON(state, &shown, flat)...))
		}
		return foundAny(out, len(names) > 0 || r.Path("name") == ""), nil
	}, nil
}

// templateExists answers a HEAD.
func templateExists[T any](s *Server, all func(*catalog.State) map[string]T) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		getParams(r)
		return func(context.Context) (*rest.Response, error) {
			names, missing := named(r, all(s.Catalog.State()))
			return exists(missing == "" && len(names) > 0), nil
		}, nil
	}
}

// indexTemplateJSON is an index template, as the cluster state shows it too. One that has a template of its own is composed
// of nothing else unless it says so.
func indexTemplateJSON(state *catalog.State, t *catalog.IndexTemplate) wire.Object {
	o, composed := wire.Obj("index_patterns", t.Patterns), t.ComposedOf
	if t.Template != nil {
		o.Add("template", templateJSON(state, t.Template, false))
		composed = append([]string{}, composed...)
	}
	o.AddIf(composed != nil, "composed_of", composed)
	o.AddIf(t.Priority != nil, "priority", t.Priority)
	o.AddIf(t.Version != nil, "version", t.Version)
	o.AddIf(t.Meta != nil, "_meta", t.Meta)
	if t.DataStream != nil {
		o.Add("data_stream", wire.Obj("timestamp_field", wire.Obj("name", t.DataStream.TimestampField)))
	}
	return o
}

// componentTemplateJSON is a component template, as the cluster state shows it too.
func componentTemplateJSON(state *catalog.State, t *catalog.ComponentTemplate) wire.Object {
	o := wire.Obj("template", templateJSON(state, &t.Template, false))
	o.AddIf(t.Version != nil, "version", t.Version)
	o.AddIf(t.Meta != nil, "_meta", t.Meta)
	return o
}

// legacyTemplateHead is what a legacy template has before its settings, mappings and aliases.
func legacyTemplateHead(t *catalog.LegacyTemplate) wire.Object {
	o := wire.Obj("order", t.Order)
	o.AddIf(t.Version != nil, "version", t.Version)
	o.Add("index_patterns", t.Patterns)
	return o
}

// templateJSON shows settings, mappings and aliases as far as they are there.
func templateJSON(state *catalog.State, t *catalog.Template, flat bool) wire.Object {
	o := wire.Object{}
	if t.Settings != nil {
		o.Add("settings", state.IndexRegistry().JSON(t.Settings, flat))
	}
	o.AddIf(t.Mappings != nil, "mappings", t.Mappings)
	if t.Aliases != nil {
		o.Add("aliases", aliasesJSON(t.Aliases))
	}
	return o
}

// whole is a template that shows also the parts it does not have.
func whole(t catalog.Template) catalog.Template {
	if t.Settings == nil {
		t.Settings = map[string]string{}
	}
	if t.Mappings == nil {
		t.Mappings = []byte("{}")
	}
	if t.Aliases == nil {
		t.Aliases = map[string]catalog.Alias{}
	}
	return t
}
