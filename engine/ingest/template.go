// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/cbroglie/mustache"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// template is a text that may hold {{fields}} of the document.
type template struct {
	fixed    string
	compiled *mustache.Template // nil for a text without fields
	// indexed is true if a field is an item of a list ({{list.0}}).
	indexed bool
	// roots are the fields of the document that it may look at.
	roots []string
}

var numbered = regexp.MustCompile(`\.\d+(\.|$)`)

// compile reads a template; a malformed one is a 400 script_exception.
func compile(source string) (template, error) {
	t := template{fixed: source}
	if !strings.Contains(source, "{{") {
		return t, nil
	}
	m, err := mustache.ParseStringPartials(source, &mustache.StaticProvider{})
	if err != nil {
		e := fault.New(400, "script_exception", "%s", err)
		e.CausedBy = fault.New(400, "mustache_exception", "%s", err)
		return t, e.With("script_stack", []string{}).With("script", source).With("lang", "mustache")
	}
	m.Escape(escapeJSON)
	t.compiled = m
	t.look(m.Tags())
	return t, nil
}

// look notes what tags are about. A name in a section may be that of a field of the document, too.
func (t *template) look(tags []mustache.Tag) {
	for _, tag := range tags {
		t.indexed = t.indexed || numbered.MatchString(tag.Name())
		root, _, _ := strings.Cut(tag.Name(), ".")
		t.roots = append(t.roots, root)
		if tag.Type() == mustache.Section || tag.Type() == mustache.InvertedSection {
			t.look(tag.Tags())
		}
	}
}

// escapeJSON is what stands between the quotes of a JSON string.
func escapeJSON(s string) string {
	quoted, err := wire.Marshal(s)
	if err != nil {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

func (t template) render(d *Document) (string, error) {
	if t.compiled == nil {
		return t.fixed, nil
	}
	model := t.model(d)
	if err := (&effort{maxRendered}).spend(t.compiled.Tags(), []any{model}); err != nil {
		return "", err
	}
	var out boundedText
	err := t.compiled.FRender(&out, map[string]any(model))
	if fault.Is(err, "script_exception") {
		return "", err
	}
	if err != nil {
		return "", fault.New(400, "script_exception", "%s", err)
	}
	return out.String(), nil
}

// model is what the template may look at of the document.
func (t template) model(d *Document) printedMap {
	out := make(printedMap, len(t.roots))
	for _, root := range t.roots {
		switch v, ok := d.fields.Get(root); {
		case root == "_source":
			out[root] = t.shown(d.fields)
		case root == "_ingest":
			out[root] = t.shown(d.ingest)
		case ok:
			out[root] = t.shown(v)
		}
	}
	return out
}

// printedMap and printedList look up as maps and lists do and print as OpenSearch prints them.
type (
	printedMap  map[string]any
	printedList []any
)

// String prints the members.
func (m printedMap) String() string {
	v, _ := m[printed].(string)
	return v
}

// String prints the items by their numbers.
func (l printedList) String() string {
	parts := make([]string, len(l))
	for i, v := range l {
		parts[i] = strconv.Itoa(i) + "=" + shownText(v)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// printed is the key of what a map prints as; no field has this name.
const printed = "\x00"

func shownText(v any) string {
	switch v := v.(type) {
	case printedMap:
		return v.String()
	case printedList:
		return v.String()
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// shown makes of a value what the template library looks into.
func (t template) shown(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		return text(v)
	case *Object:
		out := make(printedMap, len(v.members)+1)
		parts := make([]string, len(v.members))
		for i, m := range v.members {
			out[m.Name] = t.shown(m.Value)
			parts[i] = m.Name + "=" + shownText(out[m.Name])
		}
		out[printed] = "{" + strings.Join(parts, ", ") + "}"
		return out
	case *List:
		list := make(printedList, len(v.items))
		for i, item := range v.items {
			list[i] = t.shown(item)
		}
		if !t.indexed {
			return list
		}
		out := make(printedMap, len(list)+1)
		for i, item := range list {
			out[strconv.Itoa(i)] = item
		}
		out[printed] = list.String()
		return out
	}
	return v
}

// value is what a processor sets: any JSON value, with templates in its texts.
type value interface {
	// render makes a value of its own for a document.
	render(d *Document) (any, error)
}

type (
	textValue   struct{ template }
	objectValue []namedValue
	listValue   []value
	// plainValue is null, a boolean or a number.
	plainValue struct{ v any }
)

type namedValue struct {
	name  template
	value value
}

func compileValue(v any) (value, error) {
	switch v := v.(type) {
	case string:
		t, err := compile(v)
		return textValue{t}, err
	case *Object:
		out := objectValue{}
		for _, m := range v.members {
			name, err := compile(m.Name)
			if err != nil {
				return nil, err
			}
			inner, err := compileValue(m.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, namedValue{name, inner})
		}
		return out, nil
	case *List:
		out := listValue{}
		for _, item := range v.items {
			inner, err := compileValue(item)
			if err != nil {
				return nil, err
			}
			out = append(out, inner)
		}
		return out, nil
	}
	return plainValue{v}, nil
}

func (v textValue) render(d *Document) (any, error) { return v.template.render(d) }

func (v plainValue) render(*Document) (any, error) { return v.v, nil }

func (v objectValue) render(d *Document) (any, error) {
	out := NewObject()
	for _, m := range v {
		name, err := m.name.render(d)
		if err != nil {
			return nil, err
		}
		inner, err := m.value.render(d)
		if err != nil {
			return nil, err
		}
		out.Set(name, inner)
	}
	return out, nil
}

func (v listValue) render(d *Document) (any, error) {
	out := &List{}
	for _, item := range v {
		inner, err := item.render(d)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, inner)
	}
	return out, nil
}
