// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"net/http"
	"strings"
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

func TestANodeThatNeverAnswersHoldsASweepUpForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{Client: opensearch.NewClient(silent{})})
		began := time.Now()
		_, err := m.Sweep(t.Context(), began)
		if took := time.Since(began); err == nil || took != opensearch.AnswerWithin || !strings.Contains(m.Status().LastError, "no answer from the cluster") {
			t.Errorf("after %s: %v, status %+v", took, err, m.Status())
		}
	})
}
