// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/lease"
)

// overtaken calls fn before the first deletion of a document in Steward's own index goes on.
type overtaken struct {
	next http.RoundTripper
	once sync.Once
	fn   func()
}

// RoundTrip is part of http.RoundTripper.
func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/"+lease.Index+"/") {
		o.once.Do(o.fn)
	}
	return o.next.RoundTrip(r)
}

// TestAWorkflowThatIsProvisionedAgainWhileItsDeprovisioningEndsIsProvisioned begins when the state says that nothing is
// left, and the deprovisioning has not put its own records away yet.
func TestAWorkflowThatIsProvisionedAgainWhileItsDeprovisioningEndsIsProvisioned(t *testing.T) {
	w := newWorld(t)
	transport := &overtaken{next: w.direct}
	s := w.process(transport)
	id := w.create(s, delayed("1ms"), w.prefix+"again")
	provisioned := func(wait time.Duration) *provision.State {
		st, err := s.Provision(context.Background(), id, provision.Request{Wait: wait})
		if err != nil {
			t.Error(err)
		}
		return st
	}
	if st := provisioned(20 * time.Second); st.State != provision.Completed {
		t.Fatalf("%+v", st)
	}
	second := make(chan struct{})
	transport.fn = func() {
		before := w.runVersion(id)
		go func() { defer close(second); provisioned(20 * time.Second) }()
		w.eventually("the second run to be stored", func() bool { return w.runVersion(id) > before })
	}
	w.do(s.Deprovision(context.Background(), id, []string{w.prefix + "again"}))
	<-second
	if st := w.state(s, id); st.State != provision.Completed || len(st.Resources) != 2 {
		t.Errorf("%+v", st)
	}
}

// runVersion is the sequence number of a workflow's run document.
func (w *world) runVersion(id string) int64 {
	w.t.Helper()
	doc, err := w.client.Get(context.Background(), lease.Index, "run-"+id, "")
	w.do(err)
	return doc.SeqNo
}
