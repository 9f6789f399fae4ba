// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cbroglie/mustache"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Template is a message in Mustache, as OpenSearch's template scripts are: values are escaped as in JSON texts unless
// the options say otherwise, what is missing is nothing, numbers stand as they are written, there are the functions
// toJson, join and url, and no partials.
type Template struct {
	Source string
	// Options may have a content_type: application/json (the default), text/plain or
	// application/x-www-form-urlencoded.
	Options json.RawMessage
	// Params is an object of further values.
	Params json.RawMessage
}

// Render renders the template with one more value, ctx. A template that cannot be rendered is a fault.
func (t Template) Render(ctx any) (string, error) {
	escape, err := t.escape()
	if err != nil {
		return "", err
	}
	values, err := t.values(ctx)
	if err != nil {
		return "", err
	}
	out, err := render(t.Source, escape, values)
	if err != nil {
		return "", fault.New(http.StatusBadRequest, "script_exception", "%s", err)
	}
	return out, nil
}

func hasPartial(tags []mustache.Tag) bool {
	return slices.ContainsFunc(tags, func(t mustache.Tag) bool {
		if t.Type() == mustache.Partial {
			return true
		}
		return (t.Type() == mustache.Section || t.Type() == mustache.InvertedSection) && hasPartial(t.Tags())
	})
}

func (t Template) escape() (mustache.EscapeFunc, error) {
	var o struct {
		Type string `json:"content_type"`
	}
	if len(t.Options) > 0 {
		if err := json.Unmarshal(t.Options, &o); err != nil {
			return nil, fault.Illegal("options of the template are no object of texts")
		}
	}
	switch kind, _, _ := strings.Cut(o.Type, ";"); kind {
	case "", "application/json":
		return escapeJSON, nil
	case "text/plain":
		return plainText, nil
	case "application/x-www-form-urlencoded":
		return url.QueryEscape, nil
	default:
		return nil, fault.Illegal("No encoder found for MIME type [%s]", o.Type)
	}
}

func escapeJSON(s string) string {
	quoted, err := wire.Marshal(s)
	if err != nil {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}

// values are what names in the template mean.
func (t Template) values(ctx any) (object, error) {
	values := object{}
	if len(t.Params) > 0 {
		if err := decode(t.Params, &values); err != nil {
			return nil, err
		}
	}
	raw, err := wire.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	var v any
	if err := decode(raw, &v); err != nil {
		return nil, err
	}
	values = plain(map[string]any(values)).(object)
	values["ctx"] = plain(v)
	data := values.copy()
	values["toJson"] = data.function(toJSON)
	values["join"] = data.function(join)
	values["url"] = mustache.LambdaFunc(func(text string, _ mustache.RenderFunc) (string, error) {
		out, err := render(text, plainText, data) // the library's own would read partials from files
		return url.QueryEscape(out), err
	})
	return values, nil
}

func plainText(s string) string { return s }

// render renders one template text.
func render(source string, escape mustache.EscapeFunc, values object) (string, error) {
	parsed, err := mustache.ParseStringPartials(source, &mustache.StaticProvider{})
	if err != nil {
		return "", err
	}
	if hasPartial(parsed.Tags()) {
		return "", errors.New("partial templates are not supported")
	}
	parsed.Escape(escape)
	var out rendered
	if err := parsed.FRender(&out, values); err != nil || out.full {
		return "", cmp.Or(err, errLong)
	}
	return out.text.String(), nil
}

// maxMessage is the longest message, in bytes: sections in sections of lists multiply.
const maxMessage = 1 << 20

var errLong = fmt.Errorf("the message is longer than %d bytes", maxMessage)

// rendered is what there is of a message so far.
type rendered struct {
	text strings.Builder
	full bool
}

// Write adds to the message, as far as it may be long.
func (m *rendered) Write(p []byte) (int, error) {
	if m.full = m.full || m.text.Len()+len(p) > maxMessage; m.full {
		return 0, errLong
	}
	return m.text.Write(p)
}

// decode keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// object is a JSON object as templates see it.
type object map[string]any

// String is how OpenSearch prints an object: {a=1, b=2}.
func (o object) String() string {
	names := o.names()
	for i, n := range names {
		names[i] = fmt.Sprintf("%s=%v", n, o[n])
	}
	return "{" + strings.Join(names, ", ") + "}"
}

func (o object) names() []string {
	var names []string
	for n := range o {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (o object) copy() object {
	out := make(object, len(o))
	for n, v := range o {
		out[n] = v
	}
	return out
}

// list is a JSON array as templates see it.
type list []any

// String is how OpenSearch prints an array: [1, 2].
func (l list) String() string {
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = fmt.Sprint(v)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// number is written into messages and into JSON as it came.
type number json.Number

// plain makes a decoded value one that templates print well: nulls are left out.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := object{}
		for name, member := range v {
			if member != nil {
				o[name] = plain(member)
			}
		}
		return o
	case []any:
		l := make(list, len(v))
		for i, item := range v {
			l[i] = plain(item)
		}
		return l
	case json.Number:
		return number(v)
	case nil:
		return ""
	}
	return v
}

// MarshalJSON writes the digits.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// function is a section whose content names the value that fn is applied to.
func (o object) function(fn func(any) (string, error)) mustache.LambdaFunc {
	return func(text string, _ mustache.RenderFunc) (string, error) {
		var at any = o
		for part := range strings.SplitSeq(strings.TrimSpace(text), ".") {
			parent, is := at.(object)
			if !is {
				return "", nil
			}
			at = parent[part]
		}
		if at == nil {
			return "", nil
		}
		return fn(at)
	}
}

func toJSON(v any) (string, error) {
	out, err := wire.Marshal(v)
	return string(out), err
}

func join(v any) (string, error) {
	l, is := v.(list)
	if !is {
		return fmt.Sprint(v), nil
	}
	out := make([]string, len(l))
	for i, item := range l {
		out[i] = fmt.Sprint(item)
	}
	return strings.Join(out, ","), nil
}
