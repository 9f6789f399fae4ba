// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/wire"
)

// DryRun tells what provisioning a workflow would do: its nodes in their order, with their inputs as far as they are
// known before anything is made, secrets masked, whether what a node makes is there already, and why a node would be
// refused before the cluster is called. Nothing is written.
func (s *Service) DryRun(ctx context.Context, id string, o Request) (wire.Object, error) {
	t, plan, err := s.provisionable(ctx, id, o)
	if err != nil {
		return nil, err
	}
	st, err := s.readState(ctx, id)
	if err != nil {
		return nil, own(err, "Failed to get workflow status of: %s", id)
	}
	if progress := st.progress(); progress != NotStarted && !o.Resume {
		return nil, errProvisioned(id, progress)
	}
	w := t.Workflow(flow.ProvisionWorkflow)
	mask := masker(w, o.Params)
	settings, err := s.o.Settings(ctx)
	if err != nil {
		return nil, own(err, "Failed to get workflow status of: %s", id)
	}
	env := step.Env{Client: s.o.Client, Own: s.o.Own, RestCalls: settings.List(flow.RestCallSetting)}
	scope := flow.Scope{WorkflowID: id, UserParams: w.UserParams, Params: o.Params}
	steps := make([]wire.Object, len(plan))
	for i, p := range plan {
		if steps[i], err = dryStep(ctx, env, p, scope, mask); err != nil {
			return nil, err
		}
	}
	return wire.Obj("workflow_id", id, "dry_run", true, "steps", steps), nil
}

func dryStep(ctx context.Context, env step.Env, p flow.Planned, scope flow.Scope, mask func(string) string) (wire.Object, error) {
	found, _ := step.Find(p.Node.Type)
	inputs := flow.Known(p, found.Optional, scope)
	o := wire.Obj("workflow_step_id", p.Node.ID, "workflow_step_name", p.Node.Type, "after", listOf(p.After), "inputs", maskedInputs(inputs, mask))
	env.Node = p
	if found.Check != nil && whole(p, inputs) {
		if err := found.Check(env, inputs); err != nil {
			o.Add("refused", mask(fault.Of(err).Reason))
			return o, nil
		}
	}
	if found.Exists == nil {
		return o, nil
	}
	exists, err := found.Exists(ctx, env, inputs)
	if err != nil {
		return nil, own(err, "Failed to look for what step %s makes", p.Node.ID)
	}
	o.Add("exists", exists)
	return o, nil
}

// whole reports whether all that a step reads is known before anything is made.
func whole(p flow.Planned, inputs flow.Inputs) bool {
	missing := slices.ContainsFunc(p.Type.Inputs, func(name string) bool { return !inputs.Has(name) })
	return !missing && len(flow.PlaceholdersOf(inputs)) == 0
}

// maskedInputs are inputs as they may be shown.
func maskedInputs(inputs flow.Inputs, mask func(string) string) any {
	out := make(flow.Inputs, len(inputs))
	for i, in := range inputs {
		out[i] = in
		if m, ok := in.Value.(flow.Map); ok && in.Name == credentialInput {
			hidden := make(flow.Map, len(m))
			for j, p := range m {
				hidden[j] = flow.Param{Name: p.Name, Value: masked}
			}
			out[i].Value = hidden
		}
	}
	text, err := marshal(out.JSON())
	if err != nil {
		return masked
	}
	return json.RawMessage(mask(string(text)))
}

func listOf(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}
