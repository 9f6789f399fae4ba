// SPDX-License-Identifier: Apache-2.0

package seam

import (
	"net/http"
	"testing"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

func init() {
	embedded = func(t *testing.T) http.RoundTripper {
		t.Helper()
		e, err := engine.Open(engine.Options{
			Dir: t.TempDir(), Clock: clock.Real{}, Settings: ism.Settings(), Version: "3.4.0",
			Config: map[string]string{"path.repo": t.TempDir()},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return opensearch.InProcess(e)
	}
}
