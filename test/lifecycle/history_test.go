// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/unreliable"
	"github.com/opensteward/steward/wire"
)

const historyIndices = ".opendistro-ism-managed-index-history*"

// records are what the history has of an index, oldest first, each as "state action step status -> next: message".
func (w *world) records(uuid string) []string {
	w.t.Helper()
	ctx := context.Background()
	w.do(w.client.Refresh(ctx, historyIndices))
	body := wire.Obj("size", 1000, "query", wire.Obj("term", wire.Obj("managed_index_meta_data.index_uuid", uuid)),
		"sort", []any{wire.Obj("managed_index_meta_data.history_timestamp", wire.Obj("order", "asc", "unmapped_type", "date")), wire.Obj("_seq_no", "asc")})
	res, err := w.client.Search(ctx, historyIndices, body, nil)
	w.do(err)
	var out []string
	for _, hit := range res.Hits {
		var doc struct {
			Meta struct {
				Completed    bool   `json:"policy_completed"`
				TransitionTo string `json:"transition_to"`
				State        struct{ Name string }
				Action       struct{ Name string }
				Step         struct {
					Name   string
					Status string `json:"step_status"`
				}
				Info struct{ Message string }
			} `json:"managed_index_meta_data"`
		}
		w.do(json.Unmarshal(hit.Source, &doc))
		m := doc.Meta
		switch {
		case m.Completed:
			out = append(out, "completed")
		case m.TransitionTo != "":
			out = append(out, "to "+m.TransitionTo)
		default:
			text := strings.Join([]string{m.State.Name, m.Action.Name, m.Step.Name, m.Step.Status}, " ")
			out = append(out, strings.TrimSpace(text)+": "+strings.ReplaceAll(m.Info.Message, w.prefix, "PREFIX"))
		}
	}
	return out
}

// chainRecords are what a faultless chain leaves behind.
var chainRecords = []string{
	"hot: Successfully initialized policy: PREFIX",
	"hot rollover attempt_rollover completed: Successfully rolled over index [index=PREFIX-000001]",
	"to warm",
	"warm read_only set_read_only completed: Successfully set index to read-only [index=PREFIX-000001]",
	"warm force_merge attempt_set_read_only completed: Successfully set index to read-only [index=PREFIX-000001]",
	"warm force_merge attempt_call_force_merge completed: Successfully completed force merge [index=PREFIX-000001]",
	"warm force_merge wait_for_force_merge completed: Successfully confirmed segments force merged [index=PREFIX-000001]",
	"warm snapshot attempt_snapshot completed: Successfully started snapshot [index=PREFIX-000001]",
	"warm snapshot wait_for_snapshot completed: Successfully created snapshot [index=PREFIX-000001]",
	"warm replica_count attempt_set_replica_count completed: Successfully set number_of_replicas to 0 [index=PREFIX-000001]",
	"warm index_priority attempt_set_index_priority completed: Successfully set index priority to 7 [index=PREFIX-000001]",
	"warm close attempt_close completed: Successfully closed index [index=PREFIX-000001]",
	"warm open attempt_open completed: Successfully opened index [index=PREFIX-000001]",
	"to cold",
	"cold alias attempt_alias completed: Successfully updated alias [index=PREFIX-000001]",
	"cold read_write set_read_write completed: Successfully set index to read-write [index=PREFIX-000001]",
	"completed",
}

// happened leaves of records what a crash does not change: not the messages, and each once.
func happened(records []string) []string {
	var out []string
	for _, r := range records {
		what, _, _ := strings.Cut(r, ":")
		out = append(out, what)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// recordsDifference is how the history of a chain that was interrupted differs from that of one that was not.
func (w *world) recordsDifference() string {
	w.t.Helper()
	return cmp.Diff(happened(chainRecords), happened(w.records(w.uuid)))
}

func TestTheHistoryHasARecordOfEachChangeAndOfNoWaiting(t *testing.T) {
	w := newWorld(t, backend(t), chain)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the chain to end", w.chainEnded)
	w.wait("the history", func() bool { return len(w.records(w.uuid)) >= len(chainRecords) })
	if diff := cmp.Diff(chainRecords, w.records(w.uuid)); diff != "" {
		t.Error(diff)
	}
}

func TestTheHistoryKeepsWhatBecameOfADeletedIndex(t *testing.T) {
	w := newWorld(t, backend(t), deletes)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the index to be deleted", func() bool { return len(w.indices()) == 0 })
	want := []string{
		"old: Successfully initialized policy: PREFIX",
		"old delete attempt_delete completed: Successfully deleted index [index=PREFIX-000001]",
	}
	w.wait("the history", func() bool { return len(w.records(w.uuid)) >= len(want) })
	if diff := cmp.Diff(want, w.records(w.uuid)); diff != "" {
		t.Error(diff)
	}
}

// TestADeletionIsRecordedWhereverItsReconcilerDies kills it at its n-th request, before the cluster sees it or after.
func TestADeletionIsRecordedWhereverItsReconcilerDies(t *testing.T) {
	rt := backend(t)
	for _, after := range []bool{false, true} {
		for n := 1; ; n += 1 + stride() {
			w := newWorld(t, rt, deletes)
			forgotten := func() bool { return len(w.indices()) == 0 && w.metadata(w.uuid) == nil && w.job(w.uuid) == nil }
			mortal := unreliable.NewMortal(w.transport, n, after)
			stop := w.run(mortal)
			w.wait("its death or the end", func() bool { return mortal.Dead() || forgotten() })
			stop()
			died := mortal.Dead()
			stop = w.run(w.transport)
			w.wait("the index and its documents to be deleted", forgotten)
			w.wait("the record of the deletion", func() bool {
				return slices.Contains(w.records(w.uuid), "old delete attempt_delete completed: Successfully deleted index [index=PREFIX-000001]")
			})
			stop()
			if got := w.records(w.uuid); len(got) != 2 {
				t.Errorf("killed at request %d (after it: %v): %v", n, after, got)
			}
			if !died {
				break
			}
		}
	}
}

// withoutHistory refuses every write to the history while it is closed.
type withoutHistory struct {
	next     http.RoundTripper
	closed   atomic.Bool
	refusals atomic.Int64
}

// RoundTrip is part of http.RoundTripper.
func (h *withoutHistory) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.closed.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "ism-managed-index-history") {
		h.refusals.Add(1)
		return unreliable.Refuse(r, http.StatusForbidden, "cluster_block_exception"), nil
	}
	return h.next.RoundTrip(r)
}

func TestALifecycleGoesOnWithoutAHistoryWhichIsWrittenLater(t *testing.T) {
	rt := backend(t)
	if _, embedded := rt.(interface{ Close() error }); embedded {
		t.Skip("the cluster's history is there already")
	}
	w := newWorld(t, rt, chain)
	broken := &withoutHistory{next: w.transport}
	broken.closed.Store(true)
	m := manager.New(manager.Options{Client: opensearch.NewClient(broken), Registry: registry})
	stop := w.runManager(m)
	defer stop()
	w.wait("the chain to end", w.chainEnded)
	w.wait("the history to be tried", func() bool { return broken.refusals.Load() > 0 })
	w.wait("all records to wait", func() bool { return m.Status().Unrecorded == len(chainRecords) })
	if got := w.records(w.uuid); len(got) > 0 {
		t.Errorf("although the history cannot be written there are %d records", len(got))
	}
	broken.closed.Store(false)
	w.wait("the history", func() bool { return len(w.records(w.uuid)) >= len(chainRecords) })
	if diff := cmp.Diff(chainRecords, w.records(w.uuid)); diff != "" {
		t.Error(diff)
	}
	if wait := m.Status().Unrecorded; wait > 0 {
		t.Errorf("%d records still wait", wait)
	}
}

func TestADisabledHistoryRecordsNothing(t *testing.T) {
	w := newWorld(t, backend(t), chain)
	w.clusterSetting("plugins.index_state_management.history.enabled", false)
	stop := w.run(w.transport)
	w.wait("the chain to end", w.chainEnded)
	stop()
	if got := w.records(w.uuid); len(got) > 0 {
		t.Errorf("records of a disabled history: %v", got)
	}
}

func TestTheHistoryMovesToAnotherIndexWhenOneIsFullAndLosesTheOldOnes(t *testing.T) {
	w := newWorld(t, backend(t), chain)
	for name, value := range map[string]any{
		"max_docs": 1, "rollover_check_period": "1s", "rollover_retention_period": "1ms", "number_of_replicas": 0,
	} {
		w.clusterSetting("plugins.index_state_management.history."+name, value)
	}
	stop := w.run(w.transport)
	defer stop()
	w.wait("the history to have one new, empty index", func() bool {
		infos, err := w.client.Indices(context.Background(), []string{historyIndices})
		w.do(err)
		for name, info := range infos {
			_, writes := info.Aliases[".opendistro-ism-managed-index-history-write"]
			return len(infos) == 1 && writes && !strings.HasSuffix(name, "-1") && info.Hidden && info.Settings["index.number_of_replicas"] == "0" && len(w.records(w.uuid)) == 0
		}
		return false
	})
}

func TestARestartWritesNoRecordTwice(t *testing.T) {
	w := newWorld(t, backend(t), chain)
	for range 3 {
		stop := w.run(w.transport)
		w.wait("the chain to end", w.chainEnded)
		stop()
	}
	if diff := cmp.Diff(chainRecords, w.records(w.uuid)); diff != "" {
		t.Error(diff)
	}
	// A record that the last leader did not come to write is made by the next.
	id := fmt.Sprintf("%s-%d", w.uuid, w.get(w.uuid+"#metadata", w.uuid).SeqNo)
	name := w.historyIndexOf(id)
	_, err := w.client.Write(t.Context(), opensearch.Write{Op: opensearch.OpDelete, Index: name, ID: id}, "true")
	w.do(err)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the missing record", func() bool { return len(w.records(w.uuid)) == len(chainRecords) })
	if diff := cmp.Diff(chainRecords, w.records(w.uuid)); diff != "" {
		t.Error(diff)
	}
}

// historyIndexOf is the index that has a record.
func (w *world) historyIndexOf(id string) string {
	w.t.Helper()
	res, err := w.client.Search(context.Background(), historyIndices, wire.Obj("query", wire.Obj("ids", wire.Obj("values", []string{id}))), nil)
	w.do(err)
	if len(res.Hits) != 1 {
		w.t.Fatalf("%d records %s", len(res.Hits), id)
	}
	return res.Hits[0].Index
}
