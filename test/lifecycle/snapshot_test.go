// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/test/unreliable"
)

// keeps is a policy that ends with a snapshot.
const keeps = `{"policy":{"description":"keeps","default_state":"kept","states":[
	{"name":"kept","actions":[{"retry":{"count":2,"backoff":"constant","delay":"1ms"},"snapshot":{"repository":"PREFIX","snapshot":"PREFIX"}}],"transitions":[]}],
	"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`

// once changes the answer to one request: the first of a method on a snapshot.
type once struct {
	next   http.RoundTripper
	method string
	do     func(next http.RoundTripper, r *http.Request) (*http.Response, error)
	mu     sync.Mutex
	done   bool
}

// RoundTrip is part of http.RoundTripper.
func (o *once) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	now := !o.done && r.Method == o.method && strings.HasPrefix(r.URL.Path, "/_snapshot/")
	o.done = o.done || now
	o.mu.Unlock()
	if now {
		return o.do(o.next, r)
	}
	return o.next.RoundTrip(r)
}

// faults are what may become of a request.
var faults = map[string]func(next http.RoundTripper, r *http.Request) (*http.Response, error){
	"lost on its way":  func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, unreliable.ErrLost },
	"answered in vain": unreliable.LoseAnswer,
	"cut in the middle of its answer": func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err == nil {
			res.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte("{")), broken{}))
		}
		return res, err
	},
	"refused for now": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return unreliable.Refuse(r, http.StatusTooManyRequests, "rejected_execution_exception"), nil
	},
	"without a cluster manager": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return unreliable.Refuse(r, http.StatusServiceUnavailable, "cluster_manager_not_discovered_exception"), nil
	},
	"refused because of another snapshot": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return unreliable.Refuse(r, http.StatusServiceUnavailable, "concurrent_snapshot_execution_exception"), nil
	},
	"refused": func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return unreliable.Refuse(r, http.StatusInternalServerError, "snapshot_exception"), nil
	},
}

// broken is a body whose connection breaks.
type broken struct{}

// Read is part of io.Reader.
func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestASnapshotIsTakenOnceWhateverBecomesOfARequest fails the request that begins a snapshot, or the first that looks for
// it, in every way.
func TestASnapshotIsTakenOnceWhateverBecomesOfARequest(t *testing.T) {
	for _, method := range []string{http.MethodPut, http.MethodGet} {
		for fault, do := range faults {
			t.Run(method+" "+fault, func(t *testing.T) {
				w := newWorld(t, backend(t), keeps)
				stop := w.run(&once{next: w.transport, method: method, do: do})
				defer stop()
				w.wait("the end of the policy", w.chainEnded)
				if diff := cmp.Diff([]string{"SUCCESS " + w.first()}, w.snapshotStates()); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// TestASnapshotThatIsLostIsTakenAgain has a cluster accept a snapshot and forget it.
func TestASnapshotThatIsLostIsTakenAgain(t *testing.T) {
	w := newWorld(t, backend(t), keeps)
	stop := w.run(&once{next: w.transport, method: http.MethodPut, do: func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		res := unreliable.Refuse(r, http.StatusOK, "")
		res.Body = io.NopCloser(strings.NewReader(`{"accepted":true}`))
		return res, nil
	}})
	defer stop()
	w.wait("the end of the policy", w.chainEnded)
	if diff := cmp.Diff([]string{"SUCCESS " + w.first()}, w.snapshotStates()); diff != "" {
		t.Error(diff)
	}
}

// snapshotStates are the snapshots of the test's repository, each with its state and indices.
func (w *world) snapshotStates() (out []string) {
	for _, s := range w.snapshots() {
		out = append(out, s.State+" "+strings.Join(s.Indices, ","))
	}
	return out
}
