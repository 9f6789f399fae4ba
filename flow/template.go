// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// ProvisionWorkflow is the name of the only workflow of a template that is ever run.
const ProvisionWorkflow = "provision"

// Template is a workflow template.
type Template struct {
	Name        string
	Description string
	UseCase     string
	Version     Version
	Workflows   []Workflow // in the order of the document
	UIMetadata  json.RawMessage
	User        json.RawMessage
	TenantID    string
	Principals  []string
	// Created, LastUpdated and LastProvisioned are epoch milliseconds; 0 means absent.
	Created, LastUpdated, LastProvisioned int64
}

// Version is a template's own version and the OpenSearch versions it says it fits; neither is enforced.
type Version struct {
	Template      string
	Compatibility []string
}

// Workflow is a graph of nodes.
type Workflow struct {
	Name       string
	UserParams []Param
	Nodes      []Node
	// Edges are the explicit ones first, then those that previous_node_inputs imply.
	Edges []Edge
}

// Param is one name and text.
type Param struct{ Name, Value string }

// Node is one step of a workflow.
type Node struct {
	ID, Type string
	// Previous maps a predecessor's node id to the input it fills.
	Previous []Param
	Inputs   Inputs
}

// Edge says that Dest runs after Source.
type Edge struct {
	Source string `json:"source"`
	Dest   string `json:"dest"`
}

// errTemplate is what the API says of every mistake it has no words for.
func errTemplate(cause error) *fault.Error {
	e := badRequest("IOException: template content invalid for specified Content-Type.")
	e.Err = cause
	return e
}

// generic turns an error that is not the API's own into errTemplate.
func generic(err error) error {
	var f *fault.Error
	if err == nil || (errors.As(err, &f) && f.Form == fault.PlainNoStatus) {
		return err
	}
	return errTemplate(err)
}

// Workflow returns the workflow of this name, or nil.
func (t *Template) Workflow(name string) *Workflow {
	for i := range t.Workflows {
		if t.Workflows[i].Name == name {
			return &t.Workflows[i]
		}
	}
	return nil
}

// Node returns the node of this id, or nil.
func (w *Workflow) Node(id string) *Node {
	for i := range w.Nodes {
		if w.Nodes[i].ID == id {
			return &w.Nodes[i]
		}
	}
	return nil
}

// Parse reads a template as a client sends it or as it is stored.
func Parse(body []byte) (*Template, error) {
	t, err := parse(body)
	if err != nil {
		return nil, err
	}
	if t.Name == "" {
		return nil, badRequest("A template object requires a name.")
	}
	return t, nil
}

func parse(body []byte) (*Template, error) {
	p := wire.NewParser(body)
	if err := p.NextExpect(wire.StartObject); err != nil {
		return nil, errTemplate(err)
	}
	t := &Template{}
	if err := p.Object(func(name string) error { return t.field(p, name) }); err != nil {
		return nil, generic(err)
	}
	if end, err := p.Next(); err != nil || end != wire.None {
		return nil, errTemplate(err)
	}
	return t, nil
}

func (t *Template) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "name":
		t.Name, err = trimmed(p)
	case "description":
		t.Description, err = trimmed(p)
	case "use_case":
		t.UseCase, err = trimmed(p)
	case "version":
		return t.Version.parse(p)
	case "workflows":
		return p.Object(func(name string) error {
			w := Workflow{Name: name}
			err := w.parse(p)
			t.Workflows = append(t.Workflows, w)
			return err
		})
	case "ui_metadata":
		t.UIMetadata, err = object(p)
	case "user":
		t.User, err = p.Raw()
	case "created_time":
		t.Created, err = instant(p)
	case "last_updated_time":
		t.LastUpdated, err = instant(p)
	case "last_provisioned_time":
		t.LastProvisioned, err = instant(p)
	case "tenant_id":
		t.TenantID, err = p.Text()
	case "all_shared_principals":
		return texts(p, &t.Principals)
	default:
		return badRequest("Unable to parse field [%s] in a template object.", name)
	}
	return err
}

// instant reads epoch milliseconds; null is none.
func instant(p *wire.Parser) (int64, error) {
	if p.Token() == wire.Null {
		return 0, nil
	}
	return p.Long()
}

func trimmed(p *wire.Parser) (string, error) {
	s, err := p.Text()
	return strings.TrimSpace(s), err
}

func object(p *wire.Parser) (json.RawMessage, error) {
	if err := p.Expect(wire.StartObject); err != nil {
		return nil, err
	}
	return p.Raw()
}

func texts(p *wire.Parser, into *[]string) error {
	return p.Array(func() error {
		s, err := p.Text()
		*into = append(*into, s)
		return err
	})
}

// versionText is what OpenSearch accepts as a version.
var versionText = regexp.MustCompile(`^\d+\.\d+\.\d+(-((alpha|beta|rc)\d+|SNAPSHOT))*$`)

func (v *Version) parse(p *wire.Parser) error {
	check := func(s string, err error) (string, error) {
		if err == nil && !versionText.MatchString(s) {
			err = errTemplate(errors.New("bad version " + s))
		}
		return s, err
	}
	return p.Object(func(name string) (err error) {
		switch name {
		case "template":
			v.Template, err = check(p.Text())
		case "compatibility":
			return p.Array(func() error {
				s, err := check(p.Text())
				v.Compatibility = append(v.Compatibility, s)
				return err
			})
		default:
			// the plugin names the field "version", whatever the member is called
			return badRequest("Unable to parse field [version] in a version object.")
		}
		return err
	})
}

func (w *Workflow) parse(p *wire.Parser) error {
	err := p.Object(func(name string) error {
		switch name {
		case "user_params":
			params, err := scalars(p)
			w.UserParams = params
			return err
		case "nodes":
			return p.Array(func() error {
				n, err := parseNode(p)
				w.Nodes = append(w.Nodes, n)
				return err
			})
		case "edges":
			return p.Array(func() error {
				e, err := parseEdge(p)
				w.addEdge(e)
				return err
			})
		default:
			return p.Skip()
		}
	})
	if err != nil {
		return err
	}
	if len(w.Nodes) == 0 {
		return badRequest("A workflow must have at least one node.")
	}
	for _, n := range w.Nodes {
		for _, previous := range n.Previous {
			w.addEdge(Edge{previous.Name, n.ID})
		}
	}
	return nil
}

func (w *Workflow) addEdge(e Edge) {
	if !slices.Contains(w.Edges, e) {
		w.Edges = append(w.Edges, e)
	}
}

// scalars reads an object whose values are scalars, as texts.
func scalars(p *wire.Parser) ([]Param, error) {
	params := []Param{}
	err := p.Object(func(name string) error {
		s, err := p.Text()
		params = append(params, Param{name, s})
		return err
	})
	return params, err
}

func parseNode(p *wire.Parser) (Node, error) {
	n := Node{Previous: []Param{}, Inputs: Inputs{}}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "id":
			n.ID, err = p.Text()
		case "type":
			n.Type, err = p.Text()
		case "previous_node_inputs":
			n.Previous, err = scalars(p)
		case "user_inputs":
			n.Inputs, err = parseInputs(p)
		default:
			return badRequest("Unable to parse field [%s] in a node object.", name)
		}
		return err
	})
	if err == nil && (n.ID == "" || n.Type == "") {
		err = badRequest("An node object requires both an id and type field.")
	}
	return n, err
}

func parseEdge(p *wire.Parser) (Edge, error) {
	var e Edge
	err := p.Object(func(name string) (err error) {
		switch name {
		case "source":
			e.Source, err = p.Text()
		case "dest":
			e.Dest, err = p.Text()
		default:
			return badRequest("Unable to parse field [%s] in an edge object.", name)
		}
		return err
	})
	if err == nil && (e.Source == "" || e.Dest == "") {
		err = badRequest("An edge object requires both a source and dest field.")
	}
	return e, err
}

// updatable are the fields that update_fields may change.
var updatable = []string{"name", "description", "use_case", "version", "ui_metadata"}

// UpdateFields merges the metadata fields of body into a copy of t.
func (t *Template) UpdateFields(body []byte) (*Template, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, errTemplate(err)
	}
	update, err := parse(body)
	if err != nil {
		return nil, err
	}
	for name := range members {
		if !slices.Contains(updatable, name) {
			return nil, badRequest("You can not update the field [%s] without updating the whole template.", name)
		}
	}
	merged := *t
	if update.Name != "" {
		merged.Name = update.Name
	}
	if update.Description != "" {
		merged.Description = update.Description
	}
	if update.UseCase != "" {
		merged.UseCase = update.UseCase
	}
	if update.Version.Template != "" {
		merged.Version.Template = update.Version.Template
	}
	if update.Version.Compatibility != nil {
		merged.Version.Compatibility = update.Version.Compatibility
	}
	if update.UIMetadata != nil {
		merged.UIMetadata = update.UIMetadata
	}
	return &merged, nil
}
