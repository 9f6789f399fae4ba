// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
)

// midday is what the clock of every engine of these tests shows.
var midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// server is an engine under test.
type server struct {
	*engine.Engine
	t     *testing.T
	clock *clock.Virtual
}

func open(t *testing.T, o engine.Options) server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	c := clock.NewVirtual(midday)
	o.Clock = c
	e, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return server{e, t, c}
}

// start opens an engine for the length of a test.
func start(t *testing.T, o engine.Options) server {
	t.Helper()
	s := open(t, o)
	t.Cleanup(s.stop)
	return s
}

func (s server) stop() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
}

// call sends a request; header are names and values.
func (s server) call(method, path, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// do is a request that has to succeed.
func (s server) do(method, path, body string) {
	s.t.Helper()
	if w := s.call(method, path, body); w.Code/100 != 2 {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

// text is the answer to a GET that has to succeed.
func (s server) text(path string) string {
	s.t.Helper()
	w := s.call("GET", path, "")
	if w.Code != 200 {
		s.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// at is the value at a path of an answer ("nodes.*.name"); a * takes the only member.
func (s server) at(path, member string) any {
	s.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s.text(path)), &v); err != nil {
		s.t.Fatal(err)
	}
	for name := range strings.SplitSeq(member, ".") {
		o, ok := v.(map[string]any)
		if !ok {
			s.t.Fatalf("GET %s: no object above %s of %s: %v", path, name, member, v)
		}
		v = o[name]
		if name == "*" && len(o) == 1 {
			for _, only := range o {
				v = only
			}
		}
	}
	return v
}
