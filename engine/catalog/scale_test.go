// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/wire"
)

// large is a catalog of n indices, every tenth with an alias.
func large(b *testing.B, n int) *Catalog {
	b.Helper()
	c, err := Open(Options{Path: filepath.Join(b.TempDir(), "catalog.db"), Config: map[string]string{"cluster.max_shards_per_node": "1000000"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	err = c.update(b.Context(), func(next *State) error {
		for i := range n {
			name := fmt.Sprintf("logs-%05d", i)
			index := &Index{
				Name: name, UUID: newUUID(), Mapping: mapping.Empty(), Aliases: map[string]Alias{}, Version: 1, RoutingShards: 1024,
				Settings: changing("index.number_of_shards", "1", "index.number_of_replicas", "0").Set,
			}
			if i%10 == 0 {
				index.Aliases["alias-"+strconv.Itoa(i)] = Alias{}
			}
			next.Indices[name] = index
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func BenchmarkChangeAmong10000Indices(b *testing.B) {
	c := large(b, 10_000)
	for i := range b.N {
		if err := c.PutSettings(b.Context(), []string{"logs-00005"}, all, changing("index.priority", strconv.Itoa(i)), false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateAmong10000Indices(b *testing.B) {
	c := large(b, 10_000)
	for i := range b.N {
		if _, err := c.CreateIndex(b.Context(), "new-"+strconv.Itoa(i), NewIndex{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolveAmong10000Indices(b *testing.B) {
	c := large(b, 10_000)
	for _, e := range []string{"logs-00005", "logs-0000*", "*"} {
		b.Run(e, func(b *testing.B) {
			for range b.N {
				if _, err := c.State().Resolve([]string{e}, wire.IndexOptions{Open: true}, c.clock.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
