// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"time"
)

// notice looks at what changed: two small requests, and more only where something did. Documents come first: whatever
// index a job names then exists in an inventory that is read after it, or is gone.
func (s *sweep) notice(ctx context.Context) error {
	if err := s.followDocuments(ctx); err != nil {
		return err
	}
	if !s.docs.loaded {
		return nil // without a policy or a job the cluster does not matter
	}
	mark, err := s.opts.Client.Mark(ctx)
	if err != nil {
		return err
	}
	if mark == s.inventory.mark && !s.inventory.outdated(time.Now()) {
		return nil
	}
	if err := s.readSettings(ctx); err != nil {
		return err
	}
	found, err := s.inventory.follow(ctx, s.opts.Client, mark, time.Now())
	if err != nil {
		return err
	}
	if found.full {
		s.sum.Listed += len(s.inventory.byName)
	}
	s.added = append(s.added, found.added...)
	s.enrolAll = s.enrolAll || found.full
	s.gone = true
	s.wakeChanged(found)
	return s.wakeBlocked(ctx)
}

// wakeChanged makes those due whose facts may be others now: their own settings or aliases changed, or their data
// stream has a new index.
func (s *sweep) wakeChanged(f found) {
	for _, uuid := range f.changed {
		if e := s.docs.entries[uuid]; e != nil && e.hasJob() {
			s.ready(e)
		}
	}
	grown := map[string]bool{}
	for _, uuid := range f.added {
		if i := s.inventory.byUUID[uuid]; i != nil && i.dataStream != "" {
			grown[i.dataStream] = true
		}
	}
	if len(grown) == 0 {
		return
	}
	for uuid, e := range s.docs.entries {
		if i := s.inventory.byUUID[uuid]; i != nil && e.hasJob() && grown[i.dataStream] {
			s.ready(e)
		}
	}
}

func (s *sweep) followDocuments(ctx context.Context) error {
	marks, err := s.opts.Client.MaxSeqNo(ctx, ConfigIndex)
	if err != nil {
		return err
	}
	s.takeKnown()
	found, err := s.docs.follow(ctx, s.opts.Client, marks)
	if found.jobs && s.opts.Jobs != nil {
		s.opts.Jobs()
	}
	for _, e := range found.removed {
		s.queue.remove(e)
		s.added = append(s.added, e.uuid) // a template may claim the index again
	}
	s.sum.Read += len(found.entries)
	s.taken(found)
	s.enrolAll = s.enrolAll || found.policies
	s.gone = s.gone || len(found.entries)+len(found.removed) > 0
	if found.reset {
		s.log.Info("documents read", "jobs", len(s.docs.entries), "policies", len(s.docs.policies))
	}
	return err
}

// taken makes those due whose documents were read, and says which could not be.
func (s *sweep) taken(found changes) {
	s.history.seen(found.entries, s.now)
	for _, e := range found.entries {
		s.ready(e)
	}
	for _, err := range found.unread {
		s.log.Warn("a document of the config index cannot be read and is left alone", "err", err)
	}
}

// lead takes over if the lease is a new one: the caches are read anew, and every open intention is written again, so
// that whatever the last leader still has under way cannot store its result any more.
func (s *sweep) lead(ctx context.Context, fence int64) error {
	if fence == s.fence {
		return nil
	}
	s.fence = 0
	s.docs, s.inventory, s.queue, s.turns = newDocuments(), newInventory(), queue{}, turns{}
	if err := s.followDocuments(ctx); err != nil {
		return err
	}
	if err := s.adopt(ctx, fence); err != nil {
		return err
	}
	// The plugin enables jobs again when it is enabled itself, and at no other time. Here that may have happened while
	// nobody led, or jobs may have been left disabled by the plugin before it was taken away.
	s.fence, s.reenable, s.enrolAll = fence, !s.native(), true
	s.tellOwed(ctx)
	return nil
}

// adopt rewrites what a leader before this one was about to do.
func (s *sweep) adopt(ctx context.Context, fence int64) error {
	var writes []write
	var open []*entry
	for _, e := range s.docs.entries {
		if e.starting {
			open = append(open, e)
			writes = append(writes, metaWrite(e, e.meta()))
		}
	}
	intentions, err := adoptIntentions(ctx, s.opts.Client, open, fence)
	if err != nil {
		return err
	}
	_, err = s.store(ctx, append(writes, intentions...))
	return err
}

// overdue is due at every instant.
var overdue = time.Unix(0, 0)

// ready makes an entry due now, at native pace with its next run, unless a step of it is under way, which makes it due
// by itself.
func (m *Manager) ready(e *entry) {
	switch {
	case e.running:
	case m.native():
		m.nextRun(e, m.opts.Clock.Now())
	default:
		m.queue.schedule(e, overdue)
	}
}

// manyNumbers is how many indices' numbers are read again after any request that may have changed them. Where more are waited
// for, those that grow or have just begun to wait are, and the others when their time comes.
const manyNumbers = 250

// readNumbersAgain makes those due that wait for numbers to change.
func (m *Manager) readNumbersAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all, lively []*entry
	for _, e := range m.docs.entries {
		if e.watch == nil || e.running {
			continue
		}
		all = append(all, e)
		if e.watch.every <= watchFast {
			lively = append(lively, e)
		}
	}
	switch {
	case m.opts.Watched || len(all) <= manyNumbers:
		m.again(all)
	case len(lively) <= manyNumbers:
		m.again(lively)
	}
}

// Wrote says that the document of this sequence number of the config index is of no concern here: it was written by
// whoever runs rollup and transform jobs.
func (m *Manager) Wrote(seqNo int64) {
	m.heldMu.Lock()
	defer m.heldMu.Unlock()
	m.known = append(m.known, seqNo)
}

// JobEnded says that the rollup or transform job of this id has ended: an index that waits for it is looked at at once.
func (m *Manager) JobEnded(id string) {
	m.heldMu.Lock()
	m.ended = append(m.ended, id)
	m.heldMu.Unlock()
	m.Wake()
}

// takeKnown lets the documents of others need no reading, and makes those due that wait for a job that has ended.
func (s *sweep) takeKnown() {
	s.heldMu.Lock()
	known, ended := s.known, s.ended
	s.known, s.ended = nil, nil
	s.heldMu.Unlock()
	for _, n := range known {
		s.docs.own[n] = true
	}
	if len(ended) == 0 || s.native() {
		return
	}
	for _, e := range s.docs.entries {
		if e.keeps && e.meta().Action.Properties.OfJob(ended) {
			e.called = e.running
			s.ready(e)
		}
	}
}
