// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

func TestHealthWaitsForTheStatusAskedFor(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/logs", `{"settings":{"number_of_replicas":1}}`)
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- s.call("GET", "/_cluster/health/logs?wait_for_status=green&timeout=30s", "") }()
	s.do("PUT", "/logs/_settings", `{"index":{"number_of_replicas":0}}`)
	if w := <-answer; w.Code != 200 || !strings.Contains(w.Body.String(), `"status":"green","timed_out":false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHealthWaitsForAnIndexThatIsMissing(t *testing.T) {
	s := start(t, engine.Options{})
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- s.call("GET", "/_cluster/health/logs?timeout=30s", "") }()
	s.do("PUT", "/logs", `{"settings":{"number_of_replicas":0}}`)
	if w := <-answer; w.Code != 200 || !strings.Contains(w.Body.String(), `"status":"green","timed_out":false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHealthThatIsNotReachedInTimeIsA408(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/logs", `{"settings":{"number_of_replicas":1}}`)
	for name, query := range map[string]string{
		"a status":                 "wait_for_status=green",
		"copies of every shard":    "wait_for_active_shards=all",
		"more copies":              "wait_for_active_shards=2",
		"more nodes":               "wait_for_nodes=2",
		"more nodes, compared":     "wait_for_nodes=%3E1",
		"more nodes, by a name":    "wait_for_nodes=gt(1)",
		"fewer nodes, by a name":   "wait_for_nodes=lt(1)",
		"at least so many nodes":   "wait_for_nodes=%3E=2",
		"fewer nodes than the one": "wait_for_nodes=%3C1",
	} {
		t.Run(name, func(t *testing.T) {
			w := s.call("GET", "/_cluster/health?timeout=1ms&"+query, "")
			if w.Code != 408 || !strings.Contains(w.Body.String(), `"status":"yellow","timed_out":true`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for name, query := range map[string]string{
		"a status":              "wait_for_status=yellow",
		"a better status":       "wait_for_status=red",
		"active shards":         "wait_for_active_shards=1",
		"the one node":          "wait_for_nodes=1",
		"nodes by a name":       "wait_for_nodes=ge(1)",
		"at most so many nodes": "wait_for_nodes=le(3)",
		"changes under way":     "wait_for_events=languid&wait_for_no_relocating_shards&wait_for_no_initializing_shards=true",
	} {
		t.Run(name+" is there already", func(t *testing.T) {
			if w := s.call("GET", "/_cluster/health?timeout=30s&"+query, ""); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
