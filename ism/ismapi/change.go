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
	return names.then(func(ctx context.Context, names []string) (*rest.Response, error) {
		_, policy, err := a.policy(ctx, c.policyID)
		if err != nil {
			return nil, err
		}
		if policy == nil {
			return nil, fault.Status(http.StatusNotFound, "Could not find policy=%s", c.policyID)
		}
		return a.changeAll(ctx, names, c, policy)
	}), nil
}

// changeAll changes the policy of the indices that expressions mean, portion by portion. Once one is stored, a failure
// is that of the indices of its portion.
func (a *API) changeAll(ctx context.Context, expressions []string, c changeRequest, policy *ism.Policy) (*rest.Response, error) {
	names, err := a.resolve(ctx, expressions, true)
	if err != nil {
		return nil, err
	}
	found, out := 0, &outcome{}
	for part := range slices.Chunk(names, portion) {
		targets, err := a.described(ctx, part)
		if err == nil {
			err = a.readDocuments(ctx, targets)
		}
		if err == nil {
			err = a.changeTo(ctx, targets, c, policy, out)
		}
		if err != nil && out.updated == 0 {
			return nil, err
		}
		if err != nil {
			out.failAll(part, targets, bulkMessage(err))
		}
		found += len(targets)
	}
	if found == 0 {
		return nil, nothingNamed()
	}
	return out.response(), nil
}

// changeTo stores the change in the targets' jobs. out tells of each, unless there is an error.
func (a *API) changeTo(ctx context.Context, targets []*target, c changeRequest, policy *ism.Policy, out *outcome) error {
	var refused outcome
	var changed []*target
	var writes []opensearch.Write
	for _, t := range targets {
		state := ""
		if t.meta != nil && t.meta.State != nil {
			state = t.meta.State.Name
		}
		switch {
		case t.meta != nil && t.meta.TransitionTo != "":
			refused.fail(t, "Cannot change policy while transitioning to new state")
			continue
		case t.meta != nil && len(c.include) > 0 && !slices.Contains(c.include, state):
			continue // neither updated nor failed
		case t.job == nil:
			refused.fail(t, "This index is not being managed")
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
		return err
	}
	a.changed()
	out.failed = append(out.failed, refused.failed...)
	for i, t := range changed {
		if err := results[i].Err; err != nil {
			out.fail(t, bulkMessage(err))
			continue
		}
		out.updated++
	}
	return nil
}

func parseChange(body []byte) (changeRequest, error) {
	var c changeRequest
	var id *string
	err := wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
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
			if p.Token() != wire.Null {
				_, err = p.RawObject()
			}
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
