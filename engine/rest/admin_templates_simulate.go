// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// simulated reads the template of a simulation's body, if there is one.
func simulated(r *rest.Request) (*catalog.IndexTemplate, error) {
	timeouts(r)
	r.Ignore("create", "cause")
	body, err := r.Body()
	if err != nil || body == nil {
		return nil, err
	}
	return parseIndexTemplate(body)
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
