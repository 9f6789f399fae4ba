// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"github.com/opensteward/steward/fault"
)

// condition says on which documents a processor runs. It is one expression of the scripting language Painless: fields of
// ctx and params, literals, comparisons, &&, || and !, null-safe access, and a few methods of texts, lists and objects.
// Anything else is refused by name when the pipeline is stored.
type condition struct {
	source string
	expr   expression
	params *Object
}

// parseCondition reads the "if" of a processor: a script's source, or an object that holds it.
func parseCondition(v any) (*condition, error) {
	c := &config{typ: "conditional"}
	source, params := "", NewObject()
	switch v := v.(type) {
	case string:
		source = v
	case *Object:
		c.values = v
		if v.index("id") >= 0 {
			return nil, fault.Unsupported("a stored script")
		}
		source = c.text("source")
		if lang := c.optional("lang", "painless"); lang != "painless" {
			return nil, fault.Unsupported("the script language [" + lang + "]")
		}
		if given := c.object("params"); given != nil {
			params = given
		}
		if c.err != nil {
			return nil, c.err
		}
	default:
		c.wrong("script", "property isn't a map or string, but of type [%s]", javaType(v))
		return nil, c.err
	}
	expr, err := parseExpression(source)
	if err != nil {
		return nil, err
	}
	return &condition{source, expr, params}, nil
}

// holds evaluates the condition. A script that fails, on a null for example, is a 400 script_exception.
func (c *condition) holds(d *Document) (bool, error) {
	v, err := c.expr(&scope{ctx: d.fields, params: c.params})
	if err == nil {
		b, ok := v.(bool)
		if ok {
			return b, nil
		}
		err = fault.New(400, "class_cast_exception", "Cannot cast from [%s] to [boolean].", javaType(v))
	}
	e := fault.New(400, "script_exception", "runtime error").With("script", c.source).With("lang", "painless")
	e.CausedBy = fault.Of(err)
	return false, e
}
