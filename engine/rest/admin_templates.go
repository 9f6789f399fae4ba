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
	if err := timeouts(r); err != nil {
		return nil, false, err
	}
	create, err := r.Bool("create", false)
	if err != nil {
		return nil, false, err
	}
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
	if err := timeouts(r); err != nil {
		return nil, err
	}
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
	order, err := r.Int("order", 0)
	if err != nil {
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
	if err := timeouts(r); err != nil {
		return nil, err
	}
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

func getParams(r *rest.Request) (flat bool, err error) {
	r.Ignore("local", "name")
	if err := timeouts(r); err != nil {
		return false, err
	}
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

func (s *Server) getIndexTemplates(r *rest.Request) (rest.Action, error) {
	flat, err := getParams(r)
	if err != nil {
		return nil, err
	}
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
		res := rest.OK(wire.Obj("index_templates", list))
		if len(list) == 0 && asks {
			res.Status = http.StatusNotFound
		}
		return res, nil
	}, nil
}

func (s *Server) getComponentTemplates(r *rest.Request) (rest.Action, error) {
	flat, err := getParams(r)
	if err != nil {
		return nil, err
	}
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
		return rest.OK(wire.Obj("component_templates", list)), nil
	}, nil
}

func (s *Server) getLegacyTemplates(r *rest.Request) (rest.Action, error) {
	flat, err := getParams(r)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.LegacyTemplates)
		out := wire.Object{}
		for _, name := range names {
			t := state.LegacyTemplates[name]
			o := wire.Obj("order", t.Order)
			o.AddIf(t.Version != nil, "version", t.Version)
			o.Add("index_patterns", t.Patterns)
			shown := whole(t.Template)
			out.Add(name, append(o, templateJSON(state, &shown, flat)...))
		}
		status := http.StatusOK
		if missing != "" && len(names) == 0 {
			status = http.StatusNotFound
		}
		return &rest.Response{Status: status, Body: out}, nil
	}, nil
}

// existence answers a HEAD.
func existence(r *rest.Request, exists func() bool) (rest.Action, error) {
	if _, err := getParams(r); err != nil {
		return nil, err
	}
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

func (s *Server) dataStreamRoutes(rt *rest.Router) {
	rt.Handle("PUT", "/_data_stream/{name}", s.createDataStream)
	rt.Handle("GET", "/_data_stream", s.getDataStreams)
	rt.Handle("GET", "/_data_stream/{name}", s.getDataStreams)
	rt.Handle("DELETE", "/_data_stream/{name}", s.deleteDataStreams)
	rt.Handle("GET", "/_data_stream/_stats", s.dataStreamStats)
	rt.Handle("GET", "/_data_stream/{name}/_stats", s.dataStreamStats)
}

func (s *Server) createDataStream(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.CreateDataStream(ctx, name) }), nil
}

func (s *Server) deleteDataStreams(r *rest.Request) (rest.Action, error) {
	names := r.List("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.DeleteDataStreams(ctx, names) }), nil
}

func (s *Server) getDataStreams(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.DataStreams)
		if missing != "" {
			return nil, fault.IndexNotFound(missing, "index_or_alias")
		}
		list := []wire.Object{}
		for _, name := range names {
			d := state.DataStreams[name]
			backing := []wire.Object{}
			status := "GREEN"
			for _, i := range d.Indices {
				index := state.Indices[i]
				backing = append(backing, wire.Obj("index_name", i, "index_uuid", index.UUID))
				if index.Replicas() > 0 {
					status = "YELLOW"
				}
			}
			o := wire.Obj("name", name, "timestamp_field", wire.Obj("name", d.TimestampField), "indices", backing,
				"generation", d.Generation, "status", status)
			o.AddIf(state.TemplateName(name) != "", "template", state.TemplateName(name))
			list = append(list, o)
		}
		return rest.OK(wire.Obj("data_streams", list)), nil
	}, nil
}

func (s *Server) dataStreamStats(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	return func(ctx context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.DataStreams)
		if missing != "" {
			return nil, fault.IndexNotFound(missing, "index_or_alias")
		}
		list := []wire.Object{}
		indices, shards, total := 0, 0, int64(0)
		for _, name := range names {
			size := int64(0)
			for _, i := range state.DataStreams[name].Indices {
				st, err := s.Docs.Stats(ctx, state.Indices[i])
				if err != nil {
					return nil, err
				}
				size += st.Bytes
				indices++
				shards += state.Indices[i].Shards()
			}
			total += size
			list = append(list, wire.Obj("data_stream", name, "backing_indices", len(state.DataStreams[name].Indices), "store_size_bytes", size, "maximum_timestamp", 0))
		}
		return rest.OK(wire.Obj("_shards", wire.Obj("total", shards, "successful", shards, "failed", 0),
			"data_stream_count", len(names), "backing_indices", indices, "total_store_size_bytes", total, "data_streams", list)), nil
	}, nil
}

func (s *Server) rolloverRoutes(rt *rest.Router) {
	rt.Handle("POST", "/{index}/_rollover", s.rollover)
	rt.Handle("POST", "/{index}/_rollover/{new_index}", s.rollover)
}

func (s *Server) rollover(r *rest.Request) (rest.Action, error) {
	req := catalog.RolloverRequest{Target: r.Path("index"), NewIndex: r.Path("new_index")}
	var err error
	if req.DryRun, err = r.Bool("dry_run", false); err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	wait, err := catalog.ParseActiveShards(r.Param("wait_for_active_shards", ""))
	if err != nil {
		return nil, err
	}
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := parseRollover(body, &req); err != nil {
			return nil, err
		}
	}
	req.New.ActiveShards = wait
	return func(ctx context.Context) (*rest.Response, error) {
		res, err := s.Catalog.Rollover(ctx, req)
		if err != nil {
			return nil, err
		}
		conditions := wire.Object{}
		for _, c := range res.Conditions {
			conditions.Add(c.String(), c.Met)
		}
		return rest.OK(wire.Obj("acknowledged", res.RolledOver, "shards_acknowledged", res.RolledOver && res.Index.Acknowledges(wait),
			"old_index", res.OldIndex, "new_index", res.NewIndex, "rolled_over", res.RolledOver, "dry_run", req.DryRun,
			"conditions", conditions)), nil
	}, nil
}

func parseRollover(body []byte, req *catalog.RolloverRequest) error {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return err
	}
	return p.Object(func(name string) error {
		if name != "conditions" {
			return newIndexMember(p, name, &req.New)
		}
		err := p.Object(func(name string) error {
			c, err := parseCondition(p, name)
			req.Conditions = append(req.Conditions, c)
			return err
		})
		return failedMember(p, "rollover", "conditions", err)
	})
}

// rolloverConditions are the names of conditions.
var rolloverConditions = []string{"max_age", "max_docs", "max_size"}

func parseCondition(p *wire.Parser, name string) (c catalog.Condition, err error) {
	line, col := p.Position()
	if !contains(rolloverConditions, name) {
		return c, fault.New(http.StatusBadRequest, "x_content_parse_exception", "[%d:%d] [conditions] unknown field [%s]%s", line, col, name,
			nearest(name, rolloverConditions))
	}
	c.Name = name
	if c.Value, err = p.Text(); err != nil {
		return c, err
	}
	return c, failedMember(p, "conditions", name, c.Check())
}
