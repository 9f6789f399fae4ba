// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Alias runs alias actions on the index.
type Alias struct{ Actions []AliasChange }

// AliasChange adds or removes aliases.
type AliasChange struct {
	// Kind is "add" or "remove".
	Kind    string
	Aliases []string
	// Options are the members beside the names, in OpenSearch's order: filter, routings, is_write_index ...
	Options wire.Object
}

// aliasOptions are the members of an alias action besides its names, in the order in which they are shown.
var aliasOptions = []string{"filter", "routing", "index_routing", "search_routing", "is_write_index", "is_hidden", "must_exist"}

// aliasEntry is one entry of the list as it is read, before it is known whether all of them may stand here.
type aliasEntry struct {
	AliasChange
	indexed bool
	options map[string]any
}

func parseAliasAction(p *wire.Parser) (*Alias, error) {
	var entries []aliasEntry
	err := p.Object(func(name string) error {
		if name != "actions" {
			return invalidField(name, "AliasAction")
		}
		return p.Array(func() error {
			e, err := parseAliasEntry(p)
			entries = append(entries, e)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return newAlias(entries)
}

// newAlias checks each rule for all entries before the next one.
func newAlias(entries []aliasEntry) (*Alias, error) {
	rules := []struct {
		holds func(aliasEntry) bool
		text  string
	}{
		{func(e aliasEntry) bool { return e.Kind != "" }, "At least one alias action needs to be specified."},
		{func(e aliasEntry) bool { return e.Kind != "remove_index" }, "Only ADD and REMOVE actions are allowed."},
		{func(e aliasEntry) bool { return !e.indexed }, "Alias action can only work on its applied index so don't accept index/indices parameter."},
		{func(e aliasEntry) bool { return len(e.Aliases) > 0 }, "At least one alias needs to be specified."},
	}
	if len(entries) == 0 {
		return nil, fault.Illegal("%s", rules[0].text)
	}
	for _, rule := range rules {
		for _, e := range entries {
			if !rule.holds(e) {
				return nil, fault.Illegal("%s", rule.text)
			}
		}
	}
	a := &Alias{}
	for _, e := range entries {
		for _, name := range aliasOptions {
			if v, set := e.options[name]; set && v != "" {
				e.Options.Add(name, v)
			}
		}
		a.Actions = append(a.Actions, e.AliasChange)
	}
	return a, nil
}

// parseAliasEntry reads {"add":{...}}, as the _aliases API does.
func parseAliasEntry(p *wire.Parser) (aliasEntry, error) {
	var e aliasEntry
	count := 0
	kinds := wire.Declared{}
	for _, kind := range []string{"add", "remove", "remove_index"} {
		kinds[kind] = wire.Declaration{Takes: []wire.Token{wire.StartObject}, Read: func() error {
			count++
			e = aliasEntry{AliasChange: AliasChange{Kind: kind}, options: map[string]any{}}
			return p.Declared(kind, e.members(p))
		}}
	}
	if err := p.Declared("alias_action", kinds); err != nil {
		return e, err
	}
	if count > 1 {
		err := fault.New(400, "x_content_parse_exception", "Failed to build [alias_action] after last required field arrived")
		err.CausedBy = fault.Illegal("Too many operations declared on operation entry")
		return e, err
	}
	return e, nil
}

// members are what an entry of its kind may have.
func (e *aliasEntry) members(p *wire.Parser) wire.Declared {
	texts := []wire.Token{wire.StartArray, wire.String}
	m := wire.Declared{
		"index": p.DeclaredText(func(s string) error { return e.takeIndices("[index] can't be empty string", "", s) }),
		"indices": {Takes: texts, Read: e.list(p, func(list []string) error {
			return e.takeIndices("[indices] can't contain empty string", "[indices] can't be empty", list...)
		})},
		"alias": p.DeclaredText(func(s string) error { return e.takeAliases("alias", "[alias] can't be empty string", s) }),
		"aliases": {Takes: texts, Read: e.list(p, func(list []string) error {
			return e.takeAliases("aliases", "[aliases] can't contain empty string", list...)
		})},
	}
	option := func(name string, read func() (any, error), takes ...wire.Token) {
		m[name] = wire.Declaration{Takes: takes, Read: func() (err error) {
			e.options[name], err = read()
			return err
		}}
	}
	flag := func() (any, error) { return p.Bool() }
	switch e.Kind {
	case "add":
		m["filter"] = wire.Declaration{Takes: []wire.Token{wire.StartObject}, Read: func() error { return e.takeFilter(p) }}
		for _, name := range []string{"routing", "index_routing", "search_routing"} {
			option(name, func() (any, error) { return p.Text() }, wire.Number, wire.String)
		}
		option("is_write_index", flag, wire.Boolean, wire.String)
		option("is_hidden", flag, wire.Boolean, wire.String)
	case "remove":
		option("must_exist", flag, wire.Boolean, wire.String)
	}
	return m
}

// list reads a text or a list of texts for take.
func (e *aliasEntry) list(p *wire.Parser, take func([]string) error) func() error {
	return func() error {
		list, err := p.TextOrTexts()
		if err != nil {
			return err
		}
		return take(list)
	}
}

func (e *aliasEntry) takeIndices(blank, none string, names ...string) error {
	if e.indexed {
		return fault.Illegal("Only one of [index] and [indices] is supported")
	}
	e.indexed = true
	return noneEmpty(names, blank, none)
}

func (e *aliasEntry) takeAliases(member, blank string, names ...string) error {
	switch {
	case len(e.Aliases) > 0:
		return fault.Illegal("Only one of [alias] and [aliases] is supported")
	case e.Kind == "remove_index":
		return fault.Illegal("[%s] is unsupported for [REMOVE_INDEX]", member)
	}
	e.Aliases = names
	return noneEmpty(names, blank, "["+member+"] can't be empty")
}

// noneEmpty refuses a list without names, and one with an empty name.
func noneEmpty(names []string, blank, none string) error {
	if len(names) == 0 {
		return fault.Illegal("%s", none)
	}
	for _, n := range names {
		if n == "" {
			return fault.Illegal("%s", blank)
		}
	}
	return nil
}

// takeFilter reads a query; an empty one is none.
func (e *aliasEntry) takeFilter(p *wire.Parser) error {
	raw, err := p.Raw()
	if err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) == nil && len(members) > 0 {
		e.options["filter"] = raw
	}
	return nil
}

func (a *Alias) json() wire.Object {
	list := make([]wire.Object, len(a.Actions))
	for i, c := range a.Actions {
		list[i] = wire.Obj(c.Kind, append(wire.Obj("aliases", c.Aliases), c.Options...))
	}
	return wire.Obj("actions", list)
}
