// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"math/rand/v2"
	"time"

	"github.com/opensteward/steward/opensearch"
)

// Pace says when a job is served.
type Pace int

// The paces.
const (
	// Due serves a job at every instant at which its answer can change, and makes moves while there are any.
	Due Pace = iota
	// Native makes one move at each run of the job document's own schedule, jitter included, as the plugin does, and
	// stops an index where the plugin does. A client that edits the schedule is obeyed.
	Native
)

// run is when a job runs next at native pace.
type run struct {
	job     opensearch.Version // the document whose schedule it is
	nominal time.Time          // without jitter
}

// nextRun schedules the next run of an entry's job. Runs are counted from the last one's nominal time, so that jitter
// does not add up, and from now for a job that is new or was written meanwhile. Runs whose time came while a step was
// under way, or while the cluster did not answer, are left out: in the plugin the lock of the job skips them.
func (m *Manager) nextRun(e *entry, now time.Time) {
	if !e.enabled {
		m.queue.remove(e)
		return
	}
	job := e.job()
	if e.run == nil {
		e.run = &run{}
	}
	base := e.run.nominal
	switch {
	case e.run.job != e.jobVersion:
		base = now
	case e.queued():
		return
	}
	*e.run = run{e.jobVersion, job.Schedule.Next(base)}
	if !e.run.nominal.IsZero() && !e.run.nominal.After(now) {
		e.run.nominal = job.Schedule.Next(now)
	}
	if e.run.nominal.IsZero() {
		m.queue.remove(e)
		return
	}
	spread := float64(job.Schedule.Next(e.run.nominal).Sub(e.run.nominal)) * min(job.Jitter, m.settings.jitterLimit)
	m.queue.schedule(e, e.run.nominal.Add(time.Duration(rand.Float64()*spread)).Truncate(time.Millisecond))
}

func (m *Manager) native() bool { return m.opts.Pace == Native }
