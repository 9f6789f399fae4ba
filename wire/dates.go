// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
)

// defaultNameFormat is the date format of a date-math name that gives none.
const defaultNameFormat = "yyyy.MM.dd"

// ResolveDateMath turns <logs-{now/d{yyyy.MM.dd|UTC}}-1> into logs-2026.11.21-1. A name without < > is returned as it
// is. Errors are OpenSearch's parse_exception texts (400).
func ResolveDateMath(name string, now time.Time) (string, error) {
	inner, ok := strings.CutPrefix(name, "<")
	if !ok {
		return name, nil
	}
	if inner, ok = strings.CutSuffix(inner, ">"); !ok {
		return name, nil
	}
	var out strings.Builder
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; c {
		case '\\':
			i++
			if i < len(inner) {
				out.WriteByte(inner[i])
			}
		case '{':
			end := closing(inner, i)
			if end < 0 {
				return "", fault.Parse("invalid dynamic name expression [%s]. date math placeholder is open ended", inner)
			}
			text, err := resolvePlaceholder(inner[i+1:end], now)
			if err != nil {
				return "", err
			}
			out.WriteString(text)
			i = end
		case '}':
			return "", fault.Parse("invalid dynamic name expression [%s]. invalid character at position [%d]. `{` and `}` are reserved characters and should be escaped when used as part of the index name using `\\` (e.g. `\\{text\\}`)", inner, i)
		default:
			out.WriteByte(c)
		}
	}
	if out.Len() == 0 {
		return "", fault.Parse("nothing captured")
	}
	return out.String(), nil
}

// closing is the place of the brace that closes the one at open, or -1.
func closing(s string, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func resolvePlaceholder(text string, now time.Time) (string, error) {
	math, format, zone := text, defaultNameFormat, time.UTC
	if m, rest, ok := strings.Cut(text, "{"); ok {
		math = m
		pattern, zoneName, hasZone := strings.Cut(strings.TrimSuffix(rest, "}"), "|")
		if pattern == "" {
			return "", fault.Parse("invalid dynamic name expression [%s]. missing date format", text)
		}
		format = pattern
		if hasZone {
			z, err := ParseZone(zoneName)
			if err != nil {
				return "", err
			}
			zone = z
		}
	}
	t, err := ParseDateMath(math, format+"||strict_date_optional_time", now, false, zone)
	if err != nil {
		return "", err
	}
	return FormatDate(t.In(zone), format), nil
}

// ParseZone reads a time zone: an IANA name, "Z", "UTC" or an offset such as "+02:00". Errors are 400.
func ParseZone(name string) (*time.Location, error) {
	switch name {
	case "", "Z", "UTC", "GMT":
		return time.UTC, nil
	}
	offset := name
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			offset = rest
			break
		}
	}
	if strings.HasPrefix(offset, "+") || strings.HasPrefix(offset, "-") {
		if len(offset) == len("+2") {
			offset = offset[:1] + "0" + offset[1:]
		}
		for _, layout := range []string{"-07:00", "-0700", "-07", "-07:00:00", "-070000"} {
			if t, err := time.Parse(layout, offset); err == nil {
				return t.Location(), nil
			}
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fault.Illegal("Unknown time-zone ID: %s", name)
	}
	return zone, nil
}

// ParseDateMath evaluates "now-7d/d" or "2026-11-21||+1M/d" in the given formats ("strict_date_optional_time",
// "epoch_millis", a java.time pattern; several joined with ||). roundUp says which end of a rounded unit is meant.
func ParseDateMath(text, format string, now time.Time, roundUp bool, zone *time.Location) (time.Time, error) {
	if zone == nil {
		zone = time.UTC
	}
	if math, ok := strings.CutPrefix(text, "now"); ok {
		return applyDateMath(now.In(zone), math, text, roundUp)
	}
	date, math, _ := strings.Cut(text, "||")
	t, err := ParseDate(date, format, zone)
	if err != nil {
		return time.Time{}, err
	}
	if math == "" && roundUp {
		return roundUpDate(date, t), nil
	}
	return applyDateMath(t, math, text, roundUp)
}

// roundUpDate fills the parts that a date leaves out with their last value, as lte and gt want it.
func roundUpDate(text string, t time.Time) time.Time {
	switch len(text) {
	case len("2006"):
		return t.AddDate(1, 0, 0).Add(-time.Millisecond)
	case len("2006-01"):
		return t.AddDate(0, 1, 0).Add(-time.Millisecond)
	case len("2006-01-02"):
		return t.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	return t
}

func applyDateMath(t time.Time, math, whole string, roundUp bool) (time.Time, error) {
	bad := func() (time.Time, error) {
		return time.Time{}, fault.Parse("failed to parse date field [%s]: operator not supported for date math [%s]", whole, math)
	}
	all := math
	for math != "" {
		op := math[0]
		math = math[1:]
		if op != '+' && op != '-' && op != '/' {
			return bad()
		}
		digits := 0
		for digits < len(math) && math[digits] >= '0' && math[digits] <= '9' {
			digits++
		}
		n := 1
		if digits > 0 {
			v, err := strconv.Atoi(math[:digits])
			if err != nil || v > 1_000_000_000 {
				return bad()
			}
			n = v
			math = math[digits:]
		}
		if math == "" || (op == '/' && n != 1) {
			return time.Time{}, fault.Parse("truncated date math [%s]", whole)
		}
		unit := math[0]
		math = math[1:]
		if op == '-' {
			n = -n
		}
		if op == '/' {
			t = truncate(t, unit)
			if roundUp {
				t = addUnit(t, 1, unit).Add(-time.Millisecond)
			}
		} else {
			t = addUnit(t, n, unit)
		}
		if t.IsZero() {
			return time.Time{}, fault.Parse("unit [%c] not supported for date math [%s]", unit, all)
		}
	}
	return t, nil
}

// addUnit adds n units; the zero time says that the unit is unknown.
func addUnit(t time.Time, n int, unit byte) time.Time {
	switch unit {
	case 'y':
		return addMonths(t, 12*n)
	case 'M':
		return addMonths(t, n)
	case 'w':
		return t.AddDate(0, 0, 7*n)
	case 'd':
		return t.AddDate(0, 0, n)
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour)
	case 'm':
		return t.Add(time.Duration(n) * time.Minute)
	case 's':
		return t.Add(time.Duration(n) * time.Second)
	}
	return time.Time{}
}

// addMonths keeps to the end of a shorter month, as java.time does.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

func truncate(t time.Time, unit byte) time.Time {
	y, m, d := t.Date()
	zone := t.Location()
	switch unit {
	case 'y':
		return time.Date(y, 1, 1, 0, 0, 0, 0, zone)
	case 'M':
		return time.Date(y, m, 1, 0, 0, 0, 0, zone)
	case 'w':
		return time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, zone)
	case 'd':
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	case 'h', 'H':
		return time.Date(y, m, d, t.Hour(), 0, 0, 0, zone)
	case 'm':
		return time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, zone)
	case 's':
		return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, zone)
	}
	return time.Time{}
}

// optionalTime are the layouts of (strict_)date_optional_time.
var optionalTime = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02T15Z07:00", "2006-01-02T15",
	"2006-01-02", "2006-01", "2006",
}

// namedFormats are OpenSearch's names for date formats, as Go layouts.
var namedFormats = map[string][]string{
	"date_optional_time":              optionalTime,
	"strict_date_optional_time":       optionalTime,
	"strict_date_optional_time_nanos": optionalTime,
	"date":                            {"2006-01-02"},
	"strict_date":                     {"2006-01-02"},
	"basic_date":                      {"20060102"},
	"basic_date_time":                 {"20060102T150405.000Z0700"},
	"basic_date_time_no_millis":       {"20060102T150405Z0700"},
	"date_time":                       {"2006-01-02T15:04:05.999999999Z07:00"},
	"strict_date_time":                {"2006-01-02T15:04:05.999999999Z07:00"},
	"date_time_no_millis":             {"2006-01-02T15:04:05Z07:00"},
	"strict_date_time_no_millis":      {"2006-01-02T15:04:05Z07:00"},
	"date_hour_minute_second":         {"2006-01-02T15:04:05"},
	"strict_date_hour_minute_second":  {"2006-01-02T15:04:05"},
	"year_month_day":                  {"2006-01-02"},
	"strict_year_month_day":           {"2006-01-02"},
	"year_month":                      {"2006-01"},
	"strict_year_month":               {"2006-01"},
	"year":                            {"2006"},
	"strict_year":                     {"2006"},
	"rfc3339_lenient":                 optionalTime,
}

// CheckDateFormat refuses a date format that is not known: 400 "Invalid format: [x]".
func CheckDateFormat(format string) error {
	for _, f := range strings.Split(format, "||") {
		if _, ok := namedFormats[f]; ok || f == "epoch_millis" || f == "epoch_second" {
			continue
		}
		if _, err := layout(f); err != nil {
			return fault.Illegal("Invalid format: [%s]: %s", f, err)
		}
	}
	return nil
}

// ParseDate reads a date in one of the given formats (joined with ||). The error is 400 parse_exception "failed to parse
// date field [x] with format [y]".
func ParseDate(text, format string, zone *time.Location) (time.Time, error) {
	for _, f := range strings.Split(format, "||") {
		if t, ok := parseOne(text, f, zone); ok {
			return t, nil
		}
	}
	return time.Time{}, fault.Parse("failed to parse date field [%s] with format [%s]", text, format)
}

func parseOne(text, format string, zone *time.Location) (time.Time, bool) {
	switch format {
	case "epoch_millis":
		return parseEpoch(text, 1000, 6)
	case "epoch_second":
		return parseEpoch(text, 1, 9)
	}
	layouts, ok := namedFormats[format]
	if !ok {
		l, err := layout(format)
		if err != nil {
			return time.Time{}, false
		}
		layouts = []string{l}
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseEpoch reads a number of units since the epoch, perSecond of them a second, with up to so many decimals.
func parseEpoch(text string, perSecond int64, decimals int) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) > decimals {
		return time.Time{}, false
	}
	t := time.Unix(n/perSecond, n%perSecond*(int64(time.Second)/perSecond)).UTC()
	if fraction == "" {
		return t, true
	}
	nanos, err := strconv.ParseUint(fraction+strings.Repeat("0", decimals-len(fraction)), 10, 32)
	if err != nil {
		return time.Time{}, false
	}
	if strings.HasPrefix(whole, "-") {
		return t.Add(-time.Duration(nanos)), true
	}
	return t.Add(time.Duration(nanos)), true
}

// FormatDate prints t in an OpenSearch date format (the first of several).
func FormatDate(t time.Time, format string) string {
	format, _, _ = strings.Cut(format, "||")
	switch format {
	case "epoch_millis":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "epoch_second":
		return strconv.FormatInt(t.Unix(), 10)
	case "date_optional_time", "strict_date_optional_time":
		return t.Format("2006-01-02T15:04:05.000Z07:00")
	}
	if layouts, ok := namedFormats[format]; ok {
		return t.Format(layouts[0])
	}
	l, err := layout(format)
	if err != nil {
		return format
	}
	return t.Format(l)
}

// layout turns a java.time pattern into a Go layout.
func layout(pattern string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		if c == '\'' {
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return "", fmt.Errorf("unterminated literal in pattern %s", pattern)
			}
			out.WriteString(pattern[i+1 : i+1+end])
			i += end + 2
			continue
		}
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		text, ok := letters(c, n)
		if !ok {
			return "", fmt.Errorf("unknown pattern letter: %c", c)
		}
		out.WriteString(text)
		i += n
	}
	return out.String(), nil
}

// letters is the Go layout of n times a pattern letter.
func letters(c byte, n int) (string, bool) {
	pick := func(forms ...string) (string, bool) { return forms[min(n, len(forms))-1], true }
	switch c {
	case 'y', 'u', 'Y':
		return pick("2006", "06", "2006", "2006")
	case 'M', 'L':
		return pick("1", "01", "Jan", "January")
	case 'd':
		return pick("2", "02")
	case 'D':
		return pick("002")
	case 'H':
		return pick("15", "15")
	case 'h':
		return pick("3", "03")
	case 'm':
		return pick("4", "04")
	case 's':
		return pick("5", "05")
	case 'S':
		return strings.Repeat("0", n), true
	case 'a':
		return "PM", true
	case 'E':
		return pick("Mon", "Mon", "Mon", "Monday")
	case 'X':
		return pick("Z07", "Z0700", "Z07:00")
	case 'x':
		return pick("-07", "-0700", "-07:00")
	case 'Z':
		return pick("-0700", "-0700", "-0700", "-0700", "Z07:00")
	case 'z':
		return "MST", true
	}
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return "", false
	}
	return strings.Repeat(string(c), n), true
}
