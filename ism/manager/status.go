// SPDX-License-Identifier: Apache-2.0

package manager

import "time"

// Status is what a manager is doing.
type Status struct {
	// Leading is whether it holds the lease, under fencing number Fence.
	Leading bool
	Fence   int64
	// Managed is the number of jobs, Waiting of those due at a later instant; Ready of those whose turn it is, Running of those
	// with a step under way. The earliest is due at NextDue. They are 0 while it does not lead.
	Managed, Waiting, Ready, Running int
	NextDue                          time.Time
	// Unrecorded is the number of records that wait because the history cannot be written.
	Unrecorded int
	LastSweep  time.Time
	// LastError is why the last sweep could not be made, "" if it could.
	LastError string
	// Refused is why the last document about an index was not taken by the cluster, "" if it was.
	Refused string
}

// Status returns what the manager is doing; while a sweep is being made, how it was at the end of the one before.
func (m *Manager) Status() Status {
	if m.mu.TryLock() {
		defer m.mu.Unlock()
		m.count()
	}
	return *m.shown.Load()
}

// count takes down what Status shows.
func (m *Manager) count() {
	s := m.tally(m.opts.Clock.Now().UnixMilli())
	m.shown.Store(&s)
}

// tally is the status at an instant, in epoch milliseconds.
func (m *Manager) tally(now int64) Status {
	s := m.status
	if !s.Leading {
		return s // what is cached is as old as the time when it did
	}
	s.NextDue, s.Running, s.Unrecorded = m.queue.next(), m.steps.count(), len(m.history.pending)
	for _, e := range m.docs.entries {
		switch {
		case !e.hasJob():
			continue
		case !e.queued():
		case e.due > now:
			s.Waiting++
		default:
			s.Ready++
		}
		s.Managed++
	}
	if s.Ready > 0 {
		s.NextDue = time.UnixMilli(now).UTC()
	}
	return s
}
