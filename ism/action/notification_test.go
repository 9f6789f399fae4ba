// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/wire"
)

// mailbox keeps what it is given to deliver.
type mailbox struct {
	err     error
	to      notify.Destination
	channel string
	message notify.Message
}

func (p *mailbox) Send(_ context.Context, to notify.Destination, m notify.Message) error {
	p.to, p.message = to, m
	return p.err
}

func (p *mailbox) SendToChannel(_ context.Context, id string, m notify.Message) error {
	p.channel, p.message = id, m
	return p.err
}

// notificationEnv is what the step gets in the state "hot".
func notificationEnv(t *testing.T, n action.Notifier, recipient, template string) *action.Env {
	t.Helper()
	e := env(t, &script{}, `{"notification":{`+recipient+`,"message_template":`+template+`}}`)
	e.Notifier = n
	e.Meta = &ism.Metadata{
		Index: "logs-1", UUID: "u1", PolicyID: "p", State: &ism.StateMeta{Name: "hot", StartTime: now},
		Action: &ism.ActionMeta{Name: "notification", StartTime: now}, Step: &ism.StepMeta{Name: "attempt_notification", StartTime: now, Status: "starting"},
		Info: ism.Message("Starting"),
	}
	return e
}

func TestNotificationsReportWhatBecameOfThem(t *testing.T) {
	const toSlack, sent, failed = `"destination":{"slack":{"url":"https://s"}}`, "Successfully sent notification [index=logs-1]", "Failed to send notification [index=logs-1]"
	for _, c := range []struct {
		name, template string
		err            error
		want           want
	}{
		{"delivered", `"m"`, nil, want{"completed", sent, ""}},
		{"refused", `"m"`, fault.Status(500, "Failed: busy"), want{"failed", failed, "Failed: busy"}},
		{"a destination that is not allowed", `"m"`, fault.Status(http.StatusFailedDependency, "no"), want{"failed", failed, "no"}},
		{"a channel that is not there", `"m"`, fault.Status(404, "gone"), want{"failed", failed, "gone"}},
		{"a template that cannot be rendered", `"{{#ctx}}"`, nil, want{"failed", failed, "line 1: Section ctx has no closing tag"}},
		{"the cluster does not answer", `"m"`, fault.New(503, "transport_exception", "down"), want{}},
		{"the program ends", `"m"`, context.Canceled, want{}},
		{"something else", `"m"`, errors.New("x"), want{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := action.Lookup("attempt_notification").Run(t.Context(), notificationEnv(t, &mailbox{err: c.err}, toSlack, c.template))
			check(t, r, err, c.want)
		})
	}
	r, err := action.Lookup("attempt_notification").Run(t.Context(), notificationEnv(t, nil, toSlack, `"m"`))
	check(t, r, err, want{"failed", failed, "notifications are not available"})
}

func TestNotificationsGoToTheirRecipient(t *testing.T) {
	webhook := func(url string, header wire.Object) notify.Destination {
		return notify.Destination{Kind: notify.Webhook, URL: url, Header: header}
	}
	none := wire.Object{}
	for _, c := range []struct {
		name, recipient string
		to              notify.Destination
	}{
		{"Slack", `"destination":{"slack":{"url":" https://s/1 "}}`, notify.Destination{Kind: notify.Slack, URL: "https://s/1"}},
		{"Chime", `"destination":{"chime":{"url":"https://c/1"}}`, notify.Destination{Kind: notify.Chime, URL: "https://c/1"}},
		{"a webhook's URL", `"destination":{"custom_webhook":{"url":"http://w/1?a=b","host":"other"}}`, webhook("http://w/1?a=b", none)},
		{"a webhook's host", `"destination":{"custom_webhook":{"host":"w.example.com"}}`, webhook("https://w.example.com", none)},
		{
			"all parts of a webhook", `"destination":{"custom_webhook":{"scheme":"http","host":"w","port":8080,"path":"a b/c","query_params":{"z":"1&2","y":"ü"},"header_params":{"X":"1"},"username":"u","password":"p"}}`,
			webhook("http://w:8080/a%20b/c?z=1%262&y=%C3%BC", wire.Obj("X", "1")),
		},
		{"a path that begins with a slash", `"destination":{"custom_webhook":{"host":"w","path":"/in"}}`, webhook("https://w/in", none)},
		{"an IPv6 host", `"destination":{"custom_webhook":{"host":"[::1]","port":81}}`, webhook("https://[::1]:81", none)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &mailbox{}
			r, err := action.Lookup("attempt_notification").Run(t.Context(), notificationEnv(t, p, c.recipient, `"m"`))
			check(t, r, err, want{"completed", "Successfully sent notification [index=logs-1]", ""})
			if diff := cmp.Diff(c.to, p.to); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(notify.Message{Text: "m", Reference: "u1"}, p.message); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNotificationsToChannelsHaveATitle(t *testing.T) {
	p := &mailbox{}
	e := notificationEnv(t, p, `"channel":{"id":"ops"}`, `"m"`)
	if _, err := action.Lookup("attempt_notification").Run(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := notify.Message{Title: "Index Management-ISM-Notification Action", Text: "m", Reference: "u1"}
	if diff := cmp.Diff(want, p.message); diff != "" || p.channel != "ops" {
		t.Error(p.channel, diff)
	}
}

func TestMessagesAreRenderedWithWhatExplainShows(t *testing.T) {
	seqNo, last := int64(7), int64(0)
	meta := &ism.Metadata{
		Index: "logs-1", UUID: "u1", PolicyID: "p", PolicySeqNo: &seqNo, PolicyPrimaryTerm: &seqNo, Created: time.UnixMilli(5),
		State:  &ism.StateMeta{Name: "hot", StartTime: time.UnixMilli(6)},
		Action: &ism.ActionMeta{Name: "rollover", StartTime: time.UnixMilli(8), Index: 2, Failed: true, ConsumedRetries: 3, LastRetry: &last},
		Step:   &ism.StepMeta{Name: "attempt_rollover", StartTime: time.UnixMilli(9), Status: "failed"},
		Info:   ism.Message("broken").With("cause", `a "b"`),
	}
	for _, c := range []struct {
		name, template, want string
		change               func(*ism.Metadata)
	}{
		{"all that there is", `{{ctx.index}} {{ctx.index_uuid}} {{ctx.policy_id}} {{ctx.policy_seq_no}} {{ctx.policy_primary_term}} {{ctx.index_creation_date}} {{ctx.rolled_over}}`, "logs-1 u1 p 7 7 5 false", nil},
		{
			"state, action and step", `{{ctx.state.name}} {{ctx.state.start_time}} {{ctx.action.name}} {{ctx.action.index}} {{ctx.action.failed}} {{ctx.action.consumed_retries}} {{ctx.action.last_retry_time}} {{ctx.step.name}} {{ctx.step.step_status}}`,
			"hot 6 rollover 2 true 3 0 attempt_rollover failed", nil,
		},
		{"retries and info", `{{ctx.retry_info.failed}} {{ctx.retry_info.consumed_retries}} {{ctx.info.message}} {{ctx.info.cause}}`, `false 0 broken a \"b\"`, nil},
		{"a state that is entered", `{{ctx.transition_to}}{{ctx.state.name}}`, "cold", func(m *ism.Metadata) { m.TransitionTo = "cold" }},
		{"a policy that has ended", `{{ctx.policy_completed}}{{ctx.info.message}}`, "true", func(m *ism.Metadata) { m.PolicyCompleted = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := *meta
			if c.change != nil {
				c.change(&m)
			}
			if got, err := action.Render(&ism.Script{Source: c.template}, &m); err != nil || got != c.want {
				t.Errorf("%q %v, want %q", got, err, c.want)
			}
		})
	}
}
