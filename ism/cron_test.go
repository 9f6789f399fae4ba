// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

func cronOf(t *testing.T, expression, zone string) (*ism.Cron, error) {
	t.Helper()
	states := leaves(fmt.Sprintf(`{"cron":{"cron":{"expression":%q,"timezone":%q}}}`, expression, zone))
	p, err := ism.ParsePolicy("p", fmt.Appendf(nil, `{"policy":{"description":"","default_state":"a","states":[%s]}}`, states), 0)
	if err != nil {
		return nil, err
	}
	return p.States[0].Transitions[0].Conditions.Cron, nil
}

func TestWhenCronFires(t *testing.T) {
	for _, c := range []struct{ name, expression, zone, after, want string }{
		{"a minute that is over", "0 10 * * *", "UTC", "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"},
		{"a millisecond before", "0 10 * * *", "UTC", "2026-03-02T09:59:59.999Z", "2026-03-02T10:00:00Z"},
		{"every minute", "* * * * *", "UTC", "2026-03-02T10:00:00.001Z", "2026-03-02T10:01:00Z"},
		{"names of days", "0 17 * * SAT", "UTC", "2026-03-02T10:00:00Z", "2026-03-07T17:00:00Z"},
		{"names of days in small letters", "0 17 * * fri-sat", "UTC", "2026-03-06T18:00:00Z", "2026-03-07T17:00:00Z"},
		{"names of months", "0 0 1 DEC *", "UTC", "2026-03-02T10:00:00Z", "2026-12-01T00:00:00Z"},
		{"a zone", "0 0 * * *", "America/Los_Angeles", "2026-03-02T10:00:00Z", "2026-03-03T08:00:00Z"},
		{"an offset", "0 0 * * *", "+02:00", "2026-03-02T10:00:00Z", "2026-03-02T22:00:00Z"},
		{"Sunday as 0", "0 0 * * 0", "UTC", "2026-03-02T10:00:00Z", "2026-03-08T00:00:00Z"},
		{"Sunday as 7", "0 0 * * 7", "UTC", "2026-03-02T10:00:00Z", "2026-03-08T00:00:00Z"},
		{"a range that ends on Sunday", "0 0 * * 6-7", "UTC", "2026-03-07T01:00:00Z", "2026-03-08T00:00:00Z"},
		{"a range over all days", "0 0 * * 0-7", "UTC", "2026-03-08T01:00:00Z", "2026-03-09T00:00:00Z"},
		{"every other day to Sunday", "0 0 * * 1-7/2", "UTC", "2026-03-07T01:00:00Z", "2026-03-08T00:00:00Z"},
		{"every other day from Monday is not Tuesday", "0 0 * * 1-7/2", "UTC", "2026-03-02T10:00:00Z", "2026-03-04T00:00:00Z"},
		{"a range to Sunday by name", "0 0 * * fri-sun", "UTC", "2026-03-07T01:00:00Z", "2026-03-08T00:00:00Z"},
		{"a range to Sunday does not begin on Thursday", "0 0 * * FRI-SUN", "UTC", "2026-03-02T10:00:00Z", "2026-03-06T00:00:00Z"},
		{"steps from nothing", "/20 * * * *", "UTC", "2026-03-02T10:05:00Z", "2026-03-02T10:20:00Z"},
		{"blanks around and between", "  0   10 * *	* ", "UTC", "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z"},
		{"an offset of one digit", "0 0 * * *", "+2", "2026-03-02T10:00:00Z", "2026-03-02T22:00:00Z"},
		{"an offset from UTC", "0 0 * * *", "UTC+02:00", "2026-03-02T10:00:00Z", "2026-03-02T22:00:00Z"},
		{"a list with Sunday", "0 0 * * 3,7", "UTC", "2026-03-05T00:00:00Z", "2026-03-08T00:00:00Z"},
		{"a list with a step and Sunday", "0 0 * * 1-3/2,7", "UTC", "2026-03-05T00:00:00Z", "2026-03-08T00:00:00Z"},
		{"either the day of the month or of the week", "0 0 13 * FRI", "UTC", "2026-03-02T10:00:00Z", "2026-03-06T00:00:00Z"},
		{"steps", "*/20 * * * *", "UTC", "2026-03-02T10:05:00Z", "2026-03-02T10:20:00Z"},
		{"a leap day", "0 0 29 2 *", "UTC", "2026-03-02T10:00:00Z", "2028-02-29T00:00:00Z"},
		{"an hour that does not exist in spring", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cron, err := cronOf(t, c.expression, c.zone)
			if err != nil {
				t.Fatal(err)
			}
			after, err := time.Parse(time.RFC3339Nano, c.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := cron.Next(after).Format(time.RFC3339Nano); got != c.want {
				t.Errorf("after %s: %s, want %s", c.after, got, c.want)
			}
		})
	}
}

func TestCronExpressionsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, expression, zone, want string }{
		{"a field too few", "* * * *", "UTC", "Cron expression contains 4 parts but we expect one of [5]"},
		{"seconds", "0 * * * * *", "UTC", "Cron expression contains 6 parts but we expect one of [5]"},
		{"nothing", " ", "UTC", "Empty expression!"},
		{"a comma too many", "1,2, * * * *", "UTC", "Invalid field value! Trailing commas not permitted! '1,2,'"},
		{"a nickname", "@hourly", "UTC", "Cron expression contains 1 parts but we expect one of [5]"},
		{"a question mark", "0 0 ? * *", "UTC", "Failed to parse '0 0 ? * *'. Invalid expression: ?"},
		{"a zone in the expression", "TZ=UTC 0 0 * *", "UTC", "Failed to parse 'TZ=UTC 0 0 * *'. Invalid chars in expression! Expression: TZ=UTC Invalid chars: TZ=UTC"},
		{"the last day", "0 0 L * *", "UTC", "Failed to parse '0 0 L * *'. Invalid chars in expression! Expression: L Invalid chars: L"},
		{"the nearest weekday", "0 0 15W * *", "UTC", "Failed to parse '0 0 15W * *'. Invalid chars in expression! Expression: 15W Invalid chars: W"},
		{"the third Friday", "0 0 * * 5#3", "UTC", "Failed to parse '0 0 * * 5#3'. Invalid expression: 5#3"},
		{"a minute too large", "60 * * * *", "UTC", "Failed to parse '60 * * * *'. Value 60 not in range [0, 59]"},
		{"month 0", "0 0 1 0 *", "UTC", "Failed to parse '0 0 1 0 *'. Value 0 not in range [1, 12]"},
		{"a range backwards", "30-10 * * * *", "UTC", "Failed to parse '30-10 * * * *'. Invalid range! [30,10]"},
		{"a range from Sunday", "0 0 * * sun-tue", "UTC", "Failed to parse '0 0 * * sun-tue'. Invalid range! [7,2]"},
		{"a negative number", "-5 * * * *", "UTC", "Failed to parse '-5 * * * *'. Invalid expression! Expression: -5 does not describe a range. Negative numbers are not allowed."},
		{"half a range", "5- * * * *", "UTC", "Failed to parse '5- * * * *'. Missing values for range: 5-"},
		{"half a step", "*/ * * * *", "UTC", "Failed to parse '*/ * * * *'. Missing steps for expression: */"},
		{"two steps", "1/2/3 * * * *", "UTC", "Failed to parse '1/2/3 * * * *'. Invalid expression: 1/2/3"},
		{"a step that is none", "*/x * * * *", "UTC", `Failed to parse '*/x * * * *'. For input string: "X"`},
		{"no step", "*/0 * * * *", "UTC", "Failed to parse '*/0 * * * *'. Period 0 not in range [0, 59]"},
		{"a step too large", "* */30 * * *", "UTC", "Failed to parse '* */30 * * *'. Period 30 not in range [0, 23]"},
		{"day 8", "0 0 * * 8", "UTC", "Failed to parse '0 0 * * 8'. Value 8 not in range [0, 7]"},
		{"no zone", "0 0 * * *", "", "Invalid ID for region-based ZoneId, invalid format: "},
		{"a zone that is none", "0 0 * * *", "Mars/Olympus", "Unknown time-zone ID: Mars/Olympus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := cronOf(t, c.expression, c.zone)
			f := fault.Of(err)
			if err == nil || f.Status != 400 || f.Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
