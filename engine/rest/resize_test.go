// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opensteward/steward/engine"
)

// resizable is an engine with an index of two shards and a few documents that cannot be written to.
func resizable(t *testing.T) server {
	t.Helper()
	s := start(t, engine.Options{})
	s.do("PUT", "/src", `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	for n := range 20 {
		s.do("PUT", fmt.Sprintf("/src/_doc/%d", n), `{"a":1}`)
	}
	s.do("PUT", "/src/_settings", `{"index.blocks.write":true}`)
	return s
}

func TestAResizeGoesOnWhenItsClientLeaves(t *testing.T) {
	s := resizable(t)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/src/_split/dst", strings.NewReader(`{"settings":{"index.number_of_shards":4}}`))
	r.Header.Set("Content-Type", "application/json")
	s.ServeHTTP(httptest.NewRecorder(), r)
	s.until("the target", func() bool { return s.call("HEAD", "/dst", "").Code == http.StatusOK })
	s.do("POST", "/dst/_refresh", "")
	if got := s.text("/dst/_count?filter_path=count"); got != `{"count":20}` {
		t.Errorf("the target has %s", got)
	}
}

func TestAResizedIndexIsFoundOnDiskAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, engine.Options{Dir: dir})
	s.do("PUT", "/src", `{"settings":{"number_of_shards":2,"number_of_replicas":0,"index.blocks.write":true}}`)
	s.do("POST", "/src/_clone/dst", "")
	const table = "/_cat/recovery/dst?h=i,s,type,stage"
	if got := s.text(table); got != "dst 0 local_shards done\ndst 1 local_shards done\n" {
		t.Errorf("at first\n%s", got)
	}
	s.stop()
	s = start(t, engine.Options{Dir: dir})
	if got := s.text(table); got != "dst 0 existing_store done\ndst 1 existing_store done\n" {
		t.Errorf("after a restart\n%s", got)
	}
}

func TestResizesSideBySide(t *testing.T) {
	dir := t.TempDir()
	s := open(t, engine.Options{Dir: dir})
	s.do("PUT", "/src", `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	for n := range 20 {
		s.do("PUT", fmt.Sprintf("/src/_doc/%d", n), `{"a":1}`)
	}
	s.do("PUT", "/src/_settings", `{"index.blocks.write":true}`)
	var wg sync.WaitGroup
	var made [3]atomic.Int64
	for n := range 9 {
		wg.Go(func() {
			w := s.call("POST", fmt.Sprintf("/src/_clone/dst%d", n%3), "")
			switch {
			case w.Code == 200:
				made[n%3].Add(1)
			case w.Code != 400 || !strings.Contains(w.Body.String(), "resource_already_exists_exception"):
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
		wg.Go(func() { s.text([]string{"/_cat/indices", "/_stats", "/_cat/recovery", "/_cluster/state"}[n%4]) })
	}
	wg.Wait()
	for n := range made {
		if made[n].Load() != 1 {
			t.Errorf("dst%d was made %d times", n, made[n].Load())
		}
	}
	wg.Go(func() { s.do("DELETE", "/src", "") })
	wg.Go(func() {
		if w := s.call("POST", "/src/_split/late", `{"settings":{"index.number_of_shards":8}}`); w.Code != 200 && w.Code != 404 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	wg.Wait()
	s.stop()
	findings, err := engine.Check(t.Context(), dir)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v %v", findings, err)
	}
}
