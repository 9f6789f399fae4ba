// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"testing"

	"github.com/opensteward/steward/engine"
)

// withRepository is an engine with a repository called r and an index a of three documents.
func withRepository(t *testing.T) server {
	s := start(t, engine.Options{Config: map[string]string{"path.repo": t.TempDir()}})
	s.do("PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"r"}}`)
	s.do("PUT", "/a", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"aliases":{"al":{}}}`)
	s.do("POST", "/a/_bulk?refresh=true", `{"index":{"_id":"1"}}
{"n":1}
{"index":{"_id":"2"}}
{"n":2}
{"index":{"_id":"3"}}
{"n":3}
`)
	return s
}

func TestARestoredIndexHasTheDocumentsOfItsSnapshot(t *testing.T) {
	s := withRepository(t)
	s.do("PUT", "/_snapshot/r/s1?wait_for_completion=true", `{"indices":"a"}`)
	s.do("DELETE", "/a/_doc/1?refresh=true", "")
	s.do("PUT", "/a/_doc/4?refresh=true", `{"n":4}`)
	s.do("POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"rename_pattern":"(.+)","rename_replacement":"re_$1"}`)
	if n := s.at("/re_a/_count", "count"); n != 3.0 {
		t.Errorf("%v documents, want 3", n)
	}
	if n := s.at("/re_a/_doc/2", "_source.n"); n != 2.0 {
		t.Errorf("document 2 has n %v", n)
	}
	if aliases := s.at("/re_a/_alias", "re_a.aliases"); !sameJSON(t, aliases, `{"al":{}}`) {
		t.Errorf("aliases %v", aliases)
	}
}

func sameJSON(t *testing.T, v any, want string) bool {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) == want
}
