// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"maps"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/lease"
)

// decided is an entry with what its policy wants.
type decided struct {
	entry *entry
	input ism.Input
	needs ism.Need
	move  ism.Move
	// notice is what people are told before the move is stored; nil for most.
	notice *notice
	// again is true for one more try of a blocked index.
	again bool
}

// move asks what the policies of the ready entries want, stores it in one bulk write, and starts the steps.
func (s *sweep) move(ctx context.Context, ready []*entry) error {
	moves, err := s.decide(ctx, ready)
	if err != nil {
		s.again(ready)
		return err
	}
	var writes []write
	for i := range moves {
		moves[i].notice = s.announced(&moves[i])
		writes = append(writes, s.firstWrites(&moves[i])...)
	}
	refused, err := s.store(ctx, writes)
	if err == nil {
		err = s.storeSecond(ctx, moves, refused)
	}
	if err != nil {
		s.again(ready)
		return err
	}
	for i := range moves {
		s.follow(ctx, &moves[i], refused[moves[i].entry])
	}
	return nil
}

// storeSecond makes the second writes and adds to refused.
func (s *sweep) storeSecond(ctx context.Context, moves []decided, refused map[*entry]bool) error {
	var writes []write
	for i := range moves {
		writes = append(writes, s.secondWrites(&moves[i], refused[moves[i].entry])...)
	}
	more, err := s.store(ctx, writes)
	maps.Copy(refused, more)
	return err
}

// again makes entries ready (again).
func (m *Manager) again(entries []*entry) {
	for _, e := range entries {
		m.ready(e)
	}
}

// firstWrites are what is stored before a move has any effect.
func (s *sweep) firstWrites(d *decided) []write {
	switch {
	case d.move.Kind == ism.Wait, d.blocks(), d.move.Kind == ism.Run && (d.again || s.looksAgain(d)):
		return nil
	case s.native() && d.move.Starting != nil:
		starting := *d
		starting.move.Meta = d.move.Starting
		return moveWrites(&starting)
	case d.notice != nil:
		return nil
	}
	return moveWrites(d)
}

// moveWrites are the documents of a move.
func moveWrites(d *decided) []write {
	var out []write
	if d.move.Meta != nil {
		out = append(out, metaWrite(d.entry, d.move.Meta))
	}
	if d.move.Job != nil {
		out = append(out, jobWrite(d.entry, d.move.Job))
	}
	return out
}

// secondWrites are what is stored at native pace after a step was announced that has no effect.
func (s *sweep) secondWrites(d *decided, refused bool) []write {
	if !s.native() || d.move.Starting == nil || refused || d.notice != nil {
		return nil
	}
	return []write{metaWrite(d.entry, d.move.Meta)}
}

// looksAgain reports whether a step only looks, and looked before: that it does so once more need not be stored, but at
// native pace.
func (m *Manager) looksAgain(d *decided) bool {
	meta := d.entry.meta()
	return !m.native() && action.Lookup(d.move.Step.Name).Looks && meta != nil && meta.Step != nil &&
		meta.Step.Name == d.move.Step.Name && meta.Step.Status == ism.StatusConditionNotMet
}

// follow goes on after the first writes.
func (s *sweep) follow(ctx context.Context, d *decided, refused bool) {
	e := d.entry
	if s.docs.entries[e.uuid] != e || !e.hasJob() {
		return // forgotten meanwhile
	}
	switch {
	case refused:
		s.retry(e)
		return
	case d.blocks():
		s.stillBlocked(e)
		return
	}
	switch d.move.Kind {
	case ism.Wait:
		s.wait(d)
		return
	case ism.Run:
		s.sum.Moves++
		s.start(ctx, d)
		return
	}
	s.sum.Moves++
	if d.notice != nil {
		s.announce(ctx, d)
		return
	}
	e.tries = 0
	s.log.Debug("move", "index", e.name(), "reason", d.move.Reason)
	s.goOn(e)
}

// goOn makes an entry ready for its next move, within its budget; at native pace with its next run.
func (s *sweep) goOn(e *entry) {
	switch {
	case s.native():
		s.nextRun(e, s.now)
		return
	case s.watches(e):
		s.stillBlocked(e)
		return
	}
	e.blocked = 0
	s.queue.schedule(e, e.budget.take(s.now))
}

// retry makes an entry ready again after something that is nobody's fault, with growing pauses; at native pace with its
// next run.
func (s *sweep) retry(e *entry) {
	e.stale = true
	if s.native() {
		s.nextRun(e, s.now)
		return
	}
	s.queue.schedule(e, s.now.Add(pause(int(e.tries))))
	e.tries++
}

// pause is how long to wait after n failed tries: not at all once, then 1 s doubling to a minute.
func pause(n int) time.Duration {
	if n == 0 {
		return 0
	}
	return min(time.Second<<min(n-1, 6), time.Minute)
}

// wait schedules an entry for when its answer can change.
func (s *sweep) wait(d *decided) {
	e := d.entry
	e.tries = 0
	if s.native() {
		s.nextRun(e, s.now)
		return
	}
	due := d.move.Due
	if d.needs&ism.NeedStats == 0 {
		e.watch = nil
	} else {
		if e.watch == nil {
			e.watch = &watch{}
		}
		at := e.watch.next(s.now, stepStart(e), readNumbers(d))
		if !s.opts.Watched {
			due = earlier(due, at)
		}
	}
	if d.input.Facts.Red {
		// Health is no document and no metadata: nothing tells when it changes. A cluster is red for some milliseconds after
		// an index was closed or opened, or for hours.
		due = earlier(due, s.now.Add(min(poll(s.reds-1), watchFast)))
	}
	if !due.IsZero() && !due.After(s.now) {
		due = e.budget.take(s.now)
	}
	s.queue.schedule(e, due)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// budget bounds how many moves an index makes in a minute, so that a policy that goes round in circles does not keep
// the cluster busy.
type budget struct {
	since int64 // epoch nanoseconds
	spent int32
}

const (
	budgetMoves  = 200
	budgetPeriod = time.Minute
)

// take spends one move and returns when the next may be made.
func (b *budget) take(now time.Time) time.Time {
	since := time.Unix(0, b.since).UTC()
	if now.Sub(since) >= budgetPeriod {
		b.since, b.spent, since = now.UnixNano(), 0, now
	}
	b.spent++
	if b.spent > budgetMoves {
		return since.Add(budgetPeriod)
	}
	return now
}

// start begins a step in the background.
func (s *sweep) start(ctx context.Context, d *decided) {
	e, meta := d.entry, d.entry.meta()
	if d.again || s.looksAgain(d) {
		meta = d.move.Meta
	}
	in := &intentions{client: s.stepClient, uuid: e.uuid, now: s.intends(e, d)}
	held := &hold{clock: s.opts.Clock, release: s.opts.Clock.Hold()}
	env := &action.Env{
		Client: s.stepClient, Index: e.name(), UUID: e.uuid, Action: d.move.Action, Meta: meta,
		Config: d.input.Config, Facts: d.input.Facts, Decided: d.move.Result, Now: s.now, Intentions: in,
		Interval: d.input.Job.Schedule.Interval(), Notifier: s.opts.Notifier,
		LetTimePass: held.letTimePass,
		Background: func(fn func(context.Context)) bool {
			return s.steps.background(ctx, e.uuid, s.opts.Clock.Hold(), fn)
		},
	}
	step := action.Lookup(d.move.Step.Name)
	e.running = true
	s.sum.Steps++
	s.log.Debug("step", "index", env.Index, "step", step.Name)
	step.Run = fenced(s.opts.Lease, s.fence, step.Run)
	r := stepResult{decided: *d, intentions: in, release: held.end}
	now, fence := s.now, s.fence
	r.after = func(r *stepResult) { s.tellFailure(ctx, r, now, fence) }
	s.steps.start(ctx, step, env, r, s.reported)
}

// runStep is what a step does.
type runStep = func(context.Context, *action.Env) (ism.Result, error)

// fenced asks for the lease right before a step acts, which may be long after it was started.
func fenced(l lease.Lease, fence int64, run runStep) runStep {
	return func(ctx context.Context, env *action.Env) (ism.Result, error) {
		if now, held := l.Held(); !held || now != fence {
			return ism.Result{}, errLeaseLost
		}
		return run(ctx, env)
	}
}

// intends is what an intention of this step is recorded under.
func (s *sweep) intends(e *entry, d *decided) intentionRecord {
	r := intentionRecord{Index: e.name(), Step: d.move.Step.Name, Fence: s.fence}
	if m := d.move.Meta; m != nil && m.State != nil && m.Action != nil {
		r.State, r.Start = m.State.Name, m.Action.StartTime.UnixMilli()
	}
	return r
}

// stepStart is when the step that waits began.
func stepStart(e *entry) time.Time {
	meta := e.meta()
	if meta == nil || meta.Step == nil {
		return time.Time{}
	}
	return meta.Step.StartTime
}

// readNumbers is what the watch compares.
func readNumbers(d *decided) numbers {
	st := d.input.Facts.Stats
	if st == nil {
		return numbers{}
	}
	return numbers{docs: st.Docs, bytes: st.PrimaryBytes, reached: reached(d.input.Job.Policy, d.entry.meta(), *st)}
}
