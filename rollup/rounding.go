// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// rounding cuts time into the buckets of a date histogram, in a time zone. Instants are epoch milliseconds.
type rounding struct {
	zone *time.Location
	// calendar is the unit of a calendar interval, ' ' for a fixed one: y, q, M, w, d, h, m or s.
	calendar byte
	fixed    int64
}

// calendarUnits are the calendar intervals.
var calendarUnits = map[string]byte{
	"year": 'y', "1y": 'y', "quarter": 'q', "1q": 'q', "month": 'M', "1M": 'M', "week": 'w', "1w": 'w',
	"day": 'd', "1d": 'd', "hour": 'h', "1h": 'h', "minute": 'm', "1m": 'm', "second": 's', "1s": 's',
}

// fixedUnits are calendar units whose length is always the same.
var fixedUnits = map[byte]int64{'h': 3600_000, 'm': 60_000, 's': 1000}

func newRounding(d dimension.Dimension) (*rounding, error) {
	zone, err := wire.ParseZone(d.Timezone)
	if err != nil {
		return nil, err
	}
	r := &rounding{zone: zone, calendar: ' '}
	if d.CalendarInterval != nil {
		unit, ok := calendarUnits[*d.CalendarInterval]
		if !ok {
			return nil, fault.Illegal("The supplied interval [%s] could not be parsed as a calendar interval.", *d.CalendarInterval)
		}
		if r.fixed, ok = fixedUnits[unit]; !ok {
			r.calendar = unit
		}
		return r, nil
	}
	length, err := wire.ParseDuration(*d.FixedInterval, "date_histogram.fixedInterval")
	if err != nil {
		return nil, err
	}
	if r.fixed = length.Value().Milliseconds(); r.fixed <= 0 {
		return nil, fault.Illegal("Zero or negative time interval not supported")
	}
	return r, nil
}

// floor is the start of the bucket of an instant.
func (r *rounding) floor(ms int64) int64 {
	if r.calendar != ' ' {
		return r.start(time.UnixMilli(ms).In(r.zone), 0)
	}
	offset := r.offset(ms)
	local := ms + offset
	down := local - modulo(local, r.fixed) - offset
	// a change of the offset lies between the start of the bucket and the instant
	if other := r.offset(down); other != offset && down+offset-other <= ms {
		return down + offset - other
	}
	return down
}

// next is the start of the bucket after that of an instant.
func (r *rounding) next(ms int64) int64 {
	if r.calendar != ' ' {
		return r.start(time.UnixMilli(ms).In(r.zone), 1)
	}
	start := r.floor(ms)
	for step := start + r.fixed; ; step += r.fixed {
		if next := r.floor(step); next > start {
			return next
		}
	}
}

// after is the start of the bucket n buckets later.
func (r *rounding) after(ms int64, n int) int64 {
	for range n {
		ms = r.next(ms)
	}
	return ms
}

// start is the start of t's calendar unit, or of the one that comes n later.
func (r *rounding) start(t time.Time, n int) int64 {
	y, m, d := t.Date()
	switch r.calendar {
	case 'y':
		y, m, d = y+n, 1, 1
	case 'q':
		m, d = (m-1)/3*3+1+time.Month(3*n), 1
	case 'M':
		m, d = m+time.Month(n), 1
	case 'w':
		d += 7*n - (int(t.Weekday())+6)%7
	case 'd':
		d += n
	}
	day := time.Date(y, m, d, 12, 0, 0, 0, r.zone)
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, r.zone)
	for midnight.Day() != day.Day() { // there is no midnight on the day of the change
		midnight = midnight.Add(15 * time.Minute)
	}
	return midnight.UnixMilli()
}

func (r *rounding) offset(ms int64) int64 {
	_, seconds := time.UnixMilli(ms).In(r.zone).Zone()
	return int64(seconds) * 1000
}

// modulo is never negative.
func modulo(a, n int64) int64 {
	return (a%n + n) % n
}
