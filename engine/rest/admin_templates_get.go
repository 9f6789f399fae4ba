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

func getParams(r *rest.Request) (flat bool) {
	r.Ignore("local", "name")
	timeouts(r)
	return r.Bool("flat_settings", false)
}

// templateJSON prints settings, mappings and aliases as far as they are there.
func templateJSON(state *catalog.State, t *catalog.Template, flat bool) wire.Object {
	o := wire.Object{}
	if t.Settings != nil {
		if flat {
			o.Add("settings", state.IndexRegistry().Flat(t.Settings))
		} else {
			o.Add("settings", state.IndexRegistry().Nest(t.Settings))
		}
	}
	o.AddIf(t.Mappings != nil, "mappings", t.Mappings)
	if t.Aliases != nil {
		aliases := wire.Object{}
		for _, name := range sorted(t.Aliases) {
			aliases.Add(name, t.Aliases[name].Object())
		}
		o.Add("aliases", aliases)
	}
	return o
}

func templateMissing(kind, name string) error {
	return fault.New(http.StatusNotFound, "resource_not_found_exception", "%s matching [%s] not found", kind, name)
}

// foundAny is an answer that is a 404 all the same if nothing was found.
func foundAny(body wire.Object, found bool) *rest.Response {
	res := rest.OK(body)
	if !found {
		res.Status = http.StatusNotFound
	}
	return res
}

func (s *Server) getIndexTemplates(r *rest.Request) (rest.Action, error) {
	flat := getParams(r)
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.IndexTemplates)
		if missing != "" {
			return nil, templateMissing("index template", missing)
		}
		asks := r.Path("name") != ""
		list := []wire.Object{}
		for _, name := range names {
			t := state.IndexTemplates[name]
			o := wire.Obj("index_patterns", t.Patterns)
			if t.Template != nil {
				o.Add("template", templateJSON(state, t.Template, flat))
			}
			o.AddIf(t.ComposedOf != nil, "composed_of", t.ComposedOf)
			o.AddIf(t.Priority != nil, "priority", t.Priority)
			o.AddIf(t.Version != nil, "version", t.Version)
			o.AddIf(t.Meta != nil, "_meta", t.Meta)
			if t.DataStream != nil {
				o.Add("data_stream", wire.Obj("timestamp_field", wire.Obj("name", t.DataStream.TimestampField)))
			}
			list = append(list, wire.Obj("name", name, "index_template", o))
		}
		return foundAny(wire.Obj("index_templates", list), len(list) > 0 || !asks), nil
	}, nil
}

func (s *Server) getComponentTemplates(r *rest.Request) (rest.Action, error) {
	flat := getParams(r)
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.ComponentTemplates)
		if missing != "" {
			return nil, templateMissing("component template", missing)
		}
		list := []wire.Object{}
		for _, name := range names {
			t := state.ComponentTemplates[name]
			o := wire.Obj("template", templateJSON(state, &t.Template, flat))
			o.AddIf(t.Version != nil, "version", t.Version)
			o.AddIf(t.Meta != nil, "_meta", t.Meta)
			list = append(list, wire.Obj("name", name, "component_template", o))
		}
		return foundAny(wire.Obj("component_templates", list), len(list) > 0 || r.Path("name") == ""), nil
	}, nil
}

func (s *Server) getLegacyTemplates(r *rest.Request) (rest.Action, error) {
	flat := getParams(r)
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, _ := named(r, state.LegacyTemplates)
		out := wire.Object{}
		for _, name := range names {
			t := state.LegacyTemplates[name]
			o := wire.Obj("order", t.Order)
			o.AddIf(t.Version != nil, "version", t.Version)
			o.Add("index_patterns", t.Patterns)
			shown := whole(t.Template)
			out.Add(name, append(o, templateJSON(state, &shown, flat)...))
		}
		return foundAny(out, len(names) > 0 || r.Path("name") == ""), nil
	}, nil
}

// existence answers a HEAD.
func existence(r *rest.Request, exists func() bool) (rest.Action, error) {
	getParams(r)
	return func(context.Context) (*rest.Response, error) {
		status := http.StatusOK
		if !exists() {
			status = http.StatusNotFound
		}
		return &rest.Response{Status: status, Body: []byte{}}, nil
	}, nil
}

func (s *Server) indexTemplateExists(r *rest.Request) (rest.Action, error) {
	return existence(r, func() bool {
		names, missing := named(r, s.Catalog.State().IndexTemplates)
		return missing == "" && len(names) > 0
	})
}

func (s *Server) componentTemplateExists(r *rest.Request) (rest.Action, error) {
	return existence(r, func() bool {
		names, missing := named(r, s.Catalog.State().ComponentTemplates)
		return missing == "" && len(names) > 0
	})
}

func (s *Server) legacyTemplateExists(r *rest.Request) (rest.Action, error) {
	return existence(r, func() bool {
		names, missing := named(r, s.Catalog.State().LegacyTemplates)
		return missing == "" && len(names) > 0
	})
}
