// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

func TestAJobGoesOnAsSoonAsItsRateAllows(t *testing.T) {
	s := start(t, engine.Options{})
	s.fill(50)
	task := s.begin("/a/_update_by_query?requests_per_second=0.25&scroll_size=10&slices=2&", "")
	for !strings.Contains(s.text("/_tasks/"+task), `"batches":1`) {
	}
	w := s.call("POST", "/_update_by_query/"+task+"/_rethrottle?requests_per_second=0.5", "")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, `"requests_per_second":0.5,`) || !strings.Contains(body, `"tasks":{"`+task+`":{`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if w := s.call("POST", "/_reindex/"+task+"/_rethrottle?requests_per_second=-1&group_by=none", ""); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"tasks":[{"node":`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if r := s.result(task); r.Response.Updated != 50 {
		t.Errorf("%+v", r)
	}
	for path, want := range map[string]string{
		"/_reindex/" + task + "/_rethrottle?requests_per_second=1":         `"caused_by":{"type":"resource_not_found_exception","reason":"task [` + task + `] is missing"}}],"nodes":{}}`,
		"/_reindex/elsewhere:1/_rethrottle?requests_per_second=1":          `"caused_by":{"type":"no_such_node_exception","reason":"No such node [elsewhere]","node_id":"elsewhere"}}],"nodes":{}}`,
		"/_reindex/" + task + "/_rethrottle":                               `"reason":"requests_per_second is a required parameter"`,
		"/_delete_by_query/" + task + "/_rethrottle?requests_per_second=0": "[requests_per_second] must be a float greater than 0. Use -1 to disable throttling.",
		"/_reindex/none/_rethrottle?requests_per_second=1":                 "malformed task id none",
	} {
		if w := s.call("POST", path, ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
