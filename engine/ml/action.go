// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Action is one call that a connector can make.
type Action struct {
	Type        string            `json:"action_type"`
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers,omitempty"`
	RequestBody *string           `json:"request_body,omitempty"`
	PreProcess  *string           `json:"pre_process_function,omitempty"`
	PostProcess *string           `json:"post_process_function,omitempty"`
	Name        *string           `json:"name,omitempty"`
}

var actionTypes = []string{"PREDICT", "EXECUTE", "BATCH_PREDICT", "CANCEL_BATCH_PREDICT", "BATCH_PREDICT_STATUS"}

// predict is the type of the action that a prediction takes.
const predict = "PREDICT"

func parseActions(p *wire.Parser) ([]Action, error) {
	actions := []Action{}
	err := p.Array(func() error {
		a, err := parseAction(p)
		actions = append(actions, a)
		return err
	})
	return actions, err
}

func parseAction(p *wire.Parser) (a Action, err error) {
	var typ, method, url *string
	err = p.Object(func(name string) (err error) {
		switch name {
		case "action_type":
			err = optional(p, &typ)
		case "method":
			err = optional(p, &method)
		case "url":
			err = optional(p, &url)
		case "headers":
			a.Headers, err = textMap(p)
		case "request_body":
			err = optional(p, &a.RequestBody)
		case "pre_process_function":
			err = optional(p, &a.PreProcess)
		case "post_process_function":
			err = optional(p, &a.PostProcess)
		case "name":
			err = optional(p, &a.Name)
		default:
			err = p.Skip()
		}
		return err
	})
	switch {
	case err != nil:
	case typ == nil:
		err = fault.Illegal("action type can't be null")
	case !slices.Contains(actionTypes, strings.ToUpper(*typ)):
		err = fault.Illegal("No enum constant org.opensearch.ml.common.connector.ConnectorAction.ActionType.%s", strings.ToUpper(*typ))
	case url == nil:
		err = fault.Illegal("url can't be null")
	case method == nil:
		err = fault.Illegal("method can't be null")
	default:
		a.Type, a.URL, a.Method = strings.ToUpper(*typ), *url, *method
	}
	return a, err
}

// checkFunctions refuses functions that cannot run here: only those with a name of ML Commons can.
func (a Action) checkFunctions() error {
	if f := a.PreProcess; f != nil && preProcessors[*f] == nil {
		return unknownFunction("pre_process_function", *f)
	}
	if f := a.PostProcess; f != nil && postProcessors[*f] == nil {
		return unknownFunction("post_process_function", *f)
	}
	return nil
}

func unknownFunction(kind, function string) error {
	if strings.HasPrefix(function, "connector.") {
		return fault.Unsupported("the " + kind + " [" + function + "]")
	}
	return fault.Unsupported("a script as " + kind + " of a connector")
}

// action returns the connector's action of a type; nil if it has none.
func (c *Connector) action(typ string) *Action {
	for i := range c.Actions {
		if c.Actions[i].Type == typ {
			return &c.Actions[i]
		}
	}
	return nil
}

// ClientConfig bounds the calls of a connector.
type ClientConfig struct {
	MaxConnection *int `json:"max_connection,omitempty"`
	// ConnectionTimeout is in milliseconds, ReadTimeout in seconds.
	ConnectionTimeout *int `json:"connection_timeout,omitempty"`
	ReadTimeout       *int `json:"read_timeout,omitempty"`
	// What follows says how a call is repeated, of which only the refusal to repeat is here.
	MaxRetryTimes *int    `json:"max_retry_times,omitempty"`
	RetryBackoff  *int    `json:"retry_backoff_millis,omitempty"`
	RetryTimeout  *int    `json:"retry_timeout_seconds,omitempty"`
	RetryPolicy   *string `json:"retry_backoff_policy,omitempty"`
}

// maxTimeout is the longest that a call may take, whatever its connector says.
const maxTimeout = 10 * time.Minute

func parseClient(p *wire.Parser) (*ClientConfig, error) {
	var c ClientConfig
	err := p.Object(func(name string) error {
		if name == "retry_backoff_policy" {
			return optional(p, &c.RetryPolicy)
		}
		into := map[string]**int{
			"max_connection": &c.MaxConnection, "connection_timeout": &c.ConnectionTimeout, "read_timeout": &c.ReadTimeout,
			"max_retry_times": &c.MaxRetryTimes, "retry_backoff_millis": &c.RetryBackoff, "retry_timeout_seconds": &c.RetryTimeout,
		}[name]
		if into == nil {
			return fault.Unsupported("[" + name + "] in the [client_config] of a connector")
		}
		n, err := p.Int()
		*into = &n
		switch {
		case err != nil:
			return err
		case name == "max_retry_times" && n != 0:
			return fault.Unsupported("[" + name + "] in the [client_config] of a connector, other than 0,")
		case name != "max_retry_times" && n <= 0:
			return fault.Illegal("[%s] in the client_config of a connector must be positive", name)
		}
		return nil
	})
	return &c, err
}

// timeout bounds one call.
func (c *ClientConfig) timeout() time.Duration {
	d := callTimeout
	if c != nil && c.ReadTimeout != nil {
		d = bounded(*c.ReadTimeout, time.Second)
	}
	if c != nil && c.ConnectionTimeout != nil {
		d += bounded(*c.ConnectionTimeout, time.Millisecond)
	}
	return min(d, maxTimeout)
}

func bounded(n int, unit time.Duration) time.Duration {
	return time.Duration(min(n, int(maxTimeout/unit))) * unit
}
