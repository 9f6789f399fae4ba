// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// SchemaVersion is the version of the config index's mapping, which stored policies carry.
const SchemaVersion = 30

// Policy is a parsed policy document.
type Policy struct {
	ID          string
	Description string
	// LastUpdated is in epoch milliseconds.
	LastUpdated int64
	// SchemaVersion is the request's own (default 1), or, once stored, that of the mapping.
	SchemaVersion     int64
	ErrorNotification *ErrorNotification
	DefaultState      string
	States            []State
	// Templates is nil if the policy has none.
	Templates []Template
	// User is who stored it, where security is on; nil otherwise.
	User json.RawMessage
}

// State is one state of a policy.
type State struct {
	Name        string
	Actions     []Action
	Transitions []Transition
}

// Transition leads to another state once its conditions are met.
type Transition struct {
	StateName string
	// Conditions is nil for a transition that is taken at once.
	Conditions *Conditions
}

// State returns the state of this name, or nil.
func (p *Policy) State(name string) *State {
	for i := range p.States {
		if p.States[i].Name == name {
			return &p.States[i]
		}
	}
	return nil
}

// invalidField is what an unknown member is told.
func invalidField(name, where string) error {
	return fault.Illegal("Invalid field: [%s] found in %s.", name, where)
}

// ParsePolicy reads the body of a PUT: an object with one member, of any name, that holds the policy. now is the time
// that templates without one get, in epoch milliseconds.
func ParsePolicy(id string, body []byte, now int64) (*Policy, error) {
	p := wire.NewParser(body)
	for _, want := range []wire.Token{wire.StartObject, wire.FieldName, wire.StartObject} {
		if err := p.NextExpect(want); err != nil {
			return nil, err
		}
	}
	policy, err := ParseBarePolicy(p, now)
	if err != nil {
		return nil, err
	}
	if err := p.NextExpect(wire.EndObject); err != nil {
		return nil, err
	}
	policy.ID = id
	return policy, nil
}

// ReadPolicy reads a stored policy document. The error says what in it is not a policy.
func ReadPolicy(id string, source []byte) (*Policy, error) { return ParsePolicy(id, source, 0) }

// ParseBarePolicy reads the policy object at the parser's token, which no other object wraps, and checks it.
func ParseBarePolicy(p *wire.Parser, now int64) (*Policy, error) {
	policy := &Policy{SchemaVersion: 1}
	var description, defaultState *string
	err := p.Object(func(name string) (err error) {
		switch name {
		case "description":
			description, err = text(p)
		case "default_state":
			defaultState, err = text(p)
		case "states":
			return p.Array(func() error {
				s, err := parseState(p)
				policy.States = append(policy.States, s)
				return err
			})
		case "error_notification":
			policy.ErrorNotification, err = parseErrorNotification(p)
		case "ism_template":
			policy.Templates, err = parseTemplates(p, now)
		case "policy_id":
			err = p.Skip() // it is the document's id
		case "last_updated_time":
			err = epochMillis(p, &policy.LastUpdated)
		case "schema_version":
			policy.SchemaVersion, err = p.Long()
		case "user":
			policy.User, err = rawObjectOrNull(p)
		default:
			return invalidField(name, "Policy")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case description == nil:
		return nil, fault.Illegal("description is null")
	case defaultState == nil:
		return nil, fault.Illegal("default_state is null")
	}
	policy.Description, policy.DefaultState = *description, *defaultState
	return policy, policy.check()
}

// epochMillis reads a time; null leaves what is there.
func epochMillis(p *wire.Parser, ms *int64) (err error) {
	switch t := p.Token(); t {
	case wire.Null:
		return nil
	case wire.StartObject, wire.StartArray:
		line, col := p.Position()
		return fault.Parsing(line, col, "Failed to parse object: unexpected token [%s] found", t)
	}
	*ms, err = p.Long()
	return err
}

func text(p *wire.Parser) (*string, error) {
	s, err := p.Text()
	return &s, err
}

// rawObjectOrNull is an object as it is written; nil for null.
func rawObjectOrNull(p *wire.Parser) (json.RawMessage, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	if err := p.Expect(wire.StartObject); err != nil {
		return nil, err
	}
	return p.Raw()
}

// Runs reports whether some state has an action of one of these types.
func (p *Policy) Runs(types ...string) bool {
	return slices.ContainsFunc(p.States, func(s State) bool {
		return slices.ContainsFunc(s.Actions, func(a Action) bool { return slices.Contains(types, a.Type) })
	})
}

// check is what the plugin checks across states.
func (p *Policy) check() error {
	names := map[string]bool{}
	duplicate := false
	for _, s := range p.States {
		duplicate = duplicate || names[s.Name]
		names[s.Name] = true
	}
	for _, s := range p.States {
		for _, t := range s.Transitions {
			if !names[t.StateName] {
				return fault.Illegal("Policy contains a transition in state=%s pointing to a nonexistent state=%s", s.Name, t.StateName)
			}
		}
	}
	switch {
	case duplicate:
		return fault.Illegal("Policy cannot have duplicate state names")
	case len(p.States) == 0:
		return fault.Illegal("Policy must contain at least one State")
	case !names[p.DefaultState]:
		return fault.Illegal("Policy must have a valid default state")
	}
	return nil
}

func parseState(p *wire.Parser) (State, error) {
	s := State{Actions: []Action{}, Transitions: []Transition{}}
	named := false
	err := p.Object(func(name string) (err error) {
		switch name {
		case "name":
			s.Name, err = p.Text()
			named = true
		case "actions":
			return p.Array(func() error {
				a, err := parseAction(p)
				s.Actions = append(s.Actions, a)
				return err
			})
		case "transitions":
			return p.Array(func() error {
				t, err := parseTransition(p)
				s.Transitions = append(s.Transitions, t)
				return err
			})
		default:
			return invalidField(name, "State")
		}
		return err
	})
	switch {
	case err != nil:
		return s, err
	case !named:
		return s, fault.Illegal("State name is null")
	case blank(s.Name):
		return s, fault.Illegal("State must contain a valid name")
	}
	for i, a := range s.Actions {
		if a.Type != ActionDelete {
			continue
		}
		if i < len(s.Actions)-1 {
			return s, fault.Illegal("State=%s must not contain an action after a delete action", s.Name)
		}
		if len(s.Transitions) > 0 {
			return s, fault.Illegal("State=%s cannot contain transitions if using delete action", s.Name)
		}
	}
	return s, nil
}

func parseTransition(p *wire.Parser) (Transition, error) {
	var t Transition
	named := false
	err := p.Object(func(name string) (err error) {
		switch name {
		case "state_name":
			t.StateName, err = p.Text()
			named = true
		case "conditions":
			t.Conditions, err = parseConditions(p)
		default:
			return invalidField(name, "Transition")
		}
		return err
	})
	if err == nil && !named {
		err = fault.Illegal("Transition state name is null")
	}
	return t, err
}

// Form is one of the ways a policy is printed.
type Form int

const (
	// API is what the policy API answers: no user, extension actions without their wrapper.
	API Form = iota
	// Explain is API with the wrapper of extension actions.
	Explain
	// Stored is the document.
	Stored
)

// JSON prints the policy object. human adds the readable form before each last_updated_time.
func (p *Policy) JSON(form Form, human bool) wire.Object {
	o := wire.Obj("policy_id", p.ID, "description", p.Description)
	addTime(&o, p.LastUpdated, human)
	o.Add("schema_version", p.SchemaVersion)
	o.Add("error_notification", p.ErrorNotification.value())
	o.Add("default_state", p.DefaultState)
	states := make([]wire.Object, len(p.States))
	for i := range p.States {
		states[i] = p.States[i].json(form)
	}
	o.Add("states", states)
	if p.Templates == nil {
		o.Add("ism_template", nil)
	} else {
		list := make([]wire.Object, len(p.Templates))
		for i, t := range p.Templates {
			list[i] = t.json(human)
		}
		o.Add("ism_template", list)
	}
	if form == Stored {
		o.Add("user", p.User)
	}
	return o
}

// Document is the stored policy document.
func (p *Policy) Document() wire.Object { return wire.Obj("policy", p.JSON(Stored, false)) }

func addTime(o *wire.Object, ms int64, human bool) {
	if human {
		o.Add("last_updated_time_in_millis", humanTime(ms)) // the plugin has the two names the wrong way round
	}
	o.Add("last_updated_time", ms)
}

func (s *State) json(form Form) wire.Object {
	actions := make([]wire.Object, len(s.Actions))
	for i := range s.Actions {
		actions[i] = s.Actions[i].json(form)
	}
	transitions := make([]wire.Object, len(s.Transitions))
	for i, t := range s.Transitions {
		o := wire.Obj("state_name", t.StateName)
		if t.Conditions != nil {
			o.Add("conditions", t.Conditions.json())
		}
		transitions[i] = o
	}
	return wire.Obj("name", s.Name, "actions", actions, "transitions", transitions)
}
