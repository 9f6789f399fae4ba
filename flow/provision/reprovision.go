// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
)

// Reprovision replaces a provisioned workflow's template and makes what is new in it, changes what differs, and leaves
// the rest. It returns as Provision does.
func (s *Service) Reprovision(ctx context.Context, id string, t *flow.Template, validate bool, o Request) (*State, error) {
	stored, err := s.existingTemplate(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.validate(ctx, t, validate); err != nil {
		return nil, err
	}
	st, err := s.readState(ctx, id)
	switch {
	case err != nil:
		return nil, own(err, "Failed to get workflow state for workflow %s", id)
	case !st.found:
		return nil, errNoStatus(id)
	case st.State.State == Provisioning || st.State.State == NotStarted:
		return nil, flow.Errorf(http.StatusBadRequest, "The template can not be reprovisioned unless its provisioning state is DONE or FAILED: %s", id)
	}
	old, err := s.opened(id, stored.Template)
	if err != nil {
		return nil, err
	}
	b, err := s.changes(ctx, st, old, t)
	if err != nil {
		return nil, err
	}
	b.request = o
	if err := s.checkKey(t, nil); err != nil {
		return nil, err
	}
	x, err := s.begin(st, b)
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, id, x, o.Wait)
}

// changes finds out what a new template asks to do, or refuses it.
func (s *Service) changes(ctx context.Context, st storedState, old, t *flow.Template) (beginning, error) {
	id := st.WorkflowID
	b := beginning{goal: goalReprovision, template: t}
	before, w := old.Workflow(flow.ProvisionWorkflow), t.Workflow(flow.ProvisionWorkflow)
	if before == nil || w == nil {
		return b, flow.Errorf(http.StatusBadRequest, "Workflow validation failed for workflow %s", id)
	}
	plan, err := s.ordered(ctx, id, w)
	if err != nil {
		return b, own(err, "Workflow validation failed for workflow %s", id)
	}
	if err := s.checked(ctx, plan); err != nil {
		return b, flowError(err, fault.Of(err).Status, "Workflow validation failed for workflow %s", id)
	}
	for _, n := range before.Nodes {
		if w.Node(n.ID) == nil {
			return b, flow.Errorf(http.StatusBadRequest, "Workflow Step deletion is not supported when reprovisioning a template.")
		}
	}
	run, err := readRun(ctx, s.client, id)
	if err != nil {
		return b, own(err, "Failed to get workflow state for workflow %s", id)
	}
	b.nodes = s.known(plan, st, run)
	return b, b.compare(plan, before, st)
}

// compare finds out which nodes are to run again, and how.
func (b *beginning) compare(plan []flow.Planned, before *flow.Workflow, st storedState) error {
	modified := map[string]bool{}
	for i, p := range plan {
		was := before.Node(p.Node.ID)
		n := b.nodes[i]
		n.Made = nil // of this run
		switch {
		case was == nil || was.Type != p.Node.Type:
			modified[n.ID] = true
			n.Status = nodePending
		case sameNode(was, p.Node):
			leave(n, p, st)
		default:
			modified[n.ID] = true
			if err := b.update(n, p, st); err != nil {
				return err
			}
		}
	}
	if len(modified) == 0 {
		return flow.Errorf(http.StatusBadRequest, "Template does not contain any modifications")
	}
	return checkFilled(plan, nil, func(p flow.Planned) bool { return modified[p.Node.ID] })
}

// leave keeps a node that did not change, unless it never ran. A tool has no resource: it is described again.
func leave(n *nodeRecord, p flow.Planned, st storedState) {
	switch {
	case p.Node.Type == "create_tool":
		n.Status = nodePending
	case n.Status != nodeCompleted && p.Type.Resource == "" && st.State.State == Completed:
		n.Status = nodeCompleted
	}
}

// update makes a node change what it made; one that has made nothing of its own is run as it is.
func (b *beginning) update(n *nodeRecord, p flow.Planned, st storedState) error {
	own := n.Status == nodeCompleted && !n.Adopted && n.Outputs != ""
	n.Status, n.Error = nodePending, nil
	switch {
	case !own && p.Type.Resource != "":
		return nil
	case p.Type.Update != "" && !renamed(p, st):
		b.updates = append(b.updates, p.Node.ID)
		return nil
	case p.Type.Resource != "" || p.Node.Type == "reindex":
		return flow.Errorf(http.StatusBadRequest, "Workflow Step %s does not support updates when reprovisioning.", p.Node.ID)
	}
	return flow.Errorf(http.StatusBadRequest, "Unable to find update step for step: %s", p.Node.Type)
}

// renamed reports whether a node names another resource than the one it made, which nobody would take away then.
func renamed(p flow.Planned, st storedState) bool {
	names := make([]string, len(p.Type.Named))
	for i, input := range p.Type.Named {
		v, _ := p.Node.Inputs.Get(input)
		name, ok := v.(string)
		if !ok || len(flow.Placeholders(name)) > 0 {
			return false // known when it runs
		}
		names[i] = name
	}
	made := Resource{Step: p.Node.Type, Node: p.Node.ID, Type: p.Type.Resource, ID: strings.Join(names, "/")}
	return !contains(st.Resources, made)
}

// sameNode reports whether two nodes have the same inputs.
func sameNode(a, b *flow.Node) bool {
	if !reflect.DeepEqual(asMap(a.Previous), asMap(b.Previous)) {
		return false
	}
	x, y := decoded(a.Inputs.JSON()), decoded(b.Inputs.JSON())
	return x != nil && reflect.DeepEqual(x, y)
}

func asMap(params []flow.Param) map[string]string {
	out := make(map[string]string, len(params))
	for _, p := range params {
		out[p.Name] = p.Value
	}
	return out
}

// decoded is a value as JSON has it, objects without order.
func decoded(v any) (out any) {
	text, err := marshal(v)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}
