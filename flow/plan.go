// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Planned is a node in its place.
type Planned struct {
	Node *Node
	Type *StepType
	// After are the ids of its direct predecessors, in the order of the edges.
	After   []string
	Timeout time.Duration
}

// Limits bound a workflow.
type Limits struct{ MaxSteps int }

// Plan orders a workflow's nodes: predecessors first, otherwise in the order of the template, so that the same template
// always gives the same plan. workflowID is "" before the workflow has one. A mistake is the API's error.
func (w *Workflow) Plan(workflowID string, limits Limits) ([]Planned, error) {
	if err := w.check(workflowID, limits); err != nil {
		return nil, err
	}
	order, err := w.sort()
	if err != nil {
		return nil, err
	}
	plan := make([]Planned, 0, len(order))
	for _, n := range order {
		p, err := w.planned(n)
		if err != nil {
			return nil, err
		}
		plan = append(plan, p)
	}
	return plan, nil
}

func (w *Workflow) check(workflowID string, limits Limits) error {
	if workflowID == "" {
		workflowID = "null" // what the plugin prints
	}
	if len(w.Nodes) > limits.MaxSteps {
		return badRequest("Workflow %s has %d nodes, which exceeds the maximum of %d. Change the setting [plugins.flow_framework.max_workflow_steps] to increase this.",
			workflowID, len(w.Nodes), limits.MaxSteps)
	}
	ids := map[string]bool{}
	for _, n := range w.Nodes {
		if t := Step(n.Type); t != nil && t.Internal {
			return Errorf(http.StatusForbidden, "The step type [%s] for node [%s] can not be used in a workflow.", n.Type, n.ID)
		}
	}
	for _, n := range w.Nodes {
		if ids[n.ID] {
			return badRequest("Duplicate node id %s.", n.ID)
		}
		ids[n.ID] = true
	}
	for _, e := range w.Edges {
		switch {
		case !ids[e.Source]:
			return badRequest("Edge source %s does not correspond to a node.", e.Source)
		case !ids[e.Dest]:
			return badRequest("Edge destination %s does not correspond to a node.", e.Dest)
		case e.Source == e.Dest:
			return badRequest("Edge connects node %s to itself.", e.Source)
		}
	}
	return nil
}

// sort is Kahn's algorithm; the queue is ordered by the nodes' place in the template.
func (w *Workflow) sort() ([]*Node, error) {
	incoming := map[string]int{}
	for _, e := range w.Edges {
		incoming[e.Dest]++
	}
	var ready, order []*Node
	for i := range w.Nodes {
		if incoming[w.Nodes[i].ID] == 0 {
			ready = append(ready, &w.Nodes[i])
		}
	}
	if len(ready) == 0 {
		return nil, badRequest("No start node detected: all nodes have a predecessor.")
	}
	removed := map[Edge]bool{}
	for len(ready) > 0 {
		n := ready[0]
		ready = ready[1:]
		order = append(order, n)
		for _, e := range w.Edges {
			if e.Source != n.ID {
				continue
			}
			removed[e] = true
			if incoming[e.Dest]--; incoming[e.Dest] == 0 {
				ready = append(ready, w.Node(e.Dest))
			}
		}
	}
	if len(order) == len(w.Nodes) {
		return order, nil
	}
	var left []string
	for _, e := range w.Edges {
		if !removed[e] {
			left = append(left, e.Source+"->"+e.Dest)
		}
	}
	return nil, badRequest("Cycle detected: [%s]", strings.Join(left, ", "))
}

func (w *Workflow) planned(n *Node) (Planned, error) {
	p := Planned{Node: n, Type: Step(n.Type)}
	if p.Type == nil {
		return p, Errorf(http.StatusNotImplemented, "Workflow step type [%s] is not implemented.", n.Type)
	}
	for _, e := range w.Edges {
		if e.Dest == n.ID {
			p.After = append(p.After, e.Source)
		}
	}
	p.Timeout = p.Type.Timeout
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
	}
	v, ok := n.Inputs.Get("node_timeout")
	if !ok {
		return p, nil
	}
	field := n.ID + ".user_inputs.node_timeout"
	d, err := wire.ParseDuration(fmt.Sprint(v), field)
	if err != nil {
		return p, err // the API words it differently on create and on provision
	}
	if d.Value() < 0 {
		return p, badRequest("Failed to parse timeout value [%s] for field [%s]. Must be positive", d, field)
	}
	p.Timeout = d.Value()
	return p, nil
}

// Validate checks what a plan's nodes need: installed plugins, required inputs, and the names that ML Commons accepts.
// plugins are the names of the cluster's plugins.
func Validate(plan []Planned, plugins []string) error {
	for _, p := range plan {
		var missing []string
		for _, name := range p.Type.Plugins {
			if !slices.Contains(plugins, name) {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return badRequest("The workflowStep %s requires the following plugins to be installed : [%s]", p.Node.Type, strings.Join(missing, ", "))
		}
	}
	types := map[string]*StepType{}
	for _, p := range plan {
		types[p.Node.ID] = p.Type
	}
	for _, p := range plan {
		if missing := missingInputs(p, types); len(missing) > 0 {
			return badRequest("Invalid workflow, node [%s] missing the following required inputs : [%s]", p.Node.ID, strings.Join(missing, ", "))
		}
	}
	for _, p := range plan {
		if err := checkNames(p.Node); err != nil {
			return err
		}
	}
	return nil
}

func missingInputs(p Planned, types map[string]*StepType) []string {
	var missing []string
	for _, input := range p.Type.Inputs {
		given := p.Node.Inputs.Has(input) || slices.ContainsFunc(p.After, func(id string) bool {
			return slices.Contains(types[id].Outputs, input)
		})
		if !given {
			missing = append(missing, input)
		}
	}
	return missing
}

// safeText is what ML Commons accepts in names and descriptions.
var safeText = regexp.MustCompile(`^[\p{L}\p{N}\s.,!?():@\-_/'"]*$`)

// named are the step types whose names ML Commons checks, with the word it uses for them.
var named = map[string]string{
	"create_connector":                     "Model connector",
	"register_remote_model":                "Model",
	"register_local_custom_model":          "Model",
	"register_local_pretrained_model":      "Model",
	"register_local_sparse_encoding_model": "Model",
	"register_model_group":                 "Model group",
}

// checkNames refuses names early. A text with a placeholder is checked when it is filled in, not before: the plugin
// checks the placeholder itself, and so refuses two of its own built-in templates.
func checkNames(n *Node) error {
	label, ok := named[n.Type]
	if !ok {
		return nil
	}
	var messages []string
	for _, field := range []string{"name", "description"} {
		v, given := n.Inputs.Get(field)
		text, isText := v.(string)
		if (given && !isText) || strings.Contains(text, "${{") {
			continue
		}
		blank := strings.TrimSpace(text) == ""
		switch {
		case field == "name" && given && blank:
			messages = append(messages, fmt.Sprintf("%s %s [node %s] is required and cannot be null or blank", label, field, n.ID))
		case !blank && !safeText.MatchString(text):
			messages = append(messages, fmt.Sprintf("%s %s [node %s] can only contain letters, numbers, spaces, and basic punctuation (.,!?():@-_'/\")", label, field, n.ID))
		}
	}
	if len(messages) == 0 {
		return nil
	}
	return badRequest("%s", fault.Numbered(messages...))
}

// IsOwn reports whether err is already worded as an error of this API.
func IsOwn(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Form == fault.PlainNoStatus
}
