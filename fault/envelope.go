// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Body is what a client gets for err: status, content type and bytes.
func Body(err error) (status int, contentType string, body []byte) {
	e := Of(err)
	status = e.status()
	const jsonType = "application/json; charset=UTF-8"
	switch e.Form {
	case Text:
		return status, "text/plain; charset=UTF-8", []byte(e.Reason)
	case Plain:
		return status, jsonType, encode([]Field{{"error", e.Reason}, {"status", status}})
	case PlainNoStatus:
		return status, jsonType, encode([]Field{{"error", e.Reason}})
	default:
		return status, jsonType, encode([]Field{{"error", e.failure()}, {"status", status}})
	}
}

// Fields is the error object as it stands inside other answers (a bulk item, a failed shard): type, reason, fields
// and caused_by, without root_cause.
func Fields(err error) []Field {
	e := Of(err)
	out := e.own()
	if e.CausedBy != nil {
		out = append(out, Field{"caused_by", object(Fields(e.CausedBy))})
	}
	return out
}

// MarshalJSON writes the error object of [Fields].
func (e *Error) MarshalJSON() ([]byte, error) { return encode(Fields(e)), nil }

func (e *Error) own() []Field {
	typ := e.Type
	if typ == "" {
		typ = "exception"
	}
	return append([]Field{{"type", typ}, {"reason", e.Reason}}, e.Fields...)
}

func (e *Error) failure() object {
	roots := e.Roots
	if len(roots) == 0 {
		roots = []*Error{e}
	}
	list := make([]object, len(roots))
	for i, r := range roots {
		list[i] = r.own()
	}
	return append(object{{"root_cause", list}}, Fields(e)...)
}

// object is an ordered JSON object.
type object []Field

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) { return encode(o), nil }

func encode(fields []Field) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		writeValue(&b, f.Name)
		b.WriteByte(':')
		writeValue(&b, f.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// writeValue never fails: a value that JSON cannot hold is a mistake here, and the client still gets an answer.
func writeValue(b *bytes.Buffer, v any) {
	var one bytes.Buffer
	enc := json.NewEncoder(&one)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		b.WriteString("null")
		return
	}
	b.Write(bytes.TrimRight(one.Bytes(), "\n"))
}

// Write sends err to w.
func Write(w http.ResponseWriter, err error) {
	status, contentType, body := Body(err)
	for k, v := range Of(err).Header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
