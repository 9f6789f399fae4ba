// SPDX-License-Identifier: Apache-2.0

package test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/wire"
)

// ClusterVariable names the real cluster that whole-program tests run in front of; without it they run on the embedded
// engine.
const ClusterVariable = "STEWARD_TEST_CLUSTER"

// OnCluster reports whether programs run in front of a real cluster.
func OnCluster() bool { return os.Getenv(ClusterVariable) != "" }

// Running is the whole program, running in process.
type Running struct {
	*steward.Steward
	// Client calls it over the network, as any client would.
	Client *opensearch.Client
	// Prefix begins the names of what a test makes; no other test has it.
	Prefix string

	t testing.TB
}

// Program runs the whole program for one test: on the embedded engine in a directory of its own, or in front of the
// cluster that [ClusterVariable] names, one program at a time. At the end of the test it is stopped and what the test
// made is removed. change may alter the options.
func Program(t testing.TB, change ...func(*steward.Options)) *Running {
	t.Helper()
	o := steward.Options{Listen: "127.0.0.1:0", Logger: logger(t)}
	if url := os.Getenv(ClusterVariable); url != "" {
		o.Cluster = steward.Cluster{URLs: []string{url}, InsecureSkipVerify: true}
		o.Key = key(t)
		Alone(t, url)
	} else {
		o.Data = t.TempDir()
	}
	prefix := "t" + strings.ToLower(rand.Text()[:8])
	if OnCluster() {
		t.Cleanup(func() { clean(t, o, prefix) })
	}
	return Start(t, o, prefix, append(change, repositories(t))...)
}

// key is a fresh encryption key.
func key(t testing.TB) string {
	line, err := secret.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// repositories gives snapshots a place of their own, unless the test has one.
func repositories(t testing.TB) func(*steward.Options) {
	return func(o *steward.Options) {
		if len(o.Cluster.URLs) > 0 || o.Settings["path.repo"] != "" {
			return
		}
		o.Settings = maps.Clone(o.Settings)
		if o.Settings == nil {
			o.Settings = map[string]string{}
		}
		o.Settings["path.repo"] = t.TempDir()
	}
}

// Start runs one more program with these options, for a test that needs several.
func Start(t testing.TB, o steward.Options, prefix string, change ...func(*steward.Options)) *Running {
	t.Helper()
	for _, fn := range change {
		fn(&o)
	}
	s, err := steward.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &Running{Steward: s, Prefix: prefix, t: t}
	t.Cleanup(r.Stop)
	transport, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{s.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = transport.(io.Closer).Close() })
	r.Client = opensearch.NewClient(transport)
	return r
}

// Stop ends the program in order. It may be called before the test's end.
func (r *Running) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := r.Steward.Stop(ctx); err != nil {
		r.t.Error(err)
	}
}

// Virtual gives the program a clock that only the test moves.
func Virtual(c *clock.Virtual) func(*steward.Options) {
	return func(o *steward.Options) { o.Clock = c }
}

// Pace gives the program a pace.
func Pace(name string) func(*steward.Options) {
	return func(o *steward.Options) { o.Pace = name }
}

// Name is a name that belongs to this test.
func (r *Running) Name(suffix string) string { return r.Prefix + suffix }

// Call sends a request and returns the answer. body is marshalled as JSON, or sent as it is if it is a []byte.
func (r *Running) Call(method, path string, body any) (status int, answer []byte) {
	r.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	text, is := body.([]byte)
	if !is && body != nil {
		var err error
		if text, err = wire.Marshal(body); err != nil {
			r.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.URL()+path+"?"+query, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, answer
}

// Must is Call with an answer of success, decoded into out unless that is nil.
func (r *Running) Must(method, path string, body, out any) {
	r.t.Helper()
	status, answer := r.Call(method, path, body)
	if status/100 != 2 {
		r.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer, out); err != nil {
		r.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
}

// patience is how long Eventually waits; what it waits for takes well under a second where it works.
const patience = time.Minute

// Eventually waits as the function of that name.
func (r *Running) Eventually(what string, fn func() (ok bool, state string)) {
	r.t.Helper()
	Eventually(r.t, what, fn)
}

// Eventually waits until fn says that it is so. what is the sentence for the failure; state is shown with it.
func Eventually(t testing.TB, what string, fn func() (ok bool, state string)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		ok, state := fn()
		if ok {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s; %s", patience, what, state)
		case <-look.C:
		}
	}
}

// Explain is what the program says about one managed index.
func (r *Running) Explain(index string) string {
	r.t.Helper()
	_, body := r.Call("GET", "/_plugins/_ism/explain/"+index, nil)
	return string(body)
}

// Exists reports whether an index exists.
func (r *Running) Exists(index string) bool {
	r.t.Helper()
	status, _ := r.Call("HEAD", "/"+index, nil)
	return status == http.StatusOK
}

// logger writes warnings to the test's log.
func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
