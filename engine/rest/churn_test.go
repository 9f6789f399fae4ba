// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/opensteward/steward/engine"
)

// Who looks at all indices does not hear of those that come and go meanwhile.
func TestLookingAtAllIndicesWhileTheyComeAndGo(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/stays", "")
	done := make(chan struct{})
	var lookers errgroup.Group
	for _, path := range []string{
		"/_cat/indices", "/_cat/shards", "/_cat/segments", "/_cat/recovery", "/_cat/allocation", "/_cat/count", "/_stats", "/_segments",
		"/_cluster/stats", "/_nodes/stats/indices", "/_cluster/health?level=shards", "/_cluster/state", "/_resolve/index/*", "/_recovery",
	} {
		lookers.Go(func() error {
			for {
				if w := s.call("GET", path, ""); w.Code != 200 {
					return fmt.Errorf("GET %s: %d %s", path, w.Code, w.Body)
				}
				select {
				case <-done:
					return nil
				default:
				}
			}
		})
	}
	for i := range 3 {
		name := fmt.Sprintf("/goes-%d", i)
		s.do("PUT", name, "")
		s.do("PUT", name+"/_doc/1?refresh=true", `{"n":1}`)
		s.do("POST", name+"/_close", "")
		s.do("POST", name+"/_open", "")
		s.do("DELETE", name, "")
	}
	close(done)
	if err := lookers.Wait(); err != nil {
		t.Error(err)
	}
}
