// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQueueGivesOutWhatIsDueLongestOverdueFirst(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var q queue
	late, early, future := &entry{uuid: "late"}, &entry{uuid: "early"}, &entry{uuid: "future"}
	q.schedule(late, start.Add(-time.Minute))
	q.schedule(future, start.Add(time.Second))
	q.schedule(early, start.Add(-time.Hour))
	got := q.pop(start, 10)
	if len(got) != 2 || got[0] != early || got[1] != late {
		t.Fatalf("got %v", got)
	}
	if !q.next().Equal(start.Add(time.Second)) {
		t.Errorf("next is %v", q.next())
	}
}

func TestQueueIsDueAtWholeMilliseconds(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var q queue
	q.schedule(&entry{}, start.Add(time.Microsecond))
	if got := q.next(); !got.Equal(start.Add(time.Millisecond)) || len(q.pop(start, 1)) != 0 || len(q.pop(got, 1)) != 1 {
		t.Errorf("due at %v", got)
	}
	q.schedule(&entry{}, start)
	if !q.next().Equal(start) {
		t.Errorf("due at %v", q.next())
	}
}

func TestQueueKeepsWhatExceedsTheLimit(t *testing.T) {
	var q queue
	for range 3 {
		q.schedule(&entry{}, overdue)
	}
	if a, b := q.pop(time.Now(), 2), q.pop(time.Now(), 2); len(a) != 2 || len(b) != 1 {
		t.Errorf("got %d and %d", len(a), len(b))
	}
}

func TestQueueAgreesWithASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		entries := make([]*entry, 8)
		for i := range entries {
			entries[i] = &entry{}
		}
		model := map[*entry]time.Time{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			e := rapid.SampledFrom(entries).Draw(t, "entry")
			at := time.Unix(int64(rapid.IntRange(0, 5).Draw(t, "at")), 0)
			if at.Unix() == 0 {
				at = time.Time{}
				delete(model, e)
			} else {
				model[e] = at
			}
			q.schedule(e, at)
			var want time.Time
			for _, due := range model {
				if want.IsZero() || due.Before(want) {
					want = due
				}
			}
			if !q.next().Equal(want) || len(q.heap) != len(model) {
				t.Fatalf("next %v of %d, want %v of %d", q.next(), len(q.heap), want, len(model))
			}
			for _, e := range entries {
				if _, in := model[e]; in != e.queued() || in && q.heap[e.pos-1] != e {
					t.Fatal("an entry does not know its place")
				}
			}
		}
	})
}
