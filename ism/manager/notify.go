// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
)

const (
	// noticeTitle is the title of error notifications to channels, the plugin's own.
	noticeTitle = "Index Management-ISM-Error Notification"
	// noticeKey is the member of info that tells what became of one.
	noticeKey = "error_notification"
	// noticePatience is how long (real time) a failure waits to be stored together with what became of its
	// notification. Behind an endpoint that takes longer it is stored at once, and the outcome is added later.
	noticePatience = 2 * time.Second
	// maxSending is how many error notifications are sent at once, maxWaiting how many may wait for that.
	maxSending = 16
	maxWaiting = 10_000
)

// notices delivers the error notifications of policies. A failure is not stored before its notification was delivered,
// was refused for good or has taken longer than noticePatience, so that after a crash it is found and told again.
type notices struct {
	slots chan struct{}

	mu      sync.Mutex
	waiting int
	late    []lateNotice
}

func newNotices() *notices { return &notices{slots: make(chan struct{}, maxSending)} }

// notice is one error notification.
type notice struct {
	entry *entry
	meta  *ism.Metadata // which the message is rendered with
	what  *ism.ErrorNotification
	index string
	fence int64
}

// lateNotice is what became of a notice after the failure was stored.
type lateNotice struct {
	notice
	text    string
	release func() // of the clock
}

// noticeOf is the notice that a policy wants of a failure; nil if it wants none.
func (m *Manager) noticeOf(d *decided, meta *ism.Metadata, fence int64) *notice {
	p := d.input.Job.Policy
	if m.opts.Notifier == nil || p == nil || p.ErrorNotification == nil {
		return nil
	}
	return &notice{entry: d.entry, meta: meta, what: p.ErrorNotification, index: d.input.Job.Index, fence: fence}
}

// failsForGood reports whether a move stores the final failure of a step that was decided without an effect.
func failsForGood(move *ism.Move) bool {
	return move.Kind == ism.Save && move.Result != nil && move.Result.Status == ism.StatusFailed && move.Meta.Failed()
}

// announced is the notice that is due before a move is stored; nil for most.
func (s *sweep) announced(d *decided) *notice {
	switch move := &d.move; {
	case d.again:
		return nil // people were told when it failed
	case failsForGood(move):
		return s.noticeOf(d, move.Meta, s.fence)
	case !move.Notify:
		return nil
	case move.Meta.TimedOut():
		return s.noticeOf(d, move.Meta, s.fence)
	default: // the policy itself failed, or an action may not run: as things were before, as in the plugin
		return s.noticeOf(d, d.entry.meta(), s.fence)
	}
}

// announce sends the notice of a move, whose documents are stored like a step's result.
func (s *sweep) announce(ctx context.Context, d *decided) {
	d.entry.running = true
	step := action.Step{Name: noticeKey, Kind: action.Outgoing, Run: func(context.Context, *action.Env) (ism.Result, error) {
		return ism.Result{}, nil
	}}
	r := stepResult{decided: *d, intentions: &intentions{}, announces: true, release: s.opts.Clock.Hold()}
	r.after = func(r *stepResult) {
		text, known := s.tell(ctx, *r.notice, failsForGood(&r.move))
		if known && failsForGood(&r.move) {
			r.move.Meta = r.move.Meta.WithInfo(r.move.Meta.Info.With(noticeKey, text))
		}
	}
	s.steps.start(ctx, step, nil, r, s.reported)
}

// tellFailure sends the notice of a step that has failed for good, and adds what became of it to the result.
func (m *Manager) tellFailure(ctx context.Context, r *stepResult, now time.Time, fence int64) {
	if r.err != nil || r.again || r.result.Status != ism.StatusFailed {
		return
	}
	meta := ism.Finish(r.move, r.result, now)
	n := m.noticeOf(&r.decided, meta, fence)
	if n == nil || !meta.Action.Failed {
		return
	}
	if text, known := m.tell(ctx, *n, true); known {
		r.result.Info = r.result.Info.With(noticeKey, text)
	}
}

// tell sends a notice and returns what became of it, unless that takes too long. keep says that the outcome is to be
// stored also then.
func (m *Manager) tell(ctx context.Context, n notice, keep bool) (text string, known bool) {
	done := make(chan string, 1)
	m.steps.group.Go(func() {
		text := noticeFailed
		_ = fault.Guard(m.log, "error notification", func() error { text = m.publish(ctx, n); return nil }) // the text says so
		done <- text
	})
	patience := time.NewTimer(noticePatience)
	defer patience.Stop()
	select {
	case text := <-done:
		return text, true
	case <-patience.C:
	}
	release := m.opts.Clock.Hold()
	m.steps.group.Go(func() {
		text := <-done
		if !keep {
			release()
			return
		}
		m.notices.mu.Lock()
		m.notices.late = append(m.notices.late, lateNotice{n, text, release})
		m.notices.mu.Unlock()
		m.reported()
	})
	return "", false
}

// publish delivers a notice and returns the text that tells what became of it.
func (m *Manager) publish(ctx context.Context, n notice) string {
	if !m.notices.enter(ctx) {
		return noticeFailed
	}
	defer m.notices.leave()
	if now, held := m.opts.Lease.Held(); !held || now != n.fence {
		return noticeFailed
	}
	message, err := action.Render(n.what.Template, n.meta)
	if err != nil {
		message = fault.Of(err).Reason // people are told in any case
	}
	err = action.Notify(ctx, m.opts.Notifier, n.what.Recipient, notify.Message{Title: noticeTitle, Text: message, Reference: n.meta.UUID})
	if err == nil {
		return "Successfully published error notification [index = " + n.index + "]"
	}
	m.log.Warn("error notification is not delivered", "index", n.index, "err", err)
	if f, is := errors.AsType[*fault.Error](err); is && f.Reason != "" {
		return f.Reason
	}
	return noticeFailed
}

// noticeFailed is the plugin's text where there is no other.
const noticeFailed = "Failed to publish error notification"

// enter waits for a place to send from. It returns false at once where too many wait.
func (n *notices) enter(ctx context.Context) bool {
	n.mu.Lock()
	full := n.waiting >= maxWaiting
	if !full {
		n.waiting++
	}
	n.mu.Unlock()
	if full {
		return false
	}
	defer func() {
		n.mu.Lock()
		n.waiting--
		n.mu.Unlock()
	}()
	select {
	case n.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (n *notices) leave() { <-n.slots }

func (n *notices) takeLate() []lateNotice {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.late
	n.late = nil
	return out
}

// storeLate adds the outcomes of notices that took long to the metadata of failures that still stand.
func (s *sweep) storeLate(ctx context.Context) error {
	late := s.notices.takeLate()
	if len(late) == 0 {
		return nil
	}
	defer func() {
		for _, l := range late {
			l.release()
		}
	}()
	var writes []write
	for _, l := range late {
		e := l.entry
		meta := e.meta()
		if s.docs.entries[e.uuid] != e || meta == nil || !owes(meta) || !sameFailure(meta, l.meta) {
			continue
		}
		w := metaWrite(e, meta.WithInfo(meta.Info.With(noticeKey, l.text)))
		w.meta = nil // the history has the failure
		writes = append(writes, w)
	}
	_, err := s.store(ctx, writes)
	return err
}

// owes reports whether metadata is of a failure of which the outcome of the notification is not stored.
func owes(meta *ism.Metadata) bool {
	return meta.Action != nil && meta.Action.Failed && meta.Step != nil && meta.Step.Status == ism.StatusFailed &&
		meta.Info.Text(noticeKey) == ""
}

func sameFailure(a, b *ism.Metadata) bool {
	return a.Action.StartTime.Equal(b.Action.StartTime) && a.Step.Name == b.Step.Name
}

// tellOwed sends the notices whose outcome a leader before this one did not come to store.
func (s *sweep) tellOwed(ctx context.Context) {
	for _, e := range s.docs.entries {
		if !e.hasJob() || !e.failed {
			continue
		}
		meta := e.meta()
		if !owes(meta) || e.metaVersion == (opensearch.Version{}) {
			continue
		}
		n := s.noticeOf(&decided{entry: e, input: ism.Input{Job: *e.job()}}, meta, s.fence)
		if n == nil {
			continue
		}
		release := s.opts.Clock.Hold()
		s.steps.group.Go(func() {
			defer release()
			if text, known := s.tell(ctx, *n, true); known {
				s.notices.mu.Lock()
				s.notices.late = append(s.notices.late, lateNotice{*n, text, s.opts.Clock.Hold()})
				s.notices.mu.Unlock()
				s.reported()
			}
		})
	}
}
