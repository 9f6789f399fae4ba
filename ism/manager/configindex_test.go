// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// TestAnErrorAboutTheConfigIndexIsTheClustersOwn: the plugin hides it behind
// "Unable to create or update .opendistro-ism-config with newest mapping." and "Could not update .opendistro-ism-config with new mapping."
func TestAnErrorAboutTheConfigIndexIsTheClustersOwn(t *testing.T) {
	const (
		there   = `{"error":{"type":"resource_already_exists_exception","reason":"it exists"},"status":400}`
		old     = `{".opendistro-ism-config":{"mappings":{"_meta":{"schema_version":1}}}}`
		blocked = `{"error":{"type":"cluster_block_exception","reason":"index read-only"},"status":403}`
	)
	for _, c := range []struct {
		name, create, mapping, upgrade, want string
	}{
		{"it cannot be made", blocked, "", "", "cluster_block_exception"},
		{"its mapping cannot be read", there, blocked, "", "cluster_block_exception"},
		{"its mapping cannot be changed", there, old, blocked, "cluster_block_exception"},
		{"it has an older mapping", there, old, `{"acknowledged":true}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := c.create
				switch {
				case r.Method == http.MethodGet:
					answer = c.mapping
				case strings.HasSuffix(r.URL.Path, "_mapping"):
					answer = c.upgrade
				}
				w.Header().Set("Content-Type", "application/json")
				switch answer {
				case there:
					w.WriteHeader(http.StatusBadRequest)
				case blocked:
					w.WriteHeader(http.StatusForbidden)
				}
				_, _ = w.Write([]byte(answer))
			})
			err := EnsureConfigIndex(t.Context(), opensearch.NewClient(opensearch.InProcess(cluster)))
			if c.want == "" && err != nil || c.want != "" && !fault.Is(err, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
