// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test"
)

// flowCall is one recorded request to the Flow Framework plugin, or what was waited for between two.
type flowCall struct {
	call
	// As names the workflow that the request made: {w1} in later paths is its id.
	As string
	// Wait is the workflow of which one of States was waited for.
	Wait   string
	States []string
	Sleep  int `json:"sleep_ms"`
}

// TestTheRecordedAnswersOfWorkflowsAreGivenAgain replays the calls to the Flow Framework plugin. Time moves only where
// the recording waited or slept.
func TestTheRecordedAnswersOfWorkflowsAreGivenAgain(t *testing.T) {
	if test.OnCluster() {
		t.Skip("the calls want a cluster without any index, which a shared one is not")
	}
	now := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r := &flowReplay{t: t, p: test.Program(t, test.Virtual(now)), now: now, ids: map[string]string{}}
	listed := differences(t, "testdata/flow-differences.txt")
	for _, line := range lines(t, "testdata/flow-calls.jsonl") {
		var c flowCall
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		got, made := r.next(c)
		want, kept := recording(t, c.Name)
		if !made || !kept {
			continue
		}
		want.Response, got.Response = unordered(want.Response), unordered(got.Response)
		t.Run(c.Name, func(t *testing.T) { judge(t, c.call, want, got, listed[c.Name]) })
		delete(listed, c.Name)
	}
	for name := range listed {
		t.Errorf("%s is listed as different, and there is no such recording", name)
	}
}

// resourceList is a list of resources in a text.
var resourceList = regexp.MustCompile(`(deprovision|resources): \[([^]]*)\]`)

// unordered puts resources in an order of their own: they stand in the order in which they came to be, which is any
// order where nothing depends on anything.
func unordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			list, ok := member.([]any)
			if ok && name == "resources_created" {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(text(a), text(b)) })
			}
			v[name] = unordered(member)
		}
	case []any:
		for i := range v {
			v[i] = unordered(v[i])
		}
	case string:
		return resourceList.ReplaceAllStringFunc(v, func(found string) string {
			m := resourceList.FindStringSubmatch(found)
			names := strings.Split(m[2], ", ")
			slices.Sort(names)
			return m[1] + ": [" + strings.Join(names, ", ") + "]"
		})
	}
	return v
}

// flowReplay replays calls.
type flowReplay struct {
	t   *testing.T
	p   *test.Running
	now *clock.Virtual
	ids map[string]string // of workflows, by what the recording calls them
}

// next makes a call, or waits as the recording did.
func (r *flowReplay) next(c flowCall) (a answer, made bool) {
	switch {
	case c.Sleep > 0:
		r.advance(time.Duration(c.Sleep) * time.Millisecond)
		return a, false
	case c.Wait != "":
		r.wait(r.named(c.Wait), c.States)
		return a, false
	}
	a = send(r.t, r.p.URL()+r.named(c.Path), c.call)
	settle(r.t, r.now)
	if c.As != "" {
		r.ids[c.As] = "none"
		if body, ok := a.Response.(map[string]any); ok && body["workflow_id"] != nil {
			r.ids[c.As], _ = body["workflow_id"].(string)
		}
	}
	return a, true
}

func (r *flowReplay) named(text string) string {
	for name, id := range r.ids {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// wait lets time pass until a workflow is in one of some states, for at most a minute.
func (r *flowReplay) wait(id string, states []string) {
	for range 60 {
		var st struct{ State string }
		status, body := r.p.Call(http.MethodGet, "/_plugins/_flow_framework/workflow/"+id+"/_status", nil)
		if status != http.StatusOK || json.Unmarshal(body, &st) == nil && slices.Contains(states, st.State) {
			return
		}
		r.advance(time.Second)
	}
}

func (r *flowReplay) advance(d time.Duration) {
	r.t.Helper()
	if err := r.now.Advance(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
}
