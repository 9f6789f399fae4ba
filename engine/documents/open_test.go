// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"fmt"
	"testing"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/wire/setting"
)

func TestNoMoreShardsAreOpenThanTheLimitAndAllAnswer(t *testing.T) {
	s := New(Options{Dir: t.TempDir()})
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	indices := make([]*catalog.Index, maxOpen+20)
	for i := range indices {
		indices[i] = &catalog.Index{
			Name: fmt.Sprint("i", i), UUID: fmt.Sprint("uuid", i), Mapping: mapping.Empty(), RoutingShards: 1,
			Settings: setting.Values{"index.number_of_shards": "1", "index.refresh_interval": "-1"},
		}
		if err := s.Create(t.Context(), indices[i]); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.open.list.Len(); n > maxOpen {
		t.Errorf("%d shards are open, the limit is %d", n, maxOpen)
	}
	first := indices[0]
	if s.indices[first.UUID].slots[0].shard != nil {
		t.Error("the shard that was used least recently is open")
	}
	ops := []shard.Operation{{Op: shard.OpIndex, ID: "1", Source: []byte(`{}`)}}
	for _, index := range []*catalog.Index{first, indices[1], indices[len(indices)-1]} {
		if _, err := s.Write(t.Context(), index, ops); err != nil {
			t.Fatal(err)
		}
		if _, ok, _, err := s.Get(index, "1", ""); !ok || err != nil {
			t.Errorf("%s: found %v, %v", index.Name, ok, err)
		}
	}
}

func TestWritersWaitWhileSearchesAreFarBehind(t *testing.T) {
	for interval, behind := range map[string]int64{"1h": 10, "-1": 23} {
		s := New(Options{Dir: t.TempDir(), MaxBehind: 12})
		index := &catalog.Index{
			Name: "i", UUID: "u", Mapping: mapping.Empty(), RoutingShards: 1,
			Settings: setting.Values{"index.number_of_shards": "1", "index.refresh_interval": interval},
		}
		if err := s.Create(t.Context(), index); err != nil {
			t.Fatal(err)
		}
		written := 0
		for _, size := range []int{6, 7, 10} { // the third one finds the shard thirteen writes behind
			ops := make([]shard.Operation, size)
			for i := range ops {
				ops[i] = shard.Operation{Op: shard.OpIndex, ID: fmt.Sprint(written), Source: []byte(`{}`)}
				written++
			}
			if _, err := s.Write(t.Context(), index, ops); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.indices["u"].slots[0].shard.Behind(); got != behind {
			t.Errorf("refreshed every %s: searches are %d writes behind, want %d", interval, got, behind)
		}
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}
