// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/fault"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text, want string
		value      time.Duration
	}{
		{"30d", "30d", 720 * time.Hour},
		{"5m", "5m", 5 * time.Minute},
		{" 10S ", "10s", 10 * time.Second},
		{"7ms", "7ms", 7 * time.Millisecond},
		{"3micros", "3micros", 3 * time.Microsecond},
		{"0", "0ms", 0},
		{"000", "0ms", 0},
		{"-1", "-1", -time.Millisecond},
		{"-01", "-1", -time.Millisecond},
		{"-1d", "-1", -24 * time.Hour},
		{"-0s", "0s", 0},
		{"+5s", "5s", 5 * time.Second},
		{" 5 m", "5m", 5 * time.Minute},
		{"5MS", "5ms", 5 * time.Millisecond},
		{"9999999999d", "9999999999d", math.MaxInt64},
	} {
		got, err := ParseDuration(c.text, "x")
		if err != nil || got.String() != c.want || got.Value() != c.value {
			t.Errorf("ParseDuration(%q) = %s %s, %v; want %s %s", c.text, got, got.Value(), err, c.want, c.value)
		}
	}
}

func TestParseDurationRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"3x":                    "failed to parse setting [min_index_age] with value [3x] as a time value: unit is missing or unrecognized",
		"5m ":                   "failed to parse setting [min_index_age] with value [5m ] as a time value: unit is missing or unrecognized",
		"5min":                  "failed to parse setting [min_index_age] with value [5min] as a time value: unit is missing or unrecognized",
		"5w":                    "failed to parse setting [min_index_age] with value [5w] as a time value: unit is missing or unrecognized",
		"-0":                    "failed to parse setting [min_index_age] with value [-0] as a time value: unit is missing or unrecognized",
		"":                      "failed to parse setting [min_index_age] with value [] as a time value: unit is missing or unrecognized",
		"d":                     "failed to parse [d]",
		"nans":                  "failed to parse [nans]",
		"1e3s":                  "failed to parse [1e3s], fractional time values are not supported",
		"5ds":                   "failed to parse [5ds], fractional time values are not supported",
		"99999999999999999999d": "failed to parse [99999999999999999999d], fractional time values are not supported",
		"5M":                    "failed to parse setting [min_index_age] with value [5M] as a time value: unit is missing or unrecognized",
		"soon":                  "failed to parse setting [min_index_age] with value [soon] as a time value: unit is missing or unrecognized",
		"1.5d":                  "failed to parse [1.5d], fractional time values are not supported",
		"xd":                    "failed to parse [xd]",
		"-5d":                   "failed to parse setting [min_index_age] with value [-5d] as a time value: negative durations are not supported",
	} {
		if _, err := ParseDuration(text, "min_index_age"); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("ParseDuration(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestHumanDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Minute: "1.5h", 48 * time.Hour: "2d", 11*time.Minute + 59*time.Second: "11.9m",
		1500 * time.Millisecond: "1.5s", 7 * time.Microsecond: "7micros", 168 * time.Hour: "7d",
	} {
		if got := HumanDuration(d); got != want {
			t.Errorf("HumanDuration(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for n, want := range map[int64]string{0: "0ms", 60000: "1m", 90000: "90s", 1500: "1500ms", 86400000: "1d"} {
		if got := Milliseconds(n).String(); got != want {
			t.Errorf("Milliseconds(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		text, want string
		value      int64
	}{
		{"50GB", "50gb", 50 << 30}, {"5g", "5gb", 5 << 30}, {"10B", "10b", 10}, {"-1", "-1b", -1}, {"0", "0b", 0}, {"1k", "1kb", 1024},
	} {
		got, err := ParseBytes(c.text, "x")
		if err != nil || got.String() != c.want || got.Value() != c.value {
			t.Errorf("ParseBytes(%q) = %s %d, %v; want %s %d", c.text, got, got.Value(), err, c.want, c.value)
		}
	}
}

func TestParseBytesRefuses(t *testing.T) {
	const (
		fraction = "Fractional bytes values have been deprecated since Legacy 6.2. Use non-fractional bytes values instead: found for setting [min_size]"
		setting  = "failed to parse setting [min_size] with value "
	)
	for _, c := range []struct{ text, typ, reason, cause string }{
		{"5", "parse_exception", setting + "[5] as a size in bytes: unit is missing or unrecognized", ""},
		{"", "parse_exception", setting + "[] as a size in bytes: unit is missing or unrecognized", ""},
		{"12parsecs", "parse_exception", setting + "[12parsecs] as a size in bytes: unit is missing or unrecognized", ""},
		{"big", "parse_exception", "failed to parse [big]", `For input string: "bi"`},
		{"gb", "parse_exception", "failed to parse [gb]", `For input string: ""`},
		{"1.5gb", "parse_exception", "Failed to parse bytes value [1.5gb]. " + fraction, `For input string: "1.5"`},
		{"99999999999999999999gb", "parse_exception", "Failed to parse bytes value [99999999999999999999gb]. " + fraction, `For input string: "99999999999999999999"`},
		{"-5gb", "parse_exception", setting + "[-5gb] as a size in bytes", "Values less than -1 bytes are not supported: -5gb"},
		{"-1g", "parse_exception", setting + "[-1g] as a size in bytes", "Values less than -1 bytes are not supported: -1gb"},
		{"99999999pb", "parse_exception", setting + "[99999999pb] as a size in bytes", "Values greater than 9223372036854775807 bytes are not supported: 99999999pb"},
		{"xb", "number_format_exception", `For input string: "x"`, ""},
		{"1.5b", "number_format_exception", `For input string: "1.5"`, ""},
		{"5kib", "number_format_exception", `For input string: "5ki"`, ""},
		{"-5b", "illegal_argument_exception", "Values less than -1 bytes are not supported: -5b", ""},
	} {
		_, err := ParseBytes(c.text, "min_size")
		f, cause := fault.Of(err), ""
		if err != nil && f.CausedBy != nil {
			cause = f.CausedBy.Reason
		}
		if err == nil || f.Type != c.typ || f.Reason != c.reason || cause != c.cause {
			t.Errorf("ParseBytes(%q) = %v (%s), want %s: %s (%s)", c.text, err, cause, c.typ, c.reason, c.cause)
		}
	}
}

func TestHumanBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0b", 10: "10b", 1536: "1.5kb", 1503238553: "1.3gb", 2 << 40: "2tb"} {
		if got := HumanBytes(n); got != want {
			t.Errorf("HumanBytes(%d) = %s, want %s", n, got, want)
		}
	}
}
