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

func TestScenariosOnThePureCore(t *testing.T) {
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
			s, err := scenario.Parse(string(text), "logs")
			if err != nil {
				t.Fatal(err)
			}
			if s.Cluster != "" || s.NativePace != "" {
				t.Skip("only on a cluster: " + s.Cluster)
			}
			if err := s.Play(simulated.New(scenario.Start)); err != nil {
				t.Error(err)
			}
		})
	}
}
