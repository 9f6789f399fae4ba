// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// textMember is a text of the body of add or retry, whose other members may be anything; nil if it is absent or null. A
// body that is absent, or no object, is empty: the plugin reads a map there.
func textMember(r *rest.Request, name string) (*string, error) {
	body, err := r.Body()
	if err != nil || body == nil {
		return nil, err
	}
	p := wire.NewParser(body)
	if t, err := p.Next(); err != nil || t != wire.StartObject {
		return nil, noMap(err)
	}
	var text *string
	var cast error
	err = p.Object(func(member string) error {
		if member != name {
			return p.Skip()
		}
		if text, cast = asText(p); cast != nil {
			return p.Skip()
		}
		return nil
	})
	if err != nil {
		return nil, noMap(err)
	}
	return text, cast
}

// noMap is the error of a body that cannot be read as a map; nil without a cause.
func noMap(cause error) error {
	if cause == nil {
		return nil
	}
	e := fault.Parse("Failed to parse content to map")
	e.CausedBy = fault.Of(cause)
	return e
}

// asText is the text at the current token, or nil for null. Anything else is what Java says of it: 500
// class_cast_exception.
func asText(p *wire.Parser) (*string, error) {
	if t := p.Token(); t == wire.String || t == wire.Null {
		return p.TextOrNull()
	}
	return nil, fault.New(500, "class_cast_exception",
		"class %[1]s cannot be cast to class java.lang.String (%[1]s and java.lang.String are in module java.base of loader 'bootstrap')", javaClass(p))
}

// javaClass is the class of the value at the current token, as a map of the body has it.
func javaClass(p *wire.Parser) string {
	switch p.Token() {
	case wire.StartObject:
		return "java.util.HashMap"
	case wire.StartArray:
		return "java.util.ArrayList"
	case wire.Boolean:
		return "java.lang.Boolean"
	}
	number, _ := p.Text()
	fits := func(bits int) bool {
		_, err := strconv.ParseInt(number, 10, bits)
		return err == nil
	}
	switch {
	case strings.ContainsAny(number, ".eE"):
		return "java.lang.Double"
	case fits(32):
		return "java.lang.Integer"
	case fits(64):
		return "java.lang.Long"
	}
	return "java.math.BigInteger"
}
