// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opensteward/steward/rollup/dimension"
)

func TestPassesThatKeepFewBucketsFindTheSameAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *document {
			d := &document{count: rapid.Int64Range(1, 3).Draw(t, "count"), fields: map[string][]any{}}
			for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 2).Draw(t, "hosts") {
				d.fields["host"] = append(d.fields["host"], name)
			}
			for _, n := range rapid.SliceOfN(rapid.Int64Range(-20, 20), 0, 3).Draw(t, "numbers") {
				d.fields["n"] = append(d.fields["n"], n)
			}
			return d
		}), 0, 40).Draw(t, "documents")
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		few := []*bucket{}
		var after []any
		for more := true; more; {
			var list []*bucket
			list, more = onePass(docs, limit, after)
			few = append(few, list...)
			if len(list) > 0 {
				after = list[len(list)-1].key
			}
		}
		all, _ := onePass(docs, 1000, nil)
		if diff := cmp.Diff(all, few, cmp.AllowUnexported(bucket{}, sum{})); diff != "" {
			t.Fatalf("(-one pass +several):\n%s", diff)
		}
		if !slices.IsSortedFunc(few, func(a, b *bucket) int { return compareKeys(a.key, b.key) }) {
			t.Fatal("the buckets are not in order")
		}
	})
}

func onePass(docs []*document, limit int, after []any) ([]*bucket, bool) {
	g := &grouping{limit: limit, after: after, fields: []string{"n"}, groupers: []grouper{
		{Dimension: dimension.Dimension{Kind: dimension.Terms, SourceField: "host"}},
		{Dimension: dimension.Dimension{Kind: dimension.Histogram, SourceField: "n", Interval: 7}},
	}}
	for _, d := range docs {
		g.add(d)
	}
	return g.buckets()
}

func TestKeysStandInTheOrderOfACompositeAggregation(t *testing.T) {
	want := [][]any{{nil, "z"}, {false, nil}, {true, nil}, {int64(-3), nil}, {2.5, "a"}, {int64(3), "a"}, {int64(3), "b"}, {uint64(1 << 63), nil}, {"", nil}, {"a", int64(1)}, {"a", int64(10)}}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareKeys)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersAsTheServersLanguagePrintsThem(t *testing.T) {
	for want, x := range map[string]float64{
		"0.0": 0, "10.0": 10, "-2.5": -2.5, "0.001": 0.001, "1.0E-4": 0.0001, "9999999.0": 9999999, "1.0E7": 1e7, "1.2345678E8": 123456780, "0.30000000000000004": 0.30000000000000004,
	} {
		if got := javaDouble(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

func rounder(t testing.TB, fixed, calendar, zone string) *rounding {
	t.Helper()
	d := dimension.Dimension{Kind: dimension.DateHistogram, Timezone: zone}
	if fixed != "" {
		d.FixedInterval = &fixed
	} else {
		d.CalendarInterval = &calendar
	}
	r, err := newRounding(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhereBucketsOfTimeBeginAndEnd(t *testing.T) {
	for _, c := range []struct{ name, fixed, calendar, zone, at, start, end string }{
		{"hours", "1h", "", "UTC", "2026-03-02T10:59:59.999Z", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"},
		{"a fixed day in a zone", "24h", "", "America/New_York", "2026-01-02T03:00:00Z", "2026-01-01T05:00:00Z", "2026-01-02T05:00:00Z"},
		{"before the epoch", "7d", "", "UTC", "1969-12-31T00:00:00Z", "1969-12-25T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"half an hour's zone", "1h", "", "Asia/Kolkata", "2026-01-01T00:10:00Z", "2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z"},
		{"a week begins on Monday", "", "1w", "UTC", "2026-03-01T12:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		{"a quarter", "", "quarter", "UTC", "2026-05-31T12:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"},
		{"a month that has no 31st", "", "1M", "UTC", "2026-01-31T12:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"a year in a zone", "", "1y", "Europe/Berlin", "2025-12-31T23:30:00Z", "2025-12-31T23:00:00Z", "2026-12-31T23:00:00Z"},
		{"a day of 23 hours", "", "1d", "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"a day of 25 hours", "", "1d", "Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"a day without a midnight", "", "1d", "America/Sao_Paulo", "2018-11-04T10:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rounder(t, c.fixed, c.calendar, c.zone)
			at, err := time.Parse(time.RFC3339Nano, c.at)
			if err != nil {
				t.Fatal(err)
			}
			text := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
			if got := text(r.floor(at.UnixMilli())); got != c.start {
				t.Errorf("begins at %s, want %s", got, c.start)
			}
			if got := text(r.next(at.UnixMilli())); got != c.end {
				t.Errorf("ends at %s, want %s", got, c.end)
			}
		})
	}
}

func TestBucketsOfTimeDoNotOverlap(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "+05:30"}
	calendars := []string{"minute", "hour", "day", "week", "month", "quarter", "year"}
	fixed := []string{"90m", "6h", "1d", "7d", "15m"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		d := dimension.Dimension{Kind: dimension.DateHistogram, Timezone: zone}
		if rapid.Bool().Draw(t, "fixed") {
			d.FixedInterval = new(rapid.SampledFrom(fixed).Draw(t, "interval"))
		} else {
			d.CalendarInterval = new(rapid.SampledFrom(calendars).Draw(t, "interval"))
		}
		r, err := newRounding(d)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.Int64Range(-1<<42, 1<<42).Draw(t, "instant")
		start, end := r.floor(at), r.next(at)
		switch {
		case start > at || end <= at:
			t.Fatalf("%d is not in its own bucket [%d, %d)", at, start, end)
		case r.floor(start) != start:
			t.Fatalf("the start %d of a bucket is in the bucket of %d", start, r.floor(start))
		case r.floor(end) != end:
			t.Fatalf("the end %d of a bucket does not begin one", end)
		case r.floor(end-1) != start:
			t.Fatalf("the last instant %d of the bucket of %d is in that of %d", end-1, start, r.floor(end-1))
		}
	})
}

func TestTermsAreOfSingleValues(t *testing.T) {
	for kind, want := range map[string]bool{"keyword": true, "ip": true, "date": true, "geo_point": false, "integer_range": false, "object": true} {
		if got := (&fieldMap{Type: kind}).has(dimension.Terms); got != want {
			t.Errorf("terms of %s: %t", kind, got)
		}
	}
}
