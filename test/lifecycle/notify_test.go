// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/unreliable"
	"github.com/opensteward/steward/wire/setting"
)

// telling is a policy whose second action fails for good at once. Messages say what they are about.
const telling = `{"policy":{"description":"","default_state":"s",
	"error_notification":{"channel":{"id":"ops"},"message_template":{"source":"error {{ctx.step.name}} {{ctx.step.step_status}} {{ctx.action.failed}}"}},
	"states":[{"name":"s","actions":[
		{"notification":{"channel":{"id":"ops"},"message_template":{"source":"action {{ctx.step.step_status}}"}}},
		{"retry":{"count":0},"rollover":{}}],"transitions":[]}],
	"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`

// letters keeps the messages it delivers. While held is open it delivers none.
type letters struct {
	mu   sync.Mutex
	sent []string
	held chan struct{}
	err  error
}

func (l *letters) Send(ctx context.Context, _ notify.Destination, m notify.Message) error {
	return l.SendToChannel(ctx, "", m)
}

func (l *letters) SendToChannel(ctx context.Context, _ string, m notify.Message) error {
	if l.held != nil {
		select {
		case <-l.held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.sent = append(l.sent, m.Text)
	}
	return l.err
}

func (l *letters) delivered() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sent)
}

// newTold is a world whose index rolls over an alias that it does not have.
func newTold(t *testing.T, policy string) *world {
	t.Helper()
	w := newWorld(t, backend(t), policy)
	w.do(w.putSettings(w.first(), map[string]any{"index.plugins.index_state_management.rollover_alias": "elsewhere"}))
	return w
}

func (w *world) options(l *letters) manager.Options {
	return manager.Options{Client: opensearch.NewClient(w.transport), Registry: registry, Notifier: l}
}

// told is what the index's failure says about its notification.
func (w *world) told() string {
	m := w.metadata(w.uuid)
	if m == nil || m.Action == nil || !m.Action.Failed {
		return ""
	}
	return m.Info.Text("error_notification")
}

func (w *world) published() bool {
	return w.told() == "Successfully published error notification [index = "+w.first()+"]"
}

// The messages that the policy sends.
const (
	actionLetter = "action starting"
	errorLetter  = "error attempt_rollover failed true"
)

func TestAFailureIsStoredWithWhatBecameOfItsNotification(t *testing.T) {
	w := newTold(t, telling)
	l := &letters{}
	defer w.runWith(w.options(l))()
	w.wait("the failure", w.published)
	if diff := cmp.Diff([]string{actionLetter, errorLetter}, l.delivered()); diff != "" {
		t.Error(diff)
	}
}

func TestAFailureShowsWhyItsNotificationFailed(t *testing.T) {
	policy := strings.Replace(telling, `{"notification"`, `{"retry":{"count":0},"notification"`, 1)
	w := newTold(t, policy)
	defer w.runWith(w.options(&letters{err: fault.Status(404, "no such channel")}))()
	w.wait("the failure", func() bool { return w.told() == "no such channel" })
	if m := w.metadata(w.uuid); m.Action.Name != "notification" || m.Info.Text("cause") != "no such channel" {
		t.Error(w.text(m))
	}
}

// TestEveryMessageArrivesWhereverTheProcessDies kills the reconciler at its n-th request, before the cluster sees it or
// after: each message has been sent when it is done, and most of them once.
func TestEveryMessageArrivesWhereverTheProcessDies(t *testing.T) {
	rt := backend(t)
	for _, after := range []bool{false, true} {
		for n := 1; ; n += stride() {
			w := newWorld(t, rt, telling)
			w.do(w.putSettings(w.first(), map[string]any{"index.plugins.index_state_management.rollover_alias": "elsewhere"}))
			mortal, l := unreliable.NewMortal(w.transport, n, after), &letters{}
			o := w.options(l)
			o.Client = opensearch.NewClient(mortal)
			stop := w.runWith(o)
			w.wait("its death or the end", func() bool { return mortal.Dead() || w.published() })
			stop()
			died := mortal.Dead()
			stop = w.runWith(w.options(l))
			w.wait("the failure", w.published)
			stop()
			got := l.delivered()
			slices.Sort(got)
			if len(got) > 3 || !slices.Equal(slices.Compact(got), []string{actionLetter, errorLetter}) {
				t.Errorf("killed at request %d (after %v): %q", n, after, l.delivered())
			}
			w.clean()
			if !died {
				break
			}
		}
	}
}

func TestAMessageThatTakesLongHoldsUpNoFailure(t *testing.T) {
	w := newTold(t, strings.Replace(telling, `{"notification":{"channel":{"id":"ops"},"message_template":{"source":"action {{ctx.step.step_status}}"}}},`, "", 1))
	slow := &letters{held: make(chan struct{})}
	stop := w.runWith(w.options(slow))
	failed := func() bool { m := w.metadata(w.uuid); return m != nil && m.Action != nil && m.Action.Failed }
	w.wait("the failure while its message is under way", failed)
	if got := w.told(); got != "" {
		t.Errorf("the outcome is known before it is: %q", got)
	}
	stop() // the message is lost with the process
	l := &letters{}
	stop = w.runWith(w.options(l))
	w.wait("the outcome", w.published)
	stop()
	defer w.runWith(w.options(l))() // it is stored: nobody is told again
	w.wait("the third process to look", func() bool { return w.published() })
	if diff := cmp.Diff([]string{errorLetter}, append(slow.delivered(), l.delivered()...)); diff != "" {
		t.Error(diff)
	}
}

func TestPeopleAreToldOnceHoweverOftenAFailedIndexIsTriedAgain(t *testing.T) {
	w := newTold(t, telling)
	l, now := &letters{}, clock.NewVirtual(time.Now())
	defer w.runManager(w.virtual(l, now))()
	w.do(now.Advance(t.Context(), 30*24*time.Hour))
	if diff := cmp.Diff([]string{actionLetter, errorLetter}, l.delivered()); diff != "" {
		t.Error(diff)
	}
}

func TestPeopleAreToldOfATimeout(t *testing.T) {
	w := newTold(t, `{"policy":{"description":"","default_state":"s",
		"error_notification":{"channel":{"id":"ops"},"message_template":{"source":"{{ctx.step.step_status}}: {{ctx.info.message}}"}},
		"states":[{"name":"s","actions":[{"timeout":"1h","rollover":{"min_doc_count":100}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`)
	w.do(w.putSettings(w.first(), map[string]any{"index.plugins.index_state_management.rollover_alias": w.prefix}))
	l, now := &letters{}, clock.NewVirtual(time.Now())
	m := w.virtual(l, now)
	defer w.runManager(m)()
	w.do(now.Advance(t.Context(), 2*time.Hour))
	if meta := w.metadata(w.uuid); !meta.Action.Failed || meta.Info.Text("error_notification") != "" {
		t.Error(w.text(meta))
	}
	if diff := cmp.Diff([]string{"timed_out: Action timed out"}, l.delivered()); diff != "" {
		t.Error(diff)
	}
}

// virtual is a reconciler whose time only the test moves.
func (w *world) virtual(l *letters, now *clock.Virtual) *manager.Manager {
	o := w.options(l)
	o.Clock, o.Watched = now, true
	m := manager.New(o)
	m.Wake()
	return m
}

func TestPeopleAreToldOfATransitionThatCannotBeDecided(t *testing.T) {
	w := newTold(t, `{"policy":{"description":"","default_state":"s",
		"error_notification":{"channel":{"id":"ops"},"message_template":{"source":"{{ctx.action.name}} {{ctx.action.consumed_retries}}: {{ctx.info.message}}"}},
		"states":[{"name":"s","actions":[],"transitions":[{"state_name":"s","conditions":{"min_rollover_age":"1d"}}]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`)
	l, now := &letters{}, clock.NewVirtual(time.Now())
	defer w.runManager(w.virtual(l, now))()
	w.do(now.Advance(t.Context(), 6*time.Minute)) // three retries, after 1, 2 and 4 minutes
	if got := l.delivered(); len(got) != 0 {
		t.Errorf("told too early: %q", got)
	}
	w.do(now.Advance(t.Context(), 10*time.Minute))
	want := "transition 3: Failed to transition index as min_rollover_age condition was used, but the index has never been rolled over [index=" + w.first() + "]"
	if diff := cmp.Diff([]string{want}, l.delivered()); diff != "" || !w.published() {
		t.Error(diff, w.text(w.metadata(w.uuid)))
	}
}

func TestPeopleAreToldOnceOfAnActionThatIsNotValid(t *testing.T) {
	w := newTold(t, strings.Replace(telling, "error {{ctx.step.name}} {{ctx.step.step_status}} {{ctx.action.failed}}", "{{ctx.info.message}}", 1))
	l, now := &letters{}, clock.NewVirtual(time.Now())
	o := w.options(l)
	o.Clock, o.NodeSettings = now, setting.Values{"plugins.index_state_management.action_validation.enabled": "true"}
	m := manager.New(o)
	m.Wake()
	defer w.runManager(m)()
	w.do(now.Advance(t.Context(), 24*time.Hour))
	want := []string{actionLetter, "Successfully sent notification [index=" + w.first() + "]"} // of before, as the plugin tells it
	if diff := cmp.Diff(want, l.delivered()); diff != "" {
		t.Error(diff)
	}
}
