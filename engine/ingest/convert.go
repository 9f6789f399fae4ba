// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// conversions are the types of the convert processor.
var conversions = map[string]func(any) (any, *fault.Error){
	"integer": func(v any) (any, *fault.Error) { return toInteger(v, "integer", 32) },
	"long":    func(v any) (any, *fault.Error) { return toInteger(v, "long", 64) },
	"float":   func(v any) (any, *fault.Error) { return toFloat(v, "float", 32) },
	"double":  func(v any) (any, *fault.Error) { return toFloat(v, "double", 64) },
	"boolean": toBoolean,
	"string":  func(v any) (any, *fault.Error) { return text(v), nil },
	"ip":      toIP,
	"auto":    toAnything,
}

func newConvert(_ *Service, c *config) processor {
	field, typ := c.text("field"), c.text("type")
	target := c.optional("target_field", field)
	convert, known := conversions[strings.ToLower(typ)]
	if !known && c.err == nil {
		c.wrong("type", "type [%s] not supported, cannot convert field.", typ)
	}
	ignoreMissing := c.flag("ignore_missing", false)
	return changing(func(d *Document) error {
		v, err := d.getOr(field, ignoreMissing)
		if err != nil {
			return err
		}
		if v == nil {
			if ignoreMissing {
				return nil
			}
			return fault.Illegal("Field [%s] is null, cannot be converted to type [%s]", field, strings.ToLower(typ))
		}
		next, err := convertAll(v, convert)
		if err != nil {
			return err
		}
		return d.set(target, clone(next)) // "auto" leaves an object as it is, which must not get into itself
	})
}

func convertAll(v any, convert func(any) (any, *fault.Error)) (any, error) {
	list, ok := v.(*List)
	if !ok {
		next, err := convert(v)
		if err != nil {
			return nil, err
		}
		return next, nil
	}
	out := &List{}
	for _, item := range list.items {
		next, err := convert(item)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, next)
	}
	return out, nil
}

func unable(s, typ string) *fault.Error {
	e := fault.Illegal("unable to convert [%s] to %s", s, typ)
	e.CausedBy = numberFormat(s)
	return e
}

func toInteger(v any, typ string, bits int) (any, *fault.Error) {
	s := text(v)
	base := 10
	digits := s
	if sign, hex, ok := strings.Cut(s, "0x"); ok && (sign == "" || sign == "-") {
		digits, base = sign+hex, 16
	}
	n, err := strconv.ParseInt(digits, base, bits)
	if err != nil {
		return nil, unable(s, typ)
	}
	return json.Number(strconv.FormatInt(n, 10)), nil
}

func toFloat(v any, typ string, bits int) (any, *fault.Error) {
	s := text(v)
	f, err := strconv.ParseFloat(strings.TrimSpace(s), bits)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, unable(s, typ)
	}
	return json.Number(floatText(f, bits)), nil
}

func toBoolean(v any) (any, *fault.Error) {
	switch s := text(v); strings.ToLower(s) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return nil, fault.Illegal("[%s] is not a boolean value, cannot convert to boolean", s)
	}
}

func toIP(v any) (any, *fault.Error) {
	s, ok := v.(string)
	if !ok {
		return nil, fault.Illegal("cannot convert value [%s] of type [%s] to ip", text(v), javaType(v))
	}
	if _, err := netip.ParseAddr(s); err != nil {
		return nil, fault.Illegal("[%s] is not a valid ipv4/ipv6 address", s)
	}
	return s, nil
}

// toAnything makes of a text what it looks like.
func toAnything(v any) (any, *fault.Error) {
	if _, ok := v.(string); !ok {
		return v, nil
	}
	if b, err := toBoolean(v); err == nil {
		return b, nil
	}
	if n, err := toInteger(v, "long", 64); err == nil {
		return n, nil
	}
	if f, err := toFloat(v, "float", 32); err == nil {
		return f, nil
	}
	return v, nil
}
