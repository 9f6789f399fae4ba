// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// changeRequest is the body of change_policy.
type changeRequest struct {
	policyID string
	state    *string
	// include limits the change to indices in one of these states; empty means all.
	include []string
}

// changePolicy stores a change of policy, which the reconciler applies when it may.
func (a *API) changePolicy(r *rest.Request) (rest.Action, error) {
	names, err := readIndices(r, "Missing index", "change policy on")
	if err != nil {
		return nil, err
	}
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	c, err := parseChange(body)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		_, policy, err := a.policy(ctx, c.policyID)
		if err != nil {
			return nil, err
		}
		if policy == nil {
			return nil, fault.Status(http.StatusNotFound, "Could not find policy=%s", c.policyID)
		}
		targets, err := a.targets(ctx, names, true)
		if err != nil {
			return nil, err
		}
		if len(targets) == 0 {
			return nil, nothingNamed()
		}
		if err := a.readDocuments(ctx, targets); err != nil {
			return nil, err
		}
		out, err := a.changeTo(ctx, targets, c, policy)
		if err != nil {
			return nil, err
		}
		return out.response(), nil
	}, nil
}

// changeTo stores the change in the targets' jobs.
func (a *API) changeTo(ctx context.Context, targets []*target, c changeRequest, policy *ism.Policy) (*outcome, error) {
	out := &outcome{}
	var changed []*target
	var writes []opensearch.Write
	for _, t := range targets {
		state := ""
		if t.meta != nil && t.meta.State != nil {
			state = t.meta.State.Name
		}
		switch {
		case t.meta != nil && t.meta.TransitionTo != "":
			out.fail(t, "Cannot change policy while transitioning to new state")
			continue
		case t.meta != nil && len(c.include) > 0 && !slices.Contains(c.include, state):
			continue // neither updated nor failed
		case t.job == nil:
			out.fail(t, "This index is not being managed")
			continue
		}
		job := *t.job
		job.ChangePolicy = &ism.ChangePolicy{
			PolicyID: c.policyID, State: c.state, IsSafe: ism.SafeToChange(state, job.Policy, policy, c.state),
		}
		job.LastUpdated = a.o.Clock.Now().UnixMilli()
		changed, writes = append(changed, t), append(writes, t.jobWrite(&job))
	}
	results, err := a.client.Bulk(ctx, writes)
	if err != nil {
		return nil, err
	}
	a.changed()
	for i, t := range changed {
		if err := results[i].Err; err != nil {
			out.fail(t, bulkMessage(err))
			continue
		}
		out.updated++
	}
	return out, nil
}

func parseChange(body []byte) (changeRequest, error) {
	var c changeRequest
	var id *string
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return c, err
	}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "policy_id":
			var s string
			s, err = p.Text()
			id = &s
		case "state":
			c.state, err = p.TextOrNull()
		case "include":
			err = p.Array(func() error {
				state, err := parseInclude(p)
				c.include = append(c.include, state)
				return err
			})
		case "is_safe":
			_, err = p.Bool()
		case "user":
			err = p.Skip()
		default:
			err = fault.Illegal("Invalid field: [%s] found in ChangePolicy.", name)
		}
		return err
	})
	switch {
	case err != nil:
		return c, err
	case id == nil:
		return c, fault.Illegal("ChangePolicy policy id is null")
	}
	c.policyID = *id
	return c, nil
}

func parseInclude(p *wire.Parser) (string, error) {
	var state *string
	err := p.Object(func(name string) error {
		if name != "state" {
			return p.Skip()
		}
		s, err := p.Text()
		state = &s
		return err
	})
	switch {
	case err != nil:
		return "", err
	case state == nil:
		return "", fault.Illegal("Must include a state when using include filter")
	}
	return *state, nil
}
