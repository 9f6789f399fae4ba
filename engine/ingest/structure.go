// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

func newJSON(_ *Service, c *config) processor {
	field, target := c.text("field"), c.optional("target_field", "")
	toRoot := c.flag("add_to_root", false)
	if toRoot && target != "" {
		c.wrong("target_field", "Cannot set a target field while also setting `add_to_root` to true")
	}
	if target == "" {
		target = field
	}
	return changing(func(d *Document) error {
		if toRoot {
			return d.spread(field)
		}
		v, err := d.get(field)
		if err != nil {
			return err
		}
		next, err := parseJSON(v)
		if err != nil {
			return err
		}
		return d.set(target, next)
	})
}

// spread puts the members of an object that is written in a field beside that field.
func (d *Document) spread(field string) error {
	v, _ := d.fields.Get(field)
	next, err := parseJSON(v)
	if err != nil {
		return err
	}
	o, ok := next.(*Object)
	if !ok {
		return fault.Illegal("cannot add non-map fields to root of document")
	}
	for _, m := range o.members {
		d.fields.Set(m.Name, m.Value)
	}
	return nil
}

// parseJSON reads the JSON that a value is the text of.
func parseJSON(v any) (any, error) {
	p := wire.NewParser([]byte(text(v)))
	if _, err := p.Next(); err != nil {
		return nil, notJSON(err)
	}
	next, err := readValue(p)
	if err != nil {
		return nil, notJSON(err)
	}
	return next, nil
}

func notJSON(err error) error {
	e := fault.Illegal("%s", fault.Of(err).Reason)
	e.CausedBy = fault.Of(err)
	return e
}

func newSort(_ *Service, c *config) processor {
	field := c.text("field")
	target, order := c.optional("target_field", field), c.sortOrder()
	return changing(func(d *Document) error {
		list, err := d.getList(field, false)
		if err != nil || list == nil {
			if err == nil {
				err = fault.Illegal("field [%s] is null, cannot sort.", field)
			}
			return err
		}
		return d.set(target, sortList(list, order))
	})
}

// sortOrder is "asc" or "desc".
func (c *config) sortOrder() string {
	order := c.optional("order", "asc")
	if order != "asc" && order != "desc" {
		c.wrong("order", "Sort direction [%s] not recognized. Valid values are: [asc, desc]", order)
	}
	return order
}

func sortList(list *List, order string) *List {
	sorted := clone(list).(*List)
	slices.SortStableFunc(sorted.items, compare)
	if order == "desc" {
		slices.Reverse(sorted.items)
	}
	return sorted
}

// compare orders numbers by value and everything else by its text.
func compare(a, b any) int {
	x, isX := a.(json.Number)
	y, isY := b.(json.Number)
	if isX && isY {
		f, _ := x.Float64()
		g, _ := y.Float64()
		switch {
		case f < g:
			return -1
		case f > g:
			return 1
		}
		return 0
	}
	return strings.Compare(text(a), text(b))
}
