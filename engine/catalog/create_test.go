// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

// said is an error as "status type: reason", and what caused it after " <- ".
func said(err error) string {
	if err == nil {
		return ""
	}
	e := fault.Of(err)
	text := fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Reason)
	if e.CausedBy != nil {
		text += " <- " + said(e.CausedBy)
	}
	return text
}

// says wants an error that is said like this; "" wants none.
func says(t *testing.T, err error, want string) {
	t.Helper()
	if got := said(err); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// changing is a request that sets these settings: key and value in turn.
func changing(keysAndValues ...string) SettingsChange {
	change := SettingsChange{Set: setting.Values{}}
	for i := 0; i < len(keysAndValues); i += 2 {
		change.Set[keysAndValues[i]] = keysAndValues[i+1]
	}
	return change
}

// flag is a boolean that was given.
func flag(b bool) *bool { return &b }

func TestNamesOfIndices(t *testing.T) {
	const characters = `must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?]`
	bad := func(name, why string) string {
		return "400 invalid_index_name_exception: Invalid index name [" + name + "], " + why
	}
	for _, c := range []struct{ is, name, want string }{
		{"a plain name is good", "logs-1", ""},
		{"a dot may come first", ".logs", ""},
		{"letters of other alphabets are good", "été", ""},
		{"255 bytes are good", strings.Repeat("a", 255), ""},
		{"256 bytes are too long", strings.Repeat("a", 256), bad(strings.Repeat("a", 256), "index name is too long, (256 > 255)")},
		{"bytes are counted, not letters", strings.Repeat("é", 128), bad(strings.Repeat("é", 128), "index name is too long, (256 > 255)")},
		{"capitals are refused", "Upper", bad("Upper", "must be lowercase")},
		{"an underscore may not come first", "_a", bad("_a", "must not start with '_', '-', or '+'")},
		{"a minus may not come first", "-a", bad("-a", "must not start with '_', '-', or '+'")},
		{"a plus may not come first", "+a", bad("+a", "must not start with '_', '-', or '+'")},
		{"a dot is no name", ".", bad(".", "must not be '.' or '..'")},
		{"two dots are no name", "..", bad("..", "must not be '.' or '..'")},
		{"spaces are refused", "a b", bad("a b", characters)},
		{"wildcards are refused", "a*", bad("a*", characters)},
		{"commas are refused", "a,b", bad("a,b", characters)},
		{"pipes are refused", "a|b", bad("a|b", characters)},
		{"question marks are refused", "a?", bad("a?", characters)},
		{"backslashes are refused", `a\b`, bad(`a\b`, characters)},
		{"hashes are refused", "a#b", bad("a#b", "must not contain '#'")},
		{"colons are refused", "a:b", bad("a:b", "must not contain ':'")},
		{"the result of date maths is checked", "<UP-{now/d}>", bad("UP-2026.01.01", "must be lowercase")},
		{"date maths that is cut off is refused", "<a-{now/d}z{>", "400 parse_exception: invalid dynamic name expression [a-{now/d}z{]. date math placeholder is open ended"},
	} {
		t.Run(c.is, func(t *testing.T) {
			_, err := newCatalog(t).CreateIndex(t.Context(), c.name, NewIndex{})
			says(t, err, c.want)
		})
	}
}

func TestANameCanBeTaken(t *testing.T) {
	c := newCatalog(t)
	fill(t, c)
	uuid := c.State().Indices["c-1"].UUID
	for _, e := range []struct{ is, name, want string }{
		{"by an index", "c-1", "400 resource_already_exists_exception: index [c-1/" + uuid + "] already exists"},
		{"by an alias", "al", "400 invalid_index_name_exception: Invalid index name [al], already exists as alias"},
		{"by the data streams of a template", "s-9", "400 illegal_argument_exception: cannot create index with name [s-9], because it matches with template [streams] that creates data streams only, use create data stream api instead"},
		{"by a backing index to come", ".ds-s-1-000003", "500 illegal_state_exception: data stream [s-1] could create backing indices that conflict with 1 existing index(s) or alias(s) including '.ds-s-1-000003'"},
		{"by a backing index far ahead", ".ds-s-1-9999999", "500 illegal_state_exception: data stream [s-1] could create backing indices that conflict with 1 existing index(s) or alias(s) including '.ds-s-1-9999999'"},
		{"not by one of another stream", ".ds-other-000003", ""},
		{"not by what only begins like one", ".ds-s-1-x", ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			_, err := c.CreateIndex(t.Context(), e.name, NewIndex{})
			says(t, err, e.want)
		})
	}
}

func TestANewIndexHasWhatTheServerGivesIt(t *testing.T) {
	c := newCatalog(t)
	i := create(t, c, "<logs-{now/d}>", NewIndex{})
	if i.Name != "logs-2026.01.01" || i.providedName() != "<logs-{now/d}>" {
		t.Errorf("name %s, provided name %s", i.Name, i.providedName())
	}
	if i.Shards() != 1 || i.Replicas() != 1 || i.RoutingShards != 1024 || len(i.UUID) != 22 || i.Hidden() || i.Closed {
		t.Errorf("%+v", i)
	}
	if !i.Created().Equal(c.clock.Now()) || i.Settings["index.version.created"] != "137257827" || VersionOf(i.Settings["index.version.created"]) != "3.4.0" {
		t.Errorf("settings %v", i.Settings)
	}
	if got := c.State().IndexByUUID(i.UUID); got != i {
		t.Errorf("by uuid: %v", got)
	}
	if c.State().IndexByUUID("none") != nil {
		t.Error("an index of no uuid is found")
	}
}

func TestSettingsOfANewIndex(t *testing.T) {
	unknown := func(key string) string {
		return "400 settings_exception: unknown setting [" + key + "] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
	}
	number := ` <- 400 number_format_exception: For input string: "x"`
	for _, c := range []struct {
		is       string
		settings SettingsChange
		want     string
	}{
		{"one that is not known is refused", changing("index.bogus", "1"), unknown("index.bogus")},
		{"of several unknown ones the first is told", changing("index.zzz", "1", "index.bogus", "1"), unknown("index.bogus")},
		{"a similar name is suggested", changing("index.number_of_shard", "1"), "400 settings_exception: unknown setting [index.number_of_shard] did you mean [index.number_of_shards]?"},
		{"a group's name may be the similar one", changing("index.merge.policy.bogus", "1"), "400 settings_exception: unknown setting [index.merge.policy.bogus] did you mean [index.merge.policy]?"},
		{"archived ones are not known", changing("archived.index.foo", "1"), unknown("archived.index.foo")},
		{"the server's provided name is not known", changing("index.provided_name", "x"), unknown("index.provided_name")},
		{"the source of a resize is not known", changing("index.resize.source.name", "x"), unknown("index.resize.source.name")},
		{"the uuid is the server's", changing("index.uuid", "x"), "400 validation_exception: Validation Failed: 1: private index setting [index.uuid] can not be set explicitly;"},
		{"all of the server's are told", changing("index.uuid", "x", "index.verified_before_close", "true"), "400 validation_exception: Validation Failed: 1: private index setting [index.uuid] can not be set explicitly;2: private index setting [index.verified_before_close] can not be set explicitly;"},
		{"no shard is too few", changing("index.number_of_shards", "0"), "400 illegal_argument_exception: Failed to parse value [0] for setting [index.number_of_shards] must be >= 1"},
		{"1025 shards are too many", changing("index.number_of_shards", "1025"), "400 illegal_argument_exception: Failed to parse value [1025] for setting [index.number_of_shards] must be <= 1024"},
		{"text is no number", changing("index.number_of_shards", "x"), "400 illegal_argument_exception: Failed to parse value [x] for setting [index.number_of_shards]" + number},
		{"replicas cannot be fewer than none", changing("index.number_of_replicas", "-1"), "400 illegal_argument_exception: Failed to parse value [-1] for setting [index.number_of_replicas] must be >= 0"},
		{"an interval needs a unit", changing("index.refresh_interval", "5"), "400 illegal_argument_exception: failed to parse setting [index.refresh_interval] with value [5] as a time value: unit is missing or unrecognized"},
		{"of negative intervals there is only -1", changing("index.refresh_interval", "-2"), "400 illegal_argument_exception: failed to parse setting [index.refresh_interval] with value [-2] as a time value: unit is missing or unrecognized"},
		{"yes is no boolean", changing("index.hidden", "yes"), "400 illegal_argument_exception: Failed to parse value [yes] as only [true] or [false] are allowed."},
		{"an unknown codec is refused", changing("index.codec", "zip"), "400 illegal_argument_exception: unknown value for [index.codec] must be one of [default, lz4, best_compression, zlib] but was: zip"},
		{"slots are at least shards", changing("index.number_of_routing_shards", "1", "index.number_of_shards", "2"), "400 illegal_argument_exception: index.number_of_routing_shards [1] must be >= index.number_of_shards [2]"},
		{"slots are a multiple of shards", changing("index.number_of_routing_shards", "7", "index.number_of_shards", "2"), "400 illegal_argument_exception: the number of source shards [2] must be a factor of [7]"},
		{"a range of replicas needs a minus", changing("index.auto_expand_replicas", "x"), "400 illegal_argument_exception: failed to parse [index.auto_expand_replicas] from value: [x] at index -1"},
		{"a range of replicas begins with a number", changing("index.auto_expand_replicas", "x-1"), "400 illegal_argument_exception: failed to parse [index.auto_expand_replicas] from value: [x-1] at index 1" + number},
		{"a range of replicas ends with a number", changing("index.auto_expand_replicas", "0-x"), "400 illegal_argument_exception: failed to parse [index.auto_expand_replicas] from value: [0-x] at index 1" + number},
		{"a range of replicas does not fall", changing("index.auto_expand_replicas", "5-1"), "400 illegal_argument_exception: [index.auto_expand_replicas] minReplicas must be =< maxReplicas but wasn't 5 > 1"},
		{"a range of replicas wins over their number", changing("index.auto_expand_replicas", "0-all", "index.number_of_replicas", "3"), ""},
		{"segment replication is refused", changing("index.replication.type", "SEGMENT"), "400 illegal_argument_exception: [index.replication.type: SEGMENT] is not supported by the embedded engine"},
		{"an unknown replication is refused", changing("index.replication.type", "X"), "400 illegal_argument_exception: Could not parse ReplicationStrategy for [X]"},
		{"hard deletes are gone", changing("index.soft_deletes.enabled", "false"), "400 illegal_argument_exception: Creating indices with soft-deletes disabled is no longer supported. Please do not specify a value for setting [index.soft_deletes.enabled]."},
		{"an unknown durability is refused", changing("index.translog.durability", "never"), "400 illegal_argument_exception: No enum constant org.opensearch.index.translog.Translog.Durability.NEVER"},
		{"an unknown allocation is refused", changing("index.routing.allocation.enable", "x"), "400 illegal_argument_exception: Illegal allocation.enable value [X]"},
		{"copies to wait for are a number", changing("index.write.wait_for_active_shards", "x"), "400 illegal_argument_exception: cannot parse ActiveShardCount[x]" + number},
		{"copies to wait for are not negative", changing("index.write.wait_for_active_shards", "-3"), "400 illegal_argument_exception: shard count cannot be a negative value"},
		{"copies to wait for are there", changing("index.write.wait_for_active_shards", "5"), "400 illegal_argument_exception: invalid index.write.wait_for_active_shards[5]: cannot be greater than number of shard copies [2]"},
		{"all copies can be waited for", changing("index.write.wait_for_active_shards", "all"), ""},
		{"sorted indices are refused by name", changing("index.sort.field", "a"), "400 illegal_argument_exception: setting [index.sort.field] is not supported by the embedded engine"},
		{"analyzers are refused by name", changing("index.analysis.analyzer.a.type", "standard"), "400 illegal_argument_exception: setting [index.analysis.*] is not supported by the embedded engine"},
		{"a slow log's level is known", changing("index.search.slowlog.threshold.query.warn", "10s"), ""},
		{"a slow log's member is not made up", changing("index.search.slowlog.bogus", "2mb"), "400 settings_exception: unknown setting [index.search.slowlog.bogus] did you mean [index.search.slowlog.level]?"},
	} {
		t.Run(c.is, func(t *testing.T) {
			_, err := newCatalog(t).CreateIndex(t.Context(), "a", NewIndex{Settings: c.settings})
			says(t, err, c.want)
		})
	}
}

func TestSettingsAreLookedAtBeforeTheName(t *testing.T) {
	c := newCatalog(t)
	create(t, c, "a", NewIndex{})
	_, err := c.CreateIndex(t.Context(), "a", NewIndex{Settings: changing("index.bogus", "1")})
	fails(t, err, "settings_exception", "unknown setting [index.bogus]")
}

func TestEveryWrongSettingIsTold(t *testing.T) {
	_, err := newCatalog(t).CreateIndex(t.Context(), "a", NewIndex{Settings: changing("index.gc_deletes", "x", "index.number_of_replicas", "-1")})
	e := fault.Of(err)
	others, _ := e.Field("suppressed").([]*fault.Error)
	if len(others) != 1 || !strings.Contains(others[0].Reason, "index.number_of_replicas") || !strings.Contains(e.Reason, "index.gc_deletes") {
		t.Errorf("%v, suppressed %v", e, others)
	}
	if len(e.Roots) != 1 || e.Roots[0].Field("suppressed") != nil {
		t.Errorf("roots %v", e.Roots)
	}
}

func TestReplicasFollowTheNumberOfNodes(t *testing.T) {
	i := create(t, newCatalog(t), "a", NewIndex{Settings: changing("index.auto_expand_replicas", "0-all", "index.number_of_replicas", "3")})
	if i.Replicas() != 0 {
		t.Errorf("%d replicas", i.Replicas())
	}
}

func TestWaitingForCopies(t *testing.T) {
	c := newCatalog(t)
	_, err := c.CreateIndex(t.Context(), "a", NewIndex{Settings: changing("index.number_of_replicas", "0"), ActiveShards: 3})
	says(t, err, "400 illegal_argument_exception: invalid wait_for_active_shards[3]: cannot be greater than number of shard copies [1]")
	if c.State().Indices["a"] != nil {
		t.Error("the refused index is there")
	}
	alone := create(t, c, "b", NewIndex{Settings: changing("index.number_of_replicas", "0"), ActiveShards: 1})
	copied := create(t, c, "d", NewIndex{ActiveShards: 2})
	for _, e := range []struct {
		is    string
		index *Index
		wait  int
		want  bool
	}{
		{"none is there", copied, 0, true},
		{"one is there", copied, 1, true},
		{"a second is not", copied, 2, false},
		{"all of one are there", alone, AllShards, true},
		{"all of two are not", copied, AllShards, false},
	} {
		if got := e.index.Acknowledges(e.wait); got != e.want {
			t.Errorf("%s: %v", e.is, got)
		}
	}
}

func TestTheNodeHoldsSoManyShards(t *testing.T) {
	c := newCatalog(t)
	create(t, c, "a", NewIndex{})
	must(t, c.PutClusterSettings(t.Context(), changing("cluster.max_shards_per_node", "4"), SettingsChange{}))
	_, err := c.CreateIndex(t.Context(), "b", NewIndex{Settings: changing("index.number_of_shards", "3")})
	says(t, err, "400 validation_exception: Validation Failed: 1: this action would add [6] total LOCAL_ONLY shards, but this cluster currently has [2]/[4] maximum LOCAL_ONLY shards open;")
	says(t, c.PutSettings(t.Context(), []string{"a"}, all, changing("index.number_of_replicas", "4"), false),
		"400 validation_exception: Validation Failed: 1: this action would add [3] total LOCAL_ONLY shards, but this cluster currently has [2]/[4] maximum LOCAL_ONLY shards open;")
	_, err = c.CloseIndices(t.Context(), []string{"a"}, all)
	must(t, err)
	create(t, c, "d", NewIndex{Settings: changing("index.number_of_shards", "2")})
	_, err = c.OpenIndices(t.Context(), []string{"a"}, all)
	fails(t, err, "validation_exception", "currently has [4]/[4]")
}

func TestAClusterMayRefuseNewIndices(t *testing.T) {
	c := newCatalog(t)
	must(t, c.PutClusterSettings(t.Context(), changing("cluster.blocks.create_index", "true"), SettingsChange{}))
	_, err := c.CreateIndex(t.Context(), "a", NewIndex{})
	says(t, err, "403 index_create_block_exception: blocked by: [FORBIDDEN/10/cluster create-index blocked (api)];")
}

func TestAChangeNeedsALivingContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newCatalog(t).CreateIndex(ctx, "a", NewIndex{})
	if err == nil {
		t.Error("an index was made for a caller that is gone")
	}
}
