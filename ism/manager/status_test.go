// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"net/http"
	"testing"

	"github.com/opensteward/steward/opensearch"
)

// stalled is a cluster that takes requests and does not answer before it is released.
type stalled struct{ asked, release chan struct{} }

func (s stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	<-s.release
	return nil, http.ErrServerClosed
}

func TestTheStatusIsToldWhileASweepWaitsForTheCluster(t *testing.T) {
	s := stalled{make(chan struct{}), make(chan struct{})}
	m := New(Options{Client: opensearch.NewClient(s)})
	done := make(chan struct{})
	go func() { defer close(done); _, _ = m.Sweep(t.Context(), overdue) }()
	<-s.asked
	_ = m.Status() // would wait for the sweep, which waits for what comes next
	close(s.release)
	<-done
	if got := m.Status(); got.LastError == "" {
		t.Errorf("%+v", got)
	}
}
