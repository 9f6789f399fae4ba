// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

func TestAStepLooksAgainAtOnceIfWhatItWaitsForHappenedWhileItLooked(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &sweep{Manager: New(Options{Client: opensearch.NewClient(nil)}), now: now}
	e := &entry{uuid: "u", running: true, called: true}
	r := &stepResult{result: ism.Result{Status: ism.StatusConditionNotMet}}
	r.entry = e
	r.move.Action, r.move.Meta = &ism.Action{}, &ism.Metadata{Action: &ism.ActionMeta{}}
	for _, pause := range []time.Duration{0, 50 * time.Millisecond, 100 * time.Millisecond} { // at once, and then as always
		s.afterResult(r)
		if got := s.queue.next().Sub(now); got != pause {
			t.Errorf("it looks again after %v, want %v", got, pause)
		}
		s.queue.remove(e)
	}
}
