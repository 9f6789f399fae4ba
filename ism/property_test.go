// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opensteward/steward/ism"
)

var (
	someActions = []string{
		`{"rollover":{"min_index_age":"2d","min_doc_count":7}}`, `{"rollover":{"any_of":[{"min_doc_count":2,"min_index_age":"1d"},{"min_size":"1kb"}]}}`,
		`{"timeout":"12h","rollover":{"prevent_empty_rollover":true,"copy_alias":true}}`, `{"read_only":{}}`, `{"close":{}}`,
		`{"retry":{"count":1,"backoff":"linear","delay":"3h"},"force_merge":{"max_num_segments":1}}`, `{"force_merge":{"max_num_segments":2}}`,
		`{"retry":{"count":0},"snapshot":{"repository":"r","snapshot":"s"}}`, `{"shrink":{"num_new_shards":1}}`, `{"timeout":"1h","open":{}}`,
	}
	someConditions = []string{
		``, `,"conditions":{}`, `,"conditions":{"min_index_age":"3d"}`, `,"conditions":{"min_state_age":"5h"}`, `,"conditions":{"min_rollover_age":"1d"}`,
		`,"conditions":{"min_doc_count":3}`, `,"conditions":{"min_size":"2kb"}`, `,"conditions":{"no_alias":true}`, `,"conditions":{"no_alias":false}`,
		`,"conditions":{"cron":{"cron":{"expression":"0 3 * * *","timezone":"Asia/Tokyo"}}}`,
	}
	someStatuses = []string{ism.StatusCompleted, ism.StatusCompleted, ism.StatusCompleted, ism.StatusConditionNotMet, ism.StatusFailed}
)

// acyclic draws the states of a policy whose transitions lead forwards only.
func acyclic(t *rapid.T) string {
	n := rapid.IntRange(1, 4).Draw(t, "states")
	var states []string
	for i := range n {
		actions := rapid.SliceOfN(rapid.SampledFrom(someActions), 0, 3).Draw(t, "actions")
		var transitions []string
		for range rapid.IntRange(0, min(2, n-1-i)).Draw(t, "transitions") {
			to := rapid.IntRange(i+1, n-1).Draw(t, "to")
			transitions = append(transitions, fmt.Sprintf(`{"state_name":"s%d"%s}`, to, rapid.SampledFrom(someConditions).Draw(t, "condition")))
		}
		states = append(states, fmt.Sprintf(`{"name":"s%d","actions":[%s],"transitions":[%s]}`, i, strings.Join(actions, ","), strings.Join(transitions, ",")))
	}
	return strings.Join(states, ",")
}

// drawFacts draws what the cluster says about the index.
func drawFacts(t *rapid.T) ism.Facts {
	flag := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) > 1 }
	f := ism.Facts{
		Exists: true, Open: true, Created: t0, Target: "books", HasTarget: flag("alias"), WriteIndex: flag("write"),
		Red: !flag("green"), RolloverSkip: !flag("rolls"), RolledOver: map[string]time.Time{},
		Stats: &ism.Stats{Docs: rapid.Int64Range(0, 9).Draw(t, "docs"), PrimaryBytes: rapid.Int64Range(0, 4096).Draw(t, "bytes")},
	}
	if f.HasTarget {
		f.Aliases = []string{"books"}
	}
	if !flag("never") {
		f.RolledOver["books"] = t0
	}
	return f
}

// reread stores the documents of an index, reads them again, and keeps them packed for a while.
func reread(t *rapid.T, in *ism.Input) {
	if in.Meta != nil {
		body, err := in.Meta.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if in.Meta, err = ism.ReadMetadata(body); err != nil {
			t.Fatal(err)
		}
	}
	body, err := in.Job.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	job, err := ism.ReadJob(body)
	if err != nil {
		t.Fatal(err)
	}
	in.Job = *ism.UnpackJob(ism.PackJob(job, job.UUID, job.Index), job.UUID, job.Index, job.Policy)
	if in.Meta != nil {
		in.Meta = ism.UnpackMetadata(ism.PackMetadata(in.Meta, job.UUID, job.Index), job.UUID, job.Index)
	}
}

// needed is the input with only those facts that cost a request and that Needs asks for.
func needed(in ism.Input) ism.Input {
	needs := ism.Needs(in)
	if needs&ism.NeedStats == 0 {
		in.Facts.Stats = nil
	}
	if needs&ism.NeedRolloverInfo == 0 {
		in.Facts.RolledOver = nil
	}
	return in
}

// TestNextWaitsForTheFutureOrMakesProgress: whatever the policy, the cluster and the results of steps, an index whose
// policy has no circle comes to a wait, a wait ends in the future or by a change, and at its end there is something to do
// or another wait. Documents can be stored and read in between, and facts that nobody asked for play no role.
func TestNextWaitsForTheFutureOrMakesProgress(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := newInput(t, acyclic(rt))
		for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
			in.Facts = drawFacts(rt)
			for moves := 0; ; moves++ {
				if moves > 100 {
					rt.Fatal("it goes on and on")
				}
				m := ism.Next(needed(in))
				if full := ism.Next(in); full.Kind != m.Kind || full.Reason != m.Reason || !full.Due.Equal(m.Due) {
					rt.Fatalf("with all facts it would be %q, with those needed it is %q", full.Reason, m.Reason)
				}
				if m.Kind == ism.Wait {
					if !m.Due.IsZero() && !m.Due.After(in.Now) {
						rt.Fatalf("it waits for %s, which is past at %s: %s", m.Due, in.Now, m.Reason)
					}
					in.Now = later(rt, in.Now, m.Due)
					break
				}
				result := ism.Result{Status: rapid.SampledFrom(someStatuses).Draw(rt, "status")}
				apply(&in, m, func(ism.Move) ism.Result { return result })
				reread(rt, &in)
				if m.Kind == ism.Run && result.Status == ism.StatusConditionNotMet {
					in.Now = in.Now.Add(time.Second) // the driver looks again after a pause
					break
				}
			}
		}
	})
}

// later is the end of a wait, or some time in which facts change.
func later(t *rapid.T, now, due time.Time) time.Time {
	if due.IsZero() {
		return now.Add(time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "seconds")) * time.Second)
	}
	return due
}

// TestAPolicyWithoutACircleEndsWhenEverythingWorks: with steps that succeed, time that passes and a cluster that fulfils
// what is asked of it, each index gets to the end of its policy.
func TestAPolicyWithoutACircleEndsWhenEverythingWorks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		states := strings.ReplaceAll(acyclic(rt), `,"conditions":{}`, "")
		in := newInput(t, states)
		in.Facts.Target, in.Facts.HasTarget, in.Facts.WriteIndex = "books", true, true
		in.Facts.Stats = &ism.Stats{Docs: 100, PrimaryBytes: 1 << 20}
		in.Facts.RolledOver = map[string]time.Time{"other": t0}
		for n := 0; in.Meta == nil || !in.Meta.Done(); n++ {
			if n > 500 {
				rt.Fatalf("it does not end; it is at %s", document(t, in.Meta))
			}
			m := ism.Next(in)
			if m.Kind != ism.Wait {
				apply(&in, m, succeed)
				continue
			}
			if m.Due.IsZero() { // only an alias can be missing, or be too many
				if in.Facts.Aliases == nil {
					in.Facts.Aliases = []string{"books"}
				} else {
					in.Facts.Aliases = nil
				}
				continue
			}
			in.Now = m.Due
		}
		if in.Meta.Failed() {
			rt.Errorf("it failed: %s", document(t, in.Meta))
		}
	})
}
