// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"regexp"
	"strings"

	"github.com/opensteward/steward/wire"
)

// Outputs is what a finished node gives to those after it.
type Outputs map[string]any

// Scope is where a node's inputs come from.
type Scope struct {
	WorkflowID string
	UserParams []Param
	// Outputs are those of the node's direct predecessors, by node id.
	Outputs map[string]Outputs
	// Params are the request's substitution values.
	Params []Param
}

// Resolve finds the inputs that a step reads, keys (required ones and others) in their order of precedence, and fills
// in their placeholders. A required one that is nowhere is the API's error.
func Resolve(p Planned, optional []string, scope Scope) (Inputs, error) {
	var inputs Inputs
	var missing []string
	for _, key := range p.Type.Inputs {
		v, ok := lookUp(p, key, scope)
		if !ok {
			missing = append(missing, key)
			continue
		}
		inputs = append(inputs, Input{key, scope.fill(v)})
	}
	if len(missing) > 0 {
		return nil, badRequest("Missing required inputs [%s] in workflow [%s] node [%s]", strings.Join(missing, ", "), scope.WorkflowID, p.Node.ID)
	}
	for _, key := range optional {
		if v, ok := lookUp(p, key, scope); ok {
			inputs = append(inputs, Input{key, scope.fill(v)})
		}
	}
	return inputs, nil
}

// Known are the inputs that a step reads as far as they are known: those that predecessors give are left out.
func Known(p Planned, optional []string, scope Scope) Inputs {
	inputs := Inputs{}
	for _, key := range append(append([]string(nil), p.Type.Inputs...), optional...) {
		if v, ok := lookUp(p, key, scope); ok {
			inputs = append(inputs, Input{key, scope.fill(v)})
		}
	}
	return inputs
}

// lookUp finds a key: the predecessor that previous_node_inputs names for it, user_params, the node's own user_inputs,
// any direct predecessor.
func lookUp(p Planned, key string, scope Scope) (any, bool) {
	for _, previous := range p.Node.Previous {
		if previous.Value == key {
			if v, ok := scope.Outputs[previous.Name][key]; ok {
				return v, true
			}
		}
	}
	for _, param := range scope.UserParams {
		if param.Name == key {
			return param.Value, true
		}
	}
	if v, ok := p.Node.Inputs.Get(key); ok {
		return v, true
	}
	for _, id := range p.After {
		if v, ok := scope.Outputs[id][key]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s Scope) fill(v any) any {
	switch v := v.(type) {
	case string:
		return s.fillText(v, plain)
	case JSONText:
		return JSONText(s.fillText(string(v), escaped))
	case Map:
		out := make(Map, len(v))
		for i, p := range v {
			out[i] = Param{p.Name, s.fillText(p.Value, plain)}
		}
		return out
	case Texts:
		out := make(Texts, len(v))
		for i, t := range v {
			out[i] = s.fillText(t, plain)
		}
		return out
	case List:
		out := make(List, len(v))
		for i, item := range v {
			out[i] = make(Inputs, len(item))
			for j, member := range item {
				out[i][j] = Input{member.Name, s.fillMember(member)}
			}
		}
		return out
	default:
		return v
	}
}

// fillMember fills a member of an object in an array. The body of an action is JSON text.
func (s Scope) fillMember(member Input) any {
	if body, is := member.Value.(string); is && member.Name == "request_body" && strings.HasPrefix(strings.TrimSpace(body), "{") {
		return s.fillText(body, escaped)
	}
	return s.fill(member.Value)
}

func plain(s string) string { return s }

// escaped makes a value safe inside JSON text. The plugin escapes in plain texts too, which alters secrets that hold a
// quote or a backslash; and it leaves control characters other than a line feed, which JSON does not allow.
func escaped(s string) string {
	quoted, err := wire.Marshal(s)
	if err != nil {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

var (
	reference   = regexp.MustCompile(`\$\{\{\s*([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)\s*\}\}`)
	placeholder = regexp.MustCompile(`\$\{\{\s*([^{}]+?)\s*\}\}`)
)

// fillText fills in step outputs, then request parameters. A placeholder that nothing fills stays.
func (s Scope) fillText(text string, escape func(string) string) string {
	if !strings.Contains(text, "${{") {
		return text
	}
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		m := reference.FindStringSubmatch(found)
		if v, ok := s.Outputs[m[1]][m[2]].(string); ok {
			return v
		}
		return found
	})
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := placeholder.FindStringSubmatch(found)[1]
		for _, p := range s.Params {
			if p.Name == name {
				return escape(p.Value)
			}
		}
		return found
	})
}
