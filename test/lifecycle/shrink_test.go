// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/unreliable"
)

const shrinks = `{"policy":{"description":"shrink","default_state":"hot","states":[
	{"name":"hot","actions":[{"shrink":{"num_new_shards":2,"force_unsafe":true,"switch_aliases":true,
		"target_index_name_template":{"source":"small-{{ctx.index}}"},"aliases":[{"PREFIX-small":{"is_hidden":true}}]}}],
	"transitions":[{"state_name":"done"}]},
	{"name":"done","actions":[],"transitions":[]}],
	"ism_template":[{"index_patterns":["PREFIX-000001"],"priority":1}]}}`

// newShrink is a world whose index has four shards, five documents, two aliases and one setting that a shrink changes.
func newShrink(t *testing.T, cluster http.RoundTripper) *world {
	t.Helper()
	return newShrinkOf(t, cluster, shrinks)
}

func newShrinkOf(t *testing.T, cluster http.RoundTripper, policy string) *world {
	t.Helper()
	w := newPolicy(t, cluster, policy)
	t.Cleanup(w.cleanTarget)
	w.do(w.client.CreateIndex(t.Context(), w.first(), map[string]any{
		"settings": map[string]any{"index.number_of_replicas": 0, "index.number_of_shards": 4, "index.blocks.write": false},
		"aliases":  map[string]any{w.prefix: map[string]any{}, w.prefix + "-a": map[string]any{"filter": map[string]any{"term": map[string]any{"a": 1}}}},
	}))
	for n := range 5 {
		w.index(fmt.Sprint(n))
	}
	w.uuid = w.uuidOf(w.first())
	return w
}

func (w *world) target() string { return "small-" + w.first() }

func (w *world) cleanTarget() {
	_, _ = w.client.DeleteIndex(context.Background(), w.target())
}

// shrinkDifference is how the cluster differs from what a faultless shrink leaves behind.
func (w *world) shrinkDifference() string {
	w.t.Helper()
	type end struct {
		Source, Target map[string]string
		Aliases        map[string][]string
		Documents      int64
		Locks          bool
		Retries        int64
		Failed         bool
		State          string
	}
	ctx := context.Background()
	infos, err := w.client.Indices(ctx, []string{w.first(), w.target()})
	w.do(err)
	m := w.metadata(w.uuid)
	got := end{
		Source: settingsOf(infos[w.first()]), Target: settingsOf(infos[w.target()]), Retries: m.Action.ConsumedRetries,
		Failed: m.Failed(), State: m.State.Name, Aliases: map[string][]string{},
	}
	for _, name := range []string{w.first(), w.target()} {
		for alias := range maps.Keys(infos[name].Aliases) {
			short := strings.TrimSuffix(name, w.prefix+"-000001")
			got.Aliases[short] = append(got.Aliases[short], strings.TrimPrefix(alias, w.prefix))
			slices.Sort(got.Aliases[short])
		}
	}
	_, err = w.client.Write(ctx, opensearch.Write{Op: opensearch.OpIndex, Index: w.first(), ID: "0", Source: map[string]any{"a": 2}}, "")
	w.do(err) // writes are not blocked
	copies, err := w.client.Copies(ctx, w.target())
	w.do(err)
	got.Documents = copies.Docs
	got.Locks = w.locked()
	want := end{
		Source:    map[string]string{"index.blocks.write": "false", "index.number_of_shards": "4"},
		Target:    map[string]string{"index.blocks.write": "true", "index.number_of_shards": "2"},
		Aliases:   map[string][]string{"small-": {"", "-a", "-small"}},
		Documents: 5, State: "done",
	}
	return cmp.Diff(want, got)
}

// locked reports whether some node is locked for a shrink.
func (w *world) locked() bool {
	w.t.Helper()
	ctx := context.Background()
	nodes, err := w.client.DataNodes(ctx)
	w.do(err)
	for _, n := range nodes {
		lock, err := w.client.Get(ctx, action.LockIndex, ".opendistro-ism-config-shrink-node_name-"+n.Name, "")
		w.do(err)
		if lock.Found {
			return true
		}
	}
	return false
}

// settingsOf are the settings that a shrink is about.
func settingsOf(info opensearch.IndexInfo) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"index.blocks.write", "index.number_of_shards", "index.routing.allocation.require._name"} {
		if value, set := info.Settings[name]; set {
			out[name] = value
		}
	}
	return out
}

// TestAShrinkKilledAtEveryRequest kills the reconciler at every second request before the cluster sees it, and at the
// others before the answer arrives.
func TestAShrinkKilledAtEveryRequest(t *testing.T) {
	for first, name := range []string{"before the cluster sees it", "before the answer arrives"} {
		t.Run(name, func(t *testing.T) {
			rt := backend(t)
			for n := 1 + first; ; n += 2 * stride() {
				w := newShrink(t, rt)
				mortal := unreliable.NewMortal(w.transport, n, first == 1)
				stop := w.run(mortal)
				w.wait("its death or the end", func() bool { return mortal.Dead() || w.chainEnded() })
				stop()
				died := mortal.Dead()
				stop = w.run(w.transport)
				w.wait("the shrink to end", w.chainEnded)
				stop()
				if diff := w.shrinkDifference(); diff != "" {
					t.Errorf("killed at request %d: %s", n, diff)
				}
				w.cleanTarget()
				w.clean()
				if !died {
					return
				}
			}
		})
	}
}

func TestAShrinkOnAClusterThatFailsEveryTenthRequestOnlyTakesLonger(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w := newShrink(t, backend(t))
			stop := w.run(unreliable.NewFlaky(w.transport, seed, seed))
			defer stop()
			w.wait("the shrink to end", w.chainEnded)
			if diff := w.shrinkDifference(); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// barred refuses every request for a shrink.
type barred struct{ next http.RoundTripper }

// RoundTrip is part of http.RoundTripper.
func (b barred) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/_shrink/") {
		return unreliable.Refuse(r, http.StatusServiceUnavailable, "process_cluster_event_timeout_exception"), nil
	}
	return b.next.RoundTrip(r)
}

func TestAShrinkThatIsOutOfTimeGivesEverythingBack(t *testing.T) {
	w := newShrinkOf(t, backend(t), strings.Replace(shrinks, `{"shrink":`, `{"timeout":"2s","shrink":`, 1))
	stop := w.run(barred{w.transport})
	defer stop()
	w.wait("the action to fail", func() bool { m := w.metadata(w.uuid); return m != nil && m.Failed() })
	if got := w.metadata(w.uuid).Info.Text("message"); got != "Action timed out" {
		t.Errorf("the message is %q", got)
	}
	infos, err := w.client.Indices(t.Context(), []string{w.first(), w.target()})
	w.do(err)
	want := map[string]string{"index.blocks.write": "false", "index.number_of_shards": "4"}
	if diff := cmp.Diff(want, settingsOf(infos[w.first()])); diff != "" {
		t.Error(diff)
	}
	if len(infos) != 1 || w.locked() {
		t.Errorf("there are %d indices, and the node is locked: %v", len(infos), w.locked())
	}
}

// TestAnIndexThatIsDeletedInTheMiddleOfItsShrinkGivesItsNodeBack: others would wait until the lock runs out.
func TestAnIndexThatIsDeletedInTheMiddleOfItsShrinkGivesItsNodeBack(t *testing.T) {
	w := newShrink(t, backend(t))
	stop := w.run(barred{w.transport})
	defer stop()
	w.wait("the shrink to have its plan stored", func() bool {
		m := w.metadata(w.uuid)
		return m != nil && m.Step != nil && m.Step.Name == "attempt_shrink_step" && w.locked()
	})
	_, err := w.client.DeleteIndex(t.Context(), w.first())
	w.do(err)
	w.wait("the node to be free", func() bool { return !w.locked() })
}

// onceEach lets the first request of each method and path go wrong that changes an index, or the lock.
type onceEach struct {
	next  http.RoundTripper
	wrong func(next http.RoundTripper, r *http.Request) (*http.Response, error)
	mu    sync.Mutex
	seen  map[string]bool
}

// RoundTrip is part of http.RoundTripper.
func (o *onceEach) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	key := r.Method + " " + r.URL.Path
	first := !o.seen[key] && r.Method != http.MethodGet && !strings.HasPrefix(r.URL.Path, "/_bulk") && !strings.HasPrefix(r.URL.Path, "/.steward")
	o.seen[key] = true
	o.mu.Unlock()
	if first {
		return o.wrong(o.next, r)
	}
	return o.next.RoundTrip(r)
}

// halved is a body that ends in the middle.
type halved struct{ *bytes.Reader }

func (h halved) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (halved) Close() error { return nil }

func TestAShrinkEndsTheSameHoweverItsCallsGoWrong(t *testing.T) {
	for _, e := range []struct {
		how   string
		wrong func(next http.RoundTripper, r *http.Request) (*http.Response, error)
	}{
		{"no connection", func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, unreliable.ErrLost }},
		{"timed out after having worked", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if res, err := next.RoundTrip(r); err == nil {
				_ = res.Body.Close()
			}
			return nil, context.DeadlineExceeded
		}},
		{"cut in the middle of the answer", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(res.Body)
			res.Body = halved{bytes.NewReader(body[:len(body)/2])}
			return res, errors.Join(err, res.Body.Close())
		}},
		{"answered late", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			select {
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
			}
			return res, err
		}},
		{"too many requests", func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			return unreliable.Refuse(r, http.StatusTooManyRequests, "rejected_execution_exception"), nil
		}},
		{"unavailable", func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			return unreliable.Refuse(r, http.StatusServiceUnavailable, "cluster_manager_not_discovered_exception"), nil
		}},
	} {
		t.Run(e.how, func(t *testing.T) {
			w := newShrink(t, backend(t))
			stop := w.run(&onceEach{next: w.transport, wrong: e.wrong, seen: map[string]bool{}})
			defer stop()
			w.wait("the shrink to end", w.chainEnded)
			if diff := w.shrinkDifference(); diff != "" {
				t.Error(diff)
			}
		})
	}
}
