// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

const (
	defaultDateTarget = "@timestamp"
	defaultDateOutput = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
)

// iso8601 is what the format of this name reads.
const iso8601 = "strict_date_optional_time"

// dateReader reads a date of one format in a zone.
type dateReader func(text string, zone *time.Location, now time.Time) (time.Time, *fault.Error)

func newDate(_ *Service, c *config) processor {
	field, target := c.text("field"), c.optional("target_field", defaultDateTarget)
	zone := c.compile("timezone", c.optional("timezone", "UTC"))
	c.english()
	formats := c.asList("formats", c.need("formats"))
	output := c.optional("output_format", defaultDateOutput)
	if c.err != nil {
		return nil
	}
	if err := wire.CheckDateFormat(output); err != nil {
		e := located(fault.Parse("invalid output format [%s]", output), c.typ, c.tag, "output_format")
		e.CausedBy = fault.Of(err)
		c.fail(e)
	}
	var readers []dateReader
	for _, f := range formats.items {
		readers = append(readers, c.dateReader(text(f)))
	}
	return changing(func(d *Document) error {
		v, err := d.get(field)
		if err != nil {
			return err
		}
		at, err := d.readDate(v, zone, readers)
		if err != nil {
			return err
		}
		return d.set(target, wire.FormatDate(at, output))
	})
}

// english refuses dates in any other language.
func (c *config) english() {
	if locale := c.optional("locale", ""); locale != "" && !strings.HasPrefix(strings.ToLower(locale), "en") {
		c.fail(located(fault.Unsupported("the [locale: "+locale+"] of dates"), c.typ, c.tag, "locale"))
	}
}

// readDate reads a date in the first format that fits.
func (d *Document) readDate(v any, zone template, readers []dateReader) (time.Time, error) {
	name, err := zone.render(d)
	if err != nil {
		return time.Time{}, err
	}
	location, err := wire.ParseZone(name)
	if err != nil {
		return time.Time{}, err
	}
	stamp, _ := d.ingest.Get("timestamp")
	now, err := time.Parse(time.RFC3339Nano, text(stamp))
	if err != nil {
		now = time.Time{}
	}
	var failures []*fault.Error
	for _, read := range readers {
		if v == nil {
			failures = append(failures, fault.Illegal("cannot parse empty date"))
			continue
		}
		at, err := read(text(v), location, now)
		if err == nil {
			return at, nil
		}
		failures = append(failures, err)
	}
	e := fault.Illegal("unable to parse date [%s]", text(v))
	switch len(failures) {
	case 0:
	case 1:
		e.CausedBy = failures[0]
	default:
		e.CausedBy = failures[0].With("suppressed", failures[1:])
	}
	return time.Time{}, e
}

// dateReader reads a format of the date processor.
func (c *config) dateReader(format string) dateReader {
	switch format {
	case "ISO8601":
		return func(text string, zone *time.Location, _ time.Time) (time.Time, *fault.Error) {
			at, err := parseDate(text, iso8601, "iso8601", zone)
			return at.In(zone), err
		}
	case "UNIX":
		return unixSeconds
	case "UNIX_MS":
		return unixMillis
	case "TAI64N":
		return tai64n
	}
	if err := wire.CheckDateFormat(format); err != nil {
		c.fail(located(fault.Of(err), c.typ, c.tag, "formats"))
	}
	return func(text string, zone *time.Location, now time.Time) (time.Time, *fault.Error) {
		at, err := parseDate(text, format, format, zone)
		if err == nil && at.Year() == 0 { // a format without a year
			at = at.AddDate(now.Year(), 0, 0)
		}
		return at.In(zone), err
	}
}

func parseDate(text, format, shown string, zone *time.Location) (time.Time, *fault.Error) {
	at, err := wire.ParseDate(text, format, zone)
	if err != nil {
		return at, fault.Illegal("failed to parse date field [%s] with format [%s]", text, shown)
	}
	return at, nil
}

func unixSeconds(text string, zone *time.Location, _ time.Time) (time.Time, *fault.Error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > math.MaxInt64/1000 {
		return time.Time{}, numberFormat(text)
	}
	return time.UnixMilli(int64(f * 1000)).In(zone), nil
}

func unixMillis(text string, zone *time.Location, _ time.Time) (time.Time, *fault.Error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, numberFormat(text)
	}
	return time.UnixMilli(n).In(zone), nil
}

// tai64n reads an external TAI64N label: 16 hexadecimal digits of seconds, 8 of nanoseconds, ten seconds ahead of UTC.
func tai64n(text string, zone *time.Location, _ time.Time) (time.Time, *fault.Error) {
	label := strings.TrimPrefix(text, "@")
	if len(label) < 24 {
		return time.Time{}, numberFormat(text)
	}
	seconds, err := strconv.ParseInt(label[1:16], 16, 64)
	if err != nil {
		return time.Time{}, numberFormat(label[1:16])
	}
	nanos, err := strconv.ParseInt(label[16:24], 16, 64)
	if err != nil {
		return time.Time{}, numberFormat(label[16:24])
	}
	return time.UnixMilli(seconds*1000 - 10_000 + nanos/1_000_000).In(zone), nil
}
