// SPDX-License-Identifier: Apache-2.0

package lease_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// store is a cluster that knows one index and one document.
type store struct {
	mu      sync.Mutex
	index   bool
	doc     json.RawMessage
	seqNo   int64
	creates int
	writes  int
	// fail, if set, may refuse a request, or (after) lose its answer.
	fail func(r *http.Request) (before, after error)
}

var errLost = errors.New("connection reset")

func (s *store) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var before, after error
	if s.fail != nil {
		before, after = s.fail(r)
	}
	if before != nil {
		return nil, before
	}
	status, body := s.answer(r)
	if after != nil {
		return nil, after
	}
	return reply(r, status, body), nil
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func (s *store) answer(r *http.Request) (int, string) {
	switch {
	case r.URL.Path == "/.steward" && r.Method == http.MethodPut:
		if s.index {
			return 400, refusal(400, "resource_already_exists_exception")
		}
		s.index, s.creates = true, s.creates+1
		return 200, `{"acknowledged":true}`
	case strings.HasSuffix(r.URL.Path, "_mapping"):
		return 200, `{".steward":{"mappings":{"_meta":{"schema_version":2}}}}`
	case !s.index:
		return 404, refusal(404, "index_not_found_exception")
	case r.Method == http.MethodGet:
		if s.doc == nil {
			return 404, `{"_index":".steward","_id":"lease","found":false}`
		}
		return 200, fmt.Sprintf(`{"_index":".steward","_id":"lease","found":true,"_version":1,"_seq_no":%d,"_primary_term":1,"_source":%s}`,
			s.seqNo, s.doc)
	default:
		return s.put(r)
	}
}

func (s *store) put(r *http.Request) (int, string) {
	create := strings.Contains(r.URL.Path, "_create") || r.URL.Query().Get("op_type") == "create"
	want := r.URL.Query().Get("if_seq_no")
	if create && s.doc != nil || want != "" && (s.doc == nil || want != strconv.FormatInt(s.seqNo, 10)) {
		return 409, refusal(409, "version_conflict_engine_exception")
	}
	body, _ := io.ReadAll(r.Body)
	s.doc, s.seqNo, s.writes = bytes.TrimSpace(body), s.seqNo+1, s.writes+1
	return 200, fmt.Sprintf(`{"_index":".steward","_id":"lease","result":"updated","_version":1,"_seq_no":%d,"_primary_term":1}`, s.seqNo)
}

func refusal(status int, typ string) string {
	return fmt.Sprintf(`{"error":{"root_cause":[],"type":%q,"reason":"x"},"status":%d}`, typ, status)
}

// wipe deletes the index, as a test suite that cleans up does.
func (s *store) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index, s.doc = false, nil
}

func (s *store) counts() (creates, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creates, s.writes
}

func (s *store) setFail(f func(r *http.Request) (before, after error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

func elector(rt http.RoundTripper, holder string) *lease.Elector {
	return lease.NewElector(lease.Options{
		Client: opensearch.NewClient(rt), Holder: holder, Duration: 6 * time.Second,
	})
}

// start runs an elector and returns what ends it and waits for it.
func start(t *testing.T, e *lease.Elector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); e.Run(ctx) }()
	return func() { cancel(); <-done }
}

func wantHeld(t *testing.T, e *lease.Elector, want bool, wantFence int64) {
	t.Helper()
	fence, held := e.Held()
	if held != want || held && fence != wantFence {
		t.Errorf("held %v under fence %d, want %v under %d", held, fence, want, wantFence)
	}
}

func TestAlwaysIsHeld(t *testing.T) {
	if fence, ok := (lease.Always{}).Held(); !ok || fence != 1 {
		t.Errorf("Held() = %d, %v", fence, ok)
	}
}

func TestTheFirstOneLeadsAndKeepsLeading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a, b := elector(s, "a"), elector(s, "b")
		defer start(t, a)()
		synctest.Wait()
		defer start(t, b)()
		time.Sleep(time.Minute)
		wantHeld(t, a, true, 1)
		wantHeld(t, b, false, 0)
		creates, writes := s.counts()
		if creates != 1 {
			t.Errorf("the index was created %d times", creates)
		}
		if writes > 60 {
			t.Errorf("%d writes in a minute, want at most one a second", writes)
		}
	})
}

func TestAFollowerTakesOverWhenTheLeaderIsCutOffAndNotBeforeItsLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		cut := &gate{next: s}
		a, b := elector(cut, "a"), elector(s, "b")
		defer start(t, a)()
		synctest.Wait()
		defer start(t, b)()
		time.Sleep(10 * time.Second)
		cut.close()
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			_, aHeld := a.Held()
			_, bHeld := b.Held()
			if aHeld && bHeld {
				t.Fatal("both hold the lease")
			}
		}
		wantHeld(t, a, false, 0)
		wantHeld(t, b, true, 2)
		cut.open()
		time.Sleep(10 * time.Second)
		wantHeld(t, a, false, 0)
		wantHeld(t, b, true, 2)
	})
}

func TestAResignedLeaseIsTakenAtTheNextRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a, b := elector(s, "a"), elector(s, "b")
		stop := start(t, a)
		synctest.Wait()
		defer start(t, b)()
		time.Sleep(10 * time.Second)
		stop()
		wantHeld(t, a, false, 0)
		time.Sleep(2100 * time.Millisecond)
		wantHeld(t, b, true, 2)
	})
}

func TestALeaseIsGivenUpThoughTheAnswerToItsRenewalWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a, b := elector(s, "a"), elector(s, "b")
		stop := start(t, a)
		synctest.Wait()
		s.setFail(func(r *http.Request) (error, error) { return nil, errLost })
		time.Sleep(2100 * time.Millisecond) // it renews
		s.setFail(nil)
		stop()
		if err := b.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, b, true, 2)
	})
}

func TestALeaseThatAnotherTookIsNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a := elector(s, "a")
		stop := start(t, a)
		synctest.Wait()
		s.wipe()
		b := elector(s, "b")
		for range 2 { // its document has another version then
			if err := b.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		c := elector(s, "c")
		if err := c.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, b, true, 1)
		wantHeld(t, c, false, 0)
	})
}

func TestAnIndexWhoseShardIsNotUpYetIsWaitedFor(t *testing.T) {
	s := &store{index: true}
	up := false
	a := elector(roundTrip(func(r *http.Request) (*http.Response, error) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/_cluster/health/.steward"):
			up = true
			return reply(r, 200, `{"status":"green"}`), nil
		case r.Method == http.MethodGet && !up:
			return reply(r, 503, refusal(503, "no_shard_available_action_exception")), nil
		}
		return s.RoundTrip(r)
	}), "a")
	if err := a.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, a, true, 1)
}

func TestALeaseCountsFromWhenItsRequestWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{index: true}
		slow := roundTrip(func(r *http.Request) (*http.Response, error) {
			res, err := s.RoundTrip(r)
			if r.Method != http.MethodGet {
				time.Sleep(5 * time.Second) // the answer dawdles
			}
			return res, err
		})
		a := elector(slow, "a")
		if err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, a, true, 1)
		time.Sleep(1100 * time.Millisecond)
		wantHeld(t, a, false, 0)
	})
}

func TestALostAnswerIsRecoveredByLookingAtTheDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		s.setFail(func(r *http.Request) (error, error) {
			if strings.Contains(r.URL.Path, "lease") && r.Method != http.MethodGet {
				return nil, errLost
			}
			return nil, nil
		})
		a := elector(s, "a")
		if err := a.Step(t.Context()); err == nil {
			t.Fatal("a lost answer went unreported")
		}
		wantHeld(t, a, false, 0)
		s.setFail(nil)
		if err := a.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantHeld(t, a, true, 2)
	})
}

func TestADeletedIndexComesBackWithALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a := elector(s, "a")
		defer start(t, a)()
		synctest.Wait()
		s.wipe()
		time.Sleep(5 * time.Second)
		if _, held := a.Held(); !held {
			t.Error("nobody leads")
		}
		if creates, _ := s.counts(); creates != 2 {
			t.Errorf("the index was created %d times, want 2", creates)
		}
	})
}

func TestNobodyTakesTheLeaseOfALeaderWhoseDocumentWasDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		a, b := elector(s, "a"), elector(s, "b")
		defer start(t, a)()
		time.Sleep(time.Second)
		defer start(t, b)()
		time.Sleep(1500 * time.Millisecond) // the leader has just renewed; the follower looks first
		s.wipe()
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if _, held := b.Held(); held {
				t.Fatal("the follower leads")
			}
		}
		wantHeld(t, a, true, 2)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// gate is a network that can be cut.
type gate struct {
	next http.RoundTripper
	mu   sync.Mutex
	shut bool
}

func (g *gate) close() { g.mu.Lock(); g.shut = true; g.mu.Unlock() }
func (g *gate) open()  { g.mu.Lock(); g.shut = false; g.mu.Unlock() }

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut {
		return nil, errLost
	}
	return g.next.RoundTrip(r)
}
