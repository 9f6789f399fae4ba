// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/wire/setting"
)

func withShards(name string, shards int) *catalog.Index {
	m, err := mapping.Empty().Merge([]byte(`{"properties":{"n":{"type":"long"}}}`))
	if err != nil {
		panic(err)
	}
	return &catalog.Index{
		Name: name, UUID: "uuid-" + name, Mapping: m, RoutingShards: 16,
		Settings: setting.Values{"index.number_of_shards": strconv.Itoa(shards), "index.refresh_interval": "-1"},
	}
}

func newStore(t *testing.T, dir string) *Store {
	t.Helper()
	s := New(Options{Dir: dir})
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestEachDocumentIsFoundAfterAResize writes, overwrites and deletes documents with and without routing, and looks for
// each in indices of fewer, as many and more shards.
func TestEachDocumentIsFoundAfterAResize(t *testing.T) {
	s, ctx := newStore(t, t.TempDir()), t.Context()
	source := withShards("source", 4)
	if err := s.Create(ctx, source); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var ops []shard.Operation
	for range 500 {
		op := shard.Operation{ID: fmt.Sprintf("%dé", random.IntN(150)), Source: fmt.Appendf(nil, `{"n":%d}`, random.IntN(1000))}
		if len(op.ID) > 3 {
			op.Routing = "to " + op.ID
		}
		if random.IntN(4) == 0 {
			op.Op, op.Source = shard.OpDelete, nil
		}
		ops = append(ops, op)
	}
	out, err := s.Write(ctx, source, ops)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]shard.Document{}
	for i, op := range ops {
		if out[i].Err != nil {
			t.Fatal(out[i].Err)
		}
		if wanted[op.ID] = out[i].Document; op.Op == shard.OpDelete {
			delete(wanted, op.ID)
		}
	}
	for _, shards := range []int{1, 2, 4, 8, 16} {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) {
			target := withShards(fmt.Sprint("target", shards), shards)
			if err := s.Resize(ctx, source, target); err != nil {
				t.Fatal(err)
			}
			for id, want := range wanted {
				doc, found, _, err := s.Get(target, id, want.Routing)
				if err != nil || !found || doc.Version != want.Version || doc.Routing != want.Routing {
					t.Fatalf("[%s] by routing [%s]: %v %+v, want %+v (%v)", id, want.Routing, found, doc, want, err)
				}
				before, _, _, err := s.Get(source, id, want.Routing)
				if err != nil || string(before.Source) != string(doc.Source) {
					t.Fatalf("[%s] is %s, was %s (%v)", id, doc.Source, before.Source, err)
				}
			}
			if stats, err := s.Stats(ctx, target); err != nil || stats.Docs != int64(len(wanted)) {
				t.Fatalf("%d documents, want %d (%v)", stats.Docs, len(wanted), err)
			}
		})
	}
}

// sameID writes a document twice, under routings that lead to two shards of four which become one of two.
func sameID(t *testing.T, s *Store, source *catalog.Index) {
	t.Helper()
	first := -1
	for n := 0; ; n++ {
		routing := strconv.Itoa(n)
		at := Route(source, routing)
		if first >= 0 && (at == first || at/2 != first/2) {
			continue
		}
		out, err := s.Write(t.Context(), source, []shard.Operation{{Op: shard.OpIndex, ID: "1", Routing: routing, Source: []byte(`{}`)}})
		if err != nil || out[0].Err != nil {
			t.Fatal(err, out[0].Err)
		}
		if first >= 0 {
			return
		}
		first = at
	}
}

func TestNoDocumentIsLostToAnotherOfItsID(t *testing.T) {
	s := newStore(t, t.TempDir())
	source := withShards("source", 4)
	if err := s.Create(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	sameID(t, s, source)
	err := s.Resize(t.Context(), source, withShards("target", 2))
	if err == nil || !strings.Contains(err.Error(), "cannot resize index [source]: two of its documents have one id and different routings") {
		t.Errorf("the error is %v", err)
	}
}

func TestAResizeEndsWithItsReaderOrItsSource(t *testing.T) {
	for _, e := range []struct {
		is  string
		end func(t *testing.T, s *Store, source *catalog.Index, cancel func())
	}{
		{"when it is cancelled", func(_ *testing.T, _ *Store, _ *catalog.Index, cancel func()) { cancel() }},
		{"when its source is deleted", func(t *testing.T, s *Store, source *catalog.Index, _ func()) {
			if err := s.Delete(t.Context(), source); err != nil {
				t.Error(err)
			}
		}},
		{"when the store is closed", func(t *testing.T, s *Store, _ *catalog.Index, _ func()) {
			if err := s.Shutdown(); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(e.is, func(t *testing.T) {
			dir := t.TempDir()
			s := newStore(t, dir)
			source, target := withShards("source", 1), withShards("target", 16)
			if err := s.Create(t.Context(), source); err != nil {
				t.Fatal(err)
			}
			ops := make([]shard.Operation, 200)
			for n := range ops {
				ops[n] = shard.Operation{Op: shard.OpIndex, ID: strconv.Itoa(n), Source: []byte(`{}`)}
			}
			if _, err := s.Write(t.Context(), source, ops); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			g, err := s.group(source)
			if err != nil {
				t.Fatal(err)
			}
			var wait chan struct{}
			for _, readErr := range s.resized(ctx, g, target, 0) {
				if wait == nil {
					wait = make(chan struct{})
					go func() { defer close(wait); e.end(t, s, source, cancel) }()
					for g.abandoned(ctx) == nil { // until it has begun to end
						continue
					}
				}
				err = readErr
			}
			<-wait
			if err == nil {
				t.Error("all was read")
			}
			if _, statErr := os.Stat(filepath.Join(dir, target.UUID)); !errors.Is(statErr, os.ErrNotExist) {
				t.Error("something of the target is there")
			}
		})
	}
}
