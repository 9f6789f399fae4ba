// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
)

// console calls the API of a world, with a reconciler behind it.
type console struct {
	*world
	api http.Handler
}

// open starts a reconciler and the API in front of it.
func (w *world) open() *console {
	client := opensearch.NewClient(w.transport)
	m := manager.New(manager.Options{Client: client, Registry: registry})
	w.t.Cleanup(w.runManager(m))
	return &console{w, ismapi.New(ismapi.Options{Client: client, Manager: m, Registry: registry, Version: "3.4.0"})}
}

// call returns the status and the body, in which PREFIX stands for the test's own name.
func (c *console) call(method, path, body string) (int, string) {
	c.t.Helper()
	r := httptest.NewRequest(method, "/_plugins/_ism"+strings.ReplaceAll(path, "PREFIX", c.prefix),
		bytes.NewBufferString(strings.ReplaceAll(body, "PREFIX", c.prefix)))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	c.api.ServeHTTP(rec, r)
	return rec.Code, strings.ReplaceAll(rec.Body.String(), c.prefix, "PREFIX")
}

func (c *console) want(method, path, body string, status int, answer string) {
	c.t.Helper()
	if s, got := c.call(method, path, body); s != status || answer != "" && got != answer {
		c.t.Errorf("%s %s: %d %s, want %d %s", method, path, s, got, status, answer)
	}
}

// explained waits until explain says of the first index what ok wants.
func (c *console) explained(what string, ok func(e map[string]any) bool) {
	c.t.Helper()
	c.wait(what, func() bool {
		_, body := c.call("GET", "/explain/PREFIX-000001", "")
		var answer map[string]json.RawMessage
		c.do(json.Unmarshal([]byte(body), &answer))
		var e map[string]any
		c.do(json.Unmarshal(answer["PREFIX-000001"], &e))
		return ok(e)
	})
}

const one, failure = `{"updated_indices":1,"failures":false,"failed_indices":[]}`, `{"updated_indices":0,"failures":true,"failed_indices":`

func TestASessionWithTheAPI(t *testing.T) {
	c := newWorld(t, backend(t), `{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`).open()
	const broken = `{"policy":{"description":"","default_state":"hot","states":[
		{"name":"hot","actions":[{"retry":{"count":0},"rollover":{}}],"transitions":[]},
		{"name":"done","actions":[{"index_priority":{"priority":4}}],"transitions":[]}]}}`
	t.Cleanup(func() { c.call("DELETE", "/policies/PREFIX-broken", "") })
	c.do(c.putSettings(c.first(), map[string]any{"index.plugins.index_state_management.rollover_alias": "elsewhere"}))
	c.want("PUT", "/policies/PREFIX-broken", broken, 201, "")
	c.want("PUT", "/policies/PREFIX-broken", broken, 409, "")
	c.want("POST", "/add/PREFIX-000001", `{"policy_id":"PREFIX-broken"}`, 200, one)
	if s, body := c.call("POST", "/add/PREFIX-*", `{"policy_id":"PREFIX-broken"}`); s != 200 || !strings.Contains(body, "This index already has a policy") {
		t.Errorf("a second add: %d %s", s, body)
	}
	c.explained("the rollover to fail", func(e map[string]any) bool {
		a, _ := e["action"].(map[string]any)
		return a["failed"] == true && e["enabled"] == true
	})
	c.want("POST", "/retry/PREFIX-000001", `{"state":"done"}`, 200, one)
	c.explained("the other state to end", func(e map[string]any) bool { return e["policy_completed"] == true && e["enabled"] == false })
	if s, body := c.call("POST", "/retry/PREFIX-000001", ""); s != 200 || !strings.HasPrefix(body, failure) ||
		!strings.Contains(body, "This index is not in failed state.") {
		t.Errorf("a second retry: %d %s", s, body)
	}
	c.want("POST", "/remove/PREFIX-000001", "", 200, one)
	c.want("GET", "/explain/PREFIX-000001", "", 200, `{"PREFIX-000001":{"index.plugins.index_state_management.policy_id":null,`+
		`"index.opendistro.index_state_management.policy_id":null,"enabled":null},"total_managed_indices":0}`)
	c.want("POST", "/remove/PREFIX-nowhere", "", 404, "")
}

func TestAPolicyChangeIsAppliedWhereItMayBe(t *testing.T) {
	c := newWorld(t, backend(t), waits).open()
	t.Cleanup(func() { c.call("DELETE", "/policies/PREFIX-next", "") })
	c.want("PUT", "/policies/PREFIX-next", `{"policy":{"description":"","default_state":"hot","states":[
		{"name":"hot","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[]}]}}`, 201, "")
	c.explained("the old policy to wait", func(e map[string]any) bool {
		step, _ := e["step"].(map[string]any)
		return step["step_status"] == "condition_not_met"
	})
	c.want("POST", "/change_policy/PREFIX-000001", `{"policy_id":"PREFIX-next","include":[{"state":"cold"}]}`, 200,
		`{"updated_indices":0,"failures":false,"failed_indices":[]}`)
	c.want("POST", "/change_policy/PREFIX-000001", `{"policy_id":"PREFIX-next"}`, 200, one)
	c.explained("the new policy to end", func(e map[string]any) bool {
		return e["policy_id"] == "PREFIX-next" && e["policy_completed"] == true
	})
	c.wait("the rollover", func() bool { return len(c.indices()) == 2 })
}

func TestExplainShowsTheConditionsAsTheyAreNow(t *testing.T) {
	c := newWorld(t, backend(t), waits).open()
	current := func(n float64) func(map[string]any) bool {
		return func(e map[string]any) bool {
			info, _ := e["info"].(map[string]any)
			conditions, _ := info["conditions"].(map[string]any)
			docs, _ := conditions["min_doc_count"].(map[string]any)
			return docs["current"] == n
		}
	}
	c.explained("one document", current(1))
	version := c.metadataVersion(c.uuid)
	c.index("2")
	c.explained("two documents", current(2))
	if got := c.metadataVersion(c.uuid); got != version {
		t.Errorf("waiting wrote the metadata: version %d, was %d", got, version)
	}
}

// overtaken calls fn before the first bulk request goes on.
type overtaken struct {
	next http.RoundTripper
	once sync.Once
	fn   func()
}

// RoundTrip is part of http.RoundTripper.
func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/_bulk" {
		o.once.Do(o.fn)
	}
	return o.next.RoundTrip(r)
}

func TestOfTwoWhoAddAPolicyAtOnceTheSecondTakesNothingFromTheFirst(t *testing.T) {
	w := newWorld(t, backend(t), strings.Replace(waits, `"index_patterns":["PREFIX-*"]`, `"index_patterns":["nothing"]`, 1))
	m := manager.New(manager.Options{Client: w.client, Registry: registry})
	over := func(rt http.RoundTripper) *console {
		return &console{w, ismapi.New(ismapi.Options{Client: opensearch.NewClient(rt), Manager: m, Registry: registry, Version: "3.4.0"})}
	}
	_, err := w.client.Write(t.Context(), opensearch.Write{ // an earlier policy's
		Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: w.uuid + "#metadata", Routing: w.uuid,
		Source: &ism.Metadata{Index: w.first(), UUID: w.uuid, PolicyID: "earlier"},
	}, "")
	w.do(err)
	add := func(c *console) (answer string) {
		_, answer = c.call("POST", "/add/PREFIX-000001", `{"policy_id":"PREFIX"}`)
		return answer
	}
	second := over(&overtaken{next: w.transport, fn: func() {
		if answer := add(over(w.transport)); !strings.Contains(answer, `"updated_indices":1`) {
			t.Error(answer)
		}
		w.sweep(m)
	}})
	if answer := add(second); !strings.Contains(answer, `"updated_indices":0`) {
		t.Error(answer)
	}
	if meta := w.metadata(w.uuid); meta == nil || meta.State == nil {
		t.Errorf("what the first one began is gone: %s", w.text(meta))
	}
}
