// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
)

// dissection cuts a text at fixed delimiters: "%{client} - [%{time}]".
type dissection struct {
	source    string
	leading   string
	keys      []dissectKey
	separator string // between the parts of an appended field
}

// dissectKey is one %{key} and the delimiter behind it.
type dissectKey struct {
	name      string
	modifier  byte // '+', '*', '&', '?' or 0
	order     int  // of a part: %{+name/2}
	ordered   bool
	padded    bool // -> : the delimiter may repeat
	delimiter string
}

func (k dissectKey) skipped() bool { return k.modifier == '?' || k.name == "" }

var dissectKeys = regexp.MustCompile(`(?s)%\{([^}]*?)\}([^%]*)`)

func newDissect(_ *Service, c *config) processor {
	field, pattern := c.text("field"), c.text("pattern")
	separator, ignoreMissing := c.optional("append_separator", ""), c.flag("ignore_missing", false)
	if c.err != nil {
		return nil
	}
	how, err := parseDissection(pattern, separator)
	if err != nil {
		c.fail(located(err, c.typ, c.tag, ""))
		return nil
	}
	return changing(func(d *Document) error {
		s, err := d.getText(field, ignoreMissing)
		if err != nil || s == nil {
			if err == nil && !ignoreMissing {
				err = fault.Illegal("field [%s] is null, cannot process it.", field)
			}
			return err
		}
		found, err := how.apply(*s)
		if err != nil {
			return err
		}
		for _, m := range found.members {
			if err := d.set(m.Name, m.Value); err != nil {
				return err
			}
		}
		return nil
	})
}

func parseDissection(pattern, separator string) (*dissection, *fault.Error) {
	how := &dissection{source: pattern, separator: separator}
	how.leading, _, _ = strings.Cut(pattern, "%")
	names := map[string]bool{}
	for _, m := range dissectKeys.FindAllStringSubmatch(pattern[len(how.leading):], -1) {
		k, err := parseDissectKey(m[1])
		if err != nil {
			return nil, err
		}
		k.delimiter = m[2]
		how.keys = append(how.keys, k)
		if !k.skipped() {
			names[k.name] = true
		}
	}
	if len(names) == 0 {
		return nil, fault.Parse("Unable to parse pattern: %s Reason: Unable to find any keys or delimiters.", pattern)
	}
	return how, how.settle()
}

// settle makes parts of the fields that others are appended to, and pairs names with their values.
func (h *dissection) settle() *fault.Error {
	pairs := map[string]int{}
	for _, k := range h.keys {
		if k.modifier == '*' || k.modifier == '&' {
			pairs[k.name]++
		}
	}
	for name, n := range pairs {
		if n != 2 {
			return fault.Parse("Unable to parse pattern: %s Reason: Found invalid key/reference associations: '%s' Please ensure each '*<key>' is matched with a matching '&<key>", h.source, name)
		}
	}
	for i := range h.keys {
		if h.keys[i].modifier == 0 && slices.ContainsFunc(h.keys, func(k dissectKey) bool { return k.modifier == '+' && k.name == h.keys[i].name }) {
			h.keys[i].modifier = '+'
		}
	}
	return nil
}

func parseDissectKey(source string) (dissectKey, *fault.Error) {
	name, padded := strings.CutSuffix(source, "->")
	k := dissectKey{name: name, padded: padded}
	if name != "" && strings.IndexByte("+*&?", name[0]) >= 0 {
		k.modifier, k.name = name[0], name[1:]
	}
	if at := strings.LastIndexByte(k.name, '/'); k.modifier == '+' && at >= 0 {
		n, err := strconv.Atoi(k.name[at+1:])
		if err != nil {
			return k, fault.Parse("Unable to parse key: %s Reason: The key name could be determined", source)
		}
		k.name, k.order, k.ordered = k.name[:at], n, true
	}
	switch {
	case strings.ContainsAny(k.name, "/+*&?"):
		return k, fault.Parse("Unable to parse key: %s Reason: multiple modifiers are not allowed.", source)
	case k.name == "" && k.modifier != 0 && k.modifier != '?':
		return k, fault.Parse("Unable to parse key: %s Reason: The key name could be determined", source)
	}
	return k, nil
}

// apply finds the fields in a text; a text that does not fit is find_match.
func (h *dissection) apply(s string) (*Object, error) {
	none := fault.New(500, "find_match", "Unable to find match for dissect pattern: %s against source: %s", h.source, s)
	rest, ok := strings.CutPrefix(s, h.leading)
	if !ok || rest == "" {
		return nil, none
	}
	values := make([]string, 0, len(h.keys))
	for i := 0; i < len(h.keys); i++ {
		k := h.keys[i]
		if k.delimiter == "" {
			values, rest = append(values, rest), ""
			break
		}
		at := strings.Index(rest, k.delimiter)
		if at < 0 {
			return nil, none
		}
		values, rest = append(values, rest[:at]), rest[at+len(k.delimiter):]
		for strings.HasPrefix(rest, k.delimiter) {
			rest = rest[len(k.delimiter):]
			if k.padded {
				continue
			}
			if i++; i >= len(h.keys) {
				break
			}
			values = append(values, "") // nothing stood between two delimiters
		}
	}
	if len(values) != len(h.keys) {
		return nil, none
	}
	return h.collect(values), nil
}

// collect makes fields of the values of all keys.
func (h *dissection) collect(values []string) *Object {
	out := NewObject()
	parts := map[string][]dissectPart{}
	pairs := map[string]*[2]string{}
	for i, k := range h.keys {
		if k.skipped() {
			continue
		}
		switch k.modifier {
		case '+':
			order := i - len(h.keys) // those without an order come first
			if k.ordered {
				order = k.order
			}
			parts[k.name] = append(parts[k.name], dissectPart{order, values[i]})
			out.Set(k.name, "")
		case '*', '&':
			if pairs[k.name] == nil {
				pairs[k.name] = &[2]string{}
			}
			pairs[k.name][strings.IndexByte("*&", k.modifier)] = values[i]
		default:
			out.Set(k.name, values[i])
		}
	}
	for name, list := range parts {
		out.Set(name, joinParts(list, h.separator))
	}
	for _, k := range h.keys {
		if k.modifier == '*' {
			out.Set(pairs[k.name][0], pairs[k.name][1])
		}
	}
	return out
}

type dissectPart struct {
	order int
	text  string
}

func joinParts(list []dissectPart, separator string) string {
	slices.SortStableFunc(list, func(a, b dissectPart) int { return a.order - b.order })
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.text
	}
	return strings.Join(texts, separator)
}
