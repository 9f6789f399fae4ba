// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same wherever the program runs

	"github.com/robfig/cron/v3"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Cron is a five-field UNIX cron expression in a time zone.
type Cron struct {
	Expression string
	Timezone   string
	// Delay is in milliseconds; nil if absent.
	Delay    *int64
	schedule cron.Schedule
	zone     *time.Location
}

// parseCron reads {"cron":{"expression":...,"timezone":...}}. An {"interval":...} schedule is read and dropped, as the
// plugin does: nil.
func parseCron(p *wire.Parser) (*Cron, error) {
	var c *Cron
	seen := false
	err := p.Object(func(kind string) (err error) {
		seen = true
		switch kind {
		case "cron":
			c, err = parseCronSchedule(p)
		case "interval":
			err = p.Skip()
		default:
			err = fault.Illegal("Unknown schedule type %s", kind)
		}
		return err
	})
	if err == nil && !seen {
		err = fault.Illegal("Invalid schedule document object.")
	}
	return c, err
}

func parseCronSchedule(p *wire.Parser) (*Cron, error) {
	c := &Cron{}
	var expression, zone bool
	err := p.Object(func(name string) (err error) {
		switch name {
		case "expression":
			c.Expression, err = p.Text()
			expression = true
		case "timezone":
			c.Timezone, err = p.Text()
			zone = true
		case "schedule_delay":
			c.Delay, err = long(p)
		default:
			err = fault.Illegal("Unknown cron field %s", name)
		}
		return err
	})
	if err == nil && (!expression || !zone) {
		err = fault.Illegal("Invalid schedule document object.")
	}
	if err != nil {
		return nil, err
	}
	return c, c.compile()
}

// sunday is day of week 7, which robfig's parser does not know, at the places where it means Sunday.
var sunday = regexp.MustCompile(`\b7\b`)

// fields is what cron-utils' UNIX definition accepts in a field: numbers, names, lists, ranges and steps.
var fields = regexp.MustCompile(`^[0-9A-Za-z*,/-]+$`)

func (c *Cron) compile() error {
	parts := strings.Fields(c.Expression)
	if len(parts) != 5 {
		return fault.Illegal("Cron expression contains %d parts but we expect one of [5]", len(parts))
	}
	for _, part := range parts {
		if !fields.MatchString(part) {
			return fault.Illegal("Failed to parse '%s'. Invalid chars in expression!", c.Expression)
		}
	}
	if days, step, ok := strings.Cut(parts[4], "/"); ok {
		parts[4] = sundays(days) + "/" + step
	} else {
		parts[4] = sundays(parts[4])
	}
	schedule, err := cron.ParseStandard(strings.Join(parts, " "))
	if err != nil {
		return fault.Illegal("Failed to parse '%s'. %s", c.Expression, err)
	}
	if c.zone, err = wire.ParseZone(c.Timezone); err != nil {
		return err
	}
	c.schedule = schedule
	return nil
}

// sundays writes day 7 as 0; a range that ends in 7 becomes the range to 6 and 0.
func sundays(days string) string {
	items := strings.Split(days, ",")
	for i, item := range items {
		if from, ok := strings.CutSuffix(item, "-7"); ok && from != "7" {
			items[i] = from + "-6,0"
			continue
		}
		items[i] = sunday.ReplaceAllString(item, "0")
	}
	return strings.Join(items, ",")
}

// Next is the first instant strictly after t at which the expression fires; the zero time if it never does.
func (c *Cron) Next(t time.Time) time.Time {
	next := c.schedule.Next(t.In(c.zone))
	if next.IsZero() {
		return next
	}
	if c.Delay != nil {
		next = next.Add(time.Duration(*c.Delay) * time.Millisecond)
	}
	return next.UTC()
}

func (c *Cron) json() wire.Object {
	o := wire.Obj("expression", c.Expression, "timezone", c.Timezone)
	o.AddIf(c.Delay != nil, "schedule_delay", c.Delay)
	return wire.Obj("cron", o)
}
