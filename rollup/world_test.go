// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// begin is when every test's clock stands at first.
var begin = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func definitions() []setting.Definition { return append(ism.Settings(), rollup.Settings()...) }

// world is one cluster, the API and a runner before it, and a clock that only the test moves. PREFIX in paths and
// bodies stands for the test's own name.
type world struct {
	t         *testing.T
	transport http.RoundTripper
	client    *opensearch.Client
	clock     *clock.Virtual
	prefix    string
	source    string // the prefix of PREFIX-src
	api       *rollup.API
	wake      func()
	native    bool // the cluster has the plugin
	lease     testLease
}

// testLease is held unless it was lost.
type testLease struct{ lost atomic.Bool }

func (l *testLease) Held() (int64, bool) { return 1, !l.lost.Load() }
func (l *testLease) lose()               { l.lost.Store(true) }
func (l *testLease) win()                { l.lost.Store(false) }

// newWorld is a world on the embedded engine, or on the cluster that the tests are told of.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, prefix: "none"}
	registry := setting.NewRegistry(definitions()...)
	if url := os.Getenv(test.ClusterVariable); url != "" {
		test.Alone(t, url)
		network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}, InsecureSkipVerify: true})
		w.do(err)
		t.Cleanup(func() { _ = network.(io.Closer).Close() })
		w.transport = opensearch.PluginSettings(network, registry)
	} else {
		t.Parallel() // most of a test is waiting for disks
		e, err := engine.Open(engine.Options{Dir: t.TempDir(), Settings: definitions(), Version: "3.4.0", Logger: logger(t)})
		w.do(err)
		t.Cleanup(func() { _ = e.Close() })
		w.transport = opensearch.InProcess(e)
	}
	w.client = opensearch.NewClient(w.transport)
	t.Cleanup(w.clean)
	w.clean()
	w.again()
	w.source = w.prefix
	return w
}

// again begins anew under another name, but with the same source.
func (w *world) again() {
	w.t.Helper()
	w.clock, w.prefix = clock.NewVirtual(begin), fmt.Sprintf("rolltest%d", time.Now().UnixNano())
	w.wake = func() {}
	w.api = rollup.NewAPI(rollup.APIOptions{
		Client: w.client, Clock: w.clock, Version: "3.4.0", Logger: logger(w.t), Changed: func() { w.wake() }, Native: func() bool { return w.native },
		Ensure: func(ctx context.Context) error { return manager.EnsureConfigIndex(ctx, w.client) },
	})
}

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// clean removes what the test made.
func (w *world) clean() {
	ctx := context.Background()
	names, err := w.client.IndexNames(ctx)
	w.do(err)
	for name := range names {
		if strings.HasPrefix(name, "rolltest") || name == rollup.ConfigIndex {
			_, err := w.client.DeleteIndex(ctx, name)
			w.do(err)
		}
	}
}

// run starts a runner over a transport; stop ends it and waits for it.
func (w *world) run(rt http.RoundTripper) (stop func()) {
	w.t.Helper()
	runner := rollup.New(rollup.Options{
		Client: opensearch.NewClient(rt), Clock: w.clock, Lease: &w.lease, Logger: logger(w.t),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	runner.Wake()
	go func() {
		defer close(done)
		runner.Run(ctx)
	}()
	w.wake = runner.Wake
	return func() {
		w.wake = func() {}
		cancel()
		<-done
	}
}

// settle waits until nothing is under way.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	w.do(w.clock.Settle(ctx))
}

// advance moves the clock, running what is due on the way.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	w.do(w.clock.Advance(ctx, d))
}

// own puts the test's own name into a text, and plain takes it out again.
func (w *world) own(text string) string {
	return strings.NewReplacer("PREFIX-src", w.source+"-src", "PREFIX", w.prefix).Replace(text)
}

func (w *world) plain(text string) string {
	return strings.NewReplacer(w.source+"-src", "PREFIX-src", w.prefix, "PREFIX").Replace(text)
}

// call sends a request to the API and returns the status and the body, in which PREFIX stands for the test's own name.
func (w *world) call(method, path, body string) (int, string) {
	w.t.Helper()
	r := httptest.NewRequest(method, w.own(path), bytes.NewBufferString(w.own(body)))
	if body == "" {
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return rec.Code, w.plain(rec.Body.String())
}

// must is call with a status of success.
func (w *world) must(method, path, body string) string {
	w.t.Helper()
	status, answer := w.call(method, path, body)
	if status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

// answers calls the API and wants this status and, somewhere in the answer, this text.
func (w *world) answers(method, path, body string, status int, want string) {
	w.t.Helper()
	if s, got := w.call(method, path, body); s != status || !strings.Contains(got, want) {
		w.t.Errorf("%s %s: %d %s, want %d %s", method, path, s, got, status, want)
	}
}

// create makes an index with a body.
func (w *world) create(name, body string) {
	w.t.Helper()
	w.do(w.client.CreateIndex(w.t.Context(), w.own(name), []byte(w.own(body))))
}

// index writes documents with the ids 1, 2, 3 ... after those that are there.
func (w *world) index(name string, docs ...string) {
	w.t.Helper()
	writes := make([]opensearch.Write, len(docs))
	for i, d := range docs {
		writes[i] = opensearch.Write{Op: opensearch.OpIndex, Index: w.own(name), Source: json.RawMessage(w.own(d))}
	}
	results, err := w.client.Bulk(w.t.Context(), writes)
	w.do(err)
	for _, r := range results {
		w.do(r.Err)
	}
	w.do(w.client.Refresh(w.t.Context(), w.own(name)))
}

// documents are the sources of an index, one line each, sorted by a field.
func (w *world) documents(name, sort string) string {
	w.t.Helper()
	w.do(w.client.Refresh(w.t.Context(), w.own(name)))
	body := wire.Obj("size", 10000, "sort", []any{wire.Obj(sort, wire.Obj("order", "asc", "missing", "_first"))})
	res, err := w.client.Search(w.t.Context(), w.own(name), body, nil)
	w.do(err)
	var lines []string
	for _, hit := range res.Hits {
		lines = append(lines, w.plain(string(hit.Source)))
	}
	return strings.Join(lines, "\n")
}

// progress is a member of what explain shows of the progress of the job PREFIX, as text.
func (w *world) progress(kind string, path ...string) string {
	w.t.Helper()
	prefix := map[string]string{"rollup": "/_plugins/_rollup/jobs/", "transform": "/_plugins/_transform/"}[kind]
	var answer map[string]map[string]json.RawMessage
	w.do(json.Unmarshal([]byte(w.must("GET", prefix+"PREFIX/_explain", "")), &answer))
	raw := answer["PREFIX"][kind+"_metadata"]
	for _, name := range path {
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) != nil {
			return ""
		}
		raw = o[name]
	}
	return w.plain(string(raw))
}

// stat is one of the statistics of the job PREFIX.
func (w *world) stat(kind, name string) (n int) {
	w.t.Helper()
	w.do(json.Unmarshal([]byte(w.progress(kind, "stats", name)), &n))
	return n
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// mapping is a member of an index's mapping, as text.
func (w *world) mapping(index string, path ...string) string {
	w.t.Helper()
	var answer map[string]struct{ Mappings json.RawMessage }
	w.do(w.client.Do(w.t.Context(), opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(w.own(index), "_mapping")}, &answer))
	raw := answer[w.own(index)].Mappings
	for _, name := range path {
		var o map[string]json.RawMessage
		w.do(json.Unmarshal(raw, &o))
		raw = o[name]
	}
	return w.plain(string(raw))
}

// routings are the routings of an index's documents, sorted.
func (w *world) routings(index string) string {
	w.t.Helper()
	res, err := w.client.Search(w.t.Context(), w.own(index), wire.Obj("size", 100), nil)
	w.do(err)
	var list []string
	for _, hit := range res.Hits {
		list = append(list, hit.Routing)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// answer is an HTTP answer.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}
