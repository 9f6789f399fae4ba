// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

func newSet(_ *Service, c *config) processor {
	field, v := c.template("field"), c.value("value")
	override, ignoreEmpty := c.flag("override", true), c.flag("ignore_empty_value", false)
	_, isText := v.(textValue)
	return changing(func(d *Document) error {
		path, err := field.render(d)
		if err != nil {
			return err
		}
		if !override {
			here, err := d.has(path, false)
			if err != nil {
				return err
			}
			if was, _ := d.get(path); here && was != nil {
				return nil
			}
		}
		next, err := v.render(d)
		if err != nil || (ignoreEmpty && isText && next == "") {
			return err
		}
		return d.set(path, next)
	})
}

func newAppend(_ *Service, c *config) processor {
	field, v := c.template("field"), c.value("value")
	duplicates := c.flag("allow_duplicates", true)
	return changing(func(d *Document) error {
		path, err := field.render(d)
		if err != nil {
			return err
		}
		next, err := v.render(d)
		if err != nil {
			return err
		}
		return d.appendTo(path, next, duplicates)
	})
}

func newRemove(_ *Service, c *config) processor {
	fields, kept := c.texts("field"), c.texts("exclude_field")
	if (len(fields) == 0) == (len(kept) == 0) {
		c.wrong("field", "either field or exclude_field must be set")
	}
	ignoreMissing := c.flag("ignore_missing", false)
	if len(kept) > 0 {
		return keepOnly(c, kept)
	}
	var paths []template
	for _, f := range fields {
		paths = append(paths, c.compile("field", f))
	}
	return changing(func(d *Document) error {
		for _, t := range paths {
			path, err := t.render(d)
			if err != nil {
				return err
			}
			if err := d.removeField(path, ignoreMissing); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepOnly removes all fields but some.
func keepOnly(c *config, kept []string) processor {
	var names []template
	for _, f := range kept {
		names = append(names, c.compile("exclude_field", f))
	}
	return changing(func(d *Document) error {
		stay := slices.Clone(metadataFields)
		for _, t := range names {
			name, err := t.render(d)
			if err != nil {
				return err
			}
			stay = append(stay, name)
		}
		for _, name := range d.fields.Names() {
			if !slices.Contains(stay, name) {
				d.fields.Delete(name)
			}
		}
		return nil
	})
}

// newRemoveByPattern removes the fields whose names match patterns, or all others.
func newRemoveByPattern(_ *Service, c *config) processor {
	matching, others := c.texts("field_pattern"), c.texts("exclude_field_pattern")
	if (matching == nil) == (others == nil) {
		c.wrong("field_pattern", "either field_pattern or exclude_field_pattern must be set")
	}
	for name, patterns := range map[string][]string{"field_pattern": matching, "exclude_field_pattern": others} {
		c.checkPatterns(name, patterns)
	}
	return changing(func(d *Document) error {
		for _, name := range d.fields.Names() {
			if !slices.Contains(metadataFields, name) && wire.MatchAny(append(matching[:len(matching):len(matching)], others...), name) == (matching != nil) {
				d.fields.Delete(name)
			}
		}
		return nil
	})
}

// checkPatterns refuses patterns that no field could match.
func (c *config) checkPatterns(name string, patterns []string) {
	var bad []string
	for _, p := range patterns {
		add := func(is bool, what string) {
			if is {
				bad = append(bad, name+" ["+p+"] must not "+what)
			}
		}
		add(strings.Contains(p, "#"), "contain a '#'")
		add(strings.Contains(p, ":"), "contain a ':'")
		add(strings.HasPrefix(p, "_"), "start with '_'")
		add(strings.ContainsAny(p, `\/?"<>| ,`), `contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`)
	}
	if len(bad) > 0 {
		c.wrong(name, "%s", fault.Numbered(bad...))
	}
}

// removeField is what the remove processor does with one field.
func (d *Document) removeField(path string, ignoreMissing bool) error {
	here := false
	if path != "" {
		var err error
		if here, err = d.has(path, false); err != nil {
			return err
		}
	}
	switch {
	case !here && ignoreMissing:
		return nil
	case path == "":
		return fault.Illegal("field path cannot be null nor empty")
	case !here:
		return fault.Illegal("field [%s] doesn't exist", path)
	case path == fieldIndex, path == fieldVersion, path == fieldVersionType:
		return fault.Illegal("cannot remove metadata field [%s]", path)
	}
	if kind := d.Metadata(fieldVersionType); path == fieldID && kind != "" && kind != "internal" {
		return fault.Illegal("cannot remove metadata field [_id] when specifying external version for the document, version: %s, version_type: %s",
			d.Metadata(fieldVersion), kind)
	}
	return d.remove(path)
}

func newRename(_ *Service, c *config) processor {
	field, target := c.template("field"), c.template("target_field")
	ignoreMissing, override := c.flag("ignore_missing", false), c.flag("override_target", false)
	return changing(func(d *Document) error {
		from, err := field.render(d)
		if err != nil {
			return err
		}
		if here, err := d.found(from, "field", ignoreMissing); !here || err != nil {
			return err
		}
		to, err := target.render(d)
		if err != nil {
			return err
		}
		if there, err := d.has(to, true); err != nil || (there && !override) {
			if err == nil {
				err = fault.Illegal("field [%s] already exists", to)
			}
			return err
		}
		return d.move(from, to)
	})
}

// found reports whether there is a value, null included, at the path of what a processor works on. That there is none is
// an error unless it may be missing; what is what the error calls the path.
func (d *Document) found(path, what string, ignoreMissing bool) (here bool, err error) {
	if path != "" {
		if here, err = d.has(path, true); err != nil {
			return false, err
		}
	}
	switch {
	case here || ignoreMissing:
		return here, nil
	case path == "":
		return false, fault.Illegal("%s path cannot be null nor empty", what)
	}
	return false, fault.Illegal("%s [%s] doesn't exist", what, path)
}

// move takes a value to another path; if it cannot be put there it stays.
func (d *Document) move(from, to string) error {
	v, err := d.get(from)
	if err != nil {
		return err
	}
	if err := d.remove(from); err != nil {
		return err
	}
	if err := d.set(to, v); err != nil {
		if back := d.set(from, v); back != nil {
			return back
		}
		return err
	}
	return nil
}

func newCopy(_ *Service, c *config) processor {
	source, target := c.template("source_field"), c.template("target_field")
	ignoreMissing, override := c.flag("ignore_missing", false), c.flag("override_target", false)
	removes := c.flag("remove_source", false)
	return changing(func(d *Document) error {
		from, err := source.render(d)
		if err != nil {
			return err
		}
		if here, err := d.found(from, "source field", ignoreMissing); !here || err != nil {
			return err
		}
		to, err := target.render(d)
		if err != nil {
			return err
		}
		return d.copyTo(from, to, override, removes)
	})
}

func (d *Document) copyTo(from, to string, override, removes bool) error {
	if to == "" {
		return fault.Illegal("target field path cannot be null nor empty")
	}
	if to == from {
		return fault.Illegal("source field path and target field path cannot be same")
	}
	if there, err := d.has(to, true); err != nil || (there && !override) {
		if err == nil {
			err = fault.Illegal("target field [%s] already exists", to)
		}
		return err
	}
	v, err := d.get(from)
	if err != nil {
		return err
	}
	if err := d.set(to, clone(v)); err != nil || !removes {
		return err
	}
	return d.remove(from)
}

func newDotExpander(_ *Service, c *config) processor {
	field, path := c.text("field"), c.optional("path", "")
	if c.err == nil {
		checkDotted(c, field)
	}
	return changing(func(d *Document) error {
		holder, prefix := d.fields, ""
		if path != "" {
			v, err := d.get(path)
			if err != nil {
				return err
			}
			o, ok := v.(*Object)
			if !ok {
				return cannotCast(path, v, "java.util.Map")
			}
			holder, prefix = o, path+"."
		}
		v, here := holder.Get(field)
		if !here {
			return nil
		}
		if there, err := d.has(prefix+field, false); err != nil || there {
			if err == nil {
				err = d.appendTo(prefix+field, v, true)
			}
			if err == nil {
				holder.Delete(field)
			}
			return err
		}
		holder.Delete(field)
		return d.set(prefix+field, v)
	})
}

func checkDotted(c *config, field string) {
	dot := -1
	for i := range len(field) {
		if field[i] == '.' {
			dot = i
			break
		}
	}
	switch {
	case dot < 0:
		c.wrong("field", "field does not contain a dot")
	case dot == 0:
		c.wrong("field", "Field can't start with a dot")
	case field[len(field)-1] == '.':
		c.wrong("field", "Field can't end with a dot")
	}
}
