// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"slices"
	"time"

	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
)

// turnPause is how long an index that waits for its turn waits for each that waits with it before it looks again by itself:
// together they look twenty times a second at most, however many they are.
const turnPause = 50 * time.Millisecond

// turns are the indices that wait for something that others of them have, such as the lock of a node: the one that has
// waited longest is looked at as soon as it is given back.
type turns struct{ waiting []*entry }

// join lets an entry wait, behind those that do, and returns for how long at least if nothing is given back.
func (t *turns) join(e *entry) time.Duration {
	if !slices.Contains(t.waiting, e) {
		t.waiting = append(t.waiting, e)
	}
	return time.Duration(len(t.waiting)) * turnPause
}

// leave reports whether the entry was waiting, and lets it wait no more.
func (t *turns) leave(e *entry) bool {
	n := slices.Index(t.waiting, e)
	if n < 0 {
		return false
	}
	t.waiting = slices.Delete(t.waiting, n, n+1)
	return true
}

// takeTurn notes whether an entry waits for its turn after a step, and makes the next one ready if it has given something back,
// or could not use what was free. The result is when a waiting one looks again at the earliest; zero for any other.
func (s *sweep) takeTurn(r *stepResult) (earliest time.Time) {
	if r.result.Turn {
		return s.now.Add(s.turns.join(r.entry))
	}
	got := r.result.Properties != nil && r.result.Properties.Shrink != nil
	if waited := s.turns.leave(r.entry); r.result.GivesBack || waited && !got {
		s.nextTurn()
	}
	return time.Time{}
}

// nextTurn makes the entry that has waited longest ready.
func (s *sweep) nextTurn() {
	for len(s.turns.waiting) > 0 {
		e := s.turns.waiting[0]
		if s.docs.entries[e.uuid] == e && e.hasJob() {
			s.ready(e)
			return
		}
		s.turns.waiting = s.turns.waiting[1:]
	}
}

// unlocks give back what an action of an index has that is managed no more, so that nobody waits until its lock runs out.
func (s *sweep) unlocks(e *entry) []write {
	if s.native() || !e.keeps {
		return nil
	}
	op, has := action.Unlock(e.meta())
	if !has {
		return nil
	}
	return []write{{op: op, stored: func(opensearch.Version) { s.nextTurn() }}}
}
