// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"math"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Shrink makes a copy of the index with fewer shards. Exactly one of the first three is set.
type Shrink struct {
	NumNewShards   *int
	MaxShardSize   *wire.Bytes
	Percentage     *float64
	TargetTemplate *Script
	// Aliases are added to the target; nil if absent.
	Aliases       []TargetAlias
	SwitchAliases bool
	ForceUnsafe   *bool
}

// TargetAlias is an alias the target of a shrink gets.
type TargetAlias struct {
	Name                        string
	Write, Hidden               *bool
	Filter                      json.RawMessage
	IndexRouting, SearchRouting string
}

func parseShrink(p *wire.Parser) (*Shrink, error) {
	s := &Shrink{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "num_new_shards":
			s.NumNewShards, err = integer(p)
		case "max_shard_size":
			s.MaxShardSize, err = size(p, name)
		case "percentage_of_source_shards":
			var f float64
			f, err = p.Double()
			s.Percentage = &f
		case "target_index_name_template":
			s.TargetTemplate, err = parseScript(p)
		case "aliases":
			s.Aliases, err = parseTargetAliases(p)
		case "switch_aliases":
			s.SwitchAliases, err = p.Bool()
		case "force_unsafe":
			s.ForceUnsafe, err = boolean(p)
		default:
			err = invalidField(name, "ShrinkAction")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, s.check()
}

func (s *Shrink) check() error {
	options := 0
	for _, set := range []bool{s.NumNewShards != nil, s.MaxShardSize != nil, s.Percentage != nil} {
		if set {
			options++
		}
	}
	switch {
	case options != 1:
		return fault.Illegal("Exactly one option specifying the number of shards to shrink to must be used.")
	case s.MaxShardSize != nil && s.MaxShardSize.Value() <= 0:
		return fault.Illegal("Shrink action maxShardSize must be greater than 0.")
	case s.Percentage != nil && (*s.Percentage <= 0 || *s.Percentage >= 1 || math.IsNaN(*s.Percentage)):
		return fault.Illegal("Percentage of source shards must be between 0.0 and 1.0 exclusively")
	case s.NumNewShards != nil && *s.NumNewShards <= 0:
		return fault.Illegal("Shrink action numNewShards must be greater than 0.")
	case s.TargetTemplate != nil && !s.TargetTemplate.mustache():
		return fault.Illegal("Target index name template must be a mustache script")
	}
	return nil
}

// parseTargetAliases reads a list of {"name":{...}}.
func parseTargetAliases(p *wire.Parser) ([]TargetAlias, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	list := []TargetAlias{}
	err := p.Array(func() error {
		if err := p.NextExpect(wire.FieldName); err != nil {
			return err
		}
		a := TargetAlias{Name: p.Name()}
		if _, err := p.Next(); err != nil {
			return err
		}
		if err := p.Object(func(option string) error { return a.parse(p, option) }); err != nil {
			return err
		}
		list = append(list, a)
		return p.NextExpect(wire.EndObject)
	})
	return list, err
}

// parse reads an option of the kind that it takes, as OpenSearch does: it goes over any other, and over unknown ones.
func (a *TargetAlias) parse(p *wire.Parser, option string) (err error) {
	text, flag := p.Token() == wire.String, p.Token() == wire.Boolean
	switch {
	case option == "filter" && p.Token() == wire.StartObject:
		var members map[string]json.RawMessage
		if a.Filter, err = p.Raw(); err == nil && json.Unmarshal(a.Filter, &members) == nil && len(members) == 0 {
			a.Filter = nil
		}
	case option == "is_write_index" && flag:
		a.Write, err = boolean(p)
	case option == "is_hidden" && flag:
		a.Hidden, err = boolean(p)
	case option == "routing" && text:
		a.IndexRouting, err = p.Text()
		a.SearchRouting = a.IndexRouting
	case option == "index_routing" && text:
		a.IndexRouting, err = p.Text()
	case option == "search_routing" && text:
		a.SearchRouting, err = p.Text()
	default:
		err = p.Skip()
	}
	return err
}

func (a TargetAlias) json() wire.Object {
	o := wire.Object{}
	o.AddIf(len(a.Filter) > 0, "filter", a.Filter)
	if a.IndexRouting == a.SearchRouting {
		o.AddIf(a.IndexRouting != "", "routing", a.IndexRouting)
	} else {
		o.AddIf(a.IndexRouting != "", "index_routing", a.IndexRouting)
		o.AddIf(a.SearchRouting != "", "search_routing", a.SearchRouting)
	}
	o.Add("is_write_index", a.Write)
	o.AddIf(a.Hidden != nil, "is_hidden", a.Hidden)
	return wire.Obj(a.Name, o)
}

func (s *Shrink) json() wire.Object {
	o := wire.Object{}
	o.AddIf(s.NumNewShards != nil, "num_new_shards", s.NumNewShards)
	o.AddIf(s.MaxShardSize != nil, "max_shard_size", s.MaxShardSize)
	o.AddIf(s.Percentage != nil, "percentage_of_source_shards", s.Percentage)
	if s.TargetTemplate != nil {
		o.Add("target_index_name_template", s.TargetTemplate.json())
	}
	if s.Aliases != nil {
		list := make([]wire.Object, len(s.Aliases))
		for i, a := range s.Aliases {
			list[i] = a.json()
		}
		o.Add("aliases", list)
	}
	o.Add("switch_aliases", s.SwitchAliases)
	o.AddIf(s.ForceUnsafe != nil, "force_unsafe", s.ForceUnsafe)
	return o
}
