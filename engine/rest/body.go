// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// bodyOrSource is the body, or the source parameter that stands in for it.
func bodyOrSource(r *rest.Request) ([]byte, error) {
	kind := r.Param("source_content_type", "")
	if source := r.Param("source", ""); source != "" {
		if !strings.HasPrefix(kind, "application/json") {
			return nil, fault.Illegal("Validation error: source_content_type parameter is required")
		}
		return []byte(source), nil
	}
	return r.Body()
}

// requireBodyOrSource is bodyOrSource, or a 400 without either.
func requireBodyOrSource(r *rest.Request) ([]byte, error) {
	body, err := bodyOrSource(r)
	if err == nil && body == nil {
		err = fault.Parse("request body or source parameter is required")
	}
	return body, err
}

// isObject reports whether a value begins as an object.
func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}

// notContent and notMap are what OpenSearch says of a body that it reads as a whole: of one that is no object, and of one
// that is malformed.
func notContent() error {
	return fault.New(http.StatusBadRequest, "not_x_content_exception", "Compressor detection can only be called on some xcontent bytes or compressed xcontent bytes")
}

func notMap(cause error) error {
	e := fault.Parse("Failed to parse content to map")
	e.CausedBy = fault.Of(cause)
	return e
}

// wholeObject refuses a body that is no object from end to end. No body is none.
func wholeObject(body []byte) error {
	switch {
	case body == nil:
		return nil
	case !isObject(body):
		return notContent()
	}
	p := wire.NewParser(body)
	_, err := p.Next()
	if err == nil {
		err = p.Skip()
	}
	if err != nil {
		return notMap(err)
	}
	return nil
}

// objectBody reads a source as a pipeline needs it.
func objectBody(body []byte) (*ingest.Object, error) {
	if !isObject(body) {
		return nil, notContent()
	}
	o, err := ingest.ParseObject(body)
	if err != nil {
		return nil, notMap(err)
	}
	return o, nil
}

// members are the members of a JSON object in order, values as they are written.
func members(body []byte) (wire.Object, error) {
	o := wire.Object{}
	err := wire.ReadObject(body, func(p *wire.Parser, name string) error {
		raw, err := p.Raw()
		o.Add(name, raw)
		return err
	})
	return o, err
}

// textsOf reads an array of texts, or one text with commas.
func textsOf(p *wire.Parser, malformed string) (out []string, err error) {
	switch p.Token() {
	case wire.String:
		text, err := p.Text()
		if err != nil {
			return nil, err
		}
		if text == "" {
			return nil, nil
		}
		return strings.Split(text, ","), nil
	case wire.StartArray:
		err = p.Array(func() error {
			if p.Token() == wire.StartObject || p.Token() == wire.StartArray {
				return fault.Illegal("%s", malformed)
			}
			text, err := p.Text()
			out = append(out, text)
			return err
		})
		return out, err
	}
	return nil, fault.Illegal("%s", malformed)
}

// flagOf reads a boolean that may stand as a text.
func flagOf(p *wire.Parser, name string) (bool, error) {
	text, err := p.Text()
	if err != nil {
		return false, err
	}
	on, err := wire.ParseBool(text)
	if err != nil {
		e := fault.Illegal("Could not convert [%s] to boolean", name)
		e.CausedBy = fault.Of(err)
		return false, e
	}
	return on, nil
}

// textMember reads a member that takes a text alone.
func textMember(p *wire.Parser, name string) (*string, error) {
	if p.Token() != wire.String {
		return nil, fault.Illegal("malformed %s", name)
	}
	text, err := p.Text()
	return &text, err
}
