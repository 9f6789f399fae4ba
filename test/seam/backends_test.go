// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

var registry = setting.NewRegistry(
	setting.Definition{
		Key: "index.plugins.index_state_management.rollover_alias", Index: true,
		Fallback: "index.opendistro.index_state_management.rollover_alias",
	},
	setting.Definition{Key: "index.plugins.index_state_management.auto_manage", Index: true, Kind: setting.Bool, Default: "true"},
	setting.Definition{
		Key: "plugins.index_state_management.job_interval", Fallback: "opendistro.index_state_management.job_interval",
		Kind: setting.Int, Default: "5", Min: "1",
	},
)

// backends are the transports to test.
func backends(t *testing.T) map[string]http.RoundTripper {
	t.Helper()
	out := map[string]http.RoundTripper{}
	if url := os.Getenv("STEWARD_TEST_CLUSTER"); url != "" {
		network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}, InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = network.(io.Closer).Close() })
		out["cluster"] = opensearch.PluginSettings(network, registry)
	}
	return out
}
