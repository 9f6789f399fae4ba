// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

var registry = setting.NewRegistry(ism.Settings()...)

// backends are the transports to test.
func backends(t *testing.T) map[string]http.RoundTripper {
	t.Helper()
	out := map[string]http.RoundTripper{}
	if url := os.Getenv("STEWARD_TEST_CLUSTER"); url != "" {
		out["cluster"] = cluster(t, url)
	}
	if embedded != nil {
		out["embedded"] = embedded(t)
	}
	return out
}

func cluster(t *testing.T, url string) http.RoundTripper {
	t.Helper()
	network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.(io.Closer).Close() })
	return opensearch.PluginSettings(network, registry)
}

// embedded opens an engine of this test's own.
var embedded func(t *testing.T) http.RoundTripper
