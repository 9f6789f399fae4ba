// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"regexp"
	"strconv"
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

// ParseCron reads {"expression":...,"timezone":...,"schedule_delay":...}.
func ParseCron(p *wire.Parser) (*Cron, error) {
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

func (c *Cron) compile() error {
	parts := strings.Fields(strings.ToUpper(c.Expression))
	for _, part := range parts {
		if strings.HasSuffix(part, ",") {
			return fault.Illegal("Invalid field value! Trailing commas not permitted! '%s'", part)
		}
	}
	switch len(parts) {
	case 5:
	case 0:
		return fault.Illegal("Empty expression!")
	default:
		return fault.Illegal("Cron expression contains %d parts but we expect one of [5]", len(parts))
	}
	for i, part := range parts {
		if wrong := unixFields[i].wrong(part); wrong != "" {
			return fault.Illegal("Failed to parse '%s'. %s", c.Expression, wrong)
		}
		parts[i] = stepsFromAll(part)
	}
	parts[4] = sundays(parts[4])
	schedule, err := cron.ParseStandard(strings.Join(parts, " "))
	if err != nil {
		return fault.Illegal("Failed to parse '%s'. %s", c.Expression, err)
	}
	if c.zone, err = zone(c.Timezone); err != nil {
		return err
	}
	c.schedule = schedule
	return nil
}

// zone is a time zone by the names that Java knows.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return nil, fault.Illegal("Invalid ID for region-based ZoneId, invalid format: ")
	}
	return wire.ParseZone(name)
}

// stepsFromAll writes /5, which robfig's parser does not know, as */5.
func stepsFromAll(field string) string {
	items := strings.Split(field, ",")
	for i, item := range items {
		if strings.HasPrefix(item, "/") {
			items[i] = "*" + item
		}
	}
	return strings.Join(items, ",")
}

// daysWithSeven is an item of the days of the week that means day 7, which is Sunday and which robfig's parser does not
// know: 7, 7/2, 5-7, FRI-SUN, 1-7/2.
var daysWithSeven = regexp.MustCompile(`^(?:([0-7]|[A-Z]{3})-)?(?:7|SUN)(?:/([1-8]))?$`)

// sundays writes day 7 as day 0, and a range to it as its days one by one.
func sundays(days string) string {
	items := strings.Split(days, ",")
	for i, item := range items {
		m := daysWithSeven.FindStringSubmatch(item)
		if m == nil {
			continue
		}
		from, step := 7, 1
		if day, named := unixFields[4].names[m[1]]; named {
			from = day
		} else if m[1] != "" {
			from = int(m[1][0] - '0')
		}
		if m[2] != "" {
			step = int(m[2][0] - '0')
		}
		var list []string
		for day := from; day <= 7; day += step {
			list = append(list, strconv.Itoa(day%7))
		}
		items[i] = strings.Join(list, ",")
	}
	return strings.Join(items, ",")
}

// Next is the first instant strictly after t at which the schedule fires, its delay included; the zero time if it never
// does.
func (c *Cron) Next(t time.Time) time.Time {
	var delay time.Duration
	if c.Delay != nil {
		delay = time.Duration(*c.Delay) * time.Millisecond
	}
	next := c.schedule.Next(t.Add(-delay).In(c.zone))
	if next.IsZero() {
		return next
	}
	return next.Add(delay).UTC()
}

// JSON is {"cron":{...}}.
func (c *Cron) JSON() wire.Object {
	o := wire.Obj("expression", c.Expression, "timezone", c.Timezone)
	o.AddIf(c.Delay != nil, "schedule_delay", c.Delay)
	return wire.Obj("cron", o)
}

func long(p *wire.Parser) (*int64, error) {
	n, err := p.Long()
	return &n, err
}
