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

// exists answers a HEAD that asks for something.
func exists(yes bool) *rest.Response {
	res := &rest.Response{Status: http.StatusOK, Body: []byte{}}
	if !yes {
		res.Status = http.StatusNotFound
	}
	return res
}

// timeouts reads the timeouts that changes of metadata take; there is nobody to wait for.
func timeouts(r *rest.Request) {
	r.ManagerTimeout()
	r.Duration("timeout", 0)
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

// resolved is an action on the indices of the path.
func (s *Server) resolved(r *rest.Request, def wire.IndexOptions, do func(list []*catalog.Index) (*rest.Response, error)) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(def)
	r.Ignore("local")
	r.ManagerTimeout()
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
