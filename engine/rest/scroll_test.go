// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/engine"
)

// page is what a client reads of an answer to a scroll.
type page struct {
	ID   string `json:"_scroll_id"`
	Hits struct {
		Total struct{ Value int }
		Hits  []struct {
			ID     string          `json:"_id"`
			Source struct{ N int } `json:"_source"`
			Sort   []int
		}
	}
}

func (p page) ids() (list []string) {
	for _, h := range p.Hits.Hits {
		list = append(list, h.ID)
	}
	return list
}

func (s server) page(method, path, body string) (p page) {
	s.t.Helper()
	w := s.call(method, path, body)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s server) next(p page) page {
	s.t.Helper()
	return s.page("POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+p.ID+`"}`)
}

// numbered is an engine whose index s has documents 1 to n, each with its number.
func numbered(t *testing.T, n int) server {
	t.Helper()
	s := start(t, engine.Options{})
	s.do("PUT", "/s", `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `{"index":{"_id":"%d"}}`+"\n"+`{"n":%d}`+"\n", i, i)
	}
	s.do("POST", "/s/_bulk?refresh=true", b.String())
	return s
}

func TestAScrollReadsEachDocumentOnceAndThenNone(t *testing.T) {
	s := numbered(t, 7)
	for _, sort := range []string{`[{"n":"desc"}]`, `["_doc"]`, `["_score"]`} {
		p := s.page("POST", "/s/_search?scroll=1m&size=3", `{"sort":`+sort+`}`)
		var sizes []int
		var seen []string
		for ; len(p.Hits.Hits) > 0; p = s.next(p) {
			sizes, seen = append(sizes, len(p.Hits.Hits)), append(seen, p.ids()...)
			if p.Hits.Total.Value != 7 {
				t.Errorf("%s: the total of a page is %d", sort, p.Hits.Total.Value)
			}
		}
		if !slices.Equal(sizes, []int{3, 3, 1}) {
			t.Errorf("%s: pages of %v", sort, sizes)
		}
		if sort == `[{"n":"desc"}]` && !slices.Equal(seen, []string{"7", "6", "5", "4", "3", "2", "1"}) {
			t.Errorf("in the order %v", seen)
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != 7 {
			t.Errorf("%s: it read %v", sort, seen)
		}
	}
}

func TestSlicesOfAScrollAreItsPartsAndTogetherAllOfIt(t *testing.T) {
	s := numbered(t, 40)
	var seen []string
	for id := range 3 {
		p := s.page("POST", "/s/_search?scroll=1m&size=4", fmt.Sprintf(`{"slice":{"id":%d,"max":3}}`, id))
		total, found := p.Hits.Total.Value, 0
		for ; len(p.Hits.Hits) > 0; p = s.next(p) {
			found, seen = found+len(p.Hits.Hits), append(seen, p.ids()...)
		}
		if found != total || found == 0 || found == 40 {
			t.Errorf("slice %d has %d documents, and says %d", id, found, total)
		}
	}
	slices.Sort(seen)
	if len(seen) != 40 || len(slices.Compact(seen)) != 40 {
		t.Errorf("they have %v", seen)
	}
}

func TestAScrollFindsWhatWasThereWhenItBegan(t *testing.T) {
	s := numbered(t, 6)
	first := s.page("POST", "/s/_search?scroll=1m&size=2", `{"sort":["n"]}`)
	s.do("PUT", "/s/_doc/new?refresh=true", `{"n":4}`)
	s.do("PUT", "/s/_doc/6?refresh=true", `{"n":-6}`)
	s.do("DELETE", "/s/_doc/3?refresh=true", "")
	s.do("DELETE", "/s/_doc/4?refresh=true", "")
	second := s.next(first)
	if got := second.ids(); !slices.Equal(got, []string{"5", "6"}) {
		t.Errorf("the second page is %v", got)
	}
	if h := second.Hits.Hits[1]; h.Source.N != -6 || h.Sort[0] != 6 {
		t.Errorf("a document that was changed: %+v", h)
	}
	if got := s.next(second).ids(); got != nil {
		t.Errorf("the third page is %v", got)
	}
}

func TestAScrollGoesOnThroughPathAndQueryToo(t *testing.T) {
	s := numbered(t, 4)
	p := s.page("GET", "/s/_search?scroll=1m&size=1&sort=n", "")
	p = s.page("GET", "/_search/scroll/"+p.ID+"?scroll=1m", "")
	p = s.page("GET", "/_search/scroll?scroll_id="+p.ID, "")
	if got := s.page("POST", "/_search/scroll", `{"scroll_id":["`+p.ID+`"]}`).ids(); !slices.Equal(got, []string{"4"}) {
		t.Errorf("the fourth page is %v", got)
	}
}

func TestAScrollIsForgottenWhenItIsClearedOrItsTimeIsOverOrItsIndexIsGone(t *testing.T) {
	s := numbered(t, 3)
	for _, c := range []struct {
		name, keep string
		end        func(p page)
	}{
		{"cleared", "1m", func(p page) {
			if w := s.call("DELETE", "/_search/scroll", `{"scroll_id":"`+p.ID+`"}`); w.Code != 200 || w.Body.String() != `{"succeeded":true,"num_freed":2}` {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w := s.call("DELETE", "/_search/scroll/"+p.ID, ""); w.Code != 404 || w.Body.String() != `{"succeeded":false,"num_freed":0}` {
				t.Errorf("again: %d %s", w.Code, w.Body)
			}
		}},
		{"cleared with all others", "1m", func(page) { s.do("DELETE", "/_search/scroll/_all", "") }},
		{"late", "1ms", func(page) {}},
		{"without its index", "1m", func(page) { s.do("DELETE", "/s", "") }},
	} {
		p := s.page("POST", "/s/_search?size=1&scroll="+c.keep, "")
		c.end(p)
		w := s.call("POST", "/_search/scroll", `{"scroll_id":"`+p.ID+`"}`)
		for deadline := time.Now().Add(10 * time.Second); w.Code == 200 && time.Now().Before(deadline); {
			w = s.call("POST", "/_search/scroll", `{"scroll_id":"`+p.ID+`"}`)
		}
		if w.Code != 404 || !strings.Contains(w.Body.String(), `"reason":"all shards failed","phase":"query","grouped":true,"failed_shards":[{"shard":-1,"index":null,"reason":{"type":"search_context_missing_exception"`) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestScrollsAreBoundedBySettings(t *testing.T) {
	s := numbered(t, 3)
	s.do("PUT", "/_cluster/settings", `{"transient":{"search.max_open_scroll_context":3,"search.max_keep_alive":"2h"}}`)
	s.do("PUT", "/s/_settings", `{"index.max_result_window":2}`)
	for _, c := range []struct {
		name, path string
		status     int
		text       string
	}{
		{"too long", "/s/_search?scroll=3h&size=1", 400, "Keep alive for request (3h) is too large. It must be less than (2h)."},
		{"too large", "/s/_search?scroll=1m&size=3", 400, "Batch size is too large, size must be less than or equal to: [2] but was [3]."},
		{"too large without a scroll", "/s/_search?size=3", 400, "Result window is too large, from + size must be less than or equal to: [2] but was [3]."},
		{"the first", "/s/_search?scroll=1m&size=1", 200, ""},
		{"the second, with shards three and four", "/s/_search?scroll=1m&size=1", 200, ""},
		{"one too many", "/s/_search?scroll=1m&size=1", 429, "Trying to create too many scroll contexts. Must be less than or equal to: [3]."},
	} {
		if w := s.call("POST", c.path, ""); w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}
