// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// ErrorNotification is sent when an index fails for good.
type ErrorNotification struct {
	Recipient
	Template *Script
}

// Notification is the action that sends a message.
type Notification struct {
	Recipient
	Template *Script
}

// Recipient says where a message goes: to a destination or to a channel.
type Recipient struct {
	Destination *Destination
	Channel     *string // id of a notification channel
}

// Destination is a webhook of one of three kinds.
type Destination struct {
	// Kind is "chime", "slack" or "custom_webhook".
	Kind string
	URL  *string
	// The rest is for custom_webhook.
	Scheme, Host, Path, Username, Password *string
	Port                                   int
	QueryParams, HeaderParams              wire.Object
}

func parseErrorNotification(p *wire.Parser) (*ErrorNotification, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	n := &ErrorNotification{}
	err := p.Object(func(name string) (err error) {
		if p.Token() == wire.Null && name != "message_template" {
			return nil
		}
		known, err := parseMessage(p, name, &n.Recipient, &n.Template)
		if !known && err == nil {
			err = invalidField(name, "ErrorNotification")
		}
		return err
	})
	if err == nil {
		err = n.check("ErrorNotification", "ErrorNotification", n.Template)
	}
	return n, err
}

func parseNotification(p *wire.Parser) (*Notification, error) {
	n := &Notification{}
	err := p.Object(func(name string) error {
		known, err := parseMessage(p, name, &n.Recipient, &n.Template)
		if !known && err == nil {
			err = invalidField(name, "NotificationAction")
		}
		return err
	})
	if err == nil {
		err = n.check("NotificationAction", "Notification", n.Template)
	}
	return n, err
}

func parseMessage(p *wire.Parser, name string, m *Recipient, template **Script) (known bool, err error) {
	switch name {
	case "destination":
		m.Destination, err = parseDestination(p)
	case "channel":
		m.Channel, err = parseChannel(p)
	case "message_template":
		*template, err = parseScript(p)
	default:
		return false, nil
	}
	return true, err
}

func (m Recipient) check(parsed, named string, template *Script) error {
	switch {
	case template == nil:
		return fault.Illegal("%s message template is null", parsed)
	case m.Destination == nil && m.Channel == nil:
		return fault.Illegal("%s must contain a destination or channel", named)
	case m.Destination != nil && m.Channel != nil:
		return fault.Illegal("%s can only contain a single destination or channel", named)
	case !template.mustache():
		return fault.Illegal("%s message template must be a mustache script", named)
	}
	return nil
}

func (m Recipient) json(template *Script) wire.Object {
	o := wire.Object{}
	if m.Destination != nil {
		o.Add("destination", m.Destination.json())
	}
	if m.Channel != nil {
		o.Add("channel", wire.Obj("id", m.Channel))
	}
	o.Add("message_template", template.json())
	return o
}

// value is the printed form, or nil.
func (n *ErrorNotification) value() any {
	if n == nil {
		return nil
	}
	return n.json(n.Template)
}

func parseChannel(p *wire.Parser) (*string, error) {
	var id *string
	err := p.Object(func(name string) (err error) {
		if name != "id" {
			return fault.IllegalState("Unexpected field: %s, while parsing Channel destination", name)
		}
		id, err = text(p)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case id == nil:
		return nil, fault.Illegal("Channel ID is null")
	case *id == "":
		return nil, fault.Illegal("Channel ID cannot be empty")
	}
	return id, nil
}

// parseDestination reads a destination. Of several kinds chime wins over slack over custom_webhook; the others are
// dropped.
func parseDestination(p *wire.Parser) (*Destination, error) {
	kinds := map[string]*Destination{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "chime", "slack":
			kinds[name], err = parseURLDestination(p, name)
		case "custom_webhook":
			kinds[name], err = parseWebhook(p)
		default:
			err = invalidField(name, "Destination")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"chime", "slack", "custom_webhook"} {
		if d := kinds[kind]; d != nil {
			return d, nil
		}
	}
	return nil, fault.Illegal("Must specify a destination type")
}

func parseURLDestination(p *wire.Parser, kind string) (*Destination, error) {
	d := &Destination{Kind: kind, Port: -1}
	label := map[string]string{"chime": "Chime", "slack": "Slack"}[kind]
	err := p.Object(func(name string) (err error) {
		if name != "url" {
			return fault.IllegalState("Unexpected field: %s, while parsing %s destination", name, label)
		}
		d.URL, err = p.TextOrNull()
		return err
	})
	if err == nil && (d.URL == nil || *d.URL == "") {
		err = fault.Illegal("URL is null or empty")
	}
	return d, err
}

func parseWebhook(p *wire.Parser) (*Destination, error) {
	d := &Destination{Kind: "custom_webhook", Port: -1, QueryParams: wire.Object{}, HeaderParams: wire.Object{}}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "url":
			d.URL, err = p.TextOrNull()
		case "scheme":
			d.Scheme, err = p.TextOrNull()
		case "host":
			d.Host, err = p.TextOrNull()
		case "path":
			d.Path, err = p.TextOrNull()
		case "username":
			d.Username, err = p.TextOrNull()
		case "password":
			d.Password, err = p.TextOrNull()
		case "port":
			d.Port, err = p.Int()
		case "query_params":
			d.QueryParams, err = lenientTexts(p)
		case "header_params":
			d.HeaderParams, err = lenientTexts(p)
		default:
			err = fault.IllegalState("Unexpected field: %s, while parsing custom webhook destination", name)
		}
		return err
	})
	if err == nil && empty(d.URL) && empty(d.Host) {
		err = fault.Illegal("Url or Host name must be provided.")
	}
	return d, err
}

func empty(s *string) bool { return s == nil || *s == "" }

// lenientTexts is texts; null, a text or a number is none.
func lenientTexts(p *wire.Parser) (wire.Object, error) {
	switch p.Token() {
	case wire.Null, wire.String, wire.Number, wire.Boolean:
		return wire.Object{}, nil
	}
	return texts(p)
}

// texts reads an object of texts.
func texts(p *wire.Parser) (wire.Object, error) {
	o := wire.Object{}
	err := p.Object(func(name string) error {
		s, err := p.Text()
		o.Add(name, s)
		return err
	})
	return o, err
}

func (d *Destination) json() wire.Object {
	if d.Kind != "custom_webhook" {
		return wire.Obj(d.Kind, wire.Obj("url", d.URL))
	}
	return wire.Obj(d.Kind, wire.Obj(
		"url", d.URL, "scheme", d.Scheme, "host", d.Host, "port", d.Port, "path", d.Path,
		"query_params", d.QueryParams, "header_params", d.HeaderParams, "username", d.Username, "password", d.Password))
}
