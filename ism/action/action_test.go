// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
)

// answer is what the scripted cluster says to one call.
type answer struct {
	status int
	body   string
	err    error // the call was not answered
}

func ok(body string) answer { return answer{status: 200, body: body} }

func refusal(status int, typ, reason string) answer {
	return answer{status: status, body: `{"error":{"root_cause":[],"type":"` + typ + `","reason":"` + reason + `"},"status":500}`}
}

var (
	acknowledged = ok(`{"acknowledged":true}`)
	shrugged     = ok(`{"acknowledged":false}`)
	unanswered   = answer{err: errors.New("connection reset by peer")}
	overloaded   = refusal(429, "rejected_execution_exception", "queue full")
	denied       = refusal(500, "illegal_state_exception", "no")
	absent       = refusal(404, "index_not_found_exception", "no such index [logs-1]")
	snapshotting = refusal(400, "snapshot_in_progress_exception", "Cannot now")
)

// script answers calls, by "METHOD /path" (unescaped, without its query), each list in order; the last stays. A call it
// does not know ends the test.
type script struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][]answer
	calls   []string
	bodies  []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, _ := url.PathUnescape(r.URL.EscapedPath())
	key := r.Method + " " + path
	if r.URL.Query().Get("dry_run") == "true" {
		key += "?dry_run"
	}
	list := s.answers[key]
	if len(list) == 0 {
		s.t.Errorf("unexpected call %s", key)
		return nil, errors.New("unexpected call")
	}
	if len(list) > 1 {
		s.answers[key] = list[1:]
	}
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	if r.Method != http.MethodGet {
		s.calls, s.bodies = append(s.calls, key), append(s.bodies, body)
	}
	a := list[0]
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		StatusCode: a.status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// memory keeps one intention, as the manager does in the cluster.
type memory struct {
	kept    *action.Intention
	storeOK bool
}

func (m *memory) Load(context.Context) (*action.Intention, error) { return m.kept, nil }

func (m *memory) Store(_ context.Context, i action.Intention) error {
	if !m.storeOK {
		return errors.New("another leader")
	}
	m.kept = &i
	return nil
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// env is what a step of one index gets; the policy's action is parsed from JSON.
func env(t *testing.T, s *script, policyAction string) *action.Env {
	t.Helper()
	s.t = t
	p, err := ism.ReadPolicy("p", []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[`+
		policyAction+`],"transitions":[]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return &action.Env{
		Client: opensearch.NewClient(s), Index: "logs-1", UUID: "u1", Action: &p.States[0].Actions[0],
		Meta: &ism.Metadata{Action: &ism.ActionMeta{StartTime: now}}, Now: now,
		Facts:      ism.Facts{Exists: true, Open: true, Created: now.Add(-time.Hour), Target: "logs", HasTarget: true, WriteIndex: true},
		Intentions: &memory{storeOK: true},
		LetTimePass: func(ctx context.Context, limit time.Duration, fn func(context.Context) error) error {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			return fn(limited)
		},
		Background: func(fn func(context.Context)) bool { go fn(context.Background()); return true },
	}
}

// want is what a step is to report; an empty status means an error.
type want struct {
	status, message, cause string
}

func check(t *testing.T, r ism.Result, err error, w want) {
	t.Helper()
	if w.status == "" {
		if err == nil {
			t.Fatalf("reported %v %v, want that nothing is known", r.Status, r.Info)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Info.Text("message"); r.Status != w.status || got != w.message {
		t.Errorf("%s: %q, want %s: %q", r.Status, got, w.status, w.message)
	}
	if got := r.Info.Text("cause"); got != w.cause {
		t.Errorf("cause %q, want %q", got, w.cause)
	}
}

// effects are the steps that are one call whose answer is acknowledged or not.
var effects = []struct {
	step, action, call, body string
	done, failed             string
}{
	{"attempt_open", `{"open":{}}`, "POST /logs-1/_open", "", "Successfully opened index", "Failed to open index"},
	{"attempt_close", `{"close":{}}`, "POST /logs-1/_close", "", "Successfully closed index", "Failed to close index"},
	{
		"set_read_only", `{"read_only":{}}`, "PUT /logs-1/_settings", `{"index.blocks.write":true}`,
		"Successfully set index to read-only", "Failed to set index to read-only",
	},
	{
		"attempt_set_read_only", `{"force_merge":{"max_num_segments":1}}`, "PUT /logs-1/_settings", `{"index.blocks.write":true}`,
		"Successfully set index to read-only", "Failed to set index to read-only",
	},
	{
		"set_read_write", `{"read_write":{}}`, "PUT /logs-1/_settings", `{"index.blocks.write":false}`,
		"Successfully set index to read-write", "Failed to set index to read-write",
	},
	{
		"attempt_set_replica_count", `{"replica_count":{"number_of_replicas":2}}`, "PUT /logs-1/_settings",
		`{"index.number_of_replicas":2}`, "Successfully set number_of_replicas to 2", "Failed to set number_of_replicas to 2",
	},
	{
		"attempt_set_index_priority", `{"index_priority":{"priority":50}}`, "PUT /logs-1/_settings",
		`{"index.priority":50}`, "Successfully set index priority to 50", "Failed to set index priority to 50",
	},
	{
		"attempt_allocation", `{"allocation":{"require":{"box":"warm"},"wait_for":true}}`, "PUT /logs-1/_settings",
		`{"index.routing.allocation.require.box":"warm"}`, "Successfully updated allocation setting", "Failed to update allocation setting",
	},
	{
		"attempt_alias", `{"alias":{"actions":[{"add":{"aliases":["all"]}}]}}`, "POST /_aliases",
		`{"actions":[{"add":{"index":"logs-1","aliases":["all"]}}]}`, "Successfully updated alias", "Failed to update alias",
	},
}

func TestStepsOfOneCallReportWhatTheClusterSays(t *testing.T) {
	for _, e := range effects {
		cases := []struct {
			name   string
			answer answer
			want   want
		}{
			{"acknowledged", acknowledged, want{"completed", e.done + " [index=logs-1]", ""}},
			{"not acknowledged", shrugged, want{"failed", e.failed + " [index=logs-1]", ""}},
			{"refused", denied, want{"failed", e.failed + " [index=logs-1]", "no"}},
			{"unanswered", unanswered, want{}},
			{"overloaded", overloaded, want{}},
		}
		for _, c := range cases {
			t.Run(e.step+" "+c.name, func(t *testing.T) {
				s := &script{answers: map[string][]answer{e.call: {c.answer}}}
				r, err := action.Lookup(e.step).Run(t.Context(), env(t, s, e.action))
				if e.step == "attempt_alias" && c.want.status == "failed" {
					c.want.message += ` for actions: [actions=[AliasActions[type=ADD,indices=[logs-1],aliases=[all],` +
						`filter=null,routing=null,indexRouting=null,searchRouting=null,writeIndex=null]]]`
				}
				check(t, r, err, c.want)
				if s.bodies[0] != e.body {
					t.Errorf("sent %s, want %s", s.bodies[0], e.body)
				}
			})
		}
	}
}

const (
	found    = `{"logs-1":{"aliases":{"logs":{"is_write_index":true},"all":{"filter":{"term":{"a":1}}}},"settings":{"index.uuid":"u1","index.provided_name":"logs-1"}}}`
	replaced = `{"logs-1":{"aliases":{},"settings":{"index.uuid":"u2"}}}`
	nothing  = `{}`
)

func TestDelete(t *testing.T) {
	const done, failed = "Successfully deleted index [index=logs-1]", "Failed to delete index [index=logs-1]"
	cases := []struct {
		name    string
		look    answer
		remove  answer
		want    want
		deletes bool
	}{
		{"an index that is there", ok(found), acknowledged, want{"completed", done, ""}, true},
		{"an index that is gone is done", ok(nothing), denied, want{"completed", done, ""}, false},
		{"an index that took its name is left alone", ok(replaced), denied, want{"completed", done, ""}, false},
		{"an index that goes between look and call", ok(found), absent, want{"completed", done, ""}, true},
		{
			"during a snapshot it waits", ok(found), snapshotting,
			want{"condition_not_met", "Index had snapshot in progress, retrying deletion [index=logs-1]", ""},
			true,
		},
		{"refused", ok(found), denied, want{"failed", failed, "no"}, true},
		{"unanswered", ok(found), unanswered, want{}, true},
		{"unanswered while looking", unanswered, denied, want{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{"GET /logs-1": {c.look}, "DELETE /logs-1": {c.remove}}}
			r, err := action.Lookup("attempt_delete").Run(t.Context(), env(t, s, `{"delete":{}}`))
			check(t, r, err, c.want)
			if got := len(s.calls) == 1; got != c.deletes {
				t.Errorf("calls %v", s.calls)
			}
		})
	}
}

func TestClosingWaitsForASnapshot(t *testing.T) {
	s := &script{answers: map[string][]answer{"POST /logs-1/_close": {snapshotting}}}
	r, err := action.Lookup("attempt_close").Run(t.Context(), env(t, s, `{"close":{}}`))
	check(t, r, err, want{"condition_not_met", "Index had snapshot in progress, retrying closing [index=logs-1]", ""})
}

func TestEveryStepOfEveryActionCanBeRun(t *testing.T) {
	for _, typ := range ism.ActionTypes {
		for _, step := range ism.Steps(typ) {
			if action.Lookup(step.Name).Run == nil {
				t.Errorf("%s has no step %s", typ, step.Name)
			}
		}
	}
}
