// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
)

func TestAClustersTimeStampsAreThoseOfTheClockThatTheTestMoves(t *testing.T) {
	c := clock.NewVirtual(time.UnixMilli(1_000_000_000_000))
	began := time.UnixMilli(1_700_000_000_000)
	k := newCalendar(c, began)
	if err := c.Advance(t.Context(), 7*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	k.note(began.Add(time.Second)) // a request after a second
	for answer, want := range map[string]string{
		`{"index.creation_date":"1700000000999"}`:           `{"index.creation_date":"1000000000000"}`,
		`{"creation_date" : "1700000001000"}`:               `{"creation_date" : "1000604800000"}`,
		`{"rollover_info":{"a":{"time":1700000009000}}}`:    `{"rollover_info":{"a":{"time":1000604800000}}}`,
		`{"end_time_in_millis":1699999999000}`:              `{"end_time_in_millis":999999999000}`, // before the start
		`{"index_creation_date":1700000001000,"n":1000000}`: `{"index_creation_date":1700000001000,"n":1000000}`,
	} {
		if got := string(k.translate([]byte(answer))); got != want {
			t.Errorf("%s becomes %s, want %s", answer, got, want)
		}
	}
}

func TestAnIndexOfARealClusterIsAsOldAsItsProgramThinks(t *testing.T) {
	c := clock.NewVirtual(time.UnixMilli(1_000_000_000_000))
	p := Program(t, InVirtualTime(c))
	for days := range 3 {
		name := fmt.Sprint(p.Name("-"), days)
		p.Must("PUT", "/"+name, nil, nil)
		var got map[string]struct {
			Settings map[string]string
		}
		p.Must("GET", "/"+name+"/_settings?flat_settings=true", nil, &got)
		if created, want := got[name].Settings["index.creation_date"], fmt.Sprint(c.Now().UnixMilli()); created != want {
			t.Errorf("after %d days an index is created at %s, want %s", days, created, want)
		}
		if err := c.Advance(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
}
