// SPDX-License-Identifier: Apache-2.0

package test

import (
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/test/scenario"
)

// TestEveryActionHasAScenarioThatIsPlayedBeforeARealCluster reads the policies of those scenarios.
func TestEveryActionHasAScenarioThatIsPlayedBeforeARealCluster(t *testing.T) {
	played, alone := map[string]bool{}, 0
	scenarios(t, func(name, _ string, s *scenario.Scenario) {
		if s.Engine != "" {
			alone++
			return
		}
		for _, body := range s.Policies() {
			p, err := ism.ParsePolicy(name, body, 0)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, state := range p.States {
				for _, a := range state.Actions {
					played[a.Type] = true
				}
			}
		}
	})
	for _, action := range ism.ActionTypes {
		if !played[action] {
			t.Errorf("no scenario has the action %s", action)
		}
	}
	if most := 1; alone > most {
		t.Errorf("%d scenarios are played on the embedded engine alone, %d at most were meant to be", alone, most)
	}
}
