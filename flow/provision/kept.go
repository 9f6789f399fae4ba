// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/wire"
)

// credentialInput is the input whose values are secrets.
const credentialInput = "credential"

// kept is what a run needs to be finished by another process.
type kept struct {
	// Template is the whole template, credentials in clear.
	Template json.RawMessage `json:"template"`
	Params   []flow.Param    `json:"params,omitempty"`
	// Updates are the nodes that change what they made before rather than make it.
	Updates []string `json:"updates,omitempty"`
}

func marshal(v any) ([]byte, error) { return wire.Marshal(v) }

// keep seals what a run needs. Without a key it is kept in clear, if there is nothing secret in it.
func (s *Service) keep(id string, k kept) (string, error) {
	text, err := marshal(k)
	if err != nil {
		return "", err
	}
	if s.o.Keys == nil {
		return string(text), nil
	}
	return s.o.Keys.Seal(string(text), runPrefix+id)
}

// unkeep opens what keep sealed.
func (s *Service) unkeep(id, text string) (k kept, t *flow.Template, err error) {
	if text == "" {
		return k, nil, errors.New("the run has no plan any more")
	}
	if secret.Sealed(text) {
		if text, err = s.o.Keys.Open(text, runPrefix+id); err != nil {
			return k, nil, fmt.Errorf("the plan of workflow %s cannot be read: %w", id, err)
		}
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return k, nil, err
	}
	t, err = flow.Parse(k.Template)
	return k, t, err
}

// credentials calls fn for every credential value of a template, and puts what it returns in its place.
func credentials(t *flow.Template, fn func(place, value string) (string, error)) error {
	for _, w := range t.Workflows {
		for i := range w.Nodes {
			n := &w.Nodes[i]
			for j, in := range n.Inputs {
				m, ok := in.Value.(flow.Map)
				if !ok || in.Name != credentialInput {
					continue
				}
				filled := slices.Clone(m)
				for k, p := range m {
					v, err := fn(w.Name+"/"+n.ID+"/"+p.Name, p.Value)
					if err != nil {
						return err
					}
					filled[k].Value = v
				}
				n.Inputs[j].Value = filled
			}
		}
	}
	return nil
}

// hasCredentials are the nodes with credentials.
func hasCredentials(t *flow.Template) (nodes []string) {
	for _, w := range t.Workflows {
		for _, n := range w.Nodes {
			if m, ok := n.Inputs.Get(credentialInput); ok {
				if m, is := m.(flow.Map); is && len(m) > 0 && !slices.Contains(nodes, n.ID) {
					nodes = append(nodes, n.ID)
				}
			}
		}
	}
	return nodes
}

// cloned is a template of its own.
func cloned(t *flow.Template) (*flow.Template, error) {
	text, err := marshal(t)
	if err != nil {
		return nil, err
	}
	return flow.Parse(text)
}

// sealed is a template as it is stored: each credential sealed for its place.
func (s *Service) sealed(id string, t *flow.Template) (*flow.Template, error) {
	out, err := cloned(t)
	if err != nil {
		return nil, err
	}
	err = credentials(out, func(place, value string) (string, error) {
		return s.o.Keys.Seal(value, TemplateIndex+"/"+id+"/"+place)
	})
	return out, noKey(err, hasCredentials(t))
}

// opened is a stored template with its credentials in clear.
func (s *Service) opened(id string, t *flow.Template) (*flow.Template, error) {
	out, err := cloned(t)
	if err != nil {
		return nil, err
	}
	err = credentials(out, func(place, value string) (string, error) {
		if !secret.Sealed(value) {
			return value, nil
		}
		return s.o.Keys.Open(value, TemplateIndex+"/"+id+"/"+place)
	})
	if err != nil {
		return nil, flowError(err, http.StatusInternalServerError, "The credentials of workflow %s cannot be read: %v", id, err)
	}
	return out, nil
}

// noKey names the nodes that a missing key keeps from being stored.
func noKey(err error, nodes []string) error {
	if errors.Is(err, secret.ErrNoKey) {
		return flowError(err, http.StatusBadRequest,
			"The nodes [%s] have credentials, which cannot be kept: no encryption key is configured; give one with --key-file or STEWARD_KEY", strings.Join(nodes, ", "))
	}
	return err
}

// checkKey refuses parameters that could not be kept.
func (s *Service) checkKey(t *flow.Template, params []flow.Param) error {
	if s.o.Keys != nil {
		return nil
	}
	if nodes := hasCredentials(t); len(nodes) > 0 {
		return noKey(secret.ErrNoKey, nodes)
	}
	if len(params) == 0 {
		return nil
	}
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Name
	}
	return flowError(secret.ErrNoKey, http.StatusBadRequest,
		"The parameters [%s] cannot be kept: no encryption key is configured; give one with --key-file or STEWARD_KEY", strings.Join(names, ", "))
}

// Redacted is a template as the API shows it: without credentials.
func Redacted(t *flow.Template) *flow.Template {
	out := *t
	out.Workflows = make([]flow.Workflow, len(t.Workflows))
	for i, w := range t.Workflows {
		out.Workflows[i] = w
		out.Workflows[i].Nodes = slices.Clone(w.Nodes)
		for j := range w.Nodes {
			n := &out.Workflows[i].Nodes[j]
			n.Inputs = slices.DeleteFunc(slices.Clone(n.Inputs), func(in flow.Input) bool { return in.Name == credentialInput })
		}
	}
	out.User = nil
	return &out
}

// masked stands where a secret stood.
const masked = "***"

// shortestSecret is the length, in bytes, from which on a parameter is looked for in texts: shorter ones are found
// everywhere.
const shortestSecret = 6

// masker removes secrets from texts: all credentials, and all parameters but those that name a resource.
func masker(w *flow.Workflow, params []flow.Param) func(string) string {
	names := resourceNames(w)
	var secrets []string
	add := func(v string) {
		if len(v) >= shortestSecret {
			secrets = append(secrets, v)
		}
	}
	for _, n := range w.Nodes {
		v, _ := n.Inputs.Get(credentialInput)
		m, _ := v.(flow.Map)
		for _, p := range m {
			add(p.Value)
		}
	}
	for _, p := range params {
		if !slices.ContainsFunc(names, func(text string) bool { return mentions(text, p.Name) }) {
			add(p.Value)
		}
	}
	return replacer(secrets).Replace
}

// replacer masks each of these texts, also as it stands in JSON. Of two of which one begins with the other the longer one
// goes first: nothing of it stays.
func replacer(secrets []string) *strings.Replacer {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, v := range secrets {
		if quoted, err := marshal(v); err == nil {
			pairs = append(pairs, string(quoted[1:len(quoted)-1]), masked)
		}
		pairs = append(pairs, v, masked)
	}
	return strings.NewReplacer(pairs...)
}

// resourceNames are the texts of a workflow that name resources.
func resourceNames(w *flow.Workflow) (texts []string) {
	for _, n := range w.Nodes {
		for _, in := range n.Inputs {
			if text, ok := in.Value.(string); ok && slices.Contains(naming, in.Name) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// naming are the inputs that name resources.
var naming = []string{
	"index_name", "pipeline_id", "source_index", "destination_index", "name",
	"index_template_name", "component_template_name", "data_stream_name", "alias_name", "repository_name", "policy_id",
	"path", "undo_path",
}

// mentions reports whether a text has the placeholder of a parameter.
func mentions(text, param string) bool {
	return slices.Contains(flow.Placeholders(text), param)
}
