// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

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
	if r.Bool("include_defaults", false) {
		return nil, fault.Unsupported("[include_defaults] of the mapping of fields")
	}
	return s.resolved(r, getOptions, func(list []*catalog.Index) (*rest.Response, error) {
		out := wire.Object{}
		for _, i := range list {
			fields := wire.Object{}
			for _, pattern := range patterns {
				for _, path := range i.Mapping.Fields(pattern) {
					leaf := path
					if at := strings.LastIndexByte(path, '.'); at >= 0 {
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
	o := r.IndexOptions(changeOptions)
	writeOnly := r.Bool("write_index_only", false)
	timeouts(r)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	if err := wholeObject(body); err != nil {
		return nil, err
	}
	if ofType(body) {
		return nil, fault.Illegal("Types cannot be provided in put mapping requests")
	}
	return change(func(ctx context.Context) error { return s.Catalog.PutMapping(ctx, expressions, o, writeOnly, body) }), nil
}

// ofType reports whether a mapping stands below the name of a type and nothing beside it.
func ofType(body []byte) bool {
	list, err := members(body)
	return err == nil && len(list) == 1 && list[0].Name == "_doc"
}
