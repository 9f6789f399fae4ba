// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/regex"
)

// textChange is a processor that makes a text, or each text of a list, another one.
func textChange(c *config, change func(string) (any, error)) processor {
	field, ignoreMissing := c.text("field"), c.flag("ignore_missing", false)
	target := c.optional("target_field", field)
	return changing(func(d *Document) error {
		v, err := d.getOr(field, ignoreMissing)
		if err != nil {
			return err
		}
		var next any
		switch v := v.(type) {
		case nil:
			if ignoreMissing {
				return nil
			}
			return fault.Illegal("field [%s] is null, cannot process it.", field)
		case string:
			next, err = change(v)
		case *List:
			next, err = changeEach(field, v, change)
		default:
			return cannotCast(field, v, "java.lang.String")
		}
		if err != nil {
			return err
		}
		return d.set(target, next)
	})
}

func changeEach(field string, list *List, change func(string) (any, error)) (*List, error) {
	out := &List{}
	for _, item := range list.items {
		s, ok := item.(string)
		if !ok {
			return nil, fault.Illegal("value [%s] of type [%s] in list field [%s] cannot be cast to [java.lang.String]", text(item), javaType(item), field)
		}
		next, err := change(s)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, next)
	}
	return out, nil
}

func plainly(change func(string) string) func(string) (any, error) {
	return func(s string) (any, error) { return change(s), nil }
}

func newLowercase(_ *Service, c *config) processor { return textChange(c, plainly(strings.ToLower)) }

func newUppercase(_ *Service, c *config) processor { return textChange(c, plainly(strings.ToUpper)) }

func newTrim(_ *Service, c *config) processor {
	return textChange(c, plainly(func(s string) string {
		return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || unicode.IsControl(r) && r < 0x80 && r != 0x7f })
	}))
}

func newURLDecode(_ *Service, c *config) processor {
	return textChange(c, func(s string) (any, error) {
		out, err := url.QueryUnescape(s)
		if err != nil {
			return nil, fault.Illegal("Could not URL-decode value.")
		}
		return out, nil
	})
}

// newBytes makes a number of bytes of a size such as "1kb".
func newBytes(_ *Service, c *config) processor {
	return textChange(c, func(s string) (any, error) {
		n, err := wire.ParseBytes(s, "Ingest Field")
		return json.Number(strconv.FormatInt(n.Value(), 10)), err
	})
}

// pattern compiles a regular expression.
func (c *config) pattern(name, source string) *regexp.Regexp {
	re, err := regex.Compile(source)
	switch {
	case err == nil:
		return re
	case fault.Is(err, "pattern_syntax_exception"):
		c.wrong(name, "Invalid regex pattern. %s", fault.Of(err).Reason)
	default:
		c.fail(located(fault.Of(err), c.typ, c.tag, name))
	}
	return nil
}

func newGsub(_ *Service, c *config) processor {
	re := c.pattern("pattern", c.text("pattern"))
	replacement := c.text("replacement")
	if c.err != nil {
		return nil
	}
	expand, err := expansion(re, replacement)
	if err != nil {
		c.fail(located(err, c.typ, c.tag, "replacement"))
	}
	return textChange(c, plainly(func(s string) string { return re.ReplaceAllString(s, expand) }))
}

// expansion turns a replacement of Java ($1, ${name}, \$) into one of Go.
func expansion(re *regexp.Regexp, replacement string) (string, *fault.Error) {
	var out strings.Builder
	for i := 0; i < len(replacement); i++ {
		switch c := replacement[i]; {
		case c == '\\' && i+1 < len(replacement):
			i++
			writeLiteral(&out, replacement[i])
		case c == '$':
			group, end := groupAt(re, replacement, i+1)
			if group == "" {
				return "", fault.Illegal("Illegal group reference in replacement [%s]", replacement)
			}
			out.WriteString("${" + group + "}")
			i = end - 1
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

func writeLiteral(out *strings.Builder, c byte) {
	if c == '$' {
		out.WriteByte('$')
	}
	out.WriteByte(c)
}

// groupAt reads a group's name or number, which goes on while there is such a group.
func groupAt(re *regexp.Regexp, s string, at int) (group string, end int) {
	if at < len(s) && s[at] == '{' {
		name, _, closed := strings.Cut(s[at+1:], "}")
		if !closed || re.SubexpIndex(name) < 0 {
			return "", at
		}
		return name, at + len(name) + 2
	}
	for end = at; end < len(s) && s[end] >= '0' && s[end] <= '9'; end++ {
		n, err := strconv.Atoi(s[at : end+1])
		if err != nil || n > re.NumSubexp() {
			break
		}
		group = s[at : end+1]
	}
	return group, end
}

func newSplit(_ *Service, c *config) processor {
	field, ignoreMissing := c.text("field"), c.flag("ignore_missing", false)
	trailing, target := c.flag("preserve_trailing", false), c.optional("target_field", field)
	re := c.pattern("separator", c.text("separator"))
	return changing(func(d *Document) error {
		s, err := d.getText(field, ignoreMissing)
		if err != nil || s == nil {
			if err == nil && !ignoreMissing {
				err = fault.Illegal("field [%s] is null, cannot split.", field)
			}
			return err
		}
		return d.set(target, texts(split(re, *s, trailing)))
	})
}

func texts(parts []string) *List {
	out := &List{}
	for _, part := range parts {
		out.items = append(out.items, part)
	}
	return out
}

// split cuts a text at what matches; empty parts at the end are left out unless they are wanted.
func split(re *regexp.Regexp, s string, trailing bool) []string {
	parts := re.Split(s, -1)
	if len(parts) == 1 {
		return []string{s}
	}
	for !trailing && len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

func newJoin(_ *Service, c *config) processor {
	field, separator := c.text("field"), c.text("separator")
	target := c.optional("target_field", field)
	return changing(func(d *Document) error {
		list, err := d.getList(field, false)
		if err != nil || list == nil {
			if err == nil {
				err = fault.Illegal("field [%s] is null, cannot join.", field)
			}
			return err
		}
		parts := make([]string, len(list.items))
		for i, item := range list.items {
			parts[i] = text(item)
		}
		return d.set(target, strings.Join(parts, separator))
	})
}
