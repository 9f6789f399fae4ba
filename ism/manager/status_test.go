// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestTheStatusOfWhoDoesNotLeadTellsNothingOfIndices(t *testing.T) {
	m := New(Options{Client: opensearch.NewClient(nil)})
	for _, due := range []time.Time{overdue, time.UnixMilli(2000), time.UnixMilli(3000)} {
		e := &entry{uuid: due.String(), packedJob: "job"}
		m.docs.entries[e.uuid] = e
		m.queue.schedule(e, due)
	}
	if got := m.tally(2500); got != (Status{}) {
		t.Errorf("%+v", got)
	}
	m.status.Leading = true
	want := Status{Leading: true, Managed: 3, Waiting: 1, Ready: 2, NextDue: time.UnixMilli(2500).UTC()}
	if diff := cmp.Diff(want, m.tally(2500)); diff != "" {
		t.Error(diff)
	}
}
