// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 30, 15, 0, time.UTC)

func TestResolveDateMath(t *testing.T) {
	for name, want := range map[string]string{
		"logs":                                   "logs",
		"<logs>":                                 "logs",
		"<logs-{now/d}-1>":                       "logs-2026.11.21-1",
		"<logs-{now/d-1d}>":                      "logs-2026.11.20",
		"<logs-{now/M{yyyy.MM}}>":                "logs-2026.11",
		"<logs-{now/d{YYYY.MM.dd}}>":             "logs-2026.11.21",
		"<logs-{2026.03||/M{yyyy.MM}}>":          "logs-2026.03",
		"<logs-{2026-03-17||/M{yyyy.MM|UTC}}>":   "logs-2026.03",
		"<l-{now{yyyy.MM.dd-HH|+12:00}}-000001>": "l-2026.11.22-00-000001",
		`<a\{b\}-{now/y{yyyy}}>`:                 "a{b}-2026",
	} {
		if got, err := ResolveDateMath(name, noon); got != want || err != nil {
			t.Errorf("ResolveDateMath(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"<a-{now/d>", "<a}>", "<a-{now/d{}}>", "<a-{then}>", "<a-{now+1x}>"} {
		if got, err := ResolveDateMath(name, noon); err == nil {
			t.Errorf("ResolveDateMath(%q) = %q, want an error", name, got)
		}
	}
}

func TestParseDateMath(t *testing.T) {
	const format = "strict_date_optional_time||epoch_millis"
	for _, c := range []struct {
		text string
		up   bool
		want string
	}{
		{"now-1d", false, "2026-11-20T12:30:15Z"},
		{"now/d", false, "2026-11-21T00:00:00Z"},
		{"now/d", true, "2026-11-21T23:59:59.999Z"},
		{"now/w", false, "2026-11-16T00:00:00Z"},
		{"2026-01-31||+1M", false, "2026-02-28T00:00:00Z"},
		{"2026-11-21", true, "2026-11-21T23:59:59.999Z"},
		{"2026-11", true, "2026-11-30T23:59:59.999Z"},
		{"1700000000000", false, "2023-11-14T22:13:20Z"},
		{"2026-11-21T10:00:00+02:00", false, "2026-11-21T08:00:00Z"},
	} {
		got, err := ParseDateMath(c.text, format, noon, c.up, nil)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("ParseDateMath(%q, %v) = %s, %v; want %s", c.text, c.up, got.UTC().Format(time.RFC3339Nano), err, c.want)
		}
	}
	for _, text := range []string{"soon", "now+", "now*1d", "now/2d", "2026-13-01"} {
		if got, err := ParseDateMath(text, format, noon, false, nil); err == nil {
			t.Errorf("ParseDateMath(%q) = %s, want an error", text, got)
		}
	}
}

// The answers are OpenSearch 3.4.0's.
func TestDatesAsNumbersSinceTheEpoch(t *testing.T) {
	for text, want := range map[string]string{
		"1683149130000":         "2023-05-03T21:25:30Z",
		"1683149130000.":        "2023-05-03T21:25:30Z",
		"1683149130000.6497":    "2023-05-03T21:25:30.0006497Z",
		"-1.5":                  "1969-12-31T23:59:59.9985Z",
		"-0.5":                  "1969-12-31T23:59:59.9995Z",
		"1683149130000.1234567": "",
		"1.6831491300006497E12": "",
		"5e3":                   "",
		"1.-5":                  "",
		".5":                    "",
	} {
		got, err := ParseDate(text, "epoch_millis", time.UTC)
		if err != nil && want != "" || err == nil && got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseDate(%q) = %s, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	got, err := ParseDate("1.000000001", "epoch_second", time.UTC)
	if err != nil || got.UnixNano() != 1_000_000_001 {
		t.Errorf("seconds with decimals: %s, %v", got, err)
	}
}

func TestFormatDate(t *testing.T) {
	for format, want := range map[string]string{
		"yyyy.MM.dd":                "2026.11.21",
		"uuuu.MM.dd-HH:mm:ss.SSS":   "2026.11.21-12:30:15.000",
		"yyyy-MM-dd'T'HH":           "2026-11-21T12",
		"epoch_millis":              "1795264215000",
		"strict_date_optional_time": "2026-11-21T12:30:15.000Z",
	} {
		if got := FormatDate(noon, format); got != want {
			t.Errorf("FormatDate(%q) = %q, want %q", format, got, want)
		}
	}
}
