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
	rt.Handle("GET", "/{index}/_scale", refuse)
	rt.Handle("POST", "/{index}/_scale", refuse)
	rt.Handle("GET", "/_resolve/index/{name}", s.resolveIndex)
}

// parseNewIndex reads the body of a creation: settings, mappings and aliases.
func parseNewIndex(body []byte) (catalog.NewIndex, error) {
	var n catalog.NewIndex
	if body == nil {
		return n, nil
	}
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error { return newIndexMember(p, name, &n) })
	if err == nil && ofType(n.Mappings) {
		err = fault.Illegal("The mapping definition cannot be nested under a type")
	}
	return n, err
}

// newIndexMember reads one member of a creation.
func newIndexMember(p *wire.Parser, name string, n *catalog.NewIndex) error {
	switch name {
	case "settings":
		raw, err := p.RawObject()
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
		raw, err := p.RawObject()
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
	timeouts(r)
	wait, err := catalog.ParseActiveShards(r.Param("wait_for_active_shards", ""))
	if err != nil {
		return nil, err
	}
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if err := wholeObject(body); err != nil {
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

func (s *Server) getIndex(r *rest.Request) (rest.Action, error) {
	flat, defaults := r.Bool("flat_settings", false), r.Bool("include_defaults", false)
	human := r.Human()
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		state := s.Catalog.State()
		out := wire.Object{}
		for _, i := range list {
			one := wire.Obj("aliases", aliasesJSON(i.Aliases), "mappings", i.Mapping, "settings", settingsJSON(state, i, flat, human))
			if defaults {
				one.Add("defaults", defaultsJSON(state, i, flat))
			}
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
		return exists(true), nil
	})
}

func (s *Server) deleteIndex(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(deleteOptions)
	timeouts(r)
	return change(func(ctx context.Context) error { return s.Catalog.DeleteIndices(ctx, expressions, o) }), nil
}

func (s *Server) openIndex(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(openOptions)
	timeouts(r)
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
	o := r.IndexOptions(closeOptions)
	timeouts(r)
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
	o := r.IndexOptions(blockOptions)
	timeouts(r)
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
