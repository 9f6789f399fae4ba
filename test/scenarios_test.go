// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test/scenario"
)

// stage is the whole program as scenarios see it.
type stage struct {
	*Running
	clock clock.Clock
	// every is, at native pace, the time between two runs; 0 at full pace.
	every time.Duration
	*answers
}

// runs is how many runs of a job an expectation waits for at native pace: more than any scenario has moves in a row.
const runs = 30

// Do calls the program.
func (s stage) Do(method, path string, body []byte) (status int, answer []byte, err error) {
	if len(body) == 0 {
		status, answer = s.Call(method, path, nil)
	} else {
		status, answer = s.Call(method, path, body)
	}
	return status, answer, nil
}

// Now is the time of documents, in milliseconds.
func (s stage) Now() time.Time { return s.clock.Now().Truncate(time.Millisecond) }

// Advance moves the clock, which has to be a virtual one.
func (s stage) Advance(d time.Duration) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return s.clock.(*clock.Virtual).Advance(ctx, d)
}

// Eventually looks once when a virtual clock's program rests, and again and again before a real cluster.
func (s stage) Eventually(look func() error) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if v, ok := s.clock.(*clock.Virtual); ok {
		if err := v.Settle(ctx); err != nil {
			return err
		}
		err := look()
		for n := 0; err != nil && s.every > 0 && n < runs; n++ {
			if moved := v.Advance(ctx, s.every); moved != nil {
				return moved
			}
			err = look()
		}
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// TestScenarios plays the scenarios of the pure core on the whole program: all of them in virtual time on the embedded
// engine, and before a real cluster those that need no waiting.
func TestScenarios(t *testing.T) {
	scenarios(t, func(name, text string, s *scenario.Scenario) {
		if s.NativePace != "" || OnCluster() && s.Waits() {
			return
		}
		t.Run(name, func(t *testing.T) { play(t, text) })
	})
}

// TestScenariosAtNativePace plays them with one move a run, but for those that say why not.
func TestScenariosAtNativePace(t *testing.T) {
	if OnCluster() {
		t.Skip("runs come once a minute, and a real cluster has no clock that can be moved")
	}
	if Race {
		t.Skip("the same code runs at full pace, and this takes long with the race detector")
	}
	scenarios(t, func(name, text string, s *scenario.Scenario) {
		if s.FullPace == "" {
			t.Run(name, func(t *testing.T) { playNative(t, text) })
		}
	})
}

// scenarios calls fn with each scenario.
func scenarios(t *testing.T, fn func(name, text string, s *scenario.Scenario)) {
	t.Helper()
	files, err := filepath.Glob("scenario/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := scenario.Parse(string(text), "logs")
		if err != nil {
			t.Fatal(err)
		}
		fn(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text), s)
	}
}

func playNative(t *testing.T, text string) {
	t.Parallel()
	c := clock.NewVirtual(scenario.Start)
	s, err := scenario.Parse(text, "logs")
	if err != nil {
		t.Fatal(err)
	}
	every := (s.Length() / 20).Truncate(time.Minute) + time.Minute // a year takes some twenty runs too
	a := &answers{}
	p := Program(t, a.between, Virtual(c), Pace(steward.PaceNative), func(o *steward.Options) {
		o.Settings = map[string]string{
			"plugins.index_state_management.job_interval": strconv.Itoa(int(every.Minutes())),
			"plugins.index_state_management.jitter":       "0",
		}
	})
	if s, err = scenario.Parse(text, p.Prefix); err != nil {
		t.Fatal(err)
	}
	if err := s.PlayLate(stage{p, c, every, a}); err != nil {
		t.Error(err)
	}
}

func play(t *testing.T, text string) {
	var c clock.Clock = clock.Real{}
	if !OnCluster() {
		t.Parallel()
		c = clock.NewVirtual(scenario.Start)
	}
	a := &answers{}
	p := Program(t, a.between, func(o *steward.Options) { o.Clock = c })
	s, err := scenario.Parse(text, p.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Play(stage{p, c, 0, a}); err != nil {
		t.Error(err)
	}
}
