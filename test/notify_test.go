// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire"
)

// inbox is an endpoint that keeps what it is sent. It answers with status, or not before free is closed.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	free   chan struct{}
	got    []string
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{status: http.StatusOK}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		in.mu.Lock()
		in.got = append(in.got, string(body))
		status, free := in.status, in.free
		in.mu.Unlock()
		if free != nil {
			<-free
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) answer(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

func (in *inbox) messages() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

// entry is an index's entry in an explain answer.
type entry struct {
	Completed bool `json:"policy_completed"`
	Action    struct {
		Failed bool `json:"failed"`
	} `json:"action"`
	Retry struct {
		Failed bool `json:"failed"`
	} `json:"retry_info"`
	Info map[string]string `json:"info"`
}

func explained(p *Running, index string) (e entry, text string) {
	p.t.Helper()
	text = p.Explain(index)
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		p.t.Fatal(err)
	}
	_ = json.Unmarshal(all[index], &e) // members that are not there stay empty
	return e, text
}

// failing is a policy whose only action cannot succeed, with a notification that goes to where.
func failing(p *Running, where wire.Object, template string) any {
	rollover := wire.Obj("retry", wire.Obj("count", 0), "rollover", wire.Object{})
	return wire.Obj("policy", wire.Obj("description", "", "default_state", "hot",
		"error_notification", append(where, wire.Member{Name: "message_template", Value: wire.Obj("source", template)}),
		"states", []any{wire.Obj("name", "hot", "actions", []any{rollover}, "transitions", []any{})},
		"ism_template", []any{wire.Obj("index_patterns", []string{p.Name("-*")}, "priority", 1)}))
}

func slackTo(url string) wire.Object {
	return wire.Obj("destination", wire.Obj("slack", wire.Obj("url", url)))
}

func TestAPolicySendsMessagesToADestinationAndAChannel(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	p.Must("POST", "/_plugins/_notifications/configs", wire.Obj("config_id", p.Prefix, "config", wire.Obj(
		"name", "hook", "config_type", "webhook", "webhook", wire.Obj("url", in.URL+"/channel"))), nil)
	defer p.Call("DELETE", "/_plugins/_notifications/configs/"+p.Prefix, nil)
	send := func(to wire.Object, source string) wire.Object {
		return wire.Obj("notification", append(to, wire.Member{Name: "message_template", Value: source}))
	}
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"), wire.Obj(
		"name", "hot", "actions", []any{
			send(slackTo(in.URL), `{{ctx.index}} "{{ctx.state.name}}" {{ctx.action.index}}{{ctx.missing}}`),
			send(wire.Obj("channel", wire.Obj("id", p.Prefix)), "{{ctx.step.name}} {{ctx.step.step_status}} of {{ctx.policy_id}}"),
		}, "transitions", []any{wire.Obj("state_name", "cold")},
	), wire.Obj(
		"name", "cold", "actions", []any{send(slackTo(in.URL), "[{{ctx.state.name}}] to {{ctx.transition_to}}: {{ctx.info.message}}")}, "transitions", []any{},
	)), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	p.Eventually("the policy ends", func() (bool, string) {
		e, text := explained(p, p.Name("-1"))
		return e.Completed, text
	})
	want := []string{
		`{"text":"` + p.Name("-1") + ` \"hot\" 0"}`,
		"attempt_notification starting of " + p.Prefix,
		`{"text":"[] to cold: Starting action notification and working on attempt_notification"}`,
	}
	if diff := cmp.Diff(want, in.messages()); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedMessageFailsItsAction(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	in.answer(http.StatusForbidden)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"), wire.Obj(
		"name", "hot", "actions", []any{wire.Obj("retry", wire.Obj("count", 0),
			"notification", append(slackTo(in.URL), wire.Member{Name: "message_template", Value: "m"}))}, "transitions", []any{})), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	p.Eventually("the action fails", func() (bool, string) {
		e, text := explained(p, p.Name("-1"))
		return e.Action.Failed && e.Info["message"] == "Failed to send notification [index="+p.Name("-1")+"]" &&
			e.Info["cause"] == "Failed: Failed to send message Failed: ", text
	})
	if diff := cmp.Diff([]string{`{"text":"m"}`}, in.messages()); diff != "" {
		t.Error(diff)
	}
	in.answer(http.StatusOK)
	p.Must("POST", "/_plugins/_ism/retry/"+p.Name("-1"), nil, nil)
	p.Eventually("the message is sent when it is retried", func() (bool, string) {
		e, text := explained(p, p.Name("-1"))
		return e.Completed, text
	})
}

func TestPeopleAreToldOnceThatAnIndexHasFailed(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, failing(p, slackTo(in.URL), "{{ctx.index}}: {{ctx.info.message}}, failed {{ctx.action.failed}}"), nil)
	index := p.Name("-1")
	p.Must("PUT", "/"+index, nil, nil)
	p.Eventually("the failure shows what became of its notification", func() (bool, string) {
		e, text := explained(p, index)
		return e.Action.Failed && e.Info["error_notification"] == "Successfully published error notification [index = "+index+"]", text
	})
	want := []string{`{"text":"` + index + `: Missing rollover_alias index setting [index=` + index + `], failed true"}`}
	if diff := cmp.Diff(want, in.messages()); diff != "" {
		t.Error(diff)
	}
}

func TestPeopleAreToldThatAPolicyMayNotGoOn(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	p.Must("PUT", "/_cluster/settings", []byte(`{"transient":{"plugins.index_state_management.allow_list":["delete","rollover"]}}`), nil)
	defer p.Call("PUT", "/_cluster/settings", []byte(`{"transient":{"plugins.index_state_management.allow_list":null}}`))
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, failing(p, slackTo(in.URL), "{{ctx.info.message}}"), nil)
	p.Must("PUT", "/_cluster/settings", []byte(`{"transient":{"plugins.index_state_management.allow_list":["delete"]}}`), nil)
	index := p.Name("-1")
	p.Must("PUT", "/"+index, nil, nil)
	p.Eventually("the index fails", func() (bool, string) {
		e, text := explained(p, index)
		return e.Retry.Failed && e.Info["message"] == "Attempted to execute action=rollover which is not allowed." && e.Info["error_notification"] == "", text
	})
	if diff := cmp.Diff([]string{`{"text":"Successfully initialized policy: ` + p.Prefix + `"}`}, in.messages()); diff != "" {
		t.Error(diff)
	}
}

func TestAFailureShowsWhyNobodyCouldBeTold(t *testing.T) {
	p := Program(t)
	for name, c := range map[string]struct {
		where wire.Object
		want  string
	}{
		"-denied":  {slackTo("http://169.254.169.254/"), "Failed: Failed to send notification: dial tcp 169.254.169.254:80: destination not allowed: 169.254.169.254"},
		"-missing": {wire.Obj("channel", wire.Obj("id", p.Prefix+"nope")), "Channel " + p.Prefix + "nope not found"},
	} {
		id := p.Name(name)
		body := failing(p, c.where, "m").(wire.Object)
		p.Must("PUT", "/_plugins/_ism/policies/"+id, body, nil)
		p.Must("PUT", "/"+id, nil, nil)
		p.Must("POST", "/_plugins/_ism/add/"+id, wire.Obj("policy_id", id), nil)
		p.Eventually("the failure shows the reason", func() (bool, string) {
			e, text := explained(p, id)
			return e.Action.Failed && strings.Contains(e.Info["error_notification"], c.want), text
		})
		p.Must("DELETE", "/_plugins/_ism/policies/"+id, nil, nil)
	}
}

func TestAnEndpointThatHangsHoldsNobodyUp(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	in.free = make(chan struct{})
	release := sync.OnceFunc(func() { close(in.free) })
	defer release()
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, failing(p, slackTo(in.URL), "m"), nil)
	began := time.Now()
	const failures = 20 // more than messages are sent at once
	names := make([]string, failures)
	for i := range names {
		names[i] = p.Name("-" + string(rune('a'+i)))
		p.Must("PUT", "/"+names[i], []byte(`{"settings":{"number_of_replicas":0}}`), nil)
	}
	for _, name := range names {
		p.Eventually("an index is shown as failed", func() (bool, string) {
			e, text := explained(p, name)
			return e.Action.Failed, text
		})
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Name("other"), policy(p.Name("other*"), wire.Obj(
		"name", "hot", "actions", []any{wire.Obj("read_only", wire.Object{})}, "transitions", []any{})), nil)
	defer p.Call("DELETE", "/_plugins/_ism/policies/"+p.Name("other"), nil)
	other := p.Name("other-1")
	p.Must("PUT", "/"+other, nil, nil)
	p.Eventually("another index goes on", func() (bool, string) {
		e, text := explained(p, other)
		return e.Completed, text
	})
	release()
	p.Eventually("the outcome is added when it is known", func() (bool, string) {
		e, text := explained(p, names[failures-1])
		return strings.HasPrefix(e.Info["error_notification"], "Successfully published"), text
	})
	if n := len(in.messages()); n != failures {
		t.Errorf("%d messages", n)
	}
}

func TestMessagesGoWhereTheSettingsLetThem(t *testing.T) {
	p := Program(t)
	in := newInbox(t)
	const key = "steward.notifications.allowed_hosts"
	allow := func(value any) (int, string) {
		status, answer := p.Call("PUT", "/_cluster/settings", wire.Obj("persistent", wire.Obj(key, value)))
		return status, string(answer)
	}
	defer allow(nil)
	defer p.Call("DELETE", "/_plugins/_notifications/configs/"+p.Prefix, nil)
	p.Must("POST", "/_plugins/_notifications/configs", wire.Obj("config_id", p.Prefix, "config", wire.Obj(
		"name", "hook", "config_type", "webhook", "webhook", wire.Obj("url", in.URL))), nil)
	send := func(want int) func() (bool, string) {
		return func() (bool, string) {
			status, answer := p.Call("POST", "/_plugins/_notifications/feature/test/"+p.Prefix, nil)
			return status == want, string(answer)
		}
	}
	p.Eventually("a message goes anywhere", send(http.StatusOK))
	if status, answer := allow([]string{"hooks.slack.com", "http://x"}); status != http.StatusBadRequest || !strings.Contains(answer, "[http://x] is neither a host name nor an address nor a prefix") {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := allow([]string{"hooks.slack.com", "10.0.0.0/8"}); status != http.StatusOK {
		t.Fatal(answer)
	}
	p.Eventually("the host is not allowed any more", send(http.StatusFailedDependency))
	sent := len(in.messages())
	if ok, answer := send(http.StatusFailedDependency)(); !ok || len(in.messages()) != sent {
		t.Error(answer)
	}
}
