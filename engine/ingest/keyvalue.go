// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"regexp"
	"slices"

	"github.com/opensteward/steward/fault"
)

// brackets are what strip_brackets takes off a value's ends.
var brackets = regexp.MustCompile(`^[(\[<"']|[\])>"']$`)

// keyValue takes "key=value" pairs out of a text.
type keyValue struct {
	field, target, prefix    template
	fields, values           *regexp.Regexp
	valueSplit               string
	include, exclude         []string
	ignoreMissing, unbracket bool
	trimKey, trimValue       *regexp.Regexp
}

func newKeyValue(_ *Service, c *config) processor {
	kv := &keyValue{field: c.template("field"), target: c.compile("target_field", c.optional("target_field", ""))}
	kv.fields = c.pattern("field_split", c.text("field_split"))
	kv.valueSplit = c.text("value_split")
	kv.values = c.pattern("value_split", kv.valueSplit)
	kv.trimKey, kv.trimValue = c.trimmer("trim_key"), c.trimmer("trim_value")
	kv.prefix = template{fixed: c.optional("prefix", "")}
	kv.unbracket = c.flag("strip_brackets", false)
	kv.include, kv.exclude = c.texts("include_keys"), c.texts("exclude_keys")
	kv.ignoreMissing = c.flag("ignore_missing", false)
	return changing(kv.apply)
}

// trimmer matches the characters of a parameter at the ends of a text; nil for none.
func (c *config) trimmer(name string) *regexp.Regexp {
	characters := c.optional(name, "")
	if characters == "" {
		return nil
	}
	return c.pattern(name, "^["+characters+"]+|["+characters+"]+$")
}

func strip(re *regexp.Regexp, s string) string {
	if re == nil {
		return s
	}
	return re.ReplaceAllString(s, "")
}

func (kv *keyValue) apply(d *Document) error {
	path, err := kv.field.render(d)
	if err != nil {
		return err
	}
	s, err := d.present(path, kv.ignoreMissing)
	if err != nil || s == nil {
		return err
	}
	prefix, err := kv.target.render(d)
	if err != nil {
		return err
	}
	if prefix != "" {
		prefix += "."
	}
	prefix += kv.prefix.fixed
	for _, part := range split(kv.fields, *s, false) {
		pair := kv.values.Split(part, 2)
		if len(pair) != 2 {
			return fault.Illegal("field [%s] does not contain value_split [%s]", path, kv.valueSplit)
		}
		key, value := strip(kv.trimKey, pair[0]), pair[1]
		if kv.include != nil && !slices.Contains(kv.include, key) || slices.Contains(kv.exclude, key) {
			continue
		}
		if kv.unbracket {
			value = strip(brackets, value)
		}
		if err := d.addTo(prefix+key, strip(kv.trimValue, value)); err != nil {
			return err
		}
	}
	return nil
}

// present is the text at a path; nil where there is none and that is not to be an error.
func (d *Document) present(path string, ignoreMissing bool) (*string, error) {
	if here, err := d.found(path, "field", ignoreMissing); !here || err != nil {
		return nil, err
	}
	s, err := d.getText(path, ignoreMissing)
	if err == nil && s == nil && !ignoreMissing {
		err = fault.Illegal("field [%s] is null, cannot extract key-value pairs. ", path)
	}
	return s, err
}

// addTo sets a value, or makes a list of it and what is there.
func (d *Document) addTo(path string, v any) error {
	here, err := d.has(path, false)
	if err != nil {
		return err
	}
	if here {
		return d.appendTo(path, v, true)
	}
	return d.set(path, v)
}
