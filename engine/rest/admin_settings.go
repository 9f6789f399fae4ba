// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

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

func (s *Server) getSettings(r *rest.Request) (rest.Action, error) {
	flat, defaults := r.Bool("flat_settings", false), r.Bool("include_defaults", false)
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
	o := r.IndexOptions(changeOptions)
	preserve := r.Bool("preserve_existing", false)
	r.Ignore("flat_settings")
	timeouts(r)
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
	flat, defaults := r.Bool("flat_settings", false), r.Bool("include_defaults", false)
	r.Ignore("local")
	timeouts(r)
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
	flat := r.Bool("flat_settings", false)
	timeouts(r)
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
		if s.SettingsChanged != nil {
			if err := errors.Join(s.SettingsChanged(ctx, persistent.Set), s.SettingsChanged(ctx, transient.Set)); err != nil {
				return nil, err
			}
		}
		answer := wire.Obj("acknowledged", true)
		return rest.OK(append(answer, clusterSettingsJSON(s.Catalog.State(), persistent.Set, transient.Set, flat)...)), nil
	}, nil
}
