// SPDX-License-Identifier: Apache-2.0

//go:build whole

package scenario_test

import (
	"testing"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/scenario"
)

func TestScenariosOnTheEmbeddedEngine(t *testing.T) {
	eachScenario(t, func(t *testing.T, s *scenario.Scenario, _ string) {
		now := clock.NewVirtual(scenario.Start)
		e, err := engine.Open(engine.Options{Dir: t.TempDir(), Clock: now, Settings: registry.All(), Version: "3.4.0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := s.Play(wire(t, opensearch.InProcess(e), now)); err != nil {
			t.Error(err)
		}
	})
}
