// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Rollover starts a new index behind an alias or data stream. The flat conditions are alternatives; without any, and
// without AnyOf, it happens at once.
type Rollover struct {
	Flat RolloverGroup
	// AnyOf are groups of conditions: one group must hold as a whole. nil if absent.
	AnyOf             []RolloverGroup
	CopyAlias         bool
	PreventEmptyIndex bool
}

// RolloverGroup is a set of conditions.
type RolloverGroup struct {
	MinSize             *wire.Bytes
	MinDocCount         *int64
	MinIndexAge         *wire.Duration
	MinPrimaryShardSize *wire.Bytes
}

// parse reads one condition; known is false if name is none.
func (g *RolloverGroup) parse(p *wire.Parser, name string) (known bool, err error) {
	switch name {
	case "min_size":
		g.MinSize, err = size(p, name)
	case "min_doc_count":
		g.MinDocCount, err = long(p)
	case "min_index_age":
		g.MinIndexAge, err = duration(p, name)
	case "min_primary_shard_size":
		g.MinPrimaryShardSize, err = size(p, name)
	default:
		return false, nil
	}
	return true, err
}

func (g RolloverGroup) empty() bool { return g == RolloverGroup{} }

func (g RolloverGroup) json() wire.Object {
	o := wire.Object{}
	o.AddIf(g.MinSize != nil, "min_size", g.MinSize)
	o.AddIf(g.MinDocCount != nil, "min_doc_count", g.MinDocCount)
	o.AddIf(g.MinIndexAge != nil, "min_index_age", g.MinIndexAge)
	o.AddIf(g.MinPrimaryShardSize != nil, "min_primary_shard_size", g.MinPrimaryShardSize)
	return o
}

func parseRollover(p *wire.Parser) (*Rollover, error) {
	r := &Rollover{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "copy_alias":
			r.CopyAlias, err = p.Bool()
		case "prevent_empty_rollover":
			r.PreventEmptyIndex, err = p.Bool()
		case "any_of":
			r.AnyOf = []RolloverGroup{}
			err = p.Array(func() error {
				g, err := parseRolloverGroup(p)
				r.AnyOf = append(r.AnyOf, g)
				return err
			})
		default:
			var known bool
			if known, err = r.Flat.parse(p, name); !known {
				err = invalidField(name, "RolloverAction")
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	switch g := r.Flat; {
	case g.MinSize != nil && g.MinSize.Value() <= 0:
		return nil, fault.Illegal("RolloverAction minSize value must be greater than 0")
	case g.MinPrimaryShardSize != nil && g.MinPrimaryShardSize.Value() <= 0:
		return nil, fault.Illegal("RolloverActionConfig minPrimaryShardSize value must be greater than 0")
	case g.MinDocCount != nil && *g.MinDocCount <= 0:
		return nil, fault.Illegal("RolloverAction minDocs value must be greater than 0")
	case r.AnyOf != nil && !g.empty():
		return nil, fault.Illegal("RolloverAction cannot specify both flat conditions and [any_of] groups")
	case r.AnyOf != nil && len(r.AnyOf) == 0:
		return nil, fault.Illegal("RolloverAction [any_of] must contain at least one condition group")
	}
	return r, nil
}

func parseRolloverGroup(p *wire.Parser) (RolloverGroup, error) {
	var g RolloverGroup
	err := p.Object(func(name string) error {
		known, err := g.parse(p, name)
		if !known && err == nil {
			err = invalidField(name, "rollover condition group")
		}
		return err
	})
	switch {
	case err != nil:
		return g, err
	case g.empty():
		return g, fault.Illegal("A rollover condition group must contain at least one condition")
	case g.MinSize != nil && g.MinSize.Value() <= 0:
		return g, fault.Illegal("RolloverConditionGroup minSize value must be greater than 0")
	case g.MinPrimaryShardSize != nil && g.MinPrimaryShardSize.Value() <= 0:
		return g, fault.Illegal("RolloverConditionGroup minPrimaryShardSize value must be greater than 0")
	case g.MinDocCount != nil && *g.MinDocCount <= 0:
		return g, fault.Illegal("RolloverConditionGroup minDocs value must be greater than 0")
	}
	return g, nil
}

func (r *Rollover) json() wire.Object {
	o := r.Flat.json()
	if r.AnyOf != nil {
		groups := make([]wire.Object, len(r.AnyOf))
		for i, g := range r.AnyOf {
			groups[i] = g.json()
		}
		o.Add("any_of", groups)
	}
	o.Add("copy_alias", r.CopyAlias)
	o.AddIf(r.PreventEmptyIndex, "prevent_empty_rollover", true)
	return o
}
