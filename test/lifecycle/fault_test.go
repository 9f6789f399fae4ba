// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
)

// flaky fails some requests: lost on the way, lost on the way back, or refused because the cluster is overloaded.
type flaky struct {
	next http.RoundTripper
	mu   sync.Mutex
	rand *rand.Rand
}

// RoundTrip is part of http.RoundTripper.
func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	fate := f.rand.IntN(40)
	f.mu.Unlock()
	switch fate {
	case 0:
		return nil, errDead
	case 1:
		res, err := f.next.RoundTrip(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		return nil, errDead
	case 2:
		return refuse(r, http.StatusTooManyRequests, "rejected_execution_exception"), nil
	case 3:
		return refuse(r, http.StatusServiceUnavailable, "cluster_manager_not_discovered_exception"), nil
	}
	return f.next.RoundTrip(r)
}

func refuse(r *http.Request, status int, typ string) *http.Response {
	body := fmt.Sprintf(`{"error":{"root_cause":[],"type":%q,"reason":"not now"},"status":%d}`, typ, status)
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	}
}

func TestAClusterThatFailsEveryTenthRequestOnlyTakesLonger(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w := newWorld(t, backend(t), chain)
			stop := w.run(&flaky{next: w.transport, rand: rand.New(rand.NewPCG(seed, seed))})
			defer stop()
			w.wait("the chain to end", w.chainEnded)
			if diff := w.chainDifference(); diff != "" {
				t.Error(diff)
			}
			w.wait("the whole history", func() bool { return w.recordsDifference() == "" })
		})
	}
}
