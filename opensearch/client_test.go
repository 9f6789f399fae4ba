// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// answer is what a scripted cluster says to one request.
type answer struct {
	want   string // "METHOD path?query body"
	status int
	body   string
}

// scripted is a cluster that expects these requests in this order.
func scripted(t *testing.T, answers ...answer) http.RoundTripper {
	t.Helper()
	t.Cleanup(func() {
		for _, a := range answers {
			t.Errorf("never sent: %s", a.want)
		}
	})
	return opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
		if len(answers) == 0 {
			t.Errorf("unexpected request: %s", got)
			return
		}
		next := answers[0]
		answers = answers[1:]
		if diff := cmp.Diff(next.want, got); diff != "" {
			t.Error(diff)
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(next.status)
		_, _ = io.WriteString(w, next.body)
	}))
}

func TestPathEscapesEachSegment(t *testing.T) {
	cases := map[string][]string{
		"/a%2Fb/_doc/x%20y":                {"a/b", "_doc", "x y"},
		"/%3Clogs-%7Bnow%2Fd%7D-000002%3E": {"<logs-{now/d}-000002>"},
		"/i/_doc/1%2B1%25":                 {"i", "_doc", "1+1%"},
		"/_search":                         {"", "_search"},
		"/":                                nil,
	}
	for want, segments := range cases {
		if got := opensearch.Path(segments...); got != want {
			t.Errorf("Path(%q) = %s, want %s", segments, got, want)
		}
	}
}

func TestAFaultCarriesTheClustersWholeError(t *testing.T) {
	cases := []struct {
		name   string
		status int
		body   string
	}{
		{"root cause equal to the error", 404, `{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [x]","index":"x","resource.id":"x","index_uuid":"_na_"}],"type":"index_not_found_exception","reason":"no such index [x]","index":"x","resource.id":"x","index_uuid":"_na_"},"status":404}`},
		{"a cause behind it", 400, `{"error":{"root_cause":[{"type":"a","reason":"b"},{"type":"c","reason":"d","n":1}],"type":"e","reason":"f","phase":"query","grouped":true,"failed_shards":[{"shard":0}],"caused_by":{"type":"a","reason":"b","caused_by":{"type":"g","reason":"h"}}},"status":400}`},
		{"a plain text with status", 405, `{"error":"Incorrect HTTP method","status":405}`},
		{"a plain text alone", 400, `{"error":"no handler found"}`},
		{"no JSON", 502, `Bad Gateway`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := opensearch.NewClient(scripted(t, answer{"GET /x", c.status, c.body}))
			err := client.Do(t.Context(), opensearch.Call{Method: "GET", Path: "/x"}, nil)
			status, _, body := fault.Body(err)
			if diff := cmp.Diff(c.body, string(body)); diff != "" || status != c.status {
				t.Errorf("status %d, %s", status, diff)
			}
		})
	}
}

func TestFieldsOfAFaultCanBeCompared(t *testing.T) {
	client := opensearch.NewClient(scripted(t, answer{"GET /x", 404, `{"error":{"type":"t","reason":"r","index":"x","found":false},"status":404}`}))
	e := fault.Of(client.Do(t.Context(), opensearch.Call{Method: "GET", Path: "/x"}, nil))
	if e.Field("index") != "x" || e.Field("found") != false {
		t.Errorf("fields %v", e.Fields)
	}
}

type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestNoAnswerIsATransportException(t *testing.T) {
	cause := errors.New("connection refused")
	_, err := opensearch.NewClient(broken{cause}).Mark(t.Context())
	if !fault.Is(err, "transport_exception") || !fault.HasStatus(err, 503) || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestWritesAreConditionalAndRouted(t *testing.T) {
	v := opensearch.Version{SeqNo: 3, PrimaryTerm: 2}
	cases := []struct {
		name  string
		write opensearch.Write
		want  string
	}{
		{"index", opensearch.Write{Op: opensearch.OpIndex, Index: "i", ID: "a", Source: []byte(`{"x":1}`)}, `PUT /i/_doc/a {"x":1}`},
		{"index without id", opensearch.Write{Op: opensearch.OpIndex, Index: "i", Source: []byte(`{}`)}, `POST /i/_doc {}`},
		{"index if unchanged", opensearch.Write{Op: opensearch.OpIndex, Index: "i", ID: "a", If: v, Routing: "r", Source: []byte(`{}`)}, `PUT /i/_doc/a?if_primary_term=2&if_seq_no=3&routing=r {}`},
		{"create", opensearch.Write{Op: opensearch.OpCreate, Index: "i", ID: "a", Source: []byte(`{}`)}, `PUT /i/_create/a {}`},
		{"update", opensearch.Write{Op: opensearch.OpUpdate, Index: "i", ID: "a", Source: []byte(`{}`)}, `POST /i/_update/a {"doc":{}}`},
		{"delete", opensearch.Write{Op: opensearch.OpDelete, Index: "i", ID: "a", If: v}, `DELETE /i/_doc/a?if_primary_term=2&if_seq_no=3`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := opensearch.NewClient(scripted(t, answer{c.want, 200, `{"_id":"a","_version":2,"result":"updated","_seq_no":4,"_primary_term":2}`}))
			got, err := client.Write(t.Context(), c.write, "")
			if err != nil || got.Version != (opensearch.Version{SeqNo: 4, PrimaryTerm: 2}) || got.Number != 2 || got.Result != "updated" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestDeletingADocumentThatIsNotThereIsNoError(t *testing.T) {
	client := opensearch.NewClient(scripted(t, answer{"DELETE /i/_doc/a", 404, `{"_id":"a","result":"not_found"}`}))
	got, err := client.Write(t.Context(), opensearch.Write{Op: opensearch.OpDelete, Index: "i", ID: "a"}, "")
	if err != nil || got.Result != "not_found" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestABulkItemFailsAlone(t *testing.T) {
	client := opensearch.NewClient(scripted(t, answer{
		"POST /_bulk " + `{"create":{"_index":"i","_id":"a"}}` + "\n" + `{"x":1}` + "\n" + `{"delete":{"_index":"i","_id":"b","routing":"r"}}`,
		200, `{"items":[{"create":{"_id":"a","status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}},{"delete":{"_id":"b","result":"deleted","status":200,"_seq_no":0,"_primary_term":1}}]}`,
	}))
	got, err := client.Bulk(t.Context(), []opensearch.Write{
		{Op: opensearch.OpCreate, Index: "i", ID: "a", Source: map[string]any{"x": 1}},
		{Op: opensearch.OpDelete, Index: "i", ID: "b", Routing: "r"},
	})
	if err != nil || !fault.HasStatus(got[0].Err, 409) || got[1].Err != nil || got[1].Result != "deleted" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestScanReadsAllPagesAndEveryDocumentOnce(t *testing.T) {
	// 1,500 documents on two shards that number theirs alike.
	numbered := func(n int) opensearch.Document {
		return opensearch.Document{ID: string(rune('a'+n%2)) + strconv.Itoa(n/2), Version: opensearch.Version{SeqNo: int64(n / 2)}}
	}
	client := opensearch.NewClient(opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Size  int     `json:"size"`
			After []int64 `json:"search_after"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		hits := []opensearch.Document{}
		for n := 0; n < 1500 && len(hits) < body.Size; n++ {
			if d := numbered(n); body.After == nil || d.SeqNo > body.After[0] {
				hits = append(hits, d)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"hits": map[string]any{"hits": hits}})
	})))
	seen := map[string]int{}
	err := client.Scan(t.Context(), "i", nil, func(d opensearch.Document) error { seen[d.ID]++; return nil })
	if err != nil || len(seen) != 1500 {
		t.Fatalf("saw %d documents, %v", len(seen), err)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

func TestLongListsOfIndicesAreAskedForInParts(t *testing.T) {
	requests := 0
	client := opensearch.NewClient(opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if len(r.RequestURI) > 4096 {
			t.Errorf("a request line of %d bytes", len(r.RequestURI))
		}
		answer := map[string]any{}
		for name := range strings.SplitSeq(strings.Trim(r.URL.Path, "/"), ",") {
			answer[name] = map[string]any{"settings": map[string]any{"index.uuid": "u"}}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})))
	var names []string
	for i := range 300 {
		names = append(names, strings.Repeat("x", 40)+string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	got, err := client.Indices(t.Context(), names)
	if err != nil || len(got) != 300 || requests < 2 {
		t.Errorf("%d indices with %d requests, %v", len(got), requests, err)
	}
}

func TestNamesThatMeanSeveralIndicesAreRefused(t *testing.T) {
	client := opensearch.NewClient(scripted(t))
	for _, name := range []string{"", "*", "a,b", "logs-*", "_all"} {
		if _, err := client.DeleteIndex(t.Context(), name); err == nil {
			t.Errorf("%q was deleted", name)
		}
	}
}

func TestClusterSettingsAreFlatAndTransientWins(t *testing.T) {
	client := opensearch.NewClient(scripted(t, answer{
		"GET /_cluster/settings?flat_settings=true", 200,
		`{"persistent":{"a":"1","b":["x","y"]},"transient":{"a":"2"}}`,
	}))
	got, err := client.ClusterSettings(t.Context())
	if diff := cmp.Diff(map[string]string{"a": "2", "b": "x,y"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestACallInProcessEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	client := opensearch.NewClient(opensearch.InProcess(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	})))
	if _, err := client.Mark(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAPanicInProcessIsA500(t *testing.T) {
	client := opensearch.NewClient(opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		panic("broken")
	})))
	if _, err := client.Mark(t.Context()); !fault.HasStatus(err, 500) {
		t.Errorf("got %v", err)
	}
}

// TestManyDocumentsTakeManyRequests: a body has a limit, and what was written before a request failed is known.
func TestManyDocumentsTakeManyRequests(t *testing.T) {
	requests := 0
	client := opensearch.NewClient(opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if requests++; requests == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		items := strings.Repeat(`{"index":{"_seq_no":1,"_primary_term":1,"status":200}},`, strings.Count(string(body), `"_id"`))
		_, _ = io.WriteString(w, `{"errors":false,"items":[`+strings.TrimSuffix(items, ",")+`]}`)
	})))
	writes := make([]opensearch.Write, 2500)
	for i := range writes {
		writes[i] = opensearch.Write{Op: opensearch.OpIndex, Index: "books", ID: strconv.Itoa(i), Source: map[string]any{}}
	}
	out, err := client.Bulk(t.Context(), writes)
	if err != nil || len(out) != 2500 || requests != 3 {
		t.Fatalf("%d results of %d requests, %v", len(out), requests, err)
	}
	for i, w := range out {
		if failed := w.Err != nil; failed != (i >= 2000) {
			t.Fatalf("document %d: %v", i, w.Err)
		}
	}
}

func TestASuccessThatCannotBeUnderstoodIsNoAnswer(t *testing.T) {
	c := opensearch.NewClient(scripted(t,
		answer{"GET /a/_doc/1", 200, `{"hello":"world"}`},
		answer{"DELETE /a/_doc/1", 200, `<html>`},
		answer{"GET /_cluster/health/a?filter_path=status%2Cerror&timeout=0s", 200, `[]`},
	))
	_, getErr := c.Get(t.Context(), "a", "1", "")
	_, writeErr := c.Write(t.Context(), opensearch.Write{Op: opensearch.OpDelete, Index: "a", ID: "1"}, "")
	_, healthErr := c.Health(t.Context(), "a")
	for _, err := range []error{getErr, writeErr, healthErr} {
		if !fault.Is(err, "transport_exception") || !fault.HasStatus(err, http.StatusServiceUnavailable) {
			t.Error(err)
		}
	}
}

func TestSettingsOfManyIndicesAreChangedTogether(t *testing.T) {
	none := opensearch.NewClient(scripted(t))
	if a, err := none.PutSettingsOf(t.Context(), nil, map[string]any{"a": 1}); err != nil || !a.Acknowledged {
		t.Errorf("of none: %v, %v", a, err)
	}
	var names []string
	for n := range 400 {
		names = append(names, fmt.Sprintf("logs-%04d", n))
	}
	first, last := names[:250], names[250:] // 3,000 bytes with their commas
	c := opensearch.NewClient(scripted(t,
		answer{"PUT /" + strings.Join(first, "%2C") + `/_settings?ignore_unavailable=true {"a":1}`, 200, `{"acknowledged":false}`},
		answer{"PUT /" + strings.Join(last, "%2C") + `/_settings?ignore_unavailable=true {"a":1}`, 200, `{"acknowledged":true}`}))
	if a, err := c.PutSettingsOf(t.Context(), names, map[string]any{"a": 1}); err != nil || a.Acknowledged {
		t.Errorf("of many: %v, %v", a, err)
	}
}
