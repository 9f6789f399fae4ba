// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// config reads the parameters of a pipeline or of a processor. The first mistake is kept; what nobody read is refused at
// the end.
type config struct {
	typ, tag string // "" for none
	values   *Object
	read     []string
	err      *fault.Error
}

// wrong is a parse_exception about a property ("" for none) of a processor.
func wrong(typ, tag, property, format string, args ...any) *fault.Error {
	e := fault.Parse(format, args...)
	if property != "" {
		e.Reason = "[" + property + "] " + e.Reason
	}
	return located(e, typ, tag, property)
}

// located adds which processor and property an error is about, before other fields, unless it says so already.
func located(e *fault.Error, typ, tag, property string) *fault.Error {
	if e.Field("processor_type") != nil {
		return e
	}
	var fields []fault.Field
	for _, f := range []fault.Field{{Name: "processor_type", Value: typ}, {Name: "processor_tag", Value: tag}, {Name: "property_name", Value: property}} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	e.Fields = append(fields, e.Fields...)
	return e
}

func (c *config) fail(e *fault.Error) {
	if c.err == nil {
		c.err = e
	}
}

func (c *config) wrong(property, format string, args ...any) {
	c.fail(wrong(c.typ, c.tag, property, format, args...))
}

// take is a property, nil if it is absent or null.
func (c *config) take(name string) any {
	c.read = append(c.read, name)
	v, _ := c.values.Get(name)
	return v
}

// need is a property that has to be there.
func (c *config) need(name string) any {
	v := c.take(name)
	if v == nil {
		c.wrong(name, "required property is missing")
	}
	return v
}

func (c *config) asText(name string, v any) string {
	if v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		c.wrong(name, "property isn't a string, but of type [%s]", javaType(v))
	}
	return s
}

// text is a text that has to be there, optional one that need not, with its default.
func (c *config) text(name string) string { return c.asText(name, c.need(name)) }

func (c *config) optional(name, def string) string {
	v := c.take(name)
	if v == nil {
		return def
	}
	return c.asText(name, v)
}

func (c *config) flag(name string, def bool) bool {
	v := c.take(name)
	if v == nil {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		c.wrong(name, "property isn't a boolean, but of type [%s]", javaType(v))
	}
	return b
}

// number is an integer or its text.
func (c *config) number(name string, def int) int {
	v := c.take(name)
	if v == nil {
		return def
	}
	n, err := strconv.ParseInt(text(v), 10, 32)
	if err != nil {
		c.wrong(name, "property cannot be converted to an int [%s]", text(v))
	}
	return int(n)
}

// list is a list, nil if it is absent.
func (c *config) list(name string) *List { return c.asList(name, c.take(name)) }

func (c *config) asList(name string, v any) *List {
	if v == nil {
		return nil
	}
	l, ok := v.(*List)
	if !ok {
		c.wrong(name, "property isn't a list, but of type [%s]", javaType(v))
	}
	return l
}

// object is an object, nil if it is absent.
func (c *config) object(name string) *Object { return c.asObject(name, c.take(name)) }

func (c *config) asObject(name string, v any) *Object {
	if v == nil {
		return nil
	}
	o, ok := v.(*Object)
	if !ok {
		c.wrong(name, "property isn't a map, but of type [%s]", javaType(v))
	}
	return o
}

// template is a text with fields of the document that has to be there.
func (c *config) template(name string) template { return c.compile(name, c.text(name)) }

func (c *config) compile(name, source string) template {
	t, err := compile(source)
	if err != nil {
		c.fail(located(fault.Of(err), c.typ, c.tag, name))
	}
	return t
}

// value is any JSON value with templates in it that has to be there.
func (c *config) value(name string) value {
	v, err := compileValue(c.need(name))
	if err != nil {
		c.fail(located(fault.Of(err), c.typ, c.tag, name))
	}
	return v
}

// texts is one text or a list of them.
func (c *config) texts(name string) []string {
	switch v := c.take(name).(type) {
	case nil:
		return nil
	case *List:
		out := make([]string, len(v.items))
		for i, item := range v.items {
			out[i] = c.asText(name, item)
		}
		return out
	default:
		return []string{c.asText(name, v)}
	}
}

// unread are the properties that nobody asked for.
func (c *config) unread() []string {
	var out []string
	for _, name := range c.values.Names() {
		if !slices.Contains(c.read, name) {
			out = append(out, name)
		}
	}
	return out
}

func bracketed(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

// suppressing is the first of several mistakes, which tells of the others.
func suppressing(list []*fault.Error) error {
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		return list[0].With("suppressed", list[1:])
	}
	return list[0]
}

func isWhole(v any) (json.Number, bool) {
	n, ok := v.(json.Number)
	return n, ok && !strings.ContainsAny(string(n), ".eE")
}
