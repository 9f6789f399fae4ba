// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

func TestAnIndexWhoseDecisionPanicsIsTriedLaterAndHoldsUpNoOther(t *testing.T) {
	s := &sweep{Manager: New(Options{Client: opensearch.NewClient(nil)}), now: time.Now()}
	bad, good := &entry{uuid: "bad"}, &entry{uuid: "good"}
	noPolicy := ism.Input{Job: ism.Job{Enabled: true}, Facts: ism.Facts{Exists: true}}
	left := s.decideEach([]decided{{entry: bad, input: noPolicy}, {entry: good, input: ism.Input{}}})
	if len(left) != 1 || left[0].entry != good {
		t.Errorf("%d decisions are left", len(left))
	}
	if !bad.queued() || bad.tries != 1 {
		t.Errorf("it is not tried again: %+v", bad)
	}
}
