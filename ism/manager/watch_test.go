// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/opensearch"
)

func TestNumbersAreReadOftenAtFirstAndWhileTheyGrowAndRarelyOtherwise(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var w watch
	now := start
	var pauses []time.Duration
	read := func(docs int64) {
		next := w.next(now, start, numbers{docs: docs})
		pauses = append(pauses, next.Sub(now))
		now = next
	}
	for now.Before(start.Add(watchFirst)) {
		read(7)
	}
	for i, p := range pauses {
		if p != watchFast {
			t.Fatalf("reading %d of the first minute was followed by a pause of %v", i, p)
		}
	}
	pauses = nil
	for range 9 {
		read(7)
	}
	want := []time.Duration{10, 20, 40, 80, 160, 300, 300, 300, 300}
	for i, p := range pauses {
		if p != want[i]*time.Second {
			t.Errorf("pause %d without growth is %v, want %v", i, p, want[i]*time.Second)
		}
	}
	pauses = nil
	read(8)
	if pauses[0] != watchFast {
		t.Errorf("pause after growth is %v", pauses[0])
	}
}

func TestNumbersAreReadSoonerWhenAThresholdIsNear(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var w watch
	w.next(start, start, numbers{docs: 800, reached: 0.8})
	now := start.Add(5 * time.Second)
	// 190 documents in 5 s, 10 to go: reached in about 0.3 s.
	if got := w.next(now, start, numbers{docs: 990, reached: 0.99}).Sub(now); got != watchFloor {
		t.Errorf("pause is %v, want %v", got, watchFloor)
	}
}

func TestANewStepStartsTheFirstMinuteAgain(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := watch{step: start, read: start.Add(time.Hour), docs: 7, every: watchSlow}
	now := start.Add(2 * time.Hour)
	if got := w.next(now, now, numbers{docs: 7}).Sub(now); got != watchFast {
		t.Errorf("pause is %v, want %v", got, watchFast)
	}
}

func TestIndicesThatWaitAlikeAreReadTogether(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var a, b watch
	first := a.next(start.Add(1200*time.Millisecond), start, numbers{})
	second := b.next(start.Add(3900*time.Millisecond), start, numbers{})
	if !first.Equal(second) {
		t.Errorf("read at %v and %v", first, second)
	}
}

// TestAChangeHasFewNumbersReadAgain: thousands of indices may wait for documents while others are written to.
func TestAChangeHasFewNumbersReadAgain(t *testing.T) {
	for _, c := range []struct {
		name          string
		idle, growing int
		watched       bool
		want          int
	}{
		{"few wait", 200, 50, false, 250},
		{"many wait, some grow", 5000, 50, false, 50},
		{"many grow", 5000, 300, false, 0},
		{"a clock waits for them", 5000, 300, true, 5300},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := New(Options{Client: opensearch.NewClient(nil), Watched: c.watched})
			for n := range c.idle + c.growing {
				e := &entry{uuid: fmt.Sprint(n), watch: &watch{every: watchSlow}}
				if n < c.growing {
					e.watch.every = watchFast
				}
				m.docs.entries[e.uuid] = e
			}
			m.readNumbersAgain()
			if got := len(m.queue.heap); got != c.want {
				t.Errorf("%d are due, want %d", got, c.want)
			}
		})
	}
}
