// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/wire"
)

// DryRun tells what provisioning a workflow would do: its nodes in their order, with their inputs as far as they are
// known before anything is made, secrets masked, and whether what a node makes is there already. Nothing is written.
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
	steps := make([]wire.Object, len(plan))
	for i, p := range plan {
		if steps[i], err = s.dryStep(ctx, id, w, p, o.Params, mask); err != nil {
			return nil, err
		}
	}
	return wire.Obj("workflow_id", id, "dry_run", true, "steps", steps), nil
}

func (s *Service) dryStep(ctx context.Context, id string, w *flow.Workflow, p flow.Planned, params []flow.Param, mask func(string) string) (wire.Object, error) {
	found, _ := step.Find(p.Node.Type)
	inputs := flow.Known(p, found.Optional, flow.Scope{WorkflowID: id, UserParams: w.UserParams, Params: params})
	o := wire.Obj("workflow_step_id", p.Node.ID, "workflow_step_name", p.Node.Type, "after", listOf(p.After), "inputs", maskedInputs(inputs, mask))
	if found.Exists == nil {
		return o, nil
	}
	exists, err := found.Exists(ctx, step.Env{Client: s.client, Own: s.o.Own, Node: p}, inputs)
	if err != nil {
		return nil, own(err, "Failed to look for what step %s makes", p.Node.ID)
	}
	o.Add("exists", exists)
	return o, nil
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
