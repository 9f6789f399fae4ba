// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/wire"
)

// Notifier delivers messages. It returns once the message was taken or it is known that it will not be: with a fault,
// whose reason is the cause. Any other error means that it was not tried to the end. A message may arrive twice.
type Notifier interface {
	Send(ctx context.Context, to notify.Destination, m notify.Message) error
	SendToChannel(ctx context.Context, id string, m notify.Message) error
}

// notificationTitle is the title of the action's messages to channels, the plugin's own.
const notificationTitle = "Index Management-ISM-Notification Action"

// attemptNotification sends the action's message. After a crash it is sent again: nothing tells whether it arrived.
func attemptNotification(ctx context.Context, e *Env) (ism.Result, error) {
	n := e.Action.Notification
	failed := e.message("Failed to send notification")
	text, err := Render(n.Template, e.Meta)
	if err == nil {
		err = Notify(ctx, e.Notifier, n.Recipient, notify.Message{Title: notificationTitle, Text: text, Reference: e.UUID})
	}
	if err != nil {
		return refused(err, failed)
	}
	return completed(e.message("Successfully sent notification")), nil
}

// Render renders a message with the metadata as ctx, as explain shows it.
func Render(template *ism.Script, meta *ism.Metadata) (string, error) {
	t := notify.Template{Source: template.Source, Options: template.Options, Params: template.Params}
	return t.Render(meta.Explain())
}

// Notify delivers a message to a recipient. A message to a destination has no title.
func Notify(ctx context.Context, n Notifier, to ism.Recipient, m notify.Message) error {
	switch {
	case n == nil:
		return fault.Illegal("notifications are not available")
	case to.Channel != nil:
		return n.SendToChannel(ctx, *to.Channel, m)
	}
	m.Title = ""
	return n.Send(ctx, destination(to.Destination), m)
}

// destination is where a destination of a policy leads.
func destination(d *ism.Destination) notify.Destination {
	out := notify.Destination{URL: strings.TrimSpace(value(d.URL)), Header: d.HeaderParams}
	switch d.Kind {
	case "slack":
		out.Kind = notify.Slack
	case "chime":
		out.Kind = notify.Chime
	default:
		out.Kind = notify.Webhook
		if out.URL == "" {
			out.URL = assemble(d)
		}
	}
	return out
}

// assemble makes a URL of its parts.
func assemble(d *ism.Destination) string {
	u := url.URL{Scheme: value(d.Scheme), Host: value(d.Host), Path: value(d.Path), RawQuery: encode(d.QueryParams)}
	if u.Scheme == "" {
		u.Scheme = "https"
	}
	if u.Path != "" && !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	if d.Port >= 0 {
		u.Host = net.JoinHostPort(strings.Trim(u.Host, "[]"), strconv.Itoa(d.Port))
	}
	return u.String()
}

// encode writes query parameters in their order.
func encode(params wire.Object) string {
	var parts []string
	for _, p := range params {
		text, _ := p.Value.(string)
		parts = append(parts, url.QueryEscape(p.Name)+"="+url.QueryEscape(text))
	}
	return strings.Join(parts, "&")
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
