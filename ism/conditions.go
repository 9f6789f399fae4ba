// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Conditions of a transition: at most one is set. With none set it is never met.
type Conditions struct {
	MinIndexAge    *wire.Duration
	MinDocCount    *int64
	MinSize        *wire.Bytes
	Cron           *Cron
	MinRolloverAge *wire.Duration
	NoAlias        *bool
	MinStateAge    *wire.Duration
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func humanTime(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

func parseConditions(p *wire.Parser) (*Conditions, error) {
	c := &Conditions{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "min_index_age":
			c.MinIndexAge, err = duration(p, name)
		case "min_doc_count":
			c.MinDocCount, err = long(p)
		case "min_size":
			c.MinSize, err = size(p, name)
		case "cron":
			c.Cron, err = parseCron(p)
		case "min_rollover_age":
			c.MinRolloverAge, err = duration(p, name)
		case "no_alias":
			c.NoAlias, err = boolean(p)
		case "min_state_age":
			c.MinStateAge, err = duration(p, name)
		default:
			return invalidField(name, "Conditions")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case c.count() > 1:
		return nil, fault.Illegal("Cannot provide more than one Transition condition")
	case c.MinDocCount != nil && *c.MinDocCount <= 0:
		return nil, fault.Illegal("Transition doc count condition must be greater than 0")
	case c.MinSize != nil && c.MinSize.Value() <= 0:
		return nil, fault.Illegal("Transition size condition must be greater than 0")
	}
	return c, nil
}

func (c *Conditions) count() int { return len(c.json()) }

func (c *Conditions) json() wire.Object {
	o := wire.Object{}
	o.AddIf(c.MinIndexAge != nil, "min_index_age", c.MinIndexAge)
	o.AddIf(c.MinDocCount != nil, "min_doc_count", c.MinDocCount)
	o.AddIf(c.MinSize != nil, "min_size", c.MinSize)
	if c.Cron != nil {
		o.Add("cron", c.Cron.JSON())
	}
	o.AddIf(c.MinRolloverAge != nil, "min_rollover_age", c.MinRolloverAge)
	o.AddIf(c.NoAlias != nil, "no_alias", c.NoAlias)
	o.AddIf(c.MinStateAge != nil, "min_state_age", c.MinStateAge)
	return o
}

// The readers of one value below return pointers, so that absent and zero differ.

func duration(p *wire.Parser, name string) (*wire.Duration, error) {
	s, err := p.Text()
	if err != nil {
		return nil, err
	}
	d, err := wire.ParseDuration(s, name)
	return &d, err
}

func size(p *wire.Parser, name string) (*wire.Bytes, error) {
	s, err := p.Text()
	if err != nil {
		return nil, err
	}
	b, err := wire.ParseBytes(s, name)
	return &b, err
}

func long(p *wire.Parser) (*int64, error) {
	n, err := p.Long()
	return &n, err
}

func integer(p *wire.Parser) (*int, error) {
	n, err := p.Int()
	return &n, err
}

func boolean(p *wire.Parser) (*bool, error) {
	b, err := p.Bool()
	return &b, err
}
