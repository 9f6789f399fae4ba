// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opensteward/steward/wire"
)

// Inputs are a node's user_inputs, in the order of the document.
type Inputs []Input

// Input is one user input. Its Value is one of: string, json.Number, bool, [JSONText], [Map], [Texts], [List] or
// [Verbatim], as its JSON and its name decide.
type Input struct {
	Name  string
	Value any
}

// JSONText is an object kept as its JSON text (configurations, interface, llm, and two inputs of agents of which the
// plugin can only use the text); it prints as a string.
type JSONText string

// Map is an object of texts.
type Map []Param

// Texts is an array of texts (tools_order, and the lists of roles and nodes, which the plugin cannot read).
type Texts []string

// List is an array of objects whose members are texts or maps (actions, processors).
type List []Inputs

// Verbatim is an object that is kept as it is (guardrails).
type Verbatim json.RawMessage

// Get returns the input of this name.
func (in Inputs) Get(name string) (any, bool) {
	for _, i := range in {
		if i.Name == name {
			return i.Value, true
		}
	}
	return nil, false
}

// Has reports whether there is an input of this name.
func (in Inputs) Has(name string) bool {
	_, ok := in.Get(name)
	return ok
}

// Get returns the text of this name.
func (m Map) Get(name string) (string, bool) {
	for _, p := range m {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

func parseInputs(p *wire.Parser) (Inputs, error) {
	inputs := Inputs{}
	err := p.Object(func(name string) error {
		v, err := parseInput(p, name)
		inputs = append(inputs, Input{name, v})
		return err
	})
	return inputs, err
}

// jsonInputs are the inputs whose objects are kept as texts; they come as texts, too, and always so from where they
// are stored. undo_configurations is not one of the plugin's.
var jsonInputs = []string{"configurations", "interface", "llm", "model", "context_management", "undo_configurations"}

func parseInput(p *wire.Parser, name string) (any, error) {
	switch p.Token() {
	case wire.String:
		text, err := p.Text()
		if slices.Contains(jsonInputs, name) && strings.HasPrefix(strings.TrimSpace(text), "{") {
			return JSONText(text), err
		}
		return text, err
	case wire.Number:
		text, err := p.Text()
		return json.Number(text), err
	case wire.Boolean:
		return p.Bool()
	case wire.StartObject:
		return parseObjectInput(p, name)
	case wire.StartArray:
		return parseArrayInput(p, name)
	default:
		return nil, badRequest("Unable to parse field [%s] in a node object.", name)
	}
}

func parseObjectInput(p *wire.Parser, name string) (any, error) {
	switch {
	case slices.Contains(jsonInputs, name):
		raw, err := p.Raw()
		return JSONText(compact(raw)), err
	case name == "guardrails":
		raw, err := p.Raw()
		return Verbatim(raw), err
	default:
		m, err := scalars(p)
		return Map(m), err
	}
}

func parseArrayInput(p *wire.Parser, name string) (any, error) {
	switch name {
	case "tools_order", "backend_roles", "model_node_ids":
		list := Texts{}
		err := p.Array(func() error {
			s, err := p.Text()
			list = append(list, s)
			return err
		})
		return list, err
	case "processors":
		return parseProcessors(p)
	}
	list := List{}
	err := p.Array(func() error {
		var item Inputs
		err := p.Object(func(member string) error {
			v, err := parseMember(p)
			item = append(item, Input{member, v})
			return err
		})
		list = append(list, item)
		return err
	})
	return list, err
}

// parseProcessors reads the old form of a pipeline's processors: {type, params}.
func parseProcessors(p *wire.Parser) (List, error) {
	list := List{}
	err := p.Array(func() error {
		var item Inputs
		err := p.Object(func(member string) error {
			var v any
			var err error
			switch member {
			case "type":
				v, err = p.Text()
			case "params":
				var m []Param
				m, err = scalars(p)
				v = Map(m)
			default:
				return badRequest("Unable to parse field [%s] in a pipeline processor object.", member)
			}
			item = append(item, Input{member, v})
			return err
		})
		if err == nil && !item.Has("type") {
			err = badRequest("A processor object requires a type field.")
		}
		list = append(list, item)
		return err
	})
	return list, err
}

// parseMember reads a member of an object in an array: a text, a map of texts, or an array as its text.
func parseMember(p *wire.Parser) (any, error) {
	switch p.Token() {
	case wire.StartObject:
		m, err := scalars(p)
		return Map(m), err
	case wire.StartArray:
		return listText(p)
	default:
		return p.Text()
	}
}

// listText is an array as the plugin keeps it: elements quoted unless they are numbers, joined by ", ".
func listText(p *wire.Parser) (string, error) {
	var items []string
	err := p.Array(func() error {
		number := p.Token() == wire.Number
		s, err := p.Text()
		if !number {
			s = `"` + s + `"`
		}
		items = append(items, s)
		return err
	})
	return "[" + strings.Join(items, ", ") + "]", err
}

func compact(raw json.RawMessage) string {
	out, err := wire.Marshal(raw)
	if err != nil {
		return string(raw)
	}
	return string(out)
}

// JSON is the input as a template prints it.
func (i Input) JSON() any {
	switch v := i.Value.(type) {
	case JSONText:
		return string(v)
	case Map:
		return paramsJSON(v)
	case Verbatim:
		return json.RawMessage(v)
	case List:
		out := make([]wire.Object, len(v))
		for n, item := range v {
			out[n] = item.JSON()
		}
		return out
	default:
		return v
	}
}

// JSON is the object of all inputs.
func (in Inputs) JSON() wire.Object {
	out := wire.Object{}
	for _, i := range in {
		out.Add(i.Name, i.JSON())
	}
	return out
}

func paramsJSON(params []Param) wire.Object {
	out := wire.Object{}
	for _, p := range params {
		out.Add(p.Name, p.Value)
	}
	return out
}
