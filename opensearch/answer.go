// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// answerFault turns an answer that is not a success into the fault that writes the same answer again. A success of a shape
// that its reader does not know is no answer.
func answerFault(status int, header http.Header, body []byte) *fault.Error {
	if status/100 == 2 {
		e := fault.New(http.StatusServiceUnavailable, "transport_exception", "the cluster answered with a status of %d and nothing that can be understood", status)
		e.Err = fmt.Errorf("answer: %.200q", body)
		return e
	}
	e := parseAnswer(body)
	if e == nil {
		e = &fault.Error{Form: fault.Text, Reason: strings.TrimSpace(string(body))}
		if e.Reason == "" { // the answer to a HEAD has no body
			e = &fault.Error{Type: "status_exception", Reason: http.StatusText(status)}
		}
	}
	e.Status = status
	for _, name := range []string{"Www-Authenticate", "Retry-After", "Allow"} {
		if v := header[name]; v != nil {
			if e.Header == nil {
				e.Header = http.Header{}
			}
			e.Header[name] = v
		}
	}
	return e
}

func parseAnswer(body []byte) *fault.Error {
	members, err := members(body)
	if err != nil {
		return nil
	}
	var failure json.RawMessage
	hasStatus := false
	for _, m := range members {
		switch m.Name {
		case "error":
			failure = m.Value.(json.RawMessage)
		case "status":
			hasStatus = true
		}
	}
	var text string
	switch {
	case failure == nil:
		return nil
	case json.Unmarshal(failure, &text) == nil && hasStatus:
		return &fault.Error{Form: fault.Plain, Reason: text}
	case json.Unmarshal(failure, &text) == nil:
		return &fault.Error{Form: fault.PlainNoStatus, Reason: text}
	default:
		return parseFailure(failure)
	}
}

// parseFailure reads an error object: type, reason, further fields in their order, root causes and cause. It returns
// nil if body is not one.
func parseFailure(body json.RawMessage) *fault.Error {
	list, err := members(body)
	if err != nil {
		return nil
	}
	e := &fault.Error{}
	for _, m := range list {
		raw := m.Value.(json.RawMessage)
		switch m.Name {
		case "type":
			_ = json.Unmarshal(raw, &e.Type)
		case "reason":
			_ = json.Unmarshal(raw, &e.Reason)
		case "caused_by":
			e.CausedBy = parseFailure(raw)
		case "root_cause":
			e.Roots = parseRoots(raw)
		default:
			e.Fields = append(e.Fields, fault.Field{Name: m.Name, Value: scalar(raw)})
		}
	}
	return e
}

func parseRoots(body json.RawMessage) []*fault.Error {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil {
		return nil
	}
	var roots []*fault.Error
	for _, raw := range list {
		if root := parseFailure(raw); root != nil {
			roots = append(roots, root)
		}
	}
	return roots
}

// scalar makes a string or boolean a Go value, so that callers can compare it, and leaves the rest as it is written.
func scalar(raw json.RawMessage) any {
	switch raw[0] {
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s)
		return s
	case 't', 'f':
		return raw[0] == 't'
	default:
		return raw
	}
}

// members reads a JSON object and keeps the order of its members. The values are json.RawMessage.
func members(body []byte) (wire.Object, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))
	out := wire.Object{}
	err := eachMember(dec, func(name string) error {
		value, err := dec.ReadValue()
		out.Add(name, json.RawMessage(bytes.Clone(value)))
		return err
	})
	return out, err
}

// eachMember calls fn for each member of the object that comes next; fn reads the value.
func eachMember(dec *jsontext.Decoder, fn func(name string) error) error {
	start, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if start.Kind() != '{' {
		return errNotObject
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := fn(name.String()); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	return err
}

var errNotObject = fault.New(http.StatusBadGateway, "transport_exception", "the cluster's answer is not a JSON object")
