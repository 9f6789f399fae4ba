// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/engine"
)

// fill writes n documents into the index a.
func (s server) fill(n int) {
	s.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i)
	}
	s.do("POST", "/a/_bulk?refresh=true", b.String())
}

// begin starts a job that nobody waits for, and returns its task's id.
func (s server) begin(path, body string) string {
	s.t.Helper()
	w := s.call("POST", path+"wait_for_completion=false", body, "X-Opaque-Id", "me")
	var answer struct{ Task string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Task == "" {
		s.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return answer.Task
}

// result waits for a task to end.
func (s server) result(task string) (r struct {
	Completed bool
	Task      struct {
		Action    string
		Cancelled bool
		Headers   map[string]string
	}
	Response struct {
		Total, Created, Updated, Batches int
		Canceled                         string
		Shards                           struct{ Successful int } `json:"_shards"`
	}
	Error struct{ Type string }
},
) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.text("/_tasks/"+task+"?wait_for_completion=true")), &r); err != nil || !r.Completed {
		s.t.Fatal(r, err)
	}
	return r
}

func TestAReindexThatNobodyWaitsForKeepsItsResult(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(25)
	r := s.result(s.begin("/_reindex?", `{"source":{"index":"a","size":10},"dest":{"index":"b"}}`))
	if r.Response.Created != 25 || r.Response.Batches != 3 || r.Task.Action != "indices:data/write/reindex" || r.Task.Headers["X-Opaque-Id"] != "me" {
		t.Errorf("%+v", r)
	}
	if got := s.at("/.tasks", "*.mappings._meta.version"); got != 5.0 {
		t.Errorf("version %v of the index of results", got)
	}
}

func TestAJobInSlicesCopiesEachDocumentOnce(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/a", `{"settings":{"number_of_shards":3}}`)
	s.fill(100)
	for slices, want := range map[string]int{"auto": 3, "1": 0, "7": 7} {
		w := s.call("POST", "/_reindex?slices="+slices, `{"source":{"index":"a","size":10},"dest":{"index":"to`+slices+`"}}`)
		var answer struct {
			Total, Created int
			Slices         []struct{ Created int }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		created := 0
		for _, one := range answer.Slices {
			created += one.Created
		}
		if len(answer.Slices) != want || answer.Created != 100 || want > 0 && created != 100 {
			t.Errorf("slices=%s: %s", slices, w.Body)
		}
	}
}

func TestAJobThatIsCancelledStopsAndSaysSo(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(50)
	task := s.begin("/a/_update_by_query?requests_per_second=1&scroll_size=10&", "")
	for done := false; !done; {
		var status struct {
			Task struct{ Status struct{ Batches int } }
		}
		if err := json.Unmarshal([]byte(s.text("/_tasks/"+task)), &status); err != nil {
			t.Fatal(err)
		}
		done = status.Task.Status.Batches > 0
	}
	if w := s.call("POST", "/_tasks/"+task+"/_cancel", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"cancelled":true`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r := s.result(task)
	if r.Response.Canceled != "by user request" || !r.Task.Cancelled || r.Response.Total != 50 || r.Response.Updated >= 50 {
		t.Errorf("%+v", r)
	}
	if w := s.call("POST", "/_tasks/"+task+"/_cancel", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"caused_by":{"type":"resource_not_found_exception","reason":"task [`+task+`] is not found"}}],"nodes":{}}`) {
		t.Errorf("a task that has ended: %d %s", w.Code, w.Body)
	}
}

func TestAVirtualClockStandsStillWhileAJobRuns(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(2)
	task := s.begin("/_reindex?requests_per_second=1&", `{"source":{"index":"a","size":1},"dest":{"index":"b"}}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.clock.Settle(ctx); err == nil {
		t.Error("nobody holds the clock")
	}
	s.do("POST", "/_tasks/"+task+"/_cancel", "")
	if err := s.clock.Settle(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnEngineThatClosesStopsItsJobs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, engine.Options{Dir: dir})
	s.fill(20)
	task := s.begin("/_reindex?requests_per_second=1&", `{"source":{"index":"a","size":1},"dest":{"index":"b"}}`)
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("closing took %s", took)
	}
	s = open(t, engine.Options{Dir: dir})
	defer s.stop()
	if w := s.call("GET", "/_tasks/"+task, ""); w.Code != http.StatusNotFound {
		t.Errorf("the task is not lost with its node: %d %s", w.Code, w.Body)
	}
}

func TestAForceMergeThatNobodyWaitsForKeepsItsResult(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(5)
	if r := s.result(s.begin("/a/_forcemerge?max_num_segments=1&", "")); r.Task.Action != "indices:admin/forcemerge" || r.Response.Shards.Successful != 1 {
		t.Errorf("%+v", r)
	}
	if r := s.result(s.begin("/nothere/_forcemerge?", "")); r.Error.Type != "index_not_found_exception" {
		t.Errorf("%+v", r)
	}
}

func TestRefusalsOfJobs(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(1)
	for _, c := range []struct{ name, path, body, want string }{
		{"remote", "/_reindex", `{"source":{"remote":{"host":"http://x:9200"},"index":"a"},"dest":{"index":"b"}}`, "[remote] of a reindex"},
		{"script", "/_reindex", `{"source":{"index":"a"},"dest":{"index":"b"},"script":{"source":"x"}}`, "[script] of a reindex"},
		{"a slice", "/_reindex", `{"source":{"index":"a","slice":{"id":0,"max":2}},"dest":{"index":"b"}}`, "[slice] of a reindex"},
		{"script of an update", "/a/_update_by_query", `{"script":{"source":"x"}}`, "[script] of a job by query"},
		{"through an alias to itself", "/_reindex", `{"source":{"index":"a"},"dest":{"index":"al"}}`, "reindex cannot write into an index its reading from [a]"},
	} {
		s.do("POST", "/_aliases", `{"actions":[{"add":{"index":"a","alias":"al"}}]}`)
		t.Run(c.name, func(t *testing.T) {
			if w := s.call("POST", c.path, c.body); w.Code != 400 || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s, want %s", w.Code, w.Body, c.want)
			}
		})
	}
}
