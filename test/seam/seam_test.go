// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// world is one backend with names that no other test uses.
type world struct {
	*opensearch.Client
	t      *testing.T
	prefix string
}

// onEach runs a test on every backend there is.
func onEach(t *testing.T, fn func(w world)) {
	for name, transport := range backends(t) {
		t.Run(name, func(t *testing.T) {
			w := world{opensearch.NewClient(transport), t, "seam-" + strings.ToLower(rand.Text()[:8])}
			t.Cleanup(func() { w.remove() })
			fn(w)
		})
	}
}

// remove deletes what the test made.
func (w world) remove() {
	ctx := context.Background()
	names, err := w.Resolve(ctx, []string{w.prefix + "*"}, false)
	if err != nil {
		w.t.Error(err)
	}
	for _, name := range names {
		_, _ = w.DeleteIndex(ctx, name) // the write index of a data stream goes with its stream
	}
	for _, kind := range []string{"_data_stream", "_index_template"} {
		_ = w.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: "/" + kind + "/" + w.prefix + "*"}, nil)
	}
}

// name is an index name of this test.
func (w world) name(suffix string) string { return w.prefix + suffix }

func (w world) create(name string, body any) {
	w.t.Helper()
	w.must(w.CreateIndex(w.t.Context(), name, body))
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w world) put(path string, body any) {
	w.t.Helper()
	w.must(w.Do(w.t.Context(), opensearch.Call{Method: http.MethodPut, Path: path, Body: body}, nil))
}

// write indexes one document.
func (w world) write(index, id string, source any) opensearch.Written {
	w.t.Helper()
	done, err := w.Write(w.t.Context(), opensearch.Write{Op: opensearch.OpIndex, Index: index, ID: id, Source: source}, "")
	w.must(err)
	return done
}

func (w world) equal(want, got any) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
}

// fails wants a fault of this status and type.
func (w world) fails(err error, status int, typ string) {
	w.t.Helper()
	if !fault.Is(err, typ) || !fault.HasStatus(err, status) {
		w.t.Errorf("got %v, want %d %s", err, status, typ)
	}
}

var noReplicas = wire.Obj("settings", wire.Obj("index.number_of_replicas", 0))

func TestADocumentIsWrittenOnlyOverTheVersionThatWasRead(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		w.create(index, noReplicas)
		first := w.write(index, "a/b c+d", wire.Obj("n", 1))
		second, err := w.Write(ctx, opensearch.Write{
			Op: opensearch.OpIndex, Index: index, ID: "a/b c+d", If: first.Version, Source: wire.Obj("n", 2),
		}, "")
		w.must(err)
		_, err = w.Write(ctx, opensearch.Write{
			Op: opensearch.OpIndex, Index: index, ID: "a/b c+d", If: first.Version, Source: wire.Obj("n", 3),
		}, "")
		w.fails(err, 409, "version_conflict_engine_exception")
		_, err = w.Write(ctx, opensearch.Write{Op: opensearch.OpCreate, Index: index, ID: "a/b c+d", Source: wire.Obj()}, "")
		w.fails(err, 409, "version_conflict_engine_exception")
		doc, err := w.Get(ctx, index, "a/b c+d", "")
		w.must(err)
		w.equal(opensearch.Document{
			Index: index, ID: "a/b c+d", Found: true, Number: 2, Source: json.RawMessage(`{"n":2}`), Version: second.Version,
		}, doc)
	})
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		_, err := w.Get(ctx, index, "a", "")
		w.fails(err, 404, "index_not_found_exception")
		docs, err := w.MultiGet(ctx, index, []opensearch.Key{{ID: "a"}})
		w.must(err)
		w.equal(false, docs[0].Found)
		w.must(w.Refresh(ctx, index))
		seq, err := w.MaxSeqNo(ctx, index)
		w.must(err)
		w.equal(map[string]int64(nil), seq)
		status, err := w.Health(ctx, index)
		w.must(err)
		w.equal("red", status)

		w.create(index, noReplicas)
		w.must(w.AwaitShard(ctx, index))
		doc, err := w.Get(ctx, index, "a", "")
		w.must(err)
		w.equal(false, doc.Found)
		done, err := w.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: index, ID: "a"}, "")
		w.must(err)
		w.equal("not_found", done.Result)
	})
}

// TestAnIndexThatIsBeingMadeIsReadOnceItsShardIsAwaited looks at indices in the instant between their appearance and
// that of their shard.
func TestAnIndexThatIsBeingMadeIsReadOnceItsShardIsAwaited(t *testing.T) {
	onEach(t, func(w world) {
		ctx := w.t.Context()
		for n := range 5 {
			index, made := w.name(fmt.Sprint(n)), make(chan error, 1)
			go func() { made <- w.CreateIndex(ctx, index, noReplicas) }()
			_, err := w.Get(ctx, index, "a", "")
			for fault.Is(err, "index_not_found_exception") {
				_, err = w.Get(ctx, index, "a", "")
			}
			w.must(w.AwaitShard(ctx, index))
			_, err = w.Get(ctx, index, "a", "")
			w.must(err)
			w.must(<-made)
		}
	})
}

func TestABulkRequestWritesManyDocumentsAndTellsEachFailure(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		w.create(index, noReplicas)
		w.write(index, "old", wire.Obj("n", 0))
		done, err := w.Bulk(ctx, []opensearch.Write{
			{Op: opensearch.OpIndex, Index: index, ID: "a", Routing: "r", Source: wire.Obj("n", 1)},
			{Op: opensearch.OpCreate, Index: index, ID: "old", Source: wire.Obj()},
			{Op: opensearch.OpUpdate, Index: index, ID: "old", Source: wire.Obj("m", 1)},
			{Op: opensearch.OpDelete, Index: index, ID: "none"},
			{Op: opensearch.OpIndex, Index: index, ID: "old", If: opensearch.Version{SeqNo: 99, PrimaryTerm: 1}, Source: wire.Obj()},
		})
		w.must(err)
		var results []string
		for _, d := range done {
			results = append(results, d.Result)
		}
		w.equal([]string{"created", "", "updated", "not_found", ""}, results)
		w.fails(done[1].Err, 409, "version_conflict_engine_exception")
		w.fails(done[4].Err, 409, "version_conflict_engine_exception")
		docs, err := w.MultiGet(ctx, index, []opensearch.Key{{ID: "old"}, {ID: "a", Routing: "r"}, {ID: "none"}})
		w.must(err)
		w.equal([]string{`{"n":0,"m":1}`, `{"n":1}`, ""},
			[]string{string(docs[0].Source), string(docs[1].Source), string(docs[2].Source)})
	})
}

func TestScanFindsEveryDocumentOfSeveralShards(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		w.create(index, wire.Obj("settings", wire.Obj("index.number_of_replicas", 0, "index.number_of_shards", 3)))
		var writes []opensearch.Write
		for i := range 2500 {
			writes = append(writes, opensearch.Write{Op: opensearch.OpIndex, Index: index, ID: fmt.Sprint(i), Source: wire.Obj("even", i%2 == 0)})
		}
		_, err := w.Bulk(ctx, writes)
		w.must(err)
		w.must(w.Refresh(ctx, index))
		for name, c := range map[string]struct {
			query any
			want  int
		}{"all": {nil, 2500}, "a query": {wire.Obj("term", wire.Obj("even", true)), 1250}} {
			seen := map[string]bool{}
			w.must(w.Scan(ctx, index, c.query, func(d opensearch.Document) error {
				if seen[d.ID] {
					w.t.Errorf("%s: %s came twice", name, d.ID)
				}
				seen[d.ID] = true
				return nil
			}))
			w.equal(c.want, len(seen))
		}
		stop := errors.New("enough")
		if err := w.Scan(ctx, index, nil, func(opensearch.Document) error { return stop }); !errors.Is(err, stop) {
			w.t.Errorf("got %v", err)
		}
	})
}

func TestTheProbesMoveWhenSomethingChanges(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		before, err := w.Mark(ctx)
		w.must(err)
		w.create(index, noReplicas)
		after, err := w.Mark(ctx)
		w.must(err)
		if before == after {
			w.t.Error("the mark stood still while an index was created")
		}
		w.write(index, "a", wire.Obj())
		w.write(index, "a", wire.Obj())
		seq, err := w.MaxSeqNo(ctx, index)
		w.must(err)
		uuids, err := w.IndexUUIDs(ctx)
		w.must(err)
		w.equal(map[string]int64{uuids[index] + "/0": 1}, seq)
	})
}

func TestAnIndexThatIsMadeAgainIsAnotherOne(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		w.create(index, noReplicas)
		before, err := w.IndexUUIDs(ctx)
		w.must(err)
		_, err = w.DeleteIndex(ctx, index)
		w.must(err)
		w.create(index, noReplicas)
		after, err := w.IndexUUIDs(ctx)
		w.must(err)
		if before[index] == "" || before[index] == after[index] {
			w.t.Errorf("the uuid was %q and is %q", before[index], after[index])
		}
		seq, err := w.MaxSeqNo(ctx, index)
		w.must(err)
		w.equal(map[string]int64{after[index] + "/0": -1}, seq)
	})
}

func TestIndicesTellEverythingAboutAnIndex(t *testing.T) {
	onEach(t, func(w world) {
		open, closed, hidden, ctx := w.name("-open"), w.name("-closed"), w.name("-hidden"), w.t.Context()
		yes := true
		begin := time.Now().Add(-time.Minute)
		w.create(open, wire.Obj("aliases", wire.Obj(w.name("-alias"), wire.Obj("is_write_index", true))))
		w.create(closed, noReplicas)
		w.create(hidden, wire.Obj("settings", wire.Obj("index.hidden", true)))
		_, err := w.CloseIndex(ctx, closed)
		w.must(err)
		got, err := w.Indices(ctx, []string{open, closed, hidden, w.name("-none")})
		w.must(err)
		w.equal([]string{closed, hidden, open}, slices.Sorted(maps.Keys(got)))
		w.equal([]bool{true, false, true}, []bool{got[open].Open, got[closed].Open, got[hidden].Open})
		w.equal([]bool{false, false, true}, []bool{got[open].Hidden, got[closed].Hidden, got[hidden].Hidden})
		w.equal(map[string]opensearch.Alias{w.name("-alias"): {Write: &yes}}, got[open].Aliases)
		w.equal("1", got[open].Settings["index.number_of_shards"])
		if i := got[open]; i.UUID == "" || i.UUID == got[closed].UUID || i.Created.Before(begin) {
			w.t.Errorf("uuid %q, created %s", i.UUID, i.Created)
		}
		all, err := w.Indices(ctx, nil)
		w.must(err)
		w.equal(got[hidden], all[hidden])
		names, err := w.IndexNames(ctx)
		w.must(err)
		w.equal(map[string]opensearch.Alias{w.name("-alias"): {Write: &yes}}, names[open])
		if _, listed := names[closed]; !listed {
			w.t.Error("a closed index is not listed")
		}
	})
}

func TestResolveIsLenientUnlessItIsTold(t *testing.T) {
	onEach(t, func(w world) {
		a, b, ctx := w.name("-a"), w.name("-b"), w.t.Context()
		w.create(a, wire.Obj("aliases", wire.Obj(w.name("-alias"), wire.Obj())))
		w.create(b, wire.Obj("settings", wire.Obj("index.hidden", true)))
		_, err := w.CloseIndex(ctx, b)
		w.must(err)
		cases := []struct {
			expressions []string
			want        []string
		}{
			{[]string{w.name("-*")}, []string{a, b}},
			{[]string{w.name("-alias")}, []string{a}},
			{[]string{a, w.name("-none")}, []string{a}},
			{[]string{w.name("-none")}, nil},
			{[]string{w.name("-none*")}, nil},
			{[]string{w.name("-*"), "-" + b}, []string{a}},
		}
		for _, c := range cases {
			got, err := w.Resolve(ctx, c.expressions, false)
			w.must(err)
			w.equal(c.want, got)
		}
		_, err = w.Resolve(ctx, []string{a, w.name("-none")}, true)
		w.fails(err, 404, "index_not_found_exception")
	})
}

func TestStatsCountWhatConditionsAskFor(t *testing.T) {
	onEach(t, func(w world) {
		index, closed, ctx := w.name("-open"), w.name("-closed"), w.t.Context()
		w.create(index, wire.Obj("settings", wire.Obj("index.number_of_replicas", 0, "index.number_of_shards", 2)))
		w.create(closed, noReplicas)
		_, err := w.CloseIndex(ctx, closed)
		w.must(err)
		for i := range 10 {
			w.write(index, fmt.Sprint(i), wire.Obj("n", i))
		}
		_, err = w.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: index, ID: "3"}, "true")
		w.must(err)
		w.must(w.Refresh(ctx, index))
		stats, err := w.Stats(ctx, []string{index, closed, w.name("-none")})
		w.must(err)
		w.equal([]string{index}, slices.Sorted(maps.Keys(stats)))
		s := stats[index]
		w.equal(int64(9), s.Docs)
		w.equal(2, len(s.Segments))
		if s.PrimaryBytes <= 0 || s.MaxShardSize <= 0 || s.MaxShardSize > s.PrimaryBytes || len(s.Failures) > 0 {
			w.t.Errorf("got %+v", s)
		}
		failures, err := w.ForceMerge(ctx, index, 1)
		w.must(err)
		w.equal([]string(nil), failures)
		stats, err = w.Stats(ctx, []string{index})
		w.must(err)
		w.equal([]int64{1, 1}, stats[index].Segments)
	})
}

func TestARolloverThatIsSentTwiceHappensOnce(t *testing.T) {
	onEach(t, func(w world) {
		alias, ctx := w.name(""), w.t.Context()
		first, second := w.name("-000001"), w.name("-000002")
		w.create(first, wire.Obj("aliases", wire.Obj(alias, wire.Obj("is_write_index", true))))
		dry, err := w.Rollover(ctx, alias, "", nil, true)
		w.must(err)
		w.equal(opensearch.RolledOver{OldIndex: first, NewIndex: second}, dry)
		done, err := w.Rollover(ctx, alias, second, nil, false)
		w.must(err)
		w.equal(opensearch.RolledOver{Acknowledged: true, RolledOver: true, OldIndex: first, NewIndex: second}, done)
		_, err = w.Rollover(ctx, alias, second, nil, false)
		w.fails(err, 400, "resource_already_exists_exception")
		info, err := w.RolloverInfo(ctx, []string{first, second, w.name("-none")})
		w.must(err)
		if info[first][alias].IsZero() || len(info[second]) > 0 {
			w.t.Errorf("rollover info %v", info)
		}
		_, err = w.Rollover(ctx, w.name("-none"), "", nil, false)
		w.fails(err, 400, "illegal_argument_exception")
	})
}

func TestADataStreamRollsOverByItsName(t *testing.T) {
	onEach(t, func(w world) {
		stream, ctx := w.name("-stream"), w.t.Context()
		w.put("/_index_template/"+w.name(""), wire.Obj("index_patterns", []string{stream}, "data_stream", wire.Obj()))
		w.put("/_data_stream/"+stream, nil)
		names, err := w.Resolve(ctx, []string{stream}, false)
		w.must(err)
		w.equal([]string{".ds-" + stream + "-000001"}, names)
		info, err := w.Indices(ctx, names)
		w.must(err)
		w.equal(stream, info[names[0]].DataStream)
		age := map[string]any{"max_age": "1d"}
		done, err := w.Rollover(ctx, stream, "", age, false)
		w.must(err)
		w.equal(false, done.RolledOver)
		done, err = w.Rollover(ctx, stream, "", nil, false)
		w.must(err)
		w.equal(".ds-"+stream+"-000002", done.NewIndex)
		rolled, err := w.RolloverInfo(ctx, names)
		w.must(err)
		if rolled[names[0]][stream].IsZero() {
			w.t.Errorf("rollover info %v", rolled)
		}
	})
}

func TestAdministrationChangesOneIndex(t *testing.T) {
	onEach(t, func(w world) {
		index, ctx := w.name(""), w.t.Context()
		w.create(index, noReplicas)
		w.fails(w.CreateIndex(ctx, index, nil), 400, "resource_already_exists_exception")
		ok := opensearch.Acknowledged{Acknowledged: true}
		got, err := w.PutSettings(ctx, index, map[string]any{"index.priority": 7})
		w.must(err)
		w.equal(ok, got)
		w.equal("7", w.setting(index, "index.priority"))
		_, err = w.PutSettings(ctx, index, map[string]any{"index.priority": nil})
		w.must(err)
		w.equal("", w.setting(index, "index.priority"))
		got, err = w.UpdateAliases(ctx, []any{wire.Obj("add", wire.Obj("index", index, "alias", w.name("-alias")))})
		w.must(err)
		w.equal(ok, got)
		_, err = w.CloseIndex(ctx, index)
		w.must(err)
		_, err = w.OpenIndex(ctx, index)
		w.must(err)
		info, err := w.Indices(ctx, []string{index})
		w.must(err)
		w.equal(true, info[index].Open)
		got, err = w.DeleteIndex(ctx, index)
		w.must(err)
		w.equal(ok, got)
		_, err = w.DeleteIndex(ctx, index)
		w.fails(err, 404, "index_not_found_exception")
	})
}
