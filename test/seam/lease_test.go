// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"net/http"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// TestAnIndexThatAStrayWriteMadeIsRepaired deletes Steward's own index, lets a late renewal bring it back with a mapping
// of the cluster's, and repairs it.
func TestAnIndexThatAStrayWriteMadeIsRepaired(t *testing.T) {
	for name, transport := range backends(t) {
		t.Run(name, func(t *testing.T) {
			c := opensearch.NewClient(transport)
			forget := func() {
				if _, err := c.DeleteIndex(t.Context(), lease.Index); err != nil && !fault.HasStatus(err, http.StatusNotFound) {
					t.Fatal(err)
				}
			}
			forget()
			defer forget()
			put := func(id string, source map[string]any, was opensearch.Version) error {
				_, err := c.Write(t.Context(), opensearch.Write{Op: opensearch.OpIndex, Index: lease.Index, ID: id, If: was, Source: source}, "")
				return err
			}
			held := map[string]any{"lease": map[string]any{"holder": "a", "fence": 1}}
			if err := put("lease", held, opensearch.Version{SeqNo: 5, PrimaryTerm: 1}); !fault.HasStatus(err, http.StatusConflict) && !fault.HasStatus(err, http.StatusNotFound) {
				t.Fatalf("the late renewal: %v", err)
			}
			for range 2 {
				if err := lease.EnsureIndex(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			more := map[string]any{"lease": map[string]any{"holder": "b", "fence": 2, "another": "x"}}
			if err := put("lease", more, opensearch.Version{}); err != nil {
				t.Errorf("a document of ours: %v", err)
			}
			if err := put("x", map[string]any{"stranger": 1}, opensearch.Version{}); !fault.HasStatus(err, http.StatusBadRequest) {
				t.Errorf("a document of somebody else: %v", err)
			}
		})
	}
}
