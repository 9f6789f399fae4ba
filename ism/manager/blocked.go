// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/opensteward/steward/ism"
)

// A blocked index is one whose policy has failed: its retries are used up, and something is missing that a person has
// to bring. It stays failed in what clients see, but it is watched: the action is tried again when the index, its
// aliases or the repository it names change, and otherwise with growing pauses. Only a try that works, or at last waits
// for its conditions, is stored. A policy that ran into its own timeout is left to the retry API.

// The pauses between two tries of a blocked index: from the first, doubling, to the last.
const (
	blockedFirst = time.Minute
	blockedLast  = time.Hour
)

// watches reports whether an entry is blocked and to be tried again.
func (m *Manager) watches(e *entry) bool {
	return m.settings.watch && !m.native() && e.enabled && e.failed && !e.meta().TimedOut()
}

// blocks reports whether a try of a blocked index has come to nothing without a step.
func (d *decided) blocks() bool {
	if !d.again {
		return false
	}
	switch {
	case d.move.Kind == ism.Wait && d.move.Result == nil:
		return true
	case d.move.Result != nil && d.move.Kind != ism.Run:
		return d.move.Result.Status == ism.StatusFailed
	}
	return d.move.Meta != nil && d.move.Meta.Failed()
}

// stillBlocked schedules the next try.
func (s *sweep) stillBlocked(e *entry) {
	if e.blocked == 0 {
		s.forgetRepository(e)
	}
	s.queue.schedule(e, s.now.Add(min(blockedFirst<<min(e.blocked, 10), blockedLast)))
	e.blocked++
	e.stale = true
}

// forgetRepository forgets how the repository was that an entry is blocked by, which may have been before it was: the next time
// the cluster has changed the entry is tried again.
func (m *Manager) forgetRepository(e *entry) {
	if name := ism.Repository(e.job(), e.meta()); name != "" {
		delete(m.repositories, name)
	}
}

// wakeBlocked looks at what blocked indices wait for, which no probe shows: their own settings, and the repositories
// that their actions name. It is asked when the cluster has changed.
func (s *sweep) wakeBlocked(ctx context.Context) error {
	var names []string
	repositories := map[string][]*entry{}
	for _, e := range s.docs.entries {
		if !s.watches(e) {
			continue
		}
		names = append(names, e.name())
		if name := ism.Repository(e.job(), e.meta()); name != "" {
			repositories[name] = append(repositories[name], e)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	found, err := s.inventory.reread(ctx, s.opts.Client, names[:min(len(names), manyNames)])
	if err != nil {
		return err
	}
	s.wakeChanged(found)
	return s.wakeRepositories(ctx, repositories)
}

// wakeRepositories tries again what waits for a repository that is others than it was.
func (s *sweep) wakeRepositories(ctx context.Context, waiting map[string][]*entry) error {
	if len(waiting) == 0 {
		return nil
	}
	found, err := s.opts.Client.Repositories(ctx)
	if err != nil {
		return err
	}
	for name, entries := range waiting {
		if bytes.Equal(found[name], s.repositories[name]) {
			continue
		}
		for _, e := range entries {
			s.ready(e)
		}
	}
	s.repositories = found
	return nil
}
