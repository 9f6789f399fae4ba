// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/wire/setting"
)

func TestTheNameAfterAnother(t *testing.T) {
	for _, e := range []struct{ is, from, want string }{
		{"counts up, six digits wide", "logs-1", "logs-000002"},
		{"keeps the text before", "a-b-000009", "a-b-000010"},
		{"grows beyond six digits", "logs-99999999", "logs-100000000"},
		{"keeps date maths", "<logs-{now/d}-1>", "logs-2026.01.01-000002"},
		{"needs a number", "logs", "400 illegal_argument_exception: index name [logs] does not match pattern '^.*-\\d+$'"},
		{"needs a minus before it", "logs1", "400 illegal_argument_exception: index name [logs1] does not match pattern '^.*-\\d+$'"},
		{"needs a number that can be counted", "logs-99999999999999999999", "400 illegal_argument_exception: index name [logs-99999999999999999999] does not match pattern '^.*-\\d+$'"},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			create(t, c, e.from, NewIndex{Aliases: map[string]Alias{"w": {}}})
			r, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", DryRun: true})
			got := r.NewIndex
			if err != nil {
				got = said(err)
			}
			if got != e.want {
				t.Errorf("%s, want %s", got, e.want)
			}
		})
	}
}

func TestTheProvidedNameKeepsItsDateMaths(t *testing.T) {
	c := newCatalog(t)
	create(t, c, "<logs-{now/d}-1>", NewIndex{Aliases: map[string]Alias{"w": {}}})
	r, err := c.Rollover(t.Context(), RolloverRequest{Target: "w"})
	must(t, err)
	if got := r.Index.providedName(); got != "<logs-{now/d}-000002>" {
		t.Errorf("provided name %s", got)
	}
}

func TestTargetsOfRollovers(t *testing.T) {
	c, ctx := streams(t, newCatalog(t)), t.Context()
	must(t, c.CreateDataStream(ctx, "logs"))
	create(t, c, "a-1", NewIndex{Aliases: map[string]Alias{"w": {}, "two": {}, "no": {IsWrite: flag(false)}}})
	create(t, c, "a-2", NewIndex{Aliases: map[string]Alias{"two": {}}})
	create(t, c, "b-1", NewIndex{Aliases: map[string]Alias{"locked": {}}})
	must(t, c.PutSettings(ctx, []string{"b-1"}, all, changing("index.blocks.read_only", "true"), false))
	putTemplate(t, c, "composed", IndexTemplate{Patterns: []string{"c-*"}, Template: &Template{Aliases: map[string]Alias{"w": {}}}})
	putLegacy(t, c, "older", LegacyTemplate{Patterns: []string{"d-*"}, Template: Template{Aliases: map[string]Alias{"w": {}}}})
	illegal := func(text string) string { return "400 illegal_argument_exception: " + text }
	uuid := c.State().Indices["a-1"].UUID
	for _, e := range []struct {
		is   string
		r    RolloverRequest
		want string
	}{
		{"an index", RolloverRequest{Target: "a-1"}, illegal("rollover target is a [concrete index] but one of [alias,data_stream] was expected")},
		{"nothing", RolloverRequest{Target: "nope"}, illegal("rollover target [nope] does not exist")},
		{"an alias of two without write index", RolloverRequest{Target: "two"}, illegal("rollover target [two] does not point to a write index")},
		{"an alias of one that is not to be written to", RolloverRequest{Target: "no"}, illegal("rollover target [no] does not point to a write index")},
		{"an alias of a read-only index", RolloverRequest{Target: "locked"}, "403 cluster_block_exception: index [b-1] blocked by: [FORBIDDEN/5/index read-only (api)];"},
		{"a bad new name", RolloverRequest{Target: "w", NewIndex: "UP"}, "400 invalid_index_name_exception: Invalid index name [UP], must be lowercase"},
		{"a new name that is taken", RolloverRequest{Target: "w", NewIndex: "a-1"}, "400 resource_already_exists_exception: index [a-1/" + uuid + "] already exists"},
		{"a new name whose template has the alias", RolloverRequest{Target: "w", NewIndex: "c-1"}, illegal("Rollover alias [w] can point to multiple indices, found duplicated alias [[w]] in index template [composed]")},
		{"a new name whose older template has the alias", RolloverRequest{Target: "w", NewIndex: "d-1"}, illegal("Rollover alias [w] can point to multiple indices, found duplicated alias [[w]] in index template [older]")},
		{"a stream with a new name", RolloverRequest{Target: "logs", NewIndex: "x-1"}, illegal("new index name may not be specified when rolling over a data stream")},
		{"a stream with settings", RolloverRequest{Target: "logs", New: NewIndex{Settings: changing("index.priority", "1")}}, illegal("aliases, mappings, and index settings may not be specified when rolling over a data stream")},
		{"a stream with mappings", RolloverRequest{Target: "logs", New: NewIndex{Mappings: json.RawMessage(`{}`)}}, illegal("aliases, mappings, and index settings may not be specified when rolling over a data stream")},
		{"an age that is none", RolloverRequest{Target: "w", Conditions: []Condition{{"max_age", "x"}}}, illegal("failed to parse setting [max_age] with value [x] as a time value: unit is missing or unrecognized")},
		{"a number that is none", RolloverRequest{Target: "w", Conditions: []Condition{{"max_docs", "x"}}}, illegal(`For input string: "x"`)},
		{"a size that is none", RolloverRequest{Target: "w", Conditions: []Condition{{"max_size", "x"}}}, "400 parse_exception: failed to parse setting [max_size] with value [x] as a size in bytes: unit is missing or unrecognized"},
		{"a condition that is none", RolloverRequest{Target: "w", Conditions: []Condition{{"max_fun", "1"}}}, illegal("[conditions] unknown field [max_fun]")},
		{"a bad setting", RolloverRequest{Target: "w", New: NewIndex{Settings: changing("index.priority", "-1")}}, illegal("Failed to parse value [-1] for setting [index.priority] must be >= 0")},
	} {
		t.Run(e.is, func(t *testing.T) {
			before := c.State()
			_, err := c.Rollover(ctx, e.r)
			says(t, err, e.want)
			if c.State() != before {
				t.Error("a refused rollover changed the state")
			}
		})
	}
}

func TestWhatARolloverDoesToTheAlias(t *testing.T) {
	for _, e := range []struct {
		is       string
		alias    Alias
		old, new *Alias
	}{
		{"an alias without a write index moves", Alias{IndexRouting: "r"}, nil, &Alias{IndexRouting: "r"}},
		{"an explicit write index passes the flag on", Alias{IsWrite: flag(true), Filter: []byte(`{"match_all":{}}`)}, &Alias{IsWrite: flag(false), Filter: []byte(`{"match_all":{}}`)}, &Alias{IsWrite: flag(true), Filter: []byte(`{"match_all":{}}`)}},
		{"a hidden alias stays hidden", Alias{IsHidden: flag(true)}, nil, &Alias{IsHidden: flag(true)}},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			create(t, c, "a-1", NewIndex{Aliases: map[string]Alias{"w": e.alias, "kept": {}}})
			r, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", New: NewIndex{Aliases: map[string]Alias{"extra": {}}}})
			must(t, err)
			old := map[string]Alias{"kept": {}}
			if e.old != nil {
				old["w"] = *e.old
			}
			s := c.State()
			if diff := cmp.Diff(old, s.Indices["a-1"].Aliases); diff != "" {
				t.Error("old:", diff)
			}
			if diff := cmp.Diff(map[string]Alias{"w": *e.new, "extra": {}}, s.Indices[r.NewIndex].Aliases); diff != "" {
				t.Error("new:", diff)
			}
			if _, ok := s.Indices["a-1"].Rollovers["w"]; !ok || !r.RolledOver || r.OldIndex != "a-1" || r.NewIndex != "a-000002" {
				t.Errorf("%+v, %+v", s.Indices["a-1"].Rollovers, r)
			}
		})
	}
}

// counted answers rollovers with these figures.
type counted struct {
	noShards
	stats ShardStats
	err   error
}

func (c counted) Stats(context.Context, *Index) (ShardStats, error) { return c.stats, c.err }

func TestConditionsOfRollovers(t *testing.T) {
	for _, e := range []struct {
		is         string
		conditions []Condition
		met        []bool
		rolls      bool
		recorded   map[string]json.RawMessage
	}{
		{"none is always met", nil, []bool{}, true, map[string]json.RawMessage{}},
		{"the very age is met", []Condition{{"max_age", "1h"}}, []bool{true}, true, map[string]json.RawMessage{"max_age": json.RawMessage(`"1h"`)}},
		{"a greater age is not", []Condition{{"max_age", "3600001ms"}}, []bool{false}, false, nil},
		{"the very number is met", []Condition{{"max_docs", "10"}}, []bool{true}, true, map[string]json.RawMessage{"max_docs": json.RawMessage(`10`)}},
		{"a greater number is not", []Condition{{"max_docs", "11"}}, []bool{false}, false, nil},
		{"the very size is met", []Condition{{"max_size", "1kb"}}, []bool{true}, true, map[string]json.RawMessage{"max_size": json.RawMessage(`"1kb"`)}},
		{"no size is met", []Condition{{"max_size", "0b"}}, []bool{true}, true, map[string]json.RawMessage{"max_size": json.RawMessage(`"0"`)}},
		{"a greater size is not", []Condition{{"max_size", "1025b"}}, []bool{false}, false, nil},
		{"one of three is enough", []Condition{{"max_age", "1d"}, {"max_docs", "1"}, {"max_size", "1gb"}}, []bool{false, true, false}, true, map[string]json.RawMessage{"max_docs": json.RawMessage(`1`)}},
	} {
		t.Run(e.is, func(t *testing.T) {
			now := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			c := newCatalog(t, func(o *Options) {
				o.Clock, o.Shards = now, counted{stats: ShardStats{Docs: 10, Bytes: 1024}}
			})
			create(t, c, "a-1", NewIndex{Aliases: map[string]Alias{"w": {}}})
			must(t, now.Advance(t.Context(), time.Hour))
			dry, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", Conditions: e.conditions, DryRun: true})
			must(t, err)
			if dry.RolledOver || len(c.State().Indices) != 1 {
				t.Error("a dry run rolled over")
			}
			r, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", Conditions: e.conditions})
			must(t, err)
			met := []bool{}
			for _, result := range r.Conditions {
				met = append(met, result.Met)
			}
			if !cmp.Equal(met, e.met) || r.RolledOver != e.rolls || !cmp.Equal(dry.Conditions, r.Conditions) {
				t.Errorf("met %v, rolled over %v", met, r.RolledOver)
			}
			info, recorded := c.State().Indices["a-1"].Rollovers["w"]
			if recorded != e.rolls || (recorded && (!cmp.Equal(info.Met, e.recorded) || !info.Time.Equal(now.Now()))) {
				t.Errorf("recorded %v: %+v", recorded, info)
			}
		})
	}
	if got := (Condition{"max_age", "7d"}).String(); got != "[max_age: 7d]" {
		t.Errorf("a condition is shown as %s", got)
	}
	if err := (Condition{"max_docs", "7"}).Check(); err != nil {
		t.Error(err)
	}
}

func TestFiguresThatCannotBeHadStopARollover(t *testing.T) {
	broken := errors.New("broken")
	c := newCatalog(t, func(o *Options) { o.Shards = counted{err: broken} })
	create(t, c, "a-1", NewIndex{Aliases: map[string]Alias{"w": {}}})
	if _, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", Conditions: []Condition{{"max_docs", "1"}}}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", Conditions: []Condition{{"max_age", "0ms"}}}); err != nil {
		t.Errorf("an age was counted for: %v", err)
	}
}

func TestAStreamRollsOverAsItsTemplateSaysNow(t *testing.T) {
	c, ctx := streams(t, newCatalog(t)), t.Context()
	must(t, c.CreateDataStream(ctx, "logs"))
	putTemplate(t, c, "ds", IndexTemplate{Patterns: []string{"logs*"}, DataStream: &DataStreamTemplate{TimestampField: "@timestamp"}, Template: &Template{Settings: setting.Values{"index.priority": "5"}}})
	r, err := c.Rollover(ctx, RolloverRequest{Target: "logs"})
	must(t, err)
	s := c.State()
	if r.OldIndex != ".ds-logs-000001" || r.NewIndex != ".ds-logs-000002" || r.Index.Settings["index.priority"] != "5" || r.Index.DataStream != "logs" {
		t.Errorf("%+v", r)
	}
	if d := s.DataStreams["logs"]; d.Generation != 2 || d.WriteIndex() != r.NewIndex {
		t.Errorf("%+v", d)
	}
	if _, ok := s.Indices[".ds-logs-000001"].Rollovers["logs"]; !ok {
		t.Error("the old index does not tell of it")
	}
}

func TestARolloverWaitsForCopiesThatThereMayNotBe(t *testing.T) {
	c := newCatalog(t)
	create(t, c, "a-1", NewIndex{Aliases: map[string]Alias{"w": {}}})
	r, err := c.Rollover(t.Context(), RolloverRequest{Target: "w", New: NewIndex{ActiveShards: 9}})
	if err != nil || !r.RolledOver || r.Index.Acknowledges(9) {
		t.Errorf("%+v, %v", r, err)
	}
}
