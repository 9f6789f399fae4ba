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

func (s *Server) templateRoutes(rt *rest.Router) {
	type kind struct {
		path                   string
		put, get, exist, erase rest.Handler
	}
	for _, k := range []kind{
		{"/_index_template", s.putIndexTemplate, s.getIndexTemplates, s.indexTemplateExists, s.deleteIndexTemplate},
		{"/_component_template", s.putComponentTemplate, s.getComponentTemplates, s.componentTemplateExists, s.deleteComponentTemplate},
		{"/_template", s.putLegacyTemplate, s.getLegacyTemplates, s.legacyTemplateExists, s.deleteLegacyTemplate},
	} {
		rt.Handle("PUT", k.path+"/{name}", k.put)
		rt.Handle("POST", k.path+"/{name}", k.put)
		rt.Handle("GET", k.path, k.get)
		rt.Handle("GET", k.path+"/{name}", k.get)
		rt.Handle("HEAD", k.path+"/{name}", k.exist)
		rt.Handle("DELETE", k.path+"/{name}", k.erase)
	}
	rt.Handle("POST", "/_index_template/_simulate", s.simulateTemplate)
	rt.Handle("POST", "/_index_template/_simulate/{name}", s.simulateTemplate)
	rt.Handle("POST", "/_index_template/_simulate_index/{name}", s.simulateIndex)
}

func unknownTemplateField(p *wire.Parser, kind, name string) error {
	line, col := p.Position()
	return fault.New(http.StatusBadRequest, "x_content_parse_exception", "[%d:%d] [%s] unknown field [%s]", line, col, kind, name)
}

// parseTemplate reads settings, mappings and aliases of a template.
func parseTemplate(p *wire.Parser) (*catalog.Template, error) {
	var n catalog.NewIndex
	err := p.Object(func(name string) error {
		switch name {
		case "settings", "mappings", "aliases":
			return newIndexMember(p, name, &n)
		}
		return unknownTemplateField(p, "template", name)
	})
	return templateOf(n), err
}

func templateOf(n catalog.NewIndex) *catalog.Template {
	return &catalog.Template{Settings: n.Settings.Set, Mappings: n.Mappings, Aliases: n.Aliases}
}

func templateBody(r *rest.Request) (*wire.Parser, bool, error) {
	timeouts(r)
	create := r.Bool("create", false)
	r.Ignore("cause")
	body, err := r.RequireBody()
	if err != nil {
		return nil, false, err
	}
	p := wire.NewParser(body)
	return p, create, p.NextExpect(wire.StartObject)
}

// readIndexTemplate reads a composable template.
func readIndexTemplate(p *wire.Parser) (*catalog.IndexTemplate, error) {
	t := &catalog.IndexTemplate{}
	err := p.Object(func(member string) (err error) {
		switch member {
		case "index_patterns":
			t.Patterns, err = textList(p)
		case "template":
			t.Template, err = parseTemplate(p)
		case "composed_of":
			t.ComposedOf, err = textList(p)
		case "priority":
			t.Priority, err = longOf(p)
		case "version":
			t.Version, err = longOf(p)
		case "_meta":
			t.Meta, err = objectOf(p)
		case "data_stream":
			t.DataStream, err = parseDataStreamTemplate(p)
		default:
			err = unknownTemplateField(p, "index_template", member)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case t.Patterns == nil:
		return nil, fault.Illegal("Required [index_patterns]")
	case len(t.Patterns) == 0:
		return nil, fault.Illegal("There must be at least one pattern, zero given")
	}
	return t, nil
}

func (s *Server) putIndexTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	p, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	t, err := readIndexTemplate(p)
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutIndexTemplate(ctx, name, t, create) }), nil
}

// simulated reads the template of a simulation's body, if there is one.
func simulated(r *rest.Request) (*catalog.IndexTemplate, error) {
	timeouts(r)
	r.Ignore("create", "cause")
	body, err := r.Body()
	if err != nil || body == nil {
		return nil, err
	}
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, err
	}
	return readIndexTemplate(p)
}

func (s *Server) simulateIndex(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	with, err := simulated(r)
	if err != nil {
		return nil, err
	}
	return s.simulation(func(state *catalog.State) (catalog.Simulation, error) { return state.SimulateIndex(name, with) }), nil
}

func (s *Server) simulateTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	with, err := simulated(r)
	if err != nil {
		return nil, err
	}
	return s.simulation(func(state *catalog.State) (catalog.Simulation, error) { return state.SimulateTemplate(name, with) }), nil
}

func (s *Server) simulation(simulate func(state *catalog.State) (catalog.Simulation, error)) rest.Action {
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		sim, err := simulate(state)
		if err != nil {
			return nil, err
		}
		if sim.Template == nil {
			return rest.OK(wire.Object{}), nil
		}
		shown := whole(*sim.Template)
		shown.Mappings = sim.Template.Mappings
		overlapping := []wire.Object{}
		for _, o := range sim.Overlapping {
			overlapping = append(overlapping, wire.Obj("name", o.Name, "index_patterns", o.Patterns))
		}
		return rest.OK(wire.Obj("template", templateJSON(state, &shown, false), "overlapping", overlapping)), nil
	}
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

func longOf(p *wire.Parser) (*int64, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	n, err := p.Long()
	return &n, err
}

func parseDataStreamTemplate(p *wire.Parser) (*catalog.DataStreamTemplate, error) {
	d := &catalog.DataStreamTemplate{TimestampField: "@timestamp"}
	err := p.Object(func(name string) error {
		if name != "timestamp_field" {
			return unknownTemplateField(p, "data_stream_template", name)
		}
		return p.Object(func(name string) (err error) {
			if name != "name" {
				return unknownTemplateField(p, "timestamp_field", name)
			}
			d.TimestampField, err = p.Text()
			return err
		})
	})
	return d, err
}

func (s *Server) putComponentTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	p, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	t := &catalog.ComponentTemplate{}
	found := false
	err = p.Object(func(member string) (err error) {
		switch member {
		case "template":
			found = true
			var inner *catalog.Template
			if inner, err = parseTemplate(p); err == nil {
				t.Template = *inner
			}
		case "version":
			t.Version, err = longOf(p)
		case "_meta":
			t.Meta, err = objectOf(p)
		default:
			err = unknownTemplateField(p, "component_template", member)
		}
		return err
	})
	if err == nil && !found {
		err = fault.Illegal("Required [template]")
	}
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutComponentTemplate(ctx, name, t, create) }), nil
}

func (s *Server) putLegacyTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	order := r.Int("order", 0)
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if err := wholeObject(body); err != nil {
		return nil, err
	}
	p, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	t := &catalog.LegacyTemplate{Order: order}
	var n catalog.NewIndex
	err = p.Object(func(member string) (err error) {
		switch member {
		case "index_patterns", "template":
			t.Patterns, err = textList(p)
		case "order":
			t.Order, err = p.Int()
		case "version":
			t.Version, err = longOf(p)
		default:
			err = newIndexMember(p, member, &n)
		}
		return err
	})
	if err == nil && len(t.Patterns) == 0 {
		err = fault.Validation("index patterns are missing")
	}
	if err != nil {
		return nil, err
	}
	t.Template = *templateOf(n)
	return change(func(ctx context.Context) error { return s.Catalog.PutLegacyTemplate(ctx, name, t, create) }), nil
}

// deletion is an action that deletes templates of one kind.
func deletion(r *rest.Request, erase func(ctx context.Context, name string) error) (rest.Action, error) {
	name := r.Path("name")
	timeouts(r)
	return change(func(ctx context.Context) error { return erase(ctx, name) }), nil
}

func (s *Server) deleteIndexTemplate(r *rest.Request) (rest.Action, error) {
	return deletion(r, s.Catalog.DeleteIndexTemplate)
}

func (s *Server) deleteComponentTemplate(r *rest.Request) (rest.Action, error) {
	return deletion(r, s.Catalog.DeleteComponentTemplate)
}

func (s *Server) deleteLegacyTemplate(r *rest.Request) (rest.Action, error) {
	return deletion(r, s.Catalog.DeleteLegacyTemplate)
}
