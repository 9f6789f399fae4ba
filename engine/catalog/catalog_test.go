// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

var all = wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true}

func open(t *testing.T, path string, change ...func(*Options)) *Catalog {
	t.Helper()
	o := Options{Path: path, Clock: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	for _, fn := range change {
		fn(&o)
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newCatalog(t *testing.T, change ...func(*Options)) *Catalog {
	t.Helper()
	c := open(t, filepath.Join(t.TempDir(), "catalog.db"), change...)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func create(t *testing.T, c *Catalog, name string, n NewIndex) *Index {
	t.Helper()
	i, err := c.CreateIndex(t.Context(), name, n)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error of a type with these words in it.
func fails(t *testing.T, err error, kind, words string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("the error is %v, want %s with %q", err, kind, words)
	}
}

// fill makes one of everything.
func fill(t *testing.T, c *Catalog) {
	t.Helper()
	ctx, yes, priority := t.Context(), true, int64(7)
	must(t, c.PutComponentTemplate(ctx, "part", &ComponentTemplate{Template: Template{Settings: setting.Values{"index.number_of_replicas": "0"}}}, false))
	must(t, c.PutIndexTemplate(ctx, "composed", &IndexTemplate{Patterns: []string{"c-*"}, ComposedOf: []string{"part"}, Priority: &priority}, false))
	must(t, c.PutIndexTemplate(ctx, "streams", &IndexTemplate{Patterns: []string{"s-*"}, DataStream: &DataStreamTemplate{TimestampField: "@timestamp"}}, false))
	must(t, c.PutLegacyTemplate(ctx, "old", &LegacyTemplate{Patterns: []string{"o-*"}, Order: 3}, false))
	must(t, c.CreateDataStream(ctx, "s-1"))
	create(t, c, "c-1", NewIndex{
		Mappings: []byte(`{"properties":{"a":{"type":"keyword"}}}`), Aliases: map[string]Alias{"al": {IsWrite: &yes, Filter: []byte(`{"match_all":{}}`)}},
	})
	create(t, c, "closed", NewIndex{})
	_, err := c.CloseIndices(ctx, []string{"closed"}, all)
	must(t, err)
	_, err = c.Rollover(ctx, RolloverRequest{Target: "s-1", Conditions: []Condition{{"max_age", "0ms"}}})
	must(t, err)
	must(t, c.PutClusterSettings(ctx, SettingsChange{Set: setting.Values{"action.auto_create_index": "false"}}, SettingsChange{}))
	must(t, c.PutDocument(ctx, IngestPipelines, "p", []byte(`{"processors":[]}`), nil))
}

// record is everything a state says, without its own caches.
func record(t *testing.T, s *State) map[string]any {
	t.Helper()
	indices := map[string]string{}
	for name, i := range s.Indices {
		b, err := i.MarshalJSON()
		must(t, err)
		indices[name] = string(b)
	}
	return map[string]any{
		"version": s.Version, "uuid": s.UUID, "cluster": s.ClusterUUID, "indices": indices, "streams": s.DataStreams, "parts": s.ComponentTemplates,
		"templates": s.IndexTemplates, "legacy": s.LegacyTemplates, "settings": s.Persistent, "documents": s.Documents,
	}
}

func TestAMappingBeyondItsLimitsOpensAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	properties := map[string]any{}
	for n := range 1200 {
		properties[fmt.Sprint("f", n)] = map[string]string{"type": "long"}
	}
	for n := range 60 {
		properties[fmt.Sprint("n", n)] = map[string]string{"type": "nested"}
	}
	body, err := json.Marshal(map[string]any{"properties": properties})
	must(t, err)
	raised := changing("index.mapping.total_fields.limit", "2000", "index.mapping.nested_fields.limit", "60")
	create(t, c, "a", NewIndex{Settings: raised, Mappings: body})
	must(t, c.PutSettings(t.Context(), []string{"a"}, all, changing("index.mapping.total_fields.limit", "10"), false))
	must(t, c.Close())
	again := open(t, path)
	defer func() { must(t, again.Close()) }()
	says(t, again.PutMapping(t.Context(), []string{"a"}, all, false, []byte(`{"properties":{"more":{"type":"long"}}}`)),
		"400 illegal_argument_exception: Limit of total fields [10] has been exceeded")
}

func TestWhatWasChangedIsThereAfterOpeningAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	fill(t, c)
	before := record(t, c.State())
	must(t, c.Close())
	again := open(t, path)
	defer func() { must(t, again.Close()) }()
	if diff := cmp.Diff(before, record(t, again.State())); diff != "" {
		t.Error(diff)
	}
}

func TestTransientSettingsAreGoneAfterOpeningAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	must(t, c.PutClusterSettings(t.Context(), SettingsChange{}, SettingsChange{Set: setting.Values{"cluster.max_shards_per_node": "5"}}))
	if got := c.State().ClusterSetting("cluster.max_shards_per_node"); got != "5" {
		t.Errorf("the setting is %s", got)
	}
	must(t, c.Close())
	again := open(t, path)
	defer func() { must(t, again.Close()) }()
	if got := again.State().ClusterSetting("cluster.max_shards_per_node"); got != "1000" {
		t.Errorf("the setting is %s, want the default", got)
	}
}

func TestTheVersionMovesWithChangesOnly(t *testing.T) {
	c := newCatalog(t)
	ctx := t.Context()
	create(t, c, "a", NewIndex{})
	same := func(what string, change func() error) {
		t.Helper()
		before := c.State()
		must(t, change())
		if c.State() != before {
			t.Errorf("%s made a new state", what)
		}
	}
	priority := SettingsChange{Set: setting.Values{"index.priority": "3"}}
	moved := c.State()
	must(t, c.PutSettings(ctx, []string{"a"}, all, priority, false))
	if now := c.State(); now.Version != moved.Version+1 || now.UUID == moved.UUID {
		t.Errorf("version %d %s after %d %s", now.Version, now.UUID, moved.Version, moved.UUID)
	}
	same("the same setting", func() error { return c.PutSettings(ctx, []string{"a"}, all, priority, false) })
	same("the same mapping", func() error { return c.PutMapping(ctx, []string{"a"}, all, false, []byte(`{}`)) })
	same("opening an open index", func() error { _, err := c.OpenIndices(ctx, []string{"a"}, all); return err })
	alias := []AliasAction{{Kind: AddAlias, Indices: []string{"a"}, Aliases: []string{"al"}}}
	must(t, c.UpdateAliases(ctx, alias))
	same("the same alias", func() error { return c.UpdateAliases(ctx, alias) })
	same("a dry run", func() error {
		_, err := c.Rollover(ctx, RolloverRequest{Target: "al", NewIndex: "b", DryRun: true})
		return err
	})
}

func TestAChangeThatFailsLeavesNothing(t *testing.T) {
	c := newCatalog(t)
	ctx := t.Context()
	fill(t, c)
	before := c.State()
	add := func(index, alias string) AliasAction {
		return AliasAction{Kind: AddAlias, Indices: []string{index}, Aliases: []string{alias}}
	}
	for name, change := range map[string]func() error{
		"the second of two alias actions": func() error { return c.UpdateAliases(ctx, []AliasAction{add("c-1", "x"), add("missing", "x")}) },
		"one of two indices has no such mapping": func() error {
			return c.PutMapping(ctx, []string{"c-1", "closed"}, all, false, []byte(`{"properties":{"a":{"type":"long"}}}`))
		},
		"a bad setting among good ones": func() error {
			return c.PutSettings(ctx, []string{"c-1"}, all, SettingsChange{Set: setting.Values{"index.priority": "1", "index.number_of_replicas": "x"}}, false)
		},
		"a bad cluster setting among good ones": func() error {
			return c.PutClusterSettings(ctx, SettingsChange{Set: setting.Values{"cluster.max_shards_per_node": "7"}}, SettingsChange{Set: setting.Values{"nope": "1"}})
		},
		"a name that exists": func() error { _, err := c.CreateIndex(ctx, "c-1", NewIndex{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := change(); err == nil {
				t.Error("no error")
			}
			if c.State() != before {
				t.Error("the state is another one")
			}
		})
	}
}

// shards is a keeper of documents that can fail.
type shards struct {
	calls []string
	fail  error
	// see, if it is not nil, is asked at each call for what is noted with it.
	see func() string
}

func (s *shards) note(what string, i *Index) error {
	call := what + " " + i.Name
	if s.see != nil {
		call += " seeing " + s.see()
	}
	s.calls = append(s.calls, call)
	return s.fail
}

func (s *shards) Create(_ context.Context, i *Index) error { return s.note("create", i) }
func (s *shards) Resize(_ context.Context, source, target *Index) error {
	return s.note("resize "+source.Name+" to", target)
}
func (s *shards) Delete(_ context.Context, i *Index) error { return s.note("delete", i) }
func (s *shards) Open(_ context.Context, i *Index) error   { return s.note("open", i) }
func (s *shards) Close(_ context.Context, i *Index) error  { return s.note("close", i) }
func (s *shards) Change(_, after *Index)                   { _ = s.note("change", after) }
func (s *shards) Stats(context.Context, *Index) (ShardStats, error) {
	return ShardStats{Docs: 5, Bytes: 1 << 20}, nil
}

func TestAnIndexWhoseShardsCannotBeMadeDoesNotAppear(t *testing.T) {
	s := &shards{fail: errors.New("the disk is full")}
	c := newCatalog(t, func(o *Options) { o.Shards = s })
	if _, err := c.CreateIndex(t.Context(), "a", NewIndex{}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("the error is %v", err)
	}
	if len(c.State().Indices) != 0 {
		t.Error("the index is there")
	}
}

func TestShardsAreMadeBeforeAndDeletedAfterTheirIndexShows(t *testing.T) {
	s := &shards{}
	c := newCatalog(t, func(o *Options) { o.Shards = s })
	s.see = func() string { return strings.Join(names(c.State()), ",") }
	create(t, c, "other", NewIndex{})
	create(t, c, "a", NewIndex{})
	must(t, c.DeleteIndices(t.Context(), []string{"a"}, all))
	want := []string{"create other seeing ", "create a seeing other", "delete a seeing other"}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Error(diff)
	}
}

func names(s *State) (out []string) {
	for _, i := range s.SortedIndices() {
		out = append(out, i.Name)
	}
	return out
}

func TestRolloverAsksForTheConditions(t *testing.T) {
	for _, c := range []struct {
		name       string
		conditions []Condition
		want       bool
	}{
		{"none", nil, true},
		{"documents not reached", []Condition{{"max_docs", "6"}}, false},
		{"documents reached", []Condition{{"max_docs", "5"}}, true},
		{"one of two", []Condition{{"max_docs", "6"}, {"max_size", "1mb"}}, true},
		{"age not reached", []Condition{{"max_age", "1s"}}, false},
		{"age reached", []Condition{{"max_age", "0ms"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			catalog := newCatalog(t, func(o *Options) { o.Shards = &shards{} })
			create(t, catalog, "r-000009", NewIndex{Aliases: map[string]Alias{"r": {}}})
			res, err := catalog.Rollover(t.Context(), RolloverRequest{Target: "r", Conditions: c.conditions})
			must(t, err)
			if res.RolledOver != c.want || res.NewIndex != "r-000010" {
				t.Errorf("rolled over %v to %s, want %v", res.RolledOver, res.NewIndex, c.want)
			}
			if exists := catalog.State().Indices["r-000010"] != nil; exists != c.want {
				t.Errorf("the new index exists: %v", exists)
			}
		})
	}
}

func TestASecondRolloverToTheSameNameIsRefused(t *testing.T) {
	c := newCatalog(t)
	create(t, c, "r-1", NewIndex{Aliases: map[string]Alias{"r": {}}})
	request := RolloverRequest{Target: "r", NewIndex: "next"}
	_, err := c.Rollover(t.Context(), request)
	must(t, err)
	_, err = c.Rollover(t.Context(), request)
	fails(t, err, "resource_already_exists_exception", "next")
}

func TestExpressionsMeanIndices(t *testing.T) {
	c := newCatalog(t)
	ctx := t.Context()
	for _, name := range []string{"a1", "a2", "b1"} {
		create(t, c, name, NewIndex{})
	}
	create(t, c, ".h", NewIndex{Settings: SettingsChange{Set: setting.Values{"index.hidden": "true"}}})
	must(t, c.UpdateAliases(ctx, []AliasAction{{Kind: AddAlias, Indices: []string{"a1", "b1"}, Aliases: []string{"xl"}}}))
	_, err := c.CloseIndices(ctx, []string{"a2"}, all)
	must(t, err)
	open := wire.IndexOptions{Open: true, AllowNoIndices: true}
	lenient := open
	lenient.IgnoreUnavailable = true
	some := open
	some.AllowNoIndices = false
	for _, e := range []struct {
		name    string
		asked   string
		options wire.IndexOptions
		want    string // names, or an error's type
	}{
		{"everything open", "", open, "a1,b1"},
		{"everything by name", "_all", all, ".h,a1,a2,b1"},
		{"a pattern", "a*", all, "a1,a2"},
		{"a pattern of open ones", "a*", open, "a1"},
		{"an exclusion", "*,-a*", open, "b1"},
		{"an alias", "xl", open, "a1,b1"},
		{"an alias by pattern", "xl*,-b1", open, "a1"},
		{"a hidden one by name", ".h", open, ".h"},
		{"a hidden one by its dot", ".*", open, ".h"},
		{"a missing name", "a1,nope", open, "index_not_found_exception"},
		{"a missing name, leniently", "a1,nope", lenient, "a1"},
		{"a pattern of none", "n*", open, ""},
		{"a pattern of none, strictly", "n*", some, "index_not_found_exception"},
		{"a date", "<a{now/d{d}}>", lenient, "a1"},
	} {
		t.Run(e.name, func(t *testing.T) {
			var asked []string
			if e.asked != "" {
				asked = strings.Split(e.asked, ",")
			}
			list, err := c.State().Resolve(asked, e.options, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			if err != nil {
				fails(t, err, e.want, "")
				return
			}
			var got []string
			for _, i := range list {
				got = append(got, i.Name)
			}
			if strings.Join(got, ",") != e.want {
				t.Errorf("got %v, want %s", got, e.want)
			}
		})
	}
}

func TestASecondOpeningIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	defer func() { must(t, c.Close()) }()
	if _, err := Open(Options{Path: path}); err == nil {
		t.Error("no error")
	}
}

func TestCheckFindsDamage(t *testing.T) {
	damaged := func(name string, damage func(tx *bbolt.Tx) error, want string) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.db")
			c := open(t, path)
			fill(t, c)
			must(t, c.Close())
			db, err := bbolt.Open(path, 0o600, nil)
			must(t, err)
			must(t, db.Update(damage))
			must(t, db.Close())
			_, findings, err := Check(path)
			must(t, err)
			if !slices.ContainsFunc(findings, func(f string) bool { return strings.Contains(f, want) }) && (want != "" || len(findings) > 0) {
				t.Errorf("findings %q, want %q", findings, want)
			}
		})
	}
	damaged("nothing", func(*bbolt.Tx) error { return nil }, "")
	damaged("an index record", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("indices")).Put([]byte("c-1"), []byte("{"))
	}, "c-1")
	damaged("a stream without its index", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("indices")).Delete([]byte(".ds-s-1-000001"))
	}, ".ds-s-1-000001")
}

func TestAFileThatIsNoCatalogIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("no catalog", 1000)), 0o600))
	if _, err := Open(Options{Path: path}); err == nil {
		t.Error("no error")
	}
}
