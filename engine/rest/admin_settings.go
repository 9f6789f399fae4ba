// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

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
	values := maps.Clone(i.Settings)
	if human {
		values["index.creation_date_string"] = instant(i.Created())
		values["index.version.created_string"] = catalog.VersionOf(values["index.version.created"])
		if upgraded, ok := values["index.version.upgraded"]; ok {
			values["index.version.upgraded_string"] = catalog.VersionOf(upgraded)
		}
	}
	return state.IndexRegistry().JSON(values, flat)
}

// defaultsJSON are the settings that an index was not given.
func defaultsJSON(state *catalog.State, i *catalog.Index, flat bool) any {
	return state.IndexRegistry().JSON(state.IndexDefaults(i), flat)
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
			if defaults {
				one.Add("defaults", defaultsJSON(state, i, flat))
			}
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
			out.Add("defaults", state.ClusterRegistry().JSON(state.ClusterDefaults(), flat))
		}
		return rest.OK(out), nil
	}, nil
}

func clusterSettingsJSON(state *catalog.State, persistent, transient setting.Values, flat bool) wire.Object {
	registry := state.ClusterRegistry()
	return wire.Obj("persistent", registry.JSON(persistent, flat), "transient", registry.JSON(transient, flat))
}

func (s *Server) putClusterSettings(r *rest.Request) (rest.Action, error) {
	flat := r.Bool("flat_settings", false)
	timeouts(r)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	var persistent, transient catalog.SettingsChange
	err = wire.ReadObject(body, func(p *wire.Parser, name string) error {
		into := &persistent
		switch name {
		case "persistent":
		case "transient":
			into = &transient
		default:
			return p.UnknownField("cluster_update_settings_request", name)
		}
		raw, err := p.RawObject()
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
