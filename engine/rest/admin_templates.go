// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) templateRoutes(rt *rest.Router) {
	index := func(state *catalog.State) map[string]*catalog.IndexTemplate { return state.IndexTemplates }
	component := func(state *catalog.State) map[string]*catalog.ComponentTemplate { return state.ComponentTemplates }
	legacy := func(state *catalog.State) map[string]*catalog.LegacyTemplate { return state.LegacyTemplates }
	for _, kind := range []struct {
		path                   string
		put, get, exist, erase rest.Handler
	}{
		{"/_index_template", s.putIndexTemplate, getTemplates(s, "index", index, indexTemplateJSON), templateExists(s, index), deletion(s.Catalog.DeleteIndexTemplate)},
		{
			"/_component_template", s.putComponentTemplate, getTemplates(s, "component", component, componentTemplateJSON),
			templateExists(s, component), deletion(s.Catalog.DeleteComponentTemplate),
		},
		{"/_template", s.putLegacyTemplate, s.getLegacyTemplates, templateExists(s, legacy), deletion(s.Catalog.DeleteLegacyTemplate)},
	} {
		rt.Handle("PUT", kind.path+"/{name}", kind.put)
		rt.Handle("POST", kind.path+"/{name}", kind.put)
		rt.Handle("GET", kind.path, kind.get)
		rt.Handle("GET", kind.path+"/{name}", kind.get)
		rt.Handle("HEAD", kind.path+"/{name}", kind.exist)
		rt.Handle("DELETE", kind.path+"/{name}", kind.erase)
	}
	rt.Handle("POST", "/_index_template/_simulate", s.simulateTemplate)
	rt.Handle("POST", "/_index_template/_simulate/{name}", s.simulateTemplate)
	rt.Handle("POST", "/_index_template/_simulate_index/{name}", s.simulateIndex)
}

// parseTemplate reads settings, mappings and aliases of a template.
func parseTemplate(p *wire.Parser) (*catalog.Template, error) {
	var n catalog.NewIndex
	err := p.Object(func(name string) error {
		switch name {
		case "settings", "mappings", "aliases":
			return newIndexMember(p, name, &n)
		}
		return p.UnknownField("template", name)
	})
	return templateOf(n), err
}

func templateOf(n catalog.NewIndex) *catalog.Template {
	return &catalog.Template{Settings: n.Settings.Set, Mappings: n.Mappings, Aliases: n.Aliases}
}

// templateBody reads the parameters that all requests with a template have, and its body.
func templateBody(r *rest.Request) (body json.RawMessage, create bool, err error) {
	timeouts(r)
	create = r.Bool("create", false)
	r.Ignore("cause")
	body, err = r.RequireBody()
	return body, create, err
}

func parseIndexTemplate(body []byte) (*catalog.IndexTemplate, error) {
	t := &catalog.IndexTemplate{}
	err := wire.ReadObject(body, func(p *wire.Parser, member string) (err error) {
		switch member {
		case "index_patterns":
			t.Patterns, err = p.TextOrTexts()
		case "template":
			t.Template, err = parseTemplate(p)
		case "composed_of":
			t.ComposedOf, err = p.TextOrTexts()
		case "priority":
			t.Priority, err = longOrNull(p)
		case "version":
			t.Version, err = longOrNull(p)
		case "_meta":
			t.Meta, err = p.RawObject()
		case "data_stream":
			t.DataStream, err = parseDataStreamTemplate(p)
		default:
			err = p.UnknownField("index_template", member)
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

func longOrNull(p *wire.Parser) (*int64, error) {
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
			return p.UnknownField("data_stream_template", name)
		}
		return p.Object(func(name string) (err error) {
			if name != "name" {
				return p.UnknownField("timestamp_field", name)
			}
			d.TimestampField, err = p.Text()
			return err
		})
	})
	return d, err
}

func (s *Server) putIndexTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	body, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	t, err := parseIndexTemplate(body)
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutIndexTemplate(ctx, name, t, create) }), nil
}

func (s *Server) putComponentTemplate(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	body, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	t, err := parseComponentTemplate(body)
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutComponentTemplate(ctx, name, t, create) }), nil
}

func parseComponentTemplate(body []byte) (*catalog.ComponentTemplate, error) {
	t := &catalog.ComponentTemplate{}
	var inner *catalog.Template
	err := wire.ReadObject(body, func(p *wire.Parser, member string) (err error) {
		switch member {
		case "template":
			inner, err = parseTemplate(p)
		case "version":
			t.Version, err = longOrNull(p)
		case "_meta":
			t.Meta, err = p.RawObject()
		default:
			err = p.UnknownField("component_template", member)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case inner == nil:
		return nil, fault.Illegal("Required [template]")
	}
	t.Template = *inner
	return t, nil
}

func (s *Server) putLegacyTemplate(r *rest.Request) (rest.Action, error) {
	name, t := r.Path("name"), &catalog.LegacyTemplate{Order: r.Int("order", 0)}
	body, create, err := templateBody(r)
	if err != nil {
		return nil, err
	}
	if err := wholeObject(body); err != nil {
		return nil, err
	}
	if err := parseLegacyTemplate(body, t); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutLegacyTemplate(ctx, name, t, create) }), nil
}

func parseLegacyTemplate(body []byte, t *catalog.LegacyTemplate) error {
	var n catalog.NewIndex
	err := wire.ReadObject(body, func(p *wire.Parser, member string) (err error) {
		switch member {
		case "index_patterns", "template":
			t.Patterns, err = p.TextOrTexts()
		case "order":
			t.Order, err = p.Int()
		case "version":
			t.Version, err = longOrNull(p)
		default:
			err = newIndexMember(p, member, &n)
		}
		return err
	})
	if err == nil && len(t.Patterns) == 0 {
		err = fault.Validation("index patterns are missing")
	}
	t.Template = *templateOf(n)
	return err
}

// deletion deletes templates of one kind.
func deletion(erase func(ctx context.Context, name string) error) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		name := r.Path("name")
		timeouts(r)
		return change(func(ctx context.Context) error { return erase(ctx, name) }), nil
	}
}
