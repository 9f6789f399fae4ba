// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

func (s *Server) adminRoutes(rt *rest.Router) {
	s.indexRoutes(rt)
	s.settingsRoutes(rt)
	s.mappingRoutes(rt)
	s.aliasRoutes(rt)
	s.templateRoutes(rt)
	s.dataStreamRoutes(rt)
	s.rolloverRoutes(rt)
	s.resizeRoutes(rt)
}

// acknowledged is the answer of most changes.
var acknowledged = wire.Obj("acknowledged", true)

// change is an action that changes metadata and answers that it is acknowledged.
func change(do func(ctx context.Context) error) rest.Action {
	return func(ctx context.Context) (*rest.Response, error) {
		if err := do(ctx); err != nil {
			return nil, err
		}
		return rest.OK(acknowledged), nil
	}
}

// timeouts reads the timeouts that changes of metadata take; there is nobody to wait for.
func timeouts(r *rest.Request) error {
	if _, err := r.ManagerTimeout(); err != nil {
		return err
	}
	_, err := r.Duration("timeout", 0)
	return err
}

// The defaults of index expressions, by sort of API.
var (
	changeOptions = wire.IndexOptions{Open: true, Closed: true}
	blockOptions  = wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true}
	deleteOptions = wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true}
	openOptions   = wire.IndexOptions{Closed: true, AllowNoIndices: true}
	closeOptions  = wire.IndexOptions{Open: true, AllowNoIndices: true}
	getOptions    = wire.IndexOptions{Open: true, AllowNoIndices: true}
)

// noIndex refuses to do something to an index that is not named.
func noIndex(*rest.Request) (rest.Action, error) { return nil, fault.Validation("index is missing") }

func (s *Server) indexRoutes(rt *rest.Router) {
	rt.Handle("PUT", "/{index}", s.createIndex)
	rt.Handle("GET", "/{index}", s.getIndex)
	rt.Handle("HEAD", "/{index}", s.indexExists)
	rt.Handle("DELETE", "/{index}", s.deleteIndex)
	rt.Handle("POST", "/{index}/_open", s.openIndex)
	rt.Handle("POST", "/_open", noIndex)
	rt.Handle("POST", "/_close", noIndex)
	rt.Handle("POST", "/{index}/_close", s.closeIndex)
	rt.Handle("PUT", "/{index}/_block/{block}", s.addBlock)
	for _, path := range []string{"/_analyze", "/{index}/_analyze", "/{index}/_scale"} {
		rt.Handle("GET", path, refuse)
		rt.Handle("POST", path, refuse)
	}
	rt.Handle("GET", "/_resolve/index/{name}", s.resolveIndex)
}

// parseNewIndex reads the body of a creation: settings, mappings and aliases.
func parseNewIndex(body []byte) (catalog.NewIndex, error) {
	var n catalog.NewIndex
	if body == nil {
		return n, nil
	}
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return n, err
	}
	err := p.Object(func(name string) error { return newIndexMember(p, name, &n) })
	return n, err
}

// newIndexMember reads one member of a creation.
func newIndexMember(p *wire.Parser, name string, n *catalog.NewIndex) error {
	switch name {
	case "settings":
		raw, err := objectOf(p)
		if err != nil {
			return err
		}
		n.Settings, err = catalog.ParseIndexSettings(raw)
		return err
	case "mappings":
		raw, err := p.Raw()
		n.Mappings = raw
		return err
	case "aliases":
		raw, err := objectOf(p)
		if err != nil {
			return err
		}
		n.Aliases, err = parseNewAliases(raw)
		return err
	}
	return fault.New(http.StatusBadRequest, "parse_exception", "unknown key [%s] for create index", name)
}

// parseNewAliases reads the aliases that a new index gets.
func parseNewAliases(raw []byte) (map[string]catalog.Alias, error) {
	aliases, err := catalog.ParseAliases(raw)
	if err != nil {
		return nil, err
	}
	for _, alias := range sorted(aliases) {
		if err := checkFilter(alias, aliases[alias]); err != nil {
			return nil, err
		}
	}
	return aliases, nil
}

func (s *Server) createIndex(r *rest.Request) (rest.Action, error) {
	name := r.Path("index")
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
	n, err := parseNewIndex(body)
	if err != nil {
		return nil, err
	}
	n.ActiveShards = wait
	return func(ctx context.Context) (*rest.Response, error) {
		made, err := s.Catalog.CreateIndex(ctx, name, n)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("acknowledged", true, "shards_acknowledged", made.Acknowledges(wait), "index", made.Name)), nil
	}, nil
}

// resolved is an action on the indices of the path.
func (s *Server) resolved(r *rest.Request, def wire.IndexOptions, do func(list []*catalog.Index) (*rest.Response, error)) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(def)
	if err != nil {
		return nil, err
	}
	r.Ignore("local")
	if _, err := r.ManagerTimeout(); err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		list, err := state.Resolve(expressions, o, s.Clock.Now())
		if err == nil {
			err = state.Block(catalog.MetadataRead, list...)
		}
		if err != nil {
			return nil, err
		}
		return do(list)
	}, nil
}

func (s *Server) getIndex(r *rest.Request) (rest.Action, error) {
	flat, err := r.Bool("flat_settings", false)
	if err != nil {
		return nil, err
	}
	defaults, err := r.Bool("include_defaults", false)
	if err != nil {
		return nil, err
	}
	human := r.Human()
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		state := s.Catalog.State()
		out := wire.Object{}
		for _, i := range list {
			one := wire.Obj("aliases", aliasesJSON(i), "mappings", i.Mapping, "settings", settingsJSON(state, i, flat, human))
			one.AddIf(defaults, "defaults", defaultsJSON(state, i, flat))
			one.AddIf(i.DataStream != "", "data_stream", i.DataStream)
			out.Add(i.Name, one)
		}
		return rest.OK(out), nil
	})
}

func (s *Server) indexExists(r *rest.Request) (rest.Action, error) {
	r.Ignore("flat_settings", "include_defaults")
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		if len(list) == 0 {
			return nil, fault.IndexNotFound(r.Path("index"), "index_or_alias")
		}
		return &rest.Response{Body: []byte{}, ContentType: "application/json; charset=UTF-8"}, nil
	})
}

func (s *Server) deleteIndex(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(deleteOptions)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.DeleteIndices(ctx, expressions, o) }), nil
}

func (s *Server) openIndex(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(openOptions)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	wait, err := catalog.ParseActiveShards(r.Param("wait_for_active_shards", ""))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		opened, err := s.Catalog.OpenIndices(ctx, expressions, o)
		if err != nil {
			return nil, err
		}
		active := true
		for _, i := range opened {
			active = active && i.Acknowledges(wait)
		}
		return rest.OK(wire.Obj("acknowledged", true, "shards_acknowledged", active)), nil
	}, nil
}

func (s *Server) closeIndex(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(closeOptions)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	if _, err := catalog.ParseActiveShards(r.Param("wait_for_active_shards", "")); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		list, err := s.Catalog.CloseIndices(ctx, expressions, o)
		if err != nil {
			return nil, err
		}
		closed := wire.Object{}
		for _, i := range list {
			closed.Add(i.Name, wire.Obj("closed", true))
		}
		return rest.OK(wire.Obj("acknowledged", true, "shards_acknowledged", len(list) > 0, "indices", closed)), nil
	}, nil
}

func (s *Server) addBlock(r *rest.Request) (rest.Action, error) {
	expressions, name := r.List("index"), r.Path("block")
	o, err := r.IndexOptions(blockOptions)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		list, err := s.Catalog.AddBlock(ctx, name, expressions, o)
		if err != nil {
			return nil, err
		}
		blocked := []wire.Object{}
		for _, i := range list {
			blocked = append(blocked, wire.Obj("name", i.Name, "blocked", true))
		}
		return rest.OK(wire.Obj("acknowledged", true, "shards_acknowledged", len(blocked) > 0, "indices", blocked)), nil
	}, nil
}

// settingsJSON are an index's settings, nested or flat.
func settingsJSON(state *catalog.State, i *catalog.Index, flat, human bool) any {
	values := setting.Values{}
	for k, v := range i.Settings {
		values[k] = v
	}
	if human {
		values["index.creation_date_string"] = i.Created().UTC().Format("2006-01-02T15:04:05.000Z")
		values["index.version.created_string"] = catalog.VersionOf(values["index.version.created"])
		if upgraded, ok := values["index.version.upgraded"]; ok {
			values["index.version.upgraded_string"] = catalog.VersionOf(upgraded)
		}
	}
	if flat {
		return state.IndexRegistry().Flat(values)
	}
	return state.IndexRegistry().Nest(values)
}

// defaultsJSON are the settings that an index was not given.
func defaultsJSON(state *catalog.State, i *catalog.Index, flat bool) any {
	values := state.IndexDefaults(i)
	if flat {
		return state.IndexRegistry().Flat(values)
	}
	return state.IndexRegistry().Nest(values)
}

func (s *Server) settingsRoutes(rt *rest.Router) {
	for _, prefix := range []string{"", "/{index}"} {
		rt.Handle("GET", prefix+"/_settings", s.getSettings)
		rt.Handle("GET", prefix+"/_settings/{name}", s.getSettings)
		rt.Handle("PUT", prefix+"/_settings", s.putSettings)
	}
	rt.Handle("GET", "/{index}/_setting/{name}", s.getSettings)
	rt.Handle("GET", "/_cluster/settings", s.getClusterSettings)
	rt.Handle("PUT", "/_cluster/settings", s.putClusterSettings)
}

func (s *Server) getSettings(r *rest.Request) (rest.Action, error) {
	flat, err := r.Bool("flat_settings", false)
	if err != nil {
		return nil, err
	}
	defaults, err := r.Bool("include_defaults", false)
	if err != nil {
		return nil, err
	}
	names, human := r.List("name"), r.Human()
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		state := s.Catalog.State()
		out := wire.Object{}
		for _, i := range list {
			shown := *i
			if len(names) > 0 && names[0] != "_all" {
				shown.Settings = setting.Values{}
				for k, v := range i.Settings {
					if wire.MatchAny(names, k) {
						shown.Settings[k] = v
					}
				}
			}
			one := wire.Obj("settings", settingsJSON(state, &shown, flat, human && len(names) == 0))
			one.AddIf(defaults, "defaults", defaultsJSON(state, i, flat))
			if len(shown.Settings) > 0 || defaults {
				out.Add(i.Name, one)
			}
		}
		return rest.OK(out), nil
	})
}

func (s *Server) putSettings(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(changeOptions)
	if err != nil {
		return nil, err
	}
	preserve, err := r.Bool("preserve_existing", false)
	if err != nil {
		return nil, err
	}
	r.Ignore("flat_settings")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	// {"settings": {...}} is the same as {...}
	var wrapped struct {
		Settings json.RawMessage `json:"settings"`
	}
	if json.Unmarshal(body, &wrapped) == nil && wrapped.Settings != nil && wrapped.Settings[0] == '{' {
		body = wrapped.Settings
	}
	c, err := catalog.ParseIndexSettings(body)
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutSettings(ctx, expressions, o, c, preserve) }), nil
}

func (s *Server) getClusterSettings(r *rest.Request) (rest.Action, error) {
	flat, err := r.Bool("flat_settings", false)
	if err != nil {
		return nil, err
	}
	defaults, err := r.Bool("include_defaults", false)
	if err != nil {
		return nil, err
	}
	r.Ignore("local")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		out := clusterSettingsJSON(state, state.Persistent, state.Transient, flat)
		if defaults {
			out.Add("defaults", valuesJSON(state, state.ClusterDefaults(), flat))
		}
		return rest.OK(out), nil
	}, nil
}

func valuesJSON(state *catalog.State, values setting.Values, flat bool) any {
	if flat {
		return state.ClusterRegistry().Flat(values)
	}
	return state.ClusterRegistry().Nest(values)
}

func clusterSettingsJSON(state *catalog.State, persistent, transient setting.Values, flat bool) wire.Object {
	return wire.Obj("persistent", valuesJSON(state, persistent, flat), "transient", valuesJSON(state, transient, flat))
}

func (s *Server) putClusterSettings(r *rest.Request) (rest.Action, error) {
	flat, err := r.Bool("flat_settings", false)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	var persistent, transient catalog.SettingsChange
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, err
	}
	err = p.Object(func(name string) error {
		into := &persistent
		switch name {
		case "persistent":
		case "transient":
			into = &transient
		default:
			line, col := p.Position()
			return fault.New(http.StatusBadRequest, "x_content_parse_exception", "[%d:%d] [cluster_update_settings_request] unknown field [%s]", line, col, name)
		}
		raw, err := objectOf(p)
		if err != nil {
			return err
		}
		*into, err = catalog.ParseClusterSettings(raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(persistent.Set)+len(persistent.Reset)+len(transient.Set)+len(transient.Reset) == 0 {
		return nil, fault.Validation("no settings to update")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := s.Catalog.PutClusterSettings(ctx, persistent, transient); err != nil {
			return nil, err
		}
		answer := wire.Obj("acknowledged", true)
		return rest.OK(append(answer, clusterSettingsJSON(s.Catalog.State(), persistent.Set, transient.Set, flat)...)), nil
	}, nil
}

func (s *Server) mappingRoutes(rt *rest.Router) {
	for _, name := range []string{"/_mapping", "/_mappings"} {
		rt.Handle("GET", name, s.getMapping)
		rt.Handle("GET", "/{index}"+name, s.getMapping)
		rt.Handle("PUT", "/{index}"+name, s.putMapping)
		rt.Handle("POST", "/{index}"+name, s.putMapping)
	}
	rt.Handle("GET", "/_mapping/field/{fields}", s.getFieldMapping)
	rt.Handle("GET", "/{index}/_mapping/field/{fields}", s.getFieldMapping)
}

func (s *Server) getMapping(r *rest.Request) (rest.Action, error) {
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		out := wire.Object{}
		for _, i := range list {
			out.Add(i.Name, wire.Obj("mappings", i.Mapping))
		}
		return rest.OK(out), nil
	})
}

func (s *Server) getFieldMapping(r *rest.Request) (rest.Action, error) {
	patterns := r.List("fields")
	if defaults, err := r.Bool("include_defaults", false); err != nil {
		return nil, err
	} else if defaults {
		return nil, fault.Unsupported("[include_defaults] of the mapping of fields")
	}
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		out := wire.Object{}
		for _, i := range list {
			fields := wire.Object{}
			for _, pattern := range patterns {
				for _, path := range i.Mapping.Fields(pattern) {
					leaf := path
					if at := lastDot(path); at >= 0 {
						leaf = path[at+1:]
					}
					fields.Add(path, wire.Obj("full_name", path, "mapping", wire.Obj(leaf, i.Mapping.Definition(path))))
				}
			}
			out.Add(i.Name, wire.Obj("mappings", fields))
		}
		return rest.OK(out), nil
	})
}

func (s *Server) putMapping(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o, err := r.IndexOptions(changeOptions)
	if err != nil {
		return nil, err
	}
	writeOnly, err := r.Bool("write_index_only", false)
	if err != nil {
		return nil, err
	}
	if err := timeouts(r); err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutMapping(ctx, expressions, o, writeOnly, body) }), nil
}
