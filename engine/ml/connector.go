// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/opensteward/steward/egress"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Connector says how a remote service is called.
type Connector struct {
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	Description *string           `json:"description,omitempty"`
	Protocol    string            `json:"protocol"`
	Parameters  map[string]string `json:"parameters"`
	// Credential is encrypted, value by value.
	Credential map[string]string `json:"credential,omitempty"`
	Actions    []Action          `json:"actions,omitempty"`
	Created    int64             `json:"created_time,omitempty"`
	Updated    int64             `json:"last_updated_time,omitempty"`
	Client     *ClientConfig     `json:"client_config,omitempty"`
}

// connectorInput is a connector as a request gives it: what is nil was not given.
type connectorInput struct {
	name, version, description, protocol *string
	parameters, credential               map[string]string
	actions                              []Action
	client                               *ClientConfig
	dryRun                               bool
}

func parseConnector(body []byte) (in connectorInput, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "name":
			err = optional(p, &in.name)
		case "version":
			err = optional(p, &in.version)
		case "description":
			err = optional(p, &in.description)
		case "protocol":
			err = optional(p, &in.protocol)
		case "parameters":
			in.parameters, err = parameterMap(p)
		case "credential":
			in.credential, err = textMap(p)
		case "actions":
			in.actions, err = parseActions(p)
		case "client_config":
			in.client, err = parseClient(p)
		case "dry_run":
			in.dryRun, err = p.Bool()
		default:
			if slices.Contains(accessControl, name) {
				return noAccessControl("connector")
			}
			err = p.Skip() // as ML Commons does
		}
		return err
	})
	return in, err
}

// The protocols.
const (
	protocolHTTP = "http"
	protocolAWS  = "aws_sigv4"
)

func checkProtocol(protocol string) error {
	switch protocol {
	case protocolHTTP, protocolAWS:
		return nil
	case "mcp_sse", "mcp_streamable_http":
		return fault.Unsupported("the connector protocol [" + protocol + "]")
	}
	return fault.Illegal("Unsupported connector protocol. Please use one of [aws_sigv4, http, mcp_sse, mcp_streamable_http]")
}

// check refuses a new connector in which something is missing.
func (in connectorInput) check() error {
	switch {
	case in.name == nil:
		return fault.Illegal("Connector name is null")
	case in.version == nil:
		return fault.Illegal("Connector version is null")
	case in.protocol == nil:
		return fault.Illegal("Connector protocol is null")
	}
	if err := checkProtocol(*in.protocol); err != nil {
		return err
	}
	if len(in.credential) == 0 {
		return fault.Illegal("Connector credential is null or empty list")
	}
	return checkTexts("Model connector", in.name, in.description)
}

// validate refuses a connector that could not be called; credential are the names of its credentials.
func (s *Service) validate(c *Connector) error {
	if c.Protocol == protocolAWS {
		if err := c.checkAWS(); err != nil {
			return err
		}
	}
	if c.Actions == nil {
		return fault.Illegal("No actions configured for this connector")
	}
	for _, a := range c.Actions {
		if err := a.checkFunctions(); err != nil {
			return err
		}
		if err := s.checkURL(fill(a.URL, "parameters", c.Parameters)); err != nil {
			return err
		}
	}
	return nil
}

// checkURL refuses a URL that no connector may call: one that is not trusted, or that names a dangerous address.
func (s *Service) checkURL(text string) error {
	if !s.trusted(text) {
		return fault.Illegal("Connector URL is not matching the trusted connector endpoint regex, URL is: %s", text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil // a placeholder that only a prediction fills in
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (egress.Rules{}).Check(addr) != nil {
		return privateHost(u.Hostname())
	}
	return nil
}

func privateHost(host string) error {
	return fault.Illegal("Remote inference host name has private ip address: %s", host)
}

// CreateConnector makes a connector and returns its id.
func (s *Service) CreateConnector(ctx context.Context, body []byte) (id string, err error) {
	if err := s.remoteEnabled(); err != nil {
		return "", err
	}
	in, err := parseConnector(body)
	if err != nil {
		return "", err
	}
	if in.dryRun {
		return "dryRunConnector", nil
	}
	if err := in.check(); err != nil {
		return "", err
	}
	id = newID()
	c := &Connector{Parameters: map[string]string{}, Created: s.now()}
	if err := s.apply(c, id, in); err != nil {
		return "", err
	}
	c.Updated = c.Created
	return id, s.insert(ctx, Connectors, id, c)
}

// apply puts into a connector what a request gives, credentials encrypted, and checks the whole.
func (s *Service) apply(c *Connector, id string, in connectorInput) error {
	for to, from := range map[*string]*string{&c.Name: in.name, &c.Version: in.version, &c.Protocol: in.protocol} {
		if from != nil {
			*to = *from
		}
	}
	if in.description != nil {
		c.Description = in.description
	}
	if in.actions != nil {
		c.Actions = in.actions
	}
	if in.client != nil {
		c.Client = in.client
	}
	for name, value := range in.parameters {
		c.Parameters[name] = value
	}
	if len(in.credential) > 0 {
		sealed, err := s.seal(id, in.credential)
		if err != nil {
			return err
		}
		c.Credential = sealed
	}
	return s.validate(c)
}

// place is where a credential stands, to which its encryption is bound.
func place(id, name string) string { return string(Connectors) + "/" + id + "/credential." + name }

func (s *Service) seal(id string, credential map[string]string) (map[string]string, error) {
	sealed := make(map[string]string, len(credential))
	for name, value := range credential {
		text, err := s.o.Keys.Seal(value, place(id, name))
		if err != nil {
			return nil, keyFault(err)
		}
		sealed[name] = text
	}
	return sealed, nil
}

// unseal returns the credentials in clear. They must not get into an answer or a log.
func (s *Service) unseal(id string, sealed map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(sealed))
	for name, text := range sealed {
		value, err := s.o.Keys.Open(text, place(id, name))
		if err != nil {
			return nil, keyFault(err)
		}
		out[name] = value
	}
	return out, nil
}

// Reseal encrypts anew, with the key that encrypts now, what was encrypted with an older one; after that the older one is
// not needed here any more. It does nothing if there is one key only.
func (s *Service) Reseal(ctx context.Context) error {
	if !s.o.Keys.Rotating() {
		return nil
	}
	all := wire.Obj("match_all", wire.Object{})
	ids, err := s.matches(ctx, Connectors, all, everything)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := change(ctx, s, Connectors, id, noConnector(id), func(c *Connector) error { return s.reseal(id, c) }); err != nil {
			return fmt.Errorf("connector %s: %w", id, err)
		}
	}
	if ids, err = s.matches(ctx, Models, all, everything); err != nil {
		return err
	}
	for _, id := range ids {
		if m, err := s.model(id); err != nil || m.Connector == nil {
			continue
		}
		if _, err := change(ctx, s, Models, id, noModel(id), func(m *Model) error { return s.reseal(id, m.Connector) }); err != nil {
			return fmt.Errorf("model %s: %w", id, err)
		}
	}
	return nil
}

// reseal leaves a connector alone whose credentials are encrypted with the current key.
func (s *Service) reseal(id string, c *Connector) error {
	current := true
	for _, sealed := range c.Credential {
		current = current && s.o.Keys.Current(sealed)
	}
	if current {
		return errUnchanged
	}
	values, err := s.unseal(id, c.Credential)
	if err == nil {
		c.Credential, err = s.seal(id, values)
	}
	return err
}

// keyFault says what is wrong with the keys or what was encrypted with them; neither shows a secret.
func keyFault(err error) error {
	e := fault.IllegalState("the credential of a connector: %s", err)
	e.Err = err
	return e
}

func noConnector(id string) error {
	return notFound("Failed to find connector with the provided connector id: %s", id)
}

// connector reads a connector as it is stored.
func (s *Service) connector(id string) (*Connector, error) {
	var c Connector
	ok, err := s.read(Connectors, id, &c)
	if err == nil && !ok {
		err = noConnector(id)
	}
	return &c, err
}

// GetConnector returns a connector without its credentials.
func (s *Service) GetConnector(id string) (*Connector, error) {
	c, err := s.connector(id)
	if err != nil {
		return nil, err
	}
	c.Credential = nil
	return c, nil
}

// UpdateConnector changes what the body gives; parameters are added to those that are there. A connector of a deployed
// model stays as it is.
func (s *Service) UpdateConnector(ctx context.Context, id string, body []byte) (Written, error) {
	in, err := parseConnector(body)
	if err != nil {
		return Written{}, err
	}
	if in.protocol != nil {
		if err := checkProtocol(*in.protocol); err != nil {
			return Written{}, err
		}
	}
	if err := checkTexts("Model connector", in.name, in.description); err != nil {
		return Written{}, err
	}
	s.uses.Lock()
	defer s.uses.Unlock()
	if err := s.checkUsers(ctx, id); err != nil {
		return Written{}, err
	}
	return change(ctx, s, Connectors, id, noConnector(id), func(c *Connector) error {
		if c.Parameters == nil {
			c.Parameters = map[string]string{}
		}
		if err := s.apply(c, id, in); err != nil {
			return err
		}
		c.Updated = s.now()
		return nil
	})
}

// checkUsers refuses to change a connector under the models that are deployed with it.
func (s *Service) checkUsers(ctx context.Context, id string) error {
	models, err := s.find(ctx, Models, "connector_id", id, everything)
	if err != nil {
		return err
	}
	deployed := slices.DeleteFunc(models, func(model string) bool {
		m, err := s.model(model)
		return err != nil || !m.deployed()
	})
	if len(deployed) == 0 {
		return nil
	}
	return fault.Status(http.StatusBadRequest, "%d models are still using this connector, please undeploy the models first: [%s]",
		len(deployed), strings.Join(deployed, ", "))
}

// DeleteConnector removes a connector that no model uses.
func (s *Service) DeleteConnector(ctx context.Context, id string) (Written, error) {
	if _, err := s.connector(id); err != nil {
		return Written{}, err
	}
	s.uses.Lock()
	defer s.uses.Unlock()
	models, err := s.find(ctx, Models, "connector_id", id, query.DefaultSize) // as many as ML Commons counts
	if err != nil {
		return Written{}, err
	}
	if len(models) > 0 {
		return Written{}, fault.Status(http.StatusConflict, "%d models are still using this connector, please delete or update the models first: [%s]",
			len(models), strings.Join(models, ", "))
	}
	return s.remove(ctx, Connectors, id)
}

func (s *Service) remoteEnabled() error {
	if !s.enabled(remoteInference) {
		return fault.IllegalState("Remote Inference is currently disabled. To enable it, update the setting \"%s\" to true.", remoteInference)
	}
	return nil
}

// String names a connector without its secrets.
func (c *Connector) String() string { return fmt.Sprintf("connector %q", c.Name) }
