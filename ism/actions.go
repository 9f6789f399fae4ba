// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// ForceMerge merges each shard down to a number of segments.
type ForceMerge struct{ MaxNumSegments int }

// IndexPriority sets the order in which indices recover.
type IndexPriority struct{ Priority int }

// ReplicaCount sets the number of replicas.
type ReplicaCount struct{ NumberOfReplicas int }

// Snapshot takes a snapshot whose name begins with a Mustache template.
type Snapshot struct{ Repository, Snapshot string }

// Allocation sets where shards may be. WaitFor is stored and has no effect, as in the plugin.
type Allocation struct {
	Require, Include, Exclude wire.Object
	WaitFor                   bool
}

// Alias runs alias actions on the index.
type Alias struct{ Actions []AliasChange }

// AliasChange adds or removes aliases.
type AliasChange struct {
	// Kind is "add" or "remove".
	Kind    string
	Aliases []string
	// Options are the members beside the names, as they are written: filter, routings, is_write_index ...
	Options wire.Object
}

// ConvertToRemote restores the index as a searchable snapshot.
type ConvertToRemote struct {
	Repository, Snapshot string
	IncludeAliases       bool
	IgnoreIndexSettings  string
	NumberOfReplicas     *int
	DeleteOriginal       bool
	RenamePattern        string
}

const defaultRenamePattern = "$1_remote"

func parseForceMerge(p *wire.Parser) (*ForceMerge, error) {
	n, err := oneInteger(p, "max_num_segments", "ForceMergeActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return nil, fault.Illegal("ForceMergeActionConfig maxNumSegments is null")
	case *n <= 0:
		return nil, fault.Illegal("Force merge {max_num_segments} must be greater than 0")
	}
	return &ForceMerge{*n}, nil
}

func parseIndexPriority(p *wire.Parser) (*IndexPriority, error) {
	n, err := oneInteger(p, "priority", "IndexPriorityActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return nil, fault.Illegal("priority is null")
	case *n < 0:
		return nil, fault.Illegal("IndexPriorityAction index_priority value must be a non-negative number")
	}
	return &IndexPriority{*n}, nil
}

func parseReplicaCount(p *wire.Parser) (*ReplicaCount, error) {
	n, err := oneInteger(p, "number_of_replicas", "ReplicaCountActionConfig")
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		// the plugin prints an object of its runtime where it means the field's name
		return nil, fault.Illegal("org.opensearch.indexmanagement.indexstatemanagement.action.ReplicaCountAction$Companion@0000000.NUMBER_OF_REPLICAS_FIELD is null")
	case *n < 0:
		return nil, fault.Illegal("ReplicaCountAction number_of_replicas value must be a non-negative number")
	}
	return &ReplicaCount{*n}, nil
}

// oneInteger reads an object with one known member; nil if it is absent.
func oneInteger(p *wire.Parser, field, where string) (n *int, err error) {
	err = p.Object(func(name string) (err error) {
		if name != field {
			return invalidField(name, where)
		}
		n, err = integer(p)
		return err
	})
	return n, err
}

func parseSnapshot(p *wire.Parser) (*Snapshot, error) {
	var repository, snapshot *string
	err := p.Object(func(name string) (err error) {
		switch name {
		case "repository":
			repository, err = text(p)
		case "snapshot":
			snapshot, err = text(p)
		default:
			err = invalidField(name, "SnapshotAction")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case repository == nil:
		return nil, fault.Illegal("SnapshotAction repository must be specified")
	case snapshot == nil:
		return nil, fault.Illegal("SnapshotAction snapshot must be specified")
	}
	return &Snapshot{*repository, *snapshot}, nil
}

func parseAllocation(p *wire.Parser) (*Allocation, error) {
	a := &Allocation{Require: wire.Object{}, Include: wire.Object{}, Exclude: wire.Object{}}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "require":
			a.Require, err = texts(p)
		case "include":
			a.Include, err = texts(p)
		case "exclude":
			a.Exclude, err = texts(p)
		case "wait_for":
			a.WaitFor, err = p.Bool()
		default:
			err = invalidField(name, "AllocationAction")
		}
		return err
	})
	if err == nil && len(a.Require)+len(a.Include)+len(a.Exclude) == 0 {
		err = fault.Illegal("At least one allocation parameter need to be specified.")
	}
	return a, err
}

func (a *Allocation) json() wire.Object {
	return wire.Obj("require", a.Require, "include", a.Include, "exclude", a.Exclude, "wait_for", a.WaitFor)
}

func parseAliasAction(p *wire.Parser) (*Alias, error) {
	a := &Alias{}
	err := p.Object(func(name string) error {
		if name != "actions" {
			return invalidField(name, "AliasAction")
		}
		return p.Array(func() error {
			return p.Object(func(kind string) error {
				c, err := parseAliasChange(p, kind)
				a.Actions = append(a.Actions, c)
				return err
			})
		})
	})
	switch {
	case err != nil:
		return nil, err
	case len(a.Actions) == 0:
		return nil, fault.Illegal("At least one alias action needs to be specified.")
	}
	return a, nil
}

// aliasOptions are the members of an alias action besides its names.
var aliasOptions = map[string][]string{
	"add":    {"filter", "routing", "index_routing", "search_routing", "is_write_index", "is_hidden"},
	"remove": {"must_exist"},
}

func parseAliasChange(p *wire.Parser, kind string) (AliasChange, error) {
	c := AliasChange{Kind: kind}
	if kind != "add" && kind != "remove" {
		return c, fault.Illegal("Only ADD and REMOVE actions are allowed.")
	}
	named, indexed := false, false
	err := p.Object(func(name string) (err error) {
		switch {
		case name == "alias":
			named = true
			var s string
			s, err = p.Text()
			c.Aliases = append(c.Aliases, s)
		case name == "aliases":
			named = true
			c.Aliases, err = textOrTexts(p)
		case name == "index" || name == "indices":
			indexed = true
			err = p.Skip()
		case slices.Contains(aliasOptions[kind], name):
			var raw json.RawMessage
			raw, err = p.Raw()
			c.Options.Add(name, raw)
		default:
			line, col := p.Position()
			err = fault.Parsing(line, col, "[%s] unknown field [%s]", kind, name)
		}
		return err
	})
	switch {
	case err != nil:
		return c, err
	case indexed:
		return c, fault.Illegal("Alias action can only work on its applied index so don't accept index/indices parameter.")
	case !named:
		return c, fault.Illegal("One of [alias] or [aliases] is required")
	case len(c.Aliases) == 0 || slices.Contains(c.Aliases, ""):
		return c, fault.Illegal("At least one alias needs to be specified.")
	}
	return c, nil
}

// textOrTexts is a text or an array of texts.
func textOrTexts(p *wire.Parser) ([]string, error) {
	if p.Token() != wire.StartArray {
		s, err := p.Text()
		return []string{s}, err
	}
	var list []string
	err := p.Array(func() error {
		s, err := p.Text()
		list = append(list, s)
		return err
	})
	return list, err
}

func (a *Alias) json() wire.Object {
	list := make([]wire.Object, len(a.Actions))
	for i, c := range a.Actions {
		list[i] = wire.Obj(c.Kind, append(wire.Obj("aliases", c.Aliases), c.Options...))
	}
	return wire.Obj("actions", list)
}

func parseConvertToRemote(p *wire.Parser) (*ConvertToRemote, error) {
	c := &ConvertToRemote{RenamePattern: defaultRenamePattern}
	var repository, snapshot *string
	err := p.Object(func(name string) (err error) {
		switch name {
		case "repository":
			repository, err = text(p)
		case "snapshot":
			snapshot, err = text(p)
		case "include_aliases":
			c.IncludeAliases, err = p.Bool()
		case "ignore_index_settings":
			c.IgnoreIndexSettings, err = p.Text()
		case "number_of_replicas":
			c.NumberOfReplicas, err = integer(p)
		case "delete_original_index":
			c.DeleteOriginal, err = p.Bool()
		case "rename_pattern":
			c.RenamePattern, err = p.Text()
		default:
			err = invalidField(name, "ConvertIndexToRemoteAction")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case repository == nil:
		return nil, fault.Illegal("ConvertIndexToRemoteAction repository must be specified")
	case snapshot == nil:
		return nil, fault.Illegal("ConvertIndexToRemoteAction snapshot must be specified")
	}
	c.Repository, c.Snapshot = *repository, *snapshot
	if c.NumberOfReplicas != nil && *c.NumberOfReplicas < 0 {
		c.NumberOfReplicas = nil
	}
	return c, nil
}

func (c *ConvertToRemote) json() wire.Object {
	o := wire.Obj("repository", c.Repository, "snapshot", c.Snapshot, "include_aliases", c.IncludeAliases,
		"ignore_index_settings", c.IgnoreIndexSettings)
	o.AddIf(c.NumberOfReplicas != nil, "number_of_replicas", c.NumberOfReplicas)
	o.Add("delete_original_index", c.DeleteOriginal)
	o.AddIf(c.RenamePattern != defaultRenamePattern, "rename_pattern", c.RenamePattern)
	return o
}

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

func parseTargetAliases(p *wire.Parser) ([]TargetAlias, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	list := []TargetAlias{}
	err := p.Array(func() error {
		return p.Object(func(name string) error {
			a := TargetAlias{Name: name}
			err := p.Object(func(option string) error { return a.parse(p, option) })
			list = append(list, a)
			return err
		})
	})
	return list, err
}

func (a *TargetAlias) parse(p *wire.Parser, option string) (err error) {
	switch option {
	case "is_write_index":
		if p.Token() != wire.Null {
			a.Write, err = boolean(p)
		}
	case "is_hidden":
		a.Hidden, err = boolean(p)
	case "filter":
		a.Filter, err = rawObjectOrNull(p)
	case "routing":
		a.IndexRouting, err = p.Text()
		a.SearchRouting = a.IndexRouting
	case "index_routing":
		a.IndexRouting, err = p.Text()
	case "search_routing":
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

// trimmedList splits a comma-separated text.
func trimmedList(s string) []string {
	var out []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// IgnoredSettings are the index settings that a restore leaves out.
func (c *ConvertToRemote) IgnoredSettings() []string { return trimmedList(c.IgnoreIndexSettings) }
