// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// simulateRequest is the body of a simulation: a stored policy or one of its own.
type simulateRequest struct {
	policyID string
	policy   *ism.Policy
	indices  []string
}

// simulate evaluates, without changing anything, where indices stand in a policy.
func (a *API) simulate(r *rest.Request) (rest.Action, error) {
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	q, err := parseSimulate(body, a.o.Clock.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := q.check(); err != nil {
			return nil, err
		}
		if q.policy == nil {
			if _, q.policy, err = a.policy(ctx, q.policyID); err != nil {
				return nil, err
			}
			if q.policy == nil {
				return nil, fault.Status(http.StatusNotFound, "Policy '%s' not found", q.policyID)
			}
		}
		list, err := a.simulated(ctx, q)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("simulate_results", list)), nil
	}, nil
}

func parseSimulate(body []byte, now int64) (q simulateRequest, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "policy_id":
			q.policyID, err = p.Text()
		case "policy":
			q.policy, err = ism.ParseBarePolicy(p, now)
		case "indices":
			return p.Array(func() error {
				index, err := p.Text()
				q.indices = append(q.indices, index)
				return err
			})
		default:
			err = p.Skip() // as the plugin does
		}
		return err
	})
	return q, err
}

// check refuses a request that does not say what to simulate, and where.
func (q *simulateRequest) check() error {
	var wrong []string
	if len(q.indices) == 0 {
		wrong = append(wrong, "indices cannot be empty")
	}
	switch {
	case q.policyID == "" && q.policy == nil:
		wrong = append(wrong, "either policy_id or policy must be provided")
	case q.policyID != "" && q.policy != nil:
		wrong = append(wrong, "only one of policy_id or policy can be provided, not both")
	}
	if len(wrong) > 0 {
		return fault.Validation(wrong...)
	}
	return nil
}

// simulated are the results, in the order of the request.
func (a *API) simulated(ctx context.Context, q simulateRequest) ([]wire.Object, error) {
	names, err := a.expand(ctx, q.indices)
	if err != nil {
		return nil, err
	}
	infos := map[string]opensearch.IndexInfo{}
	if len(names) > 0 {
		if infos, err = a.client.Indices(ctx, names); err != nil {
			return nil, err
		}
	}
	targets := map[string]*target{}
	var found []*target
	for _, name := range names {
		if info, ok := infos[name]; ok {
			targets[name] = &target{IndexInfo: info}
			found = append(found, targets[name])
		}
	}
	if len(found) > 0 {
		if err := a.readDocuments(ctx, found); err != nil {
			return nil, noConfigIndex(err)
		}
	}
	facts, err := a.simulationFacts(ctx, q.policy, found)
	if err != nil {
		return nil, err
	}
	out := []wire.Object{}
	for _, name := range names {
		out = append(out, a.simulateOne(name, targets[name], q, facts[name]))
	}
	return out, nil
}

// expand resolves patterns, which take open and closed indices, and keeps other names as they are.
func (a *API) expand(ctx context.Context, asked []string) ([]string, error) {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range asked {
		if !strings.ContainsAny(name, "*?") {
			add(name)
			continue
		}
		found, err := a.client.Visible(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, index := range found {
			add(index)
		}
	}
	return out, nil
}

// simulationFacts are the facts of indices by name, read in two requests at most. Numbers that cannot be read are
// left out.
func (a *API) simulationFacts(ctx context.Context, policy *ism.Policy, targets []*target) (map[string]ism.Facts, error) {
	out := map[string]ism.Facts{}
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return out, nil
	}
	needs := ism.SimulationNeeds(policy)
	stats := map[string]opensearch.IndexStats{}
	var err error
	if needs&ism.NeedStats != 0 {
		if stats, err = a.client.Stats(ctx, names); err != nil {
			return nil, err
		}
	}
	rolled := map[string]map[string]time.Time{}
	if needs&ism.NeedRolloverInfo != 0 {
		if rolled, err = a.client.RolloverInfo(ctx, names); err != nil {
			return nil, err
		}
	}
	for _, t := range targets {
		f := ism.Facts{Exists: true, Open: t.Open, Created: t.Created, RolledOver: rolled[t.Name]}
		for alias := range t.Aliases {
			f.Aliases = append(f.Aliases, alias)
		}
		if st, ok := stats[t.Name]; ok {
			f.Stats = &ism.Stats{Docs: st.Docs, PrimaryBytes: st.PrimaryBytes}
		}
		out[t.Name] = f
	}
	return out, nil
}

// simulateOne is the result of one index; t is nil if there is no such index.
func (a *API) simulateOne(name string, t *target, q simulateRequest, facts ism.Facts) wire.Object {
	if t == nil {
		return wire.Obj("index_name", name, "index_uuid", nil, "policy_id", q.policyID, "is_managed", false,
			"error", "Index '"+name+"' not found in cluster")
	}
	o := wire.Obj("index_name", name, "index_uuid", t.UUID, "policy_id", q.policyID, "is_managed", t.meta != nil)
	s, err := ism.Simulate(q.policy, t.meta, facts, a.o.Clock.Now())
	if err != nil {
		o.Add("error", fault.Of(err).Reason)
		return o
	}
	o.Add("current_state", s.State)
	if s.Action == "" {
		o.Add("current_action", nil)
	} else {
		o.Add("current_action", s.Action)
	}
	if s.Transitions != nil {
		o.Add("transition_evaluation", s.Transitions)
	}
	if s.Next == "" {
		o.Add("next_state", nil)
	} else {
		o.Add("next_state", s.Next)
	}
	return o
}
