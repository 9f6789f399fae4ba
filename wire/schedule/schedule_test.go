// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/schedule"
)

func parse(t *testing.T, body string) (schedule.Schedule, error) {
	t.Helper()
	p := wire.NewParser([]byte(body))
	if err := p.NextExpect(wire.StartObject); err != nil {
		t.Fatal(err)
	}
	return schedule.Parse(p)
}

func TestWhenAScheduleFires(t *testing.T) {
	for _, c := range []struct{ name, schedule, after, want string }{
		{"an interval at its start", `{"interval":{"start_time":1767225600000,"period":1,"unit":"Hours"}}`, "2025-12-31T23:30:00Z", "2026-01-01T00:00:00Z"},
		{"an interval one period later", `{"interval":{"start_time":1767225600000,"period":1,"unit":"Hours"}}`, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"},
		{"an interval between", `{"interval":{"start_time":1767225600000,"period":2,"unit":"Days"}}`, "2026-01-02T05:00:00Z", "2026-01-03T00:00:00Z"},
		{"an interval with a delay", `{"interval":{"start_time":1767225600000,"period":10,"unit":"minutes","schedule_delay":60000}}`, "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"},
		{"a cron expression", `{"cron":{"expression":"0 10 * * *","timezone":"UTC"}}`, "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"},
		{"a cron expression before its delay is over", `{"cron":{"expression":"0 * * * *","timezone":"UTC","schedule_delay":900000}}`, "2026-01-01T10:07:00Z", "2026-01-01T10:15:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := parse(t, c.schedule)
			if err != nil {
				t.Fatal(err)
			}
			after, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(after).Format(time.RFC3339); got != c.want {
				t.Errorf("after %s: %s, want %s", c.after, got, c.want)
			}
		})
	}
}

func TestSchedulesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, schedule, want string }{
		{"nothing", `{}`, "Invalid schedule document object."},
		{"another kind", `{"never":{}}`, "Unknown schedule type never"},
		{"an unknown field", `{"interval":{"every":1}}`, "Unknown interval field every"},
		{"no unit", `{"interval":{"period":1}}`, "Interval unit null is not supported"},
		{"seconds", `{"interval":{"period":1,"unit":"seconds"}}`, "Interval unit Seconds is not supported, expects [Hours, Days, Minutes]"},
		{"a unit that is none", `{"interval":{"period":1,"unit":"moons"}}`, "No enum constant java.time.temporal.ChronoUnit.MOONS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse(t, c.schedule); err == nil || !strings.Contains(fault.Of(err).Reason, c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

func TestASchedulePrintsWhatItWasReadFrom(t *testing.T) {
	for _, text := range []string{
		`{"interval":{"start_time":5,"period":1,"unit":"Minutes"}}`,
		`{"interval":{"start_time":5,"period":3,"unit":"Days","schedule_delay":7}}`,
		`{"cron":{"expression":"0 10 * * *","timezone":"Europe/Berlin"}}`,
	} {
		s, err := parse(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.Marshal(s.JSON()); err != nil || string(got) != text {
			t.Errorf("%s, %v, want %s", got, err, text)
		}
	}
}
