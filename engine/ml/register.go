// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/regex"
)

// functions are the algorithms that a model can be registered with.
var functions = []string{
	remote, "TEXT_EMBEDDING", "SPARSE_ENCODING", "SPARSE_TOKENIZE", "TEXT_SIMILARITY", "QUESTION_ANSWERING",
	"METRICS_CORRELATION", "IMAGE_EMBEDDING",
}

var formats = []string{"TORCH_SCRIPT", "ONNX"}

// modelInput is a model as a request gives it.
type modelInput struct {
	function, name, group, version, description *string
	url, hash, format, connectorID              *string
	config, guardrails, iface, limiter          json.RawMessage
	connector                                   json.RawMessage
	nodes                                       []string
	enabled                                     *bool
}

func parseModel(body []byte) (in modelInput, err error) {
	texts := map[string]**string{
		"function_name": &in.function, "name": &in.name, "model_group_id": &in.group, "version": &in.version,
		"description": &in.description, "url": &in.url, "model_content_hash_value": &in.hash, "model_format": &in.format,
		"connector_id": &in.connectorID,
	}
	raw := map[string]*json.RawMessage{
		"model_config": &in.config, "guardrails": &in.guardrails, "interface": &in.iface, "rate_limiter": &in.limiter,
		"connector": &in.connector,
	}
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		if into := texts[name]; into != nil {
			return optional(p, into)
		}
		if into := raw[name]; into != nil {
			if p.Token() != wire.StartObject && p.Token() != wire.Null {
				return p.Expect(wire.StartObject)
			}
			*into, err = p.Raw()
			return err
		}
		switch name {
		case "model_node_ids":
			in.nodes, err = p.Texts()
		case "is_enabled":
			err = flag(p, &in.enabled)
		case "deploy_setting":
			err = fault.Unsupported("[deploy_setting] of a model")
		default:
			if slices.Contains(accessControl, name) {
				return noAccessControl("model")
			}
			err = p.Skip()
		}
		return err
	})
	return in, err
}

// check completes what a request leaves out, and refuses what does not go together.
func (in *modelInput) check() error {
	def := "TEXT_EMBEDDING"
	if in.function == nil {
		in.function = &def
	}
	upper := strings.ToUpper(*in.function)
	in.function = &upper
	if !slices.Contains(functions, upper) {
		return fault.Illegal("Wrong function name")
	}
	if in.name == nil {
		return fault.Illegal("model name is null")
	}
	if upper != remote {
		if err := in.checkLocal(); err != nil {
			return err
		}
	}
	return checkTexts("Model", in.name, in.description)
}

func (in *modelInput) checkLocal() error {
	if in.format == nil {
		return fault.Illegal("model format is null")
	}
	format := strings.ToUpper(*in.format)
	in.format = &format
	switch {
	case !slices.Contains(formats, format):
		return fault.Illegal("Wrong model format")
	case in.url != nil && in.config == nil && *in.function == "TEXT_EMBEDDING":
		return fault.Illegal("model config is null")
	case in.url != nil && in.hash == nil:
		return fault.Illegal("model content hash value is null")
	}
	return nil
}

// Registration is what a client is told of one.
type Registration struct {
	Task   string
	Model  string
	Remote bool
}

// RegisterModel stores a model, in the group it names or in one of its own name, and deploys it if asked to.
func (s *Service) RegisterModel(ctx context.Context, body []byte, deploy bool) (Registration, error) {
	in, err := parseModel(body)
	if err != nil {
		return Registration{}, err
	}
	if err := in.check(); err != nil {
		return Registration{}, err
	}
	if err := s.mayRegister(in, deploy); err != nil {
		return Registration{}, err
	}
	id, err := s.addModel(ctx, in, deploy)
	if err != nil {
		return Registration{}, err
	}
	if deploy {
		if _, err := s.record(ctx, deploying, *in.function, id, nil); err != nil {
			return Registration{}, err
		}
	}
	task, err := s.record(ctx, registering, *in.function, id, nil)
	return Registration{Task: task, Model: id, Remote: *in.function == remote}, err
}

// mayRegister refuses what the settings do not let in.
func (s *Service) mayRegister(in modelInput, deploy bool) error {
	if deploy && len(in.nodes) > 0 {
		return fault.Illegal("Don't allow custom deployment plan")
	}
	if *in.function == remote {
		return s.remoteEnabled()
	}
	if err := s.localEnabled(); err != nil || in.url == nil {
		return err
	}
	if !s.enabled(registerByURL) {
		return fault.Illegal("To upload custom model user needs to enable allow_registering_model_via_url settings. Otherwise please use opensearch pre-trained models.")
	}
	if re, err := regex.Compile(s.setting(trustedURL)); err != nil || !re.MatchString(*in.url) {
		return fault.Illegal("URL can't match trusted url regex")
	}
	return nil
}

// addModel stores the model, registered and deployed at once.
func (s *Service) addModel(ctx context.Context, in modelInput, deploy bool) (string, error) {
	s.uses.RLock()
	defer s.uses.RUnlock()
	id := newID()
	m, err := s.newModel(id, in)
	if err != nil {
		return "", err
	}
	if in.group != nil && *in.group != "" {
		m.GroupID = *in.group
	} else if m.GroupID, err = s.groupNamed(ctx, m.Name, in.description); err != nil {
		return "", err
	}
	version, err := s.nextVersion(ctx, m.GroupID)
	if err != nil {
		return "", err
	}
	m.Version = strconv.Itoa(version)
	if deploy {
		m.deploy(s.o.Node, s.now())
	}
	return id, s.insert(ctx, Models, id, m)
}

func (s *Service) newModel(id string, in modelInput) (*Model, error) {
	now, none := s.now(), 0
	m := &Model{
		Name: *in.name, Algorithm: *in.function, Description: in.description, State: registered, Config: in.config,
		Created: now, Updated: now, Registered: now, Retries: &none, Planned: &none, Current: &none,
		Enabled: in.enabled, Guardrails: in.guardrails, Interface: in.iface, Limiter: in.limiter,
	}
	if in.format != nil {
		m.Format = *in.format
	}
	if in.hash != nil {
		m.Hash = *in.hash
	}
	if m.Algorithm != remote {
		return m, nil
	}
	if in.connectorID != nil && *in.connectorID != "" {
		m.ConnectorID = *in.connectorID
		return m, s.usable(m.ConnectorID)
	}
	if in.connector == nil {
		return nil, fault.Illegal("You must provide connector content when creating a remote model without connector id!")
	}
	own, err := parseConnector(in.connector)
	if err == nil {
		err = own.check()
	}
	if err != nil {
		return nil, err
	}
	m.Connector = &Connector{Parameters: map[string]string{}}
	return m, s.apply(m.Connector, id, own)
}
