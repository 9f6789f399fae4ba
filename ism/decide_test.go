// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
)

// leaves is a state that is left when the condition is met.
func leaves(conditions string) string {
	return fmt.Sprintf(`{"name":"a","actions":[],"transitions":[{"state_name":"b","conditions":%s}]},{"name":"b","actions":[],"transitions":[]}`, conditions)
}

func TestConditionsOfTransitions(t *testing.T) {
	const ms = time.Millisecond
	stats := func(docs, bytes int64) func(*ism.Input) {
		return func(in *ism.Input) { in.Facts.Stats = &ism.Stats{Docs: docs, PrimaryBytes: bytes} }
	}
	rolled := func(times ...time.Duration) func(*ism.Input) {
		return func(in *ism.Input) {
			in.Facts.RolledOver = map[string]time.Time{}
			for i, d := range times {
				in.Facts.RolledOver[fmt.Sprint(i)] = at(d)
			}
		}
	}
	cron := func(expression, zone string) string {
		return fmt.Sprintf(`{"cron":{"cron":{"expression":%q,"timezone":%q}}}`, expression, zone)
	}
	for _, c := range []struct {
		name, condition string
		facts           func(*ism.Input)
		now             time.Duration
		met             bool
		due             time.Duration
	}{
		{"an index a millisecond too young", `{"min_index_age":"7d"}`, nil, 7*day - ms, false, 7 * day},
		{"an index exactly old enough", `{"min_index_age":"7d"}`, nil, 7 * day, true, 0},
		{"an age of -1", `{"min_index_age":"-1"}`, nil, 0, true, 0},
		{"an index of unknown age", `{"min_index_age":"1s"}`, func(in *ism.Input) { in.Facts.Created, in.Meta.Created = time.Time{}, time.Time{} }, 7 * day, false, 0},
		{"the creation date that the metadata remembers", `{"min_index_age":"7d"}`, func(in *ism.Input) { in.Facts.Created = at(-30 * day) }, 6 * day, false, 7 * day},
		{"a state a millisecond too young", `{"min_state_age":"1h"}`, nil, time.Hour - ms, false, time.Hour},
		{"a state exactly old enough", `{"min_state_age":"1h"}`, nil, time.Hour, true, 0},
		{"a rollover a millisecond too young", `{"min_rollover_age":"1h"}`, rolled(0), time.Hour - ms, false, time.Hour},
		{"a rollover exactly old enough", `{"min_rollover_age":"1h"}`, rolled(0), time.Hour, true, 0},
		{"the oldest of several rollovers counts", `{"min_rollover_age":"1h"}`, rolled(30*time.Minute, 10*time.Minute), 70 * time.Minute, true, 0},
		{"a document too few", `{"min_doc_count":5}`, stats(4, 0), 0, false, 0},
		{"enough documents", `{"min_doc_count":5}`, stats(5, 0), 0, true, 0},
		{"documents of an index that is gone from the stats", `{"min_doc_count":5}`, nil, 0, false, 0},
		{"a byte too few", `{"min_size":"1kb"}`, stats(0, 1023), 0, false, 0},
		{"bytes enough", `{"min_size":"1kb"}`, stats(0, 1024), 0, true, 0},
		{"no alias wanted and none there", `{"no_alias":true}`, nil, 0, true, 0},
		{"no alias wanted and one there", `{"no_alias":true}`, func(in *ism.Input) { in.Facts.Aliases = []string{"x"} }, 0, false, 0},
		{"an alias wanted and none there", `{"no_alias":false}`, nil, 0, false, 0},
		{"an alias wanted and one there", `{"no_alias":false}`, func(in *ism.Input) { in.Facts.Aliases = []string{"x"} }, 0, true, 0},
		{"a millisecond before the clock strikes", cron("30 10 * * *", "UTC"), nil, 30*time.Minute - ms, false, 30 * time.Minute},
		{"the clock strikes", cron("30 10 * * *", "UTC"), nil, 30 * time.Minute, true, 0},
		{"the clock struck long ago", cron("30 10 1 * *", "UTC"), nil, 300 * day, true, 0},
		{"the minute in which waiting began does not count", cron("0 10 * * *", "UTC"), nil, 0, false, day},
		{"an expression that never fires", cron("0 0 31 2 *", "UTC"), nil, 5000 * day, false, 0},
		{"a condition without content", `{}`, nil, 5000 * day, false, 0},
		{"a schedule that is no cron", `{"cron":{"interval":{"period":1,"unit":"MINUTES","start_time":1}}}`, nil, 5000 * day, false, 0},
		{"an age that no index reaches", `{"min_index_age":"200000d"}`, nil, 5000 * day, false, 106751*day + 23*time.Hour + 47*time.Minute + 16*time.Second + 854775807},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := waiting(t, leaves(`{}`))
			in.Job.Policy = newPolicy(t, "p", leaves(c.condition))
			if c.facts != nil {
				c.facts(&in)
			}
			in.Now = at(c.now)
			m := ism.Next(in)
			if met := m.Kind == ism.Save && m.Meta.TransitionTo == "b"; met != c.met {
				t.Fatalf("met %v: %+v", met, m)
			}
			if want := at(c.due); c.due != 0 && !m.Due.Equal(want) || c.due == 0 && !m.Due.IsZero() {
				t.Errorf("due %s, want %s", m.Due, want)
			}
		})
	}
}

func TestOfSeveralAgesTheEarliestIsWaitedFor(t *testing.T) {
	for _, order := range [][2]string{{"1d", "3d"}, {"3d", "1d"}} {
		in := newInput(t, fmt.Sprintf(`{"name":"a","transitions":[{"state_name":"b","conditions":{"min_index_age":%q}},
			{"state_name":"b","conditions":{"no_alias":false}},{"state_name":"b","conditions":{"min_state_age":%q}}]},{"name":"b"}`, order[0], order[1]))
		if m := settle(t, &in, succeed); !m.Due.Equal(at(day)) {
			t.Errorf("%v: due %s", order, m.Due)
		}
	}
}

// rollingOver is an index that waits in a rollover with these conditions.
func rollingOver(t *testing.T, conditions string) ism.Input {
	t.Helper()
	in := newInput(t, `{"name":"a","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[]}`)
	canRoll(&in)
	settle(t, &in, succeed)
	in.Job.Policy = newPolicy(t, "p", fmt.Sprintf(`{"name":"a","actions":[{"rollover":%s}],"transitions":[]}`, conditions))
	return in
}

func TestDecisionsOfRollovers(t *testing.T) {
	const pending, index = "Pending rollover of index [index=books]", "[index=books]"
	for _, c := range []struct {
		name, conditions string
		facts            func(*ism.Input)
		now              time.Duration
		status           string // completed with an effect is "run"
		message          string
		due              time.Duration
	}{
		{
			"a skipped one is done before anything is looked at", `{"min_doc_count":9}`, func(in *ism.Input) { in.Facts.RolloverSkip, in.Facts.Target = true, "" }, 0,
			"completed", "Skipped rollover action for " + index, 0,
		},
		{"without a target it fails", `{}`, func(in *ism.Input) { in.Facts.Target = "" }, 0, "failed", "Missing rollover_alias index setting " + index, 0},
		{"one that has happened is done before the alias is looked at", `{"min_doc_count":9}`, func(in *ism.Input) {
			in.Facts.RolledOver, in.Facts.WriteIndex = map[string]time.Time{"books": t0}, false
		}, 0, "run", "", 0},
		{
			"one for another alias does not count", `{"min_doc_count":9}`, func(in *ism.Input) { in.Facts.RolledOver = map[string]time.Time{"other": t0} }, 0,
			"waits", pending, 0,
		},
		{"without the alias it fails", `{}`, func(in *ism.Input) { in.Facts.HasTarget = false }, 0, "failed", "Missing alias or not the write index when rollover " + index, 0},
		{"an index that does not write fails", `{}`, func(in *ism.Input) { in.Facts.WriteIndex = false }, 0, "failed", "Missing alias or not the write index when rollover " + index, 0},
		{"a data stream needs no alias", `{}`, func(in *ism.Input) { in.Facts.DataStream, in.Facts.HasTarget, in.Facts.WriteIndex = true, false, false }, 0, "run", "", 0},
		{
			"numbers that cannot be read fail it", `{"min_doc_count":9}`, func(in *ism.Input) { in.Facts.Stats, in.Facts.StatsError = nil, errors.New("no") }, 0,
			"failed", "Failed to evaluate conditions for rollover " + index, 0,
		},
		{
			"failed shards fail it", `{"min_size":"1b"}`, func(in *ism.Input) { in.Facts.Stats.Failures = []string{"[books][0] failed, reason [x]"} }, 0,
			"failed", "Failed to evaluate conditions for rollover " + index, 0,
		},
		{"without conditions it happens", `{}`, nil, 0, "run", "", 0},
		{"any one condition is enough", `{"min_doc_count":9,"min_index_age":"1h"}`, nil, time.Hour, "run", "", 0},
		{"a millisecond too young", `{"min_doc_count":9,"min_index_age":"1h"}`, nil, time.Hour - time.Millisecond, "waits", pending, time.Hour},
		{"one byte too small", `{"min_size":"1kb"}`, func(in *ism.Input) { in.Facts.Stats.PrimaryBytes = 1023 }, 0, "waits", pending, 0},
		{"large enough", `{"min_size":"1kb"}`, func(in *ism.Input) { in.Facts.Stats.PrimaryBytes = 1024 }, 0, "run", "", 0},
		{"a shard large enough", `{"min_primary_shard_size":"1kb"}`, func(in *ism.Input) { in.Facts.Stats.MaxShardSize = 1024 }, 0, "run", "", 0},
		{"a group half met waits for its age", `{"any_of":[{"min_doc_count":2,"min_index_age":"1h"}]}`, func(in *ism.Input) { in.Facts.Stats.Docs = 2 }, 0, "waits", pending, time.Hour},
		{"of several groups the earliest age is waited for", `{"any_of":[{"min_doc_count":2,"min_index_age":"1h"},{"min_index_age":"1d"}]}`, nil, 0, "waits", pending, time.Hour},
		{"a group whose age is reached waits for documents only", `{"any_of":[{"min_doc_count":2,"min_index_age":"1h"}]}`, nil, 2 * time.Hour, "waits", pending, 0},
		{"one whole group is enough", `{"any_of":[{"min_doc_count":2,"min_index_age":"1h"},{"min_size":"1b"}]}`, func(in *ism.Input) { in.Facts.Stats.PrimaryBytes = 1 }, 0, "run", "", 0},
		{
			"an empty index waits where that is wanted", `{"min_index_age":"1h","prevent_empty_rollover":true}`, nil, 2 * time.Hour, "saves",
			"Rollover prevented: index is empty (0 documents) " + index, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := rollingOver(t, c.conditions)
			if c.facts != nil {
				c.facts(&in)
			}
			in.Now = at(c.now)
			m := ism.Next(in)
			status, message := "", m.Reason
			switch {
			case m.Kind == ism.Run:
				status, message = "run", ""
			case m.Kind == ism.Wait:
				status = "waits"
			case m.Meta.Step.Status == ism.StatusConditionNotMet:
				status = "saves"
			default:
				status = m.Meta.Step.Status
			}
			if status != c.status || message != c.message {
				t.Errorf("%s %q, want %s %q", status, message, c.status, c.message)
			}
			if want := at(c.due); c.due != 0 && !m.Due.Equal(want) || c.due == 0 && !m.Due.IsZero() {
				t.Errorf("due %s, want %s", m.Due, want)
			}
		})
	}
}

func TestARolloverShowsItsConditionsInOrder(t *testing.T) {
	in := rollingOver(t, `{"min_primary_shard_size":"30gb","min_size":"50gb","min_index_age":"48h","min_doc_count":1000000}`)
	in.Facts.Stats = &ism.Stats{Docs: 5, PrimaryBytes: 1503238553, MaxShard: 2, MaxShardSize: 734003200}
	in.Now = at(90 * time.Minute)
	got, err := ism.CurrentConditions(in).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"min_index_age":{"condition":"2d","current":"1.5h","creationDate":1772445600000},` +
		`"min_doc_count":{"condition":1000000,"current":5},` +
		`"min_size":{"condition":"50gb","current":"1.3gb"},` +
		`"min_primary_shard_size":{"condition":"30gb","current":"700mb","shard":2}}`
	if string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestWaitingWritesNothing(t *testing.T) {
	in := rollingOver(t, `{"min_doc_count":9}`)
	for docs := range int64(9) {
		in.Facts.Stats.Docs = docs
		in.Now = in.Now.Add(time.Hour)
		if m := ism.Next(in); m.Kind != ism.Wait {
			t.Fatalf("with %d documents it writes %q", docs, m.Reason)
		}
	}
	in.Facts.Stats.Docs = 9
	if m := ism.Next(in); m.Kind != ism.Run || m.Result.Info.Text("message") == "" {
		t.Errorf("with 9 documents: %+v", m)
	}
}

func TestNeedsNamesTheFactsThatADecisionAsksFor(t *testing.T) {
	for _, c := range []struct {
		name, states string
		want         ism.Need
	}{
		{"an age", leaves(`{"min_index_age":"1d"}`), 0},
		{"documents", leaves(`{"min_doc_count":1}`), ism.NeedStats},
		{"a size", leaves(`{"min_size":"1b"}`), ism.NeedStats},
		{"the age of a rollover", leaves(`{"min_rollover_age":"1d"}`), ism.NeedRolloverInfo},
		{"a rollover by age", `{"name":"a","actions":[{"rollover":{"min_index_age":"1d"}}],"transitions":[]}`, ism.NeedRolloverInfo},
		{"a rollover by documents", `{"name":"a","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[]}`, ism.NeedStats | ism.NeedRolloverInfo},
		{"a rollover by a group", `{"name":"a","actions":[{"rollover":{"any_of":[{"min_index_age":"1d"},{"min_size":"1b"}]}}],"transitions":[]}`, ism.NeedStats | ism.NeedRolloverInfo},
		{"a rollover unless empty", `{"name":"a","actions":[{"rollover":{"prevent_empty_rollover":true}}],"transitions":[]}`, ism.NeedStats | ism.NeedRolloverInfo},
		{"an action that looks for itself", `{"name":"a","actions":[{"close":{}}],"transitions":[]}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newInput(t, c.states)
			if got := ism.Needs(in); got != 0 {
				t.Errorf("before it is initialised it needs %b", got)
			}
			apply(&in, ism.Next(in), succeed)
			if got := ism.Needs(in); got != c.want {
				t.Errorf("needs %b, want %b", got, c.want)
			}
			in.Meta.Retry.Failed = true
			if got := ism.Needs(in); got != 0 {
				t.Errorf("once failed it needs %b", got)
			}
		})
	}
}
