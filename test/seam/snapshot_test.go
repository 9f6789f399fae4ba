// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

func TestASnapshotIsTakenOnceUnderItsName(t *testing.T) {
	onEach(t, func(w world) {
		ctx, index, repository := w.t.Context(), w.name("-a"), w.prefix
		w.create(index, map[string]any{"settings": map[string]any{"number_of_replicas": 0}})
		w.put("/_snapshot/"+repository, wire.Obj("type", "fs", "settings", wire.Obj("location", repository)))
		w.t.Cleanup(func() {
			for _, path := range []string{opensearch.Path("_snapshot", repository, "*"), opensearch.Path("_snapshot", repository)} {
				if err := w.Do(context.Background(), opensearch.Call{Method: http.MethodDelete, Path: path}, nil); err != nil {
					w.t.Error(err)
				}
			}
		})
		const name = "s-2026.03.01-12:00:00.000"
		take := func(repository, index string) error {
			return w.CreateSnapshot(ctx, repository, name, index, map[string]string{"by": "me"})
		}
		w.must(take(repository, index))
		if err := take(repository, index); !fault.Is(err, "invalid_snapshot_name_exception") {
			w.t.Errorf("the same name again: %v", err)
		}
		var s opensearch.Snapshot
		until := time.Now().Add(20 * time.Second)
		for s.State != "SUCCESS" {
			var found bool
			var err error
			s, found, err = w.Snapshot(ctx, repository, name)
			w.must(err)
			if !found || s.State != "SUCCESS" && s.State != "IN_PROGRESS" || time.Now().After(until) {
				w.t.Fatalf("%v %+v", found, s)
			}
		}
		if s.UUID == "" || s.Ended == 0 || !cmp.Equal(s.Indices, []string{index}) || s.Name != name {
			w.t.Errorf("%+v", s)
		}
		if err := take(repository, index); !fault.Is(err, "invalid_snapshot_name_exception") {
			w.t.Errorf("the same name afterwards: %v", err)
		}
		if err := take(w.name("-none"), index); !fault.Is(err, "repository_missing_exception") {
			w.t.Errorf("a missing repository: %v", err)
		}
		if err := w.CreateSnapshot(ctx, repository, "other", w.name("-none"), nil); !fault.Is(err, "index_not_found_exception") {
			w.t.Errorf("a missing index: %v", err)
		}
		if err := w.CreateSnapshot(ctx, repository, "other", w.name("*"), nil); err == nil {
			w.t.Error("a pattern was taken for an index")
		}
		if _, _, err := w.Snapshot(ctx, repository, "other"); !fault.Is(err, "snapshot_missing_exception") {
			w.t.Errorf("a missing snapshot: %v", err)
		}
	})
}
