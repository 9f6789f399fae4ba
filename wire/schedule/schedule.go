// SPDX-License-Identifier: Apache-2.0

// Package schedule reads, prints and evaluates the schedules of job documents as the job scheduler of OpenSearch's
// plugins does: every so many minutes, hours or days since a start, or a five-field cron expression in a time zone. It
// reads no clock.
package schedule

import (
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// Schedule says when a job runs: one of the two is set.
type Schedule struct {
	Interval *Interval
	Cron     *Cron
}

// Interval is a schedule of equal distances.
type Interval struct {
	// Start is in epoch milliseconds; nil if it was not given.
	Start  *int64
	Period int
	// Unit is "Minutes", "Hours" or "Days".
	Unit string
	// Delay is in milliseconds; nil if absent.
	Delay *int64
}

// units of an interval, by their names in capitals.
var units = map[string]struct {
	name   string
	length time.Duration
}{
	"MINUTES": {"Minutes", time.Minute}, "HOURS": {"Hours", time.Hour}, "DAYS": {"Days", 24 * time.Hour},
}

// otherUnits are names that the server's language knows and the job scheduler does not take.
var otherUnits = map[string]string{
	"NANOS": "Nanos", "MICROS": "Micros", "MILLIS": "Millis", "SECONDS": "Seconds", "HALF_DAYS": "HalfDays", "WEEKS": "Weeks",
	"MONTHS": "Months", "YEARS": "Years", "DECADES": "Decades", "CENTURIES": "Centuries", "MILLENNIA": "Millennia",
	"ERAS": "Eras", "FOREVER": "Forever",
}

// Parse reads {"interval":{...}} or {"cron":{...}}.
func Parse(p *wire.Parser) (Schedule, error) {
	var s Schedule
	seen := false
	err := p.Object(func(kind string) (err error) {
		seen = true
		switch kind {
		case "cron":
			s.Cron, err = ParseCron(p)
		case "interval":
			s.Interval, err = parseInterval(p)
		default:
			err = fault.Illegal("Unknown schedule type %s", kind)
		}
		return err
	})
	if err == nil && !seen {
		err = fault.Illegal("Invalid schedule document object.")
	}
	return s, err
}

func parseInterval(p *wire.Parser) (*Interval, error) {
	i := &Interval{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "start_time":
			i.Start, err = long(p)
		case "period":
			i.Period, err = p.Int()
		case "unit":
			i.Unit, err = parseUnit(p)
		case "schedule_delay":
			i.Delay, err = long(p)
		default:
			err = fault.Illegal("Unknown interval field %s", name)
		}
		return err
	})
	if err == nil && i.Unit == "" {
		err = fault.Illegal("Interval unit null is not supported, expects [Hours, Days, Minutes]")
	}
	return i, err
}

func parseUnit(p *wire.Parser) (string, error) {
	text, err := p.Text()
	if err != nil {
		return "", err
	}
	upper := strings.ToUpper(text)
	if u, ok := units[upper]; ok {
		return u.name, nil
	}
	if name, ok := otherUnits[upper]; ok {
		return "", fault.Illegal("Interval unit %s is not supported, expects [Hours, Days, Minutes]", name)
	}
	return "", fault.Illegal("No enum constant java.time.temporal.ChronoUnit.%s", upper)
}

// Next is the first instant strictly after t at which the schedule fires, its delay included; the zero time if it never
// does.
func (s Schedule) Next(t time.Time) time.Time {
	if s.Cron != nil {
		return s.Cron.Next(t)
	}
	if s.Interval == nil {
		return time.Time{}
	}
	return s.Interval.next(t)
}

func (i *Interval) next(t time.Time) time.Time {
	start, every := i.first(), i.every()
	switch {
	case every <= 0:
		return time.Time{}
	case t.Before(start):
		return start
	}
	return start.Add((t.Sub(start)/every + 1) * every)
}

// first is when the schedule fires first.
func (i *Interval) first() time.Time {
	var ms int64
	if i.Start != nil {
		ms = *i.Start
	}
	if i.Delay != nil {
		ms += *i.Delay
	}
	return time.UnixMilli(ms).UTC()
}

// every is the distance between two instants.
func (i *Interval) every() time.Duration {
	return time.Duration(i.Period) * units[strings.ToUpper(i.Unit)].length
}

// WithDelay returns the schedule with another delay, in milliseconds.
func (s Schedule) WithDelay(ms int64) Schedule {
	if s.Cron != nil {
		c := *s.Cron
		c.Delay = &ms
		return Schedule{Cron: &c}
	}
	i := *s.Interval
	i.Delay = &ms
	return Schedule{Interval: &i}
}

// Delay is the delay in milliseconds, nil if there is none.
func (s Schedule) Delay() *int64 {
	switch {
	case s.Cron != nil:
		return s.Cron.Delay
	case s.Interval != nil:
		return s.Interval.Delay
	}
	return nil
}

// StartingAt returns the schedule with its start at an instant, if it is an interval.
func (s Schedule) StartingAt(ms int64) Schedule {
	if s.Interval == nil {
		return s
	}
	i := *s.Interval
	i.Start = &ms
	return Schedule{Interval: &i}
}

// JSON is the schedule as it is stored.
func (s Schedule) JSON() wire.Object {
	if s.Cron != nil {
		return s.Cron.JSON()
	}
	i := s.Interval
	o := wire.Obj("start_time", i.first().UnixMilli()-orZero(i.Delay), "period", i.Period, "unit", i.Unit)
	o.AddIf(i.Delay != nil, "schedule_delay", i.Delay)
	return wire.Obj("interval", o)
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
