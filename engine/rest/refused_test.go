// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

func TestAPIsThatAreNotHereAreRefusedByName(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/a", "")
	for _, c := range [][3]string{
		{"POST", "/a/_search/point_in_time?keep_alive=1m", "the API [POST /{index}/_search/point_in_time]"},
		{"DELETE", "/_search/point_in_time/_all", "the API [DELETE /_search/point_in_time/_all]"},
		{"PUT", "/_scripts/s", "the API [PUT /_scripts/{id}]"},
		{"GET", "/_render/template", "the API [GET /_render/template]"},
		{"POST", "/_msearch/template", "the API [POST /_msearch/template]"},
		{"GET", "/a/_explain/1?q=x", "the API [GET /{index}/_explain/{id}]"},
		{"GET", "/a/_rank_eval", "the API [GET /{index}/_rank_eval]"},
		{"POST", "/_cluster/voting_config_exclusions?node_names=n", "the API [POST /_cluster/voting_config_exclusions]"},
	} {
		w := s.call(c[0], c[1], "")
		if w.Code != 400 || !strings.Contains(w.Body.String(), `"type":"illegal_argument_exception","reason":"`+c[2]+` is not supported by the embedded engine"`) {
			t.Errorf("%s %s: %d %s", c[0], c[1], w.Code, w.Body)
		}
	}
}

func TestAPathWithoutAnIndexChangesNothing(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/a", "")
	for _, c := range [][3]string{
		{"POST", "//_close", "index is missing"},
		{"POST", "//_delete_by_query", "use _all if you really want to delete from all existing indexes"},
		{"DELETE", "//_alias/x", "[indices] can't be empty"},
		{"PUT", "/a//_doc/1", "no handler found for uri [/a//_doc/1] and method [PUT]"},
	} {
		w := s.call(c[0], c[1], `{"query":{"match_all":{}}}`)
		if w.Code != 400 || !strings.Contains(w.Body.String(), c[2]) {
			t.Errorf("%s %s: %d %s, want %s", c[0], c[1], w.Code, w.Body, c[2])
		}
	}
}
