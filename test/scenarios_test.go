// SPDX-License-Identifier: Apache-2.0

package test

import (
	"context"
	"os"
	"path/filepath"
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
}

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
		return look()
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
		if OnCluster() && s.Waits() {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { play(t, string(text)) })
	}
}

func play(t *testing.T, text string) {
	var c clock.Clock = clock.Real{}
	if !OnCluster() {
		c = clock.NewVirtual(scenario.Start)
	}
	p := Program(t, func(o *steward.Options) { o.Clock = c })
	s, err := scenario.Parse(text, p.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Play(stage{p, c}); err != nil {
		t.Error(err)
	}
}
