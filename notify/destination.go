// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"net/http"
	"net/url"

	"github.com/opensteward/steward/wire"
)

// Kind is what sort of endpoint a message goes to, by its name in configurations.
type Kind string

// The kinds that messages can be sent to.
const (
	Slack   Kind = "slack"
	Chime   Kind = "chime"
	Webhook Kind = "webhook"
)

// Destination is an endpoint.
type Destination struct {
	Kind Kind
	// URL may hold a secret: it is never logged, nor part of an error.
	URL string
	// Method and Header are a webhook's. "" is POST; without headers the content type is application/json.
	Method string
	Header wire.Object
}

// Message is what is sent. A webhook gets the text alone; Slack and Chime get the HTML form if there is one, else the
// title, if there is one, an empty line and the text.
type Message struct {
	Title, Text, HTML string
	// Reference is what the message is about, for the log: an index's uuid.
	Reference string
}

// titled is the message in one text.
func (m Message) titled() string {
	switch {
	case m.HTML != "":
		return m.HTML
	case m.Title != "":
		return m.Title + "\n\n" + m.Text
	}
	return m.Text
}

// body is what the endpoint is sent.
func (d Destination) body(m Message) ([]byte, error) {
	switch d.Kind {
	case Slack:
		return wire.Marshal(wire.Obj("text", m.titled()))
	case Chime:
		return wire.Marshal(wire.Obj("Content", m.titled()))
	}
	return []byte(m.Text), nil
}

func (d Destination) method() string {
	if d.Method == "" {
		return http.MethodPost
	}
	return d.Method
}

// header is sent with the body: exactly a webhook's own, if it has any.
func (d Destination) header() http.Header {
	h := http.Header{}
	for _, m := range d.Header {
		if value, is := m.Value.(string); is {
			h.Set(m.Name, value)
		}
	}
	if len(h) == 0 {
		h.Set("Content-Type", "application/json")
	}
	return h
}

// host is the URL's host and port, "" if there is none.
func (d Destination) host() string {
	u, err := url.Parse(d.URL)
	if err != nil {
		return ""
	}
	return u.Host
}
