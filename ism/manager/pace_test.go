// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

func TestRunsThatWouldHaveComeDuringALongStepAreLeftOut(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := New(Options{Client: opensearch.NewClient(nil), Pace: Native})
	e := &entry{uuid: "u"}
	job := &ism.Job{Index: "logs", UUID: "u", Enabled: true, Policy: &ism.Policy{}}
	job.Schedule = ism.Schedule{Start: start.UnixMilli(), Period: 5, Unit: "Minutes"}
	e.setJob(job, opensearch.Version{SeqNo: 1, PrimaryTerm: 1})
	for _, c := range []struct {
		name      string
		now, want time.Duration
	}{
		{"a new job", 0, 5 * time.Minute},
		{"after a short step", 5*time.Minute + time.Second, 10 * time.Minute},
		{"after one of three intervals and a half", 27*time.Minute + 30*time.Second, 30 * time.Minute},
		{"after one that ends with an interval", 35 * time.Minute, 40 * time.Minute},
	} {
		m.queue.remove(e)
		m.nextRun(e, start.Add(c.now))
		if got := m.queue.next().Sub(start); got != c.want {
			t.Errorf("%s: the next run is at %s, want %s", c.name, got, c.want)
		}
	}
}
