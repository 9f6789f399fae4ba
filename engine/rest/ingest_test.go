// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine"
)

func TestPipelinesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, engine.Options{Dir: dir})
	s.do("PUT", "/_ingest/pipeline/p", `{"processors":[{"set":{"field":"at","value":"{{_ingest.timestamp}}"}}]}`)
	s.do("PUT", "/_search/pipeline/s", `{"response_processors":[{"truncate_hits":{"target_size":0}}]}`)
	s.do("PUT", "/i", `{"settings":{"default_pipeline":"p","index.search.default_pipeline":"s"}}`)
	s.stop()
	s = open(t, engine.Options{Dir: dir})
	defer s.stop()
	s.do("PUT", "/i/_doc/1?refresh=true", `{}`)
	if got := s.text("/i/_source/1"); got != `{"at":"2026-03-01T12:00:00Z"}` {
		t.Error(got)
	}
	if got := s.found("/i/_search", `{}`); got != "" {
		t.Errorf("the search pipeline did not run: %s", got)
	}
}

func TestBulkItemsGoThroughTheirPipelinesAndKeepTheirPlaces(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/_ingest/pipeline/p", `{"processors":[{"drop":{"if":"ctx.n == 3"}},{"fail":{"if":"ctx.n == 5","message":"five"}},{"set":{"field":"_id","value":"id{{n}}"}}]}`)
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "{\"index\":{}}\n{\"n\":%d}\n", i)
	}
	w := s.call("POST", "/i/_bulk?pipeline=p&refresh=true&filter_path=items.*._id,items.*.result,items.*.error.reason", b.String())
	items := strings.Split(w.Body.String(), `{"index":`)[1:]
	if len(items) != 40 {
		t.Fatal(w.Body)
	}
	for i, got := range items {
		want := fmt.Sprintf(`"_id":"id%d"`, i)
		switch i {
		case 3:
			want = `"result":"noop"`
		case 5:
			want = `"reason":"five"`
		}
		if !strings.Contains(got, want) {
			t.Errorf("item %d is %s, want %s", i, got, want)
		}
	}
	if got := s.at("/i/_count", "count"); got != 38.0 {
		t.Errorf("%v documents", got)
	}
}

func TestWhatCannotBeStoredIsRefusedByName(t *testing.T) {
	s := start(t, engine.Options{})
	for _, processor := range []string{"script", "grok", "csv", "geoip"} {
		w := s.call("PUT", "/_ingest/pipeline/p", `{"processors":[{"`+processor+`":{"field":"a"}}]}`)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "the processor ["+processor+"] is not supported by the embedded engine") {
			t.Errorf("%s: %d %s", processor, w.Code, w.Body)
		}
	}
	if w := s.call("GET", "/_ingest/pipeline", ""); w.Code != 404 {
		t.Errorf("a pipeline that was refused is there: %s", w.Body)
	}
}

func TestTheNodeTellsOfItsPipelines(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/_ingest/pipeline/p", `{"processors":[{"set":{"field":"a","value":1}}]}`)
	s.do("PUT", "/i/_doc/1?pipeline=p", `{}`)
	if got := s.at("/_nodes/stats/ingest", "nodes.*.ingest.pipelines.p.count"); got != 1.0 {
		t.Errorf("%v documents through the pipeline", got)
	}
	if got := s.at("/_cluster/stats", "nodes.ingest.number_of_pipelines"); got != 1.0 {
		t.Errorf("%v pipelines", got)
	}
	for _, path := range []string{"/_nodes/ingest", "/_nodes/search_pipelines"} {
		if got := s.text(path); !strings.Contains(got, `{"type":"sort"}`) {
			t.Errorf("%s: %s", path, got)
		}
	}
}
