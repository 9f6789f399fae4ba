// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
)

// t0 is when the index of the tests is created and attached.
var t0 = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// newPolicy parses the states of a policy, of which the first is the default one.
func newPolicy(t *testing.T, id, states string) *ism.Policy {
	t.Helper()
	_, first, _ := strings.Cut(states, `"name":"`)
	first, _, _ = strings.Cut(first, `"`)
	p, err := ism.ParsePolicy(id, fmt.Appendf(nil, `{"policy":{"description":"","default_state":%q,"states":[%s]}}`, first, states), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newInput is an index that was attached at t0 and has not moved yet.
func newInput(t *testing.T, states string) ism.Input {
	t.Helper()
	p := newPolicy(t, "p", states)
	return ism.Input{
		Job:    *ism.NewJob("books", "uuid", p, 3, 1, 5, 0.6, t0),
		Facts:  ism.Facts{Exists: true, Open: true, Created: t0},
		Config: ism.Config{Enabled: true, AllowList: ism.ActionTypes, JobInterval: 5},
		Now:    t0,
	}
}

// waiting is an index that has come, with steps that all succeed, to where it waits.
func waiting(t *testing.T, states string) ism.Input {
	t.Helper()
	in := newInput(t, states)
	settle(t, &in, succeed)
	return in
}

func succeed(ism.Move) ism.Result { return ism.Result{Status: ism.StatusCompleted} }

// settle makes moves until the index waits, and returns the last one. do is what steps report.
func settle(t *testing.T, in *ism.Input, do func(ism.Move) ism.Result) ism.Move {
	t.Helper()
	for range 100 {
		move := ism.Next(*in)
		if move.Kind == ism.Wait {
			return move
		}
		apply(in, move, do)
	}
	t.Fatal("it never waits")
	return ism.Move{}
}

// apply stores what a move wants stored.
func apply(in *ism.Input, move ism.Move, do func(ism.Move) ism.Result) {
	if move.Job != nil {
		in.Job = *move.Job
	}
	if move.Meta != nil {
		in.Meta = move.Meta
	}
	if move.Kind == ism.Run {
		in.Meta = ism.Finish(move, do(move), in.Now)
	}
}

func at(d time.Duration) time.Time { return t0.Add(d) }

// document is the stored form of metadata.
func document(t *testing.T, m *ism.Metadata) string {
	t.Helper()
	if m == nil {
		return ""
	}
	b, err := m.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
