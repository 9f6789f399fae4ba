// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opensteward/steward/opensearch"
)

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAnAnswerAboutAllIndicesMayTakeTenTimesAsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := opensearch.NewClient(silent{}).Within(time.Minute)
		began := time.Now()
		if err := c.Do(t.Context(), opensearch.Call{Method: http.MethodGet, Path: "/"}, nil); err == nil || time.Since(began) != time.Minute {
			t.Errorf("a call: %v after %s", err, time.Since(began))
		}
		began = time.Now()
		if _, err := c.IndexNames(t.Context()); err == nil || time.Since(began) != 10*time.Minute {
			t.Errorf("all indices: %v after %s", err, time.Since(began))
		}
	})
}
