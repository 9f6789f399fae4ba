// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"fmt"
	"net/http"
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
	clock *clock.Virtual
	// every is, at native pace, the time between two runs; 0 at full pace.
	every time.Duration
	*scenario.Answers
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

// Advance moves the clock when the program rests.
func (s stage) Advance(d time.Duration) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.rest(ctx); err != nil {
		return err
	}
	return s.clock.Advance(ctx, d)
}

// rest waits until the program has done all that can be done at the instant at which the clock stands. Before a real
// cluster it has to lead, and to have read the cluster.
func (s stage) rest(ctx context.Context) error {
	for {
		if err := s.clock.Settle(ctx); err != nil || !OnCluster() {
			return err
		}
		var status struct {
			Leader bool
			ISM    struct {
				Error string `json:"last_error"`
			}
		}
		s.Must(http.MethodGet, "/_plugins/_steward/status", nil, &status)
		if status.Leader && status.ISM.Error == "" {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the program does not lead or read the cluster: %+v", status)
		}
	}
}

// Eventually looks when the program rests. At native pace it lets runs pass until what it looks for is there; and a real
// cluster's work takes time, in which the clock goes on as the machine's does.
func (s stage) Eventually(look func() error) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.rest(ctx); err != nil {
		return err
	}
	err := look()
	for n := 0; err != nil && s.every > 0 && n < runs; n++ {
		if moved := s.clock.Advance(ctx, s.every); moved != nil {
			return moved
		}
		err = look()
	}
	for err != nil && OnCluster() && s.goOn(ctx) {
		err = look()
	}
	return err
}

// goOn lets the clock go on for a moment as the machine's does, and reports whether there was time for it.
func (s stage) goOn(ctx context.Context) bool {
	const moment = 20 * time.Millisecond
	select {
	case <-time.After(moment):
	case <-ctx.Done():
		return false
	}
	return s.clock.Advance(ctx, moment) == nil && s.rest(ctx) == nil
}

// TestScenarios plays the scenarios of the pure core on the whole program, in virtual time: all of them on the embedded
// engine, and before a real cluster, whose time stamps are put in that time, those that do not say why not.
func TestScenarios(t *testing.T) {
	scenarios(t, func(name, text string, s *scenario.Scenario) {
		if s.NativePace != "" || OnCluster() && s.Engine != "" {
			return
		}
		t.Run(name, func(t *testing.T) { play(t, text) })
	})
}

// TestScenariosAtNativePace plays them with one move a run, but for those that say why not: before a real cluster those
// that cannot be played otherwise.
func TestScenariosAtNativePace(t *testing.T) {
	if Race {
		t.Skip("the same code runs at full pace, and this takes long with the race detector")
	}
	scenarios(t, func(name, text string, s *scenario.Scenario) {
		if s.FullPace != "" || OnCluster() && (s.NativePace == "" || s.Engine != "") {
			return
		}
		t.Run(name, func(t *testing.T) { playNative(t, text) })
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

// besideOthers lets a scenario run beside others, but for a real cluster, which has one program at a time.
func besideOthers(t *testing.T) {
	if !OnCluster() {
		t.Parallel()
	}
}

// before lets a scenario answer in place of what is behind the program.
func before(a *scenario.Answers) func(*steward.Options) {
	return func(o *steward.Options) { o.Transport = a.Before }
}

func playNative(t *testing.T, text string) {
	besideOthers(t)
	c := clock.NewVirtual(scenario.Start)
	s, err := scenario.Parse(text, "logs")
	if err != nil {
		t.Fatal(err)
	}
	every := (s.Length() / 20).Truncate(time.Minute) + time.Minute // a year takes some twenty runs too
	a := &scenario.Answers{}
	p := Program(t, func(o *steward.Options) {
		o.Settings = map[string]string{
			"plugins.index_state_management.job_interval": strconv.Itoa(int(every.Minutes())),
			"plugins.index_state_management.jitter":       "0",
		}
	}, Pace(steward.PaceNative), before(a), InVirtualTime(c))
	if s, err = scenario.Parse(text, p.Prefix); err != nil {
		t.Fatal(err)
	}
	if err := s.PlayLate(stage{p, c, every, a}); err != nil {
		t.Error(err)
	}
}

func play(t *testing.T, text string) {
	besideOthers(t)
	c, a := clock.NewVirtual(scenario.Start), &scenario.Answers{}
	p := Program(t, before(a), InVirtualTime(c))
	s, err := scenario.Parse(text, p.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Play(stage{p, c, 0, a}); err != nil {
		t.Error(err)
	}
}
