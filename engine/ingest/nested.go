// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"strings"

	"github.com/opensteward/steward/fault"
)

// fieldMap says which texts of a document a processor reads and where it puts what it makes of them: {"text":"target"},
// in objects {"object":{"text":"target"}} or {"object.text":"target"}.
type fieldMap struct{ entries []fieldEntry }

type fieldEntry struct {
	path   []string // of the objects that hold the text, and of the text
	target string   // beside the text
	inner  *fieldMap
}

// fieldMap reads the field_map of a processor.
func (c *config) fieldMap() *fieldMap {
	o := c.asObject("field_map", c.need("field_map"))
	if c.err != nil {
		return nil
	}
	m, ok := parseFieldMap(o)
	if !ok {
		c.fail(located(fault.Illegal("Unable to create the processor as field_map has invalid key or value"), c.typ, c.tag, ""))
	}
	return m
}

func parseFieldMap(o *Object) (*fieldMap, bool) {
	m := &fieldMap{}
	for _, member := range o.members {
		e := fieldEntry{path: strings.Split(member.Name, ".")}
		switch v := member.Value.(type) {
		case string:
			// a target with the path of its text stands beside it
			e.target = strings.TrimPrefix(v, strings.Join(e.path[:len(e.path)-1], ".")+".")
			if strings.TrimSpace(v) == "" {
				return nil, false
			}
		case *Object:
			var ok bool
			if e.inner, ok = parseFieldMap(v); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		if strings.TrimSpace(member.Name) == "" {
			return nil, false
		}
		m.entries = append(m.entries, e)
	}
	return m, len(m.entries) > 0
}

// each calls leaf for every object that a text of the map may stand in.
func (m *fieldMap) each(o *Object, leaf func(holder *Object, name, target string) error) error {
	for _, e := range m.entries {
		err := descend(o, e.path[:len(e.path)-1], func(holder *Object) error {
			name := e.path[len(e.path)-1]
			if e.inner == nil {
				return leaf(holder, name, e.target)
			}
			return descend(holder, []string{name}, func(inner *Object) error { return e.inner.each(inner, leaf) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// descend calls do for the objects at a path; a list on the way means each of its objects.
func descend(o *Object, path []string, do func(*Object) error) error {
	if len(path) == 0 {
		return do(o)
	}
	v, _ := o.Get(path[0])
	switch v := v.(type) {
	case *Object:
		return descend(v, path[1:], do)
	case *List:
		for _, item := range v.items {
			inner, ok := item.(*Object)
			if !ok {
				continue
			}
			if err := descend(inner, path[1:], do); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTexts refuses what stands where a text or a list of texts has to be. empty says whether a text may be empty.
func checkTexts(name string, v any, empty bool) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if !empty && strings.TrimSpace(v) == "" {
			return fault.Illegal("map type field [%s] has empty string value, cannot process it", name)
		}
		return nil
	case *List:
		return checkTextList(name, v, empty)
	}
	return fault.Illegal("map type field [%s] is neither string nor nested type, cannot process it", name)
}

func checkTextList(name string, list *List, empty bool) error {
	for _, item := range list.items {
		s, ok := item.(string)
		_, nested := item.(*List)
		switch {
		case item == nil:
			return fault.Illegal("list type field [%s] has null, cannot process it", name)
		case nested:
			return fault.Illegal("list type field [%s] is nested list type, cannot process it", name)
		case !ok:
			return fault.Illegal("list type field [%s] has non string value, cannot process it", name)
		case !empty && strings.TrimSpace(s) == "":
			return fault.Illegal("list type field [%s] has empty string, cannot process it", name)
		}
	}
	return nil
}
