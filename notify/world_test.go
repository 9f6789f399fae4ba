// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

// world is the API before an engine of its own.
type world struct {
	t      *testing.T
	client *opensearch.Client
	clock  *clock.Virtual
	sender *Sender
	api    *API
	values setting.Values // of settings
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorldBefore(t, opensearch.InProcess(e))
}

func newWorldBefore(t *testing.T, cluster http.RoundTripper) *world {
	w := &world{t: t, client: opensearch.NewClient(cluster), values: setting.Values{}}
	w.clock = clock.NewVirtual(time.UnixMilli(1_700_000_000_000))
	w.sender = newTestSender(w.client, w.values)
	w.api = New(Options{Client: w.client, Clock: w.clock, Sender: w.sender, Version: "3.4.0"})
	return w
}

// newTestSender waits a millisecond where others wait longer.
func newTestSender(c *opensearch.Client, values setting.Values) *Sender {
	registry := setting.NewRegistry(Settings()...)
	s := NewSender(SenderOptions{Client: c, Settings: func(context.Context) (setting.View, error) {
		return setting.View{Registry: registry, Values: values}, nil
	}})
	s.pause = time.Millisecond
	return s
}

// call sends a request and returns status and body.
func (w *world) call(method, target, body string) (int, string) {
	w.t.Helper()
	res := w.response(method, target, body)
	return res.Code, strings.TrimSpace(res.Body.String())
}

func (w *world) response(method, target, body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, prefix+target, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	res := httptest.NewRecorder()
	w.api.ServeHTTP(res, r)
	return res
}

// must is call with an answer of success.
func (w *world) must(method, target, body string) string {
	w.t.Helper()
	status, answer := w.call(method, target, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %s", method, target, status, answer)
	}
	return answer
}

// put stores a document in the plugin's index as the plugin would.
func (w *world) put(id, document string) {
	w.t.Helper()
	_, err := w.client.Write(w.t.Context(), opensearch.Write{Op: opensearch.OpIndex, Index: Index, ID: id, Source: json.RawMessage(document)}, "")
	if err != nil {
		w.t.Fatal(err)
	}
}
