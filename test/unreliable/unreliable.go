// SPDX-License-Identifier: Apache-2.0

// Package unreliable makes requests go wrong, for tests of what becomes of work whose cluster is not always there.
package unreliable

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// ErrLost is the error of a request of which nobody knows whether it arrived.
var ErrLost = errors.New("the connection is lost")

// Flaky is a transport that fails every tenth request: lost on the way, lost on the way back, or refused because the
// cluster is overloaded. Which ones follows from the seeds. It is safe for concurrent use.
type Flaky struct {
	next http.RoundTripper
	mu   sync.Mutex
	rand *rand.Rand
}

// NewFlaky returns one before next.
func NewFlaky(next http.RoundTripper, seed1, seed2 uint64) *Flaky {
	return &Flaky{next: next, rand: rand.New(rand.NewPCG(seed1, seed2))} //nolint:gosec // a test is the same again
}

// RoundTrip is part of [http.RoundTripper].
func (f *Flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	fate := f.rand.IntN(40)
	f.mu.Unlock()
	switch fate {
	case 0:
		return nil, ErrLost
	case 1:
		return LoseAnswer(f.next, r)
	case 2:
		return Refuse(r, http.StatusTooManyRequests, "rejected_execution_exception"), nil
	case 3:
		return Refuse(r, http.StatusServiceUnavailable, "cluster_manager_not_discovered_exception"), nil
	}
	return f.next.RoundTrip(r)
}

// LoseAnswer carries a request out and loses the answer.
func LoseAnswer(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	res, err := next.RoundTrip(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	return nil, ErrLost
}

// Refuse is the answer of a cluster that refuses a request.
func Refuse(r *http.Request, status int, typ string) *http.Response {
	return opensearch.FaultResponse(r, fault.New(status, typ, "not now"))
}

// Panicky is a transport that panics at every twentieth request, half of the time after it was carried out: what a
// mistake in the program does. It is safe for concurrent use.
type Panicky struct {
	next http.RoundTripper
	mu   sync.Mutex
	rand *rand.Rand
}

// NewPanicky returns one before next.
func NewPanicky(next http.RoundTripper, seed uint64) *Panicky {
	return &Panicky{next: next, rand: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // a test is the same again
}

// RoundTrip is part of [http.RoundTripper].
func (p *Panicky) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	fate := p.rand.IntN(40)
	p.mu.Unlock()
	switch fate {
	case 0:
		panic("before the request")
	case 1:
		_, _ = LoseAnswer(p.next, r)
		panic("after the request")
	}
	return p.next.RoundTrip(r)
}
