// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"context"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestAClockThatIsHeldAgainDoesNotMove(t *testing.T) {
	v := NewVirtual(start)
	release := v.Hold() // as somebody does between the moment nothing holds the clock and the moment it moves
	if !v.step(start.Add(time.Hour)) || !v.Now().Equal(start) {
		t.Errorf("it moved to %s", v.Now())
	}
	release()
	if v.step(start.Add(time.Hour)) || !v.Now().Equal(start.Add(time.Hour)) {
		t.Errorf("it stands at %s", v.Now())
	}
}

func TestAClockStopsAtEveryAlarmUntilItIsReleased(t *testing.T) {
	v := NewVirtual(start)
	var seen []time.Duration
	done := make(chan struct{})
	first, second := v.Alarm(start.Add(time.Minute)), v.Alarm(start.Add(2*time.Minute))
	go func() {
		defer close(done)
		for _, a := range []*Alarm{first, second} {
			release := <-a.C
			seen = append(seen, v.Now().Sub(start))
			release()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := v.Advance(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	<-done
	if len(seen) != 2 || seen[0] != time.Minute || seen[1] != 2*time.Minute || v.Now().Sub(start) != time.Hour {
		t.Errorf("woken at %v, and it stands at %s", seen, v.Now())
	}
}
