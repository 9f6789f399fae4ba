// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/test/recorded"
	"github.com/opensteward/steward/wire"
)

var record = flag.String("record", "", "record the stories' answers from the OpenSearch node of this URL")

// servers are the keys whose values every server has its own of: ids, times, sizes, addresses.
var servers = regexp.MustCompile(`(took$|uuid$|^_id$|_in_bytes$|_in_millis$|_in_nanos$|creation_date$|_time$|^timestamp|^node$|^nodes$|` +
	`^name$|^_score$|^max_score$|^cluster_name$|store\.size$|^store$|^size$|^epoch$|^heap|^ip$|^id$|^version$|_string$|^size_memory$|^_scroll_id$|^file_count$|^start_time)`)

// request is one request of a story.
type request struct {
	method, path, body string
	differs            string // why the answer may differ, "" if it may not
}

// answer is what was recorded.
type answer struct {
	Request string          `json:"request"`
	Status  int             `json:"status"`
	Body    json.RawMessage `json:"body,omitempty"`
	Text    string          `json:"text,omitempty"`
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".http"), func(t *testing.T) {
			story := read(t, file)
			kept := strings.TrimSuffix(file, ".http") + ".json"
			if *record != "" {
				keep(t, kept, story)
				return
			}
			if test.OnCluster() {
				t.Skip("the answers were recorded from a real cluster")
			}
			t.Parallel()
			play(t, story, recordings(t, kept))
		})
	}
}

func play(t *testing.T, story []request, want []answer) {
	if len(story) != len(want) {
		t.Fatalf("%d requests, %d recorded answers: record the story again", len(story), len(want))
	}
	p := test.Program(t)
	for i, r := range story {
		got := send(t, p.URL(), r)
		if got.Request != want[i].Request {
			t.Fatalf("request %d is %s, recorded was %s: record the story again", i, got.Request, want[i].Request)
		}
		diff := difference(t, want[i], got)
		switch {
		case diff != "" && r.differs == "":
			t.Errorf("%d. %s %s\n%s", i+1, r.method, r.path, diff)
		case diff == "" && r.differs != "":
			t.Errorf("%d. %s %s: equal, but said to differ: %s", i+1, r.method, r.path, r.differs)
		}
	}
}

func difference(t *testing.T, want, got answer) string {
	if want.Status != got.Status {
		return fmt.Sprintf("status %d, want %d\ngot  %s%s\nwant %s%s", got.Status, want.Status, got.Body, got.Text, want.Body, want.Text)
	}
	if want.Body == nil || got.Body == nil {
		if want.Text != got.Text || (want.Body == nil) != (got.Body == nil) {
			return fmt.Sprintf("got  %q%s\nwant %q%s", got.Text, got.Body, want.Text, want.Body)
		}
		return ""
	}
	return recorded.ExactDifference(servers, parse(t, unplaced(want.Body)), parse(t, unplaced(got.Body)))
}

// place is where in the body an error was found: parsers count the end of a token or its beginning. The uuids that errors name
// are each server's own.
var place = regexp.MustCompile(`[/{][\w-]{22}|\[\d+:\d+\]|line: \d+, column: \d+|,"(line|col)":\d+`)

func unplaced(body json.RawMessage) json.RawMessage { return place.ReplaceAll(body, nil) }

func parse(t *testing.T, body json.RawMessage) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// read parses a story.
func read(t *testing.T, file string) (story []request) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	differs := ""
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var r request
		for line := range strings.SplitSeq(strings.Trim(block, "\n"), "\n") {
			switch {
			case strings.HasPrefix(line, "# differs: "):
				differs = strings.TrimPrefix(line, "# differs: ")
			case strings.HasPrefix(line, "#") || line == "" && r.method == "":
			case r.method == "":
				r.method, r.path, _ = strings.Cut(line, " ")
			default:
				r.body += line + "\n"
			}
		}
		if r.method == "" {
			continue
		}
		r.differs, differs = differs, ""
		story = append(story, r)
	}
	return story
}

func send(t *testing.T, url string, r request) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, url+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Request: r.method + " " + r.path, Status: res.StatusCode}
	if json.Valid(body) {
		a.Body = body
	} else {
		a.Text = string(body)
	}
	return a
}

// keep records the answers of a real node.
func keep(t *testing.T, file string, story []request) {
	wipe(t)
	var list []answer
	for _, r := range story {
		list = append(list, send(t, *record, r))
	}
	var b bytes.Buffer
	b.WriteString("[\n")
	for i, a := range list {
		line, err := wire.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		if i < len(list)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wipe deletes everything that a story may have left on the node.
func wipe(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/_data_stream/*", "/*?expand_wildcards=all", "/_index_template/*", "/_component_template/*", "/_template/*", "/_snapshot/*", "/_ingest/pipeline/*", "/_search/pipeline/*"} {
		send(t, *record, request{method: "DELETE", path: path})
	}
	send(t, *record, request{method: "PUT", path: "/_cluster/settings", body: `{"persistent":{"*":null},"transient":{"*":null}}`})
}

func recordings(t *testing.T, file string) (list []answer) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: record it with -record", err)
	}
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return slices.Clip(list)
}
