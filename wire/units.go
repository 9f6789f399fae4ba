// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
)

// Duration is an OpenSearch time value: the text a client wrote, normalised, and what it means. -1 is allowed and
// means minus one millisecond, as in OpenSearch.
type Duration struct {
	text string
	d    time.Duration
}

type unit struct {
	suffix string
	size   int64
}

// timeUnits are tried in this order, so that "ms" is found before "s".
var timeUnits = []unit{
	{"nanos", int64(time.Nanosecond)},
	{"micros", int64(time.Microsecond)},
	{"ms", int64(time.Millisecond)},
	{"s", int64(time.Second)},
	{"m", int64(time.Minute)},
	{"h", int64(time.Hour)},
	{"d", int64(24 * time.Hour)},
}

// ParseDuration reads a time value ("30d", "0", "-1"). setting is the name in error texts ("min_index_age"). A length
// beyond what time.Duration holds (292 years) counts as that longest one.
func ParseDuration(text, setting string) (Duration, error) {
	normal := strings.TrimSpace(strings.ToLower(text))
	for _, u := range timeUnits {
		number, ok := strings.CutSuffix(normal, u.suffix)
		if ok && (u.suffix != "m" || strings.HasSuffix(text, "m")) { // M would be months, and nothing may follow an m
			return parseDuration(text, strings.TrimSpace(number), setting, u)
		}
	}
	switch {
	case strings.HasPrefix(normal, "-") && strings.TrimLeft(normal[1:], "0") == "1":
		return Duration{"-1", -time.Millisecond}, nil
	case normal != "" && strings.Trim(normal, "0") == "":
		return Duration{"0ms", 0}, nil
	}
	return Duration{}, fault.Illegal("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", setting, text)
}

func parseDuration(text, number, setting string, u unit) (Duration, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		e := fault.Illegal("failed to parse [%s]", text)
		if _, fraction := parseJavaDouble(number); fraction == nil {
			e.Reason += ", fractional time values are not supported"
		}
		e.CausedBy = numberFormat(number)
		return Duration{}, e
	}
	switch {
	case n < -1:
		return Duration{}, fault.Illegal("failed to parse setting [%s] with value [%s] as a time value: negative durations are not supported", setting, text)
	case n == -1:
		return Duration{"-1", -time.Duration(u.size)}, nil
	case n > math.MaxInt64/u.size:
		return Duration{strconv.FormatInt(n, 10) + u.suffix, math.MaxInt64}, nil
	}
	return Duration{strconv.FormatInt(n, 10) + u.suffix, time.Duration(n * u.size)}, nil
}

// Milliseconds returns the duration of n milliseconds, written in its largest whole unit.
func Milliseconds(n int64) Duration {
	d := time.Duration(n) * time.Millisecond
	for i := len(timeUnits) - 1; i >= 0; i-- {
		if u := timeUnits[i]; n != 0 && int64(d)%u.size == 0 {
			return Duration{strconv.FormatInt(int64(d)/u.size, 10) + u.suffix, d}
		}
	}
	return Duration{"0ms", 0}
}

// Value is the length of time.
func (d Duration) Value() time.Duration { return d.d }

// String is the normalised text: "0" becomes "0ms", "30d" stays.
func (d Duration) String() string { return d.text }

// MarshalJSON writes the normalised text.
func (d Duration) MarshalJSON() ([]byte, error) { return Marshal(d.text) }

// HumanDuration is OpenSearch's short form: the largest unit that fits, at most one decimal, cut not rounded: "1.5h",
// "2d", "0s".
func HumanDuration(d time.Duration) string {
	if d < 0 {
		return strconv.FormatInt(d.Milliseconds(), 10)
	}
	for i := len(timeUnits) - 1; i >= 0; i-- {
		if u := timeUnits[i]; int64(d) >= u.size {
			return oneDecimal(int64(d), u)
		}
	}
	return "0s"
}

// oneDecimal prints n in a unit with at most one decimal, cut.
func oneDecimal(n int64, u unit) string {
	whole, tenth := n/u.size, int64(float64(n%u.size)/float64(u.size)*10)
	if tenth == 0 {
		return fmt.Sprintf("%d%s", whole, u.suffix)
	}
	return fmt.Sprintf("%d.%d%s", whole, tenth, u.suffix)
}

// Bytes is an OpenSearch byte size: the normalised text ("50gb") and the number of bytes.
type Bytes struct {
	text string
	n    int64
}

// byteUnits from the largest; the long suffix is the normal one.
var byteUnits = []unit{
	{"pb", 1 << 50},
	{"tb", 1 << 40},
	{"gb", 1 << 30},
	{"mb", 1 << 20},
	{"kb", 1 << 10},
	{"p", 1 << 50},
	{"t", 1 << 40},
	{"g", 1 << 30},
	{"m", 1 << 20},
	{"k", 1 << 10},
	{"b", 1},
}

// ParseBytes reads a byte size ("50GB", "5g", "-1"). setting is the name in error texts.
func ParseBytes(text, setting string) (Bytes, error) {
	normal := strings.TrimSpace(strings.ToLower(text))
	for _, u := range byteUnits {
		if number, ok := strings.CutSuffix(normal, u.suffix); ok {
			return parseBytes(text, strings.TrimSpace(number), setting, u)
		}
	}
	switch normal {
	case "-1", "0":
		return parseBytes(text, normal, setting, unit{"b", 1})
	}
	return Bytes{}, fault.Parse("failed to parse setting [%s] with value [%s] as a size in bytes: unit is missing or unrecognized", setting, text)
}

// parseBytes reads the number before a unit. What is wrong with one of plain bytes is told in fewer words.
func parseBytes(text, number, setting string, u unit) (Bytes, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	suffix := u.suffix
	if len(suffix) == 1 && suffix != "b" {
		suffix += "b"
	}
	var beyond *fault.Error
	switch {
	case err != nil && suffix == "b":
		return Bytes{}, numberFormat(number)
	case err != nil:
		e := fault.Parse("failed to parse [%s]", text)
		if _, fraction := parseJavaDouble(number); fraction == nil {
			e = fault.Parse("Failed to parse bytes value [%s]. Fractional bytes values have been deprecated since Legacy 6.2. Use non-fractional bytes values instead: found for setting [%s]", text, setting)
		}
		e.CausedBy = numberFormat(number)
		return Bytes{}, e
	case n < -1 || (n == -1 && u.size > 1):
		beyond = fault.Illegal("Values less than -1 bytes are not supported: %d%s", n, suffix)
	case n > math.MaxInt64/u.size:
		beyond = fault.Illegal("Values greater than %d bytes are not supported: %d%s", int64(math.MaxInt64), n, suffix)
	default:
		return Bytes{strconv.FormatInt(n, 10) + suffix, n * u.size}, nil
	}
	if suffix == "b" {
		return Bytes{}, beyond
	}
	e := fault.Parse("failed to parse setting [%s] with value [%s] as a size in bytes", setting, text)
	e.CausedBy = beyond
	return Bytes{}, e
}

func numberFormat(text string) *fault.Error {
	return fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
}

// Value is the number of bytes.
func (b Bytes) Value() int64 { return b.n }

// String is the normalised text.
func (b Bytes) String() string { return b.text }

// MarshalJSON writes the normalised text.
func (b Bytes) MarshalJSON() ([]byte, error) { return Marshal(b.text) }

// HumanBytes is OpenSearch's short form, 1024-based, one decimal cut not rounded: "10b", "1.4gb".
func HumanBytes(n int64) string {
	for _, u := range byteUnits[:5] {
		if n >= u.size {
			return oneDecimal(n, u)
		}
	}
	return strconv.FormatInt(n, 10) + "b"
}
