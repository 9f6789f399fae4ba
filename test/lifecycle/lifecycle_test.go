// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/unreliable"
)

func TestAChainOfActionsRunsToItsEnd(t *testing.T) {
	w := newWorld(t, backend(t), chain)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the chain to end", w.chainEnded)
	if diff := w.chainDifference(); diff != "" {
		t.Error(diff)
	}
}

func TestADeletedIndexIsForgotten(t *testing.T) {
	w := newWorld(t, backend(t), deletes)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the index to be deleted", func() bool { return len(w.indices()) == 0 })
	w.wait("its documents to be deleted", func() bool {
		return w.metadata(w.uuid) == nil && w.job(w.uuid) == nil
	})
}

func TestAnIndexDeletedByHandIsForgotten(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the index to be attached", func() bool { return w.metadata(w.uuid) != nil })
	if _, err := w.client.DeleteIndex(t.Context(), w.first()); err != nil {
		t.Fatal(err)
	}
	w.wait("its documents to be deleted", func() bool {
		return w.metadata(w.uuid) == nil && w.job(w.uuid) == nil
	})
}

func TestWhatAStepWasAboutToDoIsForgottenWithItsIndex(t *testing.T) {
	w := newWorld(t, backend(t), `{"policy":{"description":"","default_state":"alone","states":[
		{"name":"alone","actions":[{"stop_replication":{}}],"transitions":[]}],"ism_template":[{"index_patterns":["PREFIX-*"]}]}}`)
	busy := &answering{w.transport, http.MethodPost, "/_stop", http.StatusTooManyRequests, `{"error":{"type":"rejected_execution_exception"}}`}
	m := manager.New(manager.Options{Client: opensearch.NewClient(busy), Registry: registry})
	w.sweep(m)
	intention := func() bool {
		doc, err := w.client.Get(t.Context(), lease.Index, "intention-"+w.uuid, "")
		w.do(err)
		return doc.Found
	}
	if !intention() {
		t.Fatal("that the replication is about to be stopped is not stored")
	}
	_, err := w.client.DeleteIndex(t.Context(), w.first())
	w.do(err)
	w.sweep(m)
	if intention() || w.metadata(w.uuid) != nil {
		t.Errorf("something is left: metadata %s", w.text(w.metadata(w.uuid)))
	}
}

func TestADocumentThatArrivesLaterFulfilsACondition(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the condition to be waited for", func() bool {
		m := w.metadata(w.uuid)
		return m != nil && strings.HasPrefix(m.Info.Text("message"), "Pending rollover")
	})
	before := w.metadataVersion(w.uuid)
	w.index("2")
	w.index("3")
	w.wait("the rollover", func() bool { return len(w.indices()) == 2 })
	if before == w.metadataVersion(w.uuid) {
		t.Error("the rollover left no trace")
	}
}

// TestKilledAtEveryRequest runs the chain with a reconciler that dies at its n-th request, before the cluster sees it or
// after, and another that takes over: the end is the same as without. Without -faults it is every third request,
// beginning with any.
func TestKilledAtEveryRequest(t *testing.T) {
	for _, after := range []bool{false, true} {
		name := "before the cluster sees it"
		if after {
			name = "before the answer arrives"
		}
		t.Run(name, func(t *testing.T) {
			rt := backend(t)
			for n := 1 + rand.IntN(stride()); ; n += stride() {
				w := newWorld(t, rt, chain)
				mortal := unreliable.NewMortal(w.transport, n, after)
				stop := w.run(mortal)
				w.wait("its death or the end", func() bool { return mortal.Dead() || w.chainEnded() })
				stop()
				died := mortal.Dead()
				stop = w.run(w.transport)
				w.wait("the chain to end", w.chainEnded)
				stop()
				if diff := w.chainDifference(); diff != "" {
					t.Errorf("killed at request %d: %s", n, diff)
				}
				if diff := w.recordsDifference(); diff != "" {
					t.Errorf("the history, killed at request %d: %s", n, diff)
				}
				w.clean()
				if !died {
					return
				}
			}
		})
	}
}

// TestWaitingTakesTwoRequestsAProbe counts what reconciling costs while nothing changes.
func TestWaitingTakesTwoRequestsAProbe(t *testing.T) {
	w := newWorld(t, backend(t), waitsLong)
	counter := &counter{next: w.transport}
	stop := w.run(counter)
	defer stop()
	w.wait("the index to wait", func() bool { m := w.metadata(w.uuid); return m != nil && m.Step != nil })
	w.probes(counter, 3) // what it wrote itself has been followed
	counter.reset()
	w.probes(counter, 3)
	got := counter.reset()
	slices.SortFunc(got, cmp.Compare[string])
	got = slices.Compact(got)
	want := []string{"GET /.opendistro-ism-config/_stats/docs", "GET /_cluster/state/version"}
	if !slices.Equal(got, want) {
		t.Errorf("requests %v, want only %v", got, want)
	}
}
