// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opensteward/steward/test/scenario"
	"github.com/opensteward/steward/test/scenario/simulated"
)

// eachScenario runs a subtest for each file. names is the word that its names begin with.
func eachScenario(t *testing.T, play func(t *testing.T, s *scenario.Scenario, names string)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			names := aName()
			s, err := scenario.Parse(string(text), names)
			if err != nil {
				t.Fatal(err)
			}
			play(t, s, names)
		})
	}
}

func TestScenariosOnThePureCore(t *testing.T) {
	eachScenario(t, func(t *testing.T, s *scenario.Scenario, _ string) {
		if err := s.Play(simulated.New(scenario.Start)); err != nil {
			t.Error(err)
		}
	})
}
