// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Member is one name and value of an [Object].
type Member struct {
	Name  string
	Value any
}

// Object is a JSON object that keeps the order of its members.
type Object []Member

// Obj builds an object from alternating names and values.
func Obj(namesAndValues ...any) Object {
	o := make(Object, 0, len(namesAndValues)/2)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		o = append(o, Member{namesAndValues[i].(string), namesAndValues[i+1]})
	}
	return o
}

// Document is what is written as an object. Its MarshalJSON, if it has one, writes the same; a nil object is null.
type Document interface{ JSONObject() Object }

// Add appends one member.
func (o *Object) Add(name string, value any) { *o = append(*o, Member{name, value}) }

// AddIf appends one member if ok.
func (o *Object) AddIf(ok bool, name string, value any) {
	if ok {
		o.Add(name, value)
	}
}

// MarshalJSON writes the members in order.
func (o Object) MarshalJSON() ([]byte, error) {
	return o.appendJSON(make([]byte, 0, 512))
}

func (o Object) appendJSON(out []byte) ([]byte, error) {
	var err error
	out = append(out, '{')
	for i, m := range o {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendText(out, m.Name); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = appendJSON(out, m.Value); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// appendJSON writes what Marshal writes. What documents are made of goes without encoding/json, which would read each
// object again at every level that it stands in.
func appendJSON(out []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case Object:
		return v.appendJSON(out)
	case []Object:
		if v != nil {
			return appendList(out, v)
		}
	case []any:
		if v != nil {
			return appendList(out, v)
		}
	case Document:
		if o := v.JSONObject(); o != nil {
			return o.appendJSON(out)
		}
		return append(out, "null"...), nil
	case *int64:
		if v != nil {
			return strconv.AppendInt(out, *v, 10), nil
		}
	case *string:
		if v != nil {
			return appendText(out, *v)
		}
	case string:
		return appendText(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	case int:
		return strconv.AppendInt(out, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	}
	return appendEncoded(out, v)
}

func appendList[T any](out []byte, list []T) ([]byte, error) {
	var err error
	out = append(out, '[')
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendJSON(out, v); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendText(out []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return appendEncoded(out, s)
		}
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"'), nil
}

func appendEncoded(out []byte, v any) ([]byte, error) {
	b := bytes.NewBuffer(out)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Marshal is json.Marshal without HTML escapes.
func Marshal(v any) ([]byte, error) {
	return appendJSON(nil, v)
}
