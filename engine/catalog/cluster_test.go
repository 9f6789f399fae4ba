// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire/setting"
)

func TestClusterSettingsThatAreRefused(t *testing.T) {
	illegal := func(text string) string { return "400 illegal_argument_exception: " + text }
	for _, e := range []struct{ is, key, value, want string }{
		{"an unknown one", "bogus", "1", "400 settings_exception: persistent setting [bogus], not recognized"},
		{"an unknown one of a known family", "indices.recovery.bogus", "1", "400 settings_exception: persistent setting [indices.recovery.bogus], not recognized"},
		{"the cluster's name", "cluster.name", "x", "400 settings_exception: persistent setting [cluster.name], not dynamically updateable"},
		{"an attribute of nodes", "node.attr.box", "x", "400 settings_exception: persistent setting [node.attr.box], not dynamically updateable"},
		{"a pool of threads", "thread_pool.write.queue_size", "5", "400 settings_exception: persistent setting [thread_pool.write.queue_size], not dynamically updateable"},
		{"text for a number", "search.max_buckets", "x", illegal("Failed to parse value [x] for setting [search.max_buckets]") + ` <- 400 number_format_exception: For input string: "x"`},
		{"a number that is too small", "cluster.max_shards_per_node", "0", illegal("Failed to parse value [0] for setting [cluster.max_shards_per_node] must be >= 1")},
		{"a time that is too short", "cluster.info.update.interval", "1s", illegal("failed to parse value [1s] for setting [cluster.info.update.interval], must be >= [10s]")},
		{"maybe", "cluster.indices.close.enable", "maybe", illegal("Failed to parse value [maybe] as only [true] or [false] are allowed.")},
		{"an allocation", "cluster.routing.allocation.enable", "bogus", illegal("Illegal allocation.enable value [BOGUS]")},
		{"a rebalance", "cluster.routing.rebalance.enable", "bogus", illegal("Illegal rebalance.enable value [BOGUS]")},
		{"a block without manager", "cluster.no_cluster_manager_block", "bogus", illegal("invalid no-cluster-manager block [bogus], must be one of [all, write, metadata_write]")},
		{"a level of logging", "logger.org.opensearch", "DEBUGX", illegal("Unknown level constant [DEBUGX].")},
		{"a rate of compilations", "script.max_compilations_rate", "5s", illegal("parameter must contain a positive integer and a timevalue, i.e. 10/1m, but was [5s]")},
		{"a rate per no time", "script.max_compilations_rate", "5/x", illegal("failed to parse setting [script.max_compilations_rate] with value [x] as a time value: unit is missing or unrecognized")},
		{"a watermark", "cluster.routing.allocation.disk.watermark.low", "bogus", illegal("failed to parse setting [cluster.routing.allocation.disk.watermark.low] with value [bogus] as a size in bytes: unit is missing or unrecognized") + " <- 400 parse_exception: failed to parse setting [cluster.routing.allocation.disk.watermark.low] with value [bogus] as a size in bytes: unit is missing or unrecognized"},
		{"patterns with nothing between commas", "action.auto_create_index", ",x", illegal("Can't parse [,x] for setting [action.auto_create_index] must be either [true, false, or a comma separated list of index patterns]")},
		{"a pattern that is a sign", "action.auto_create_index", "+", illegal("Can't parse [+] for setting [action.auto_create_index] must contain an index name after [+]")},
		{"a remote store", "cluster.remote_store.enabled", "true", illegal("setting [cluster.remote_store.enabled] is not supported by the embedded engine")},
		{"a good rate", "script.max_compilations_rate", "75/5m", ""},
		{"a good watermark in percent", "cluster.routing.allocation.disk.watermark.low", "70%", ""},
		{"a good watermark in bytes", "cluster.routing.allocation.disk.watermark.low", "10gb", ""},
		{"a good level", "logger.org.opensearch", "debug", ""},
		{"free metadata", "cluster.metadata.anything", "5", ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			c := newCatalog(t)
			says(t, c.PutClusterSettings(t.Context(), changing(e.key, e.value), SettingsChange{}), e.want)
			if _, set := c.State().Persistent[e.key]; set != (e.want == "") {
				t.Errorf("set: %v", set)
			}
		})
	}
}

func TestClusterSettingsAreAllOrNone(t *testing.T) {
	c := newCatalog(t)
	err := c.PutClusterSettings(t.Context(), changing("search.max_buckets", "10"), changing("bogus", "1"))
	says(t, err, "400 settings_exception: transient setting [bogus], not recognized")
	says(t, c.PutClusterSettings(t.Context(), SettingsChange{}, SettingsChange{}), "400 action_request_validation_exception: Validation Failed: 1: no settings to update;")
	if s := c.State(); len(s.Persistent) != 0 || s.Version != 1 {
		t.Errorf("%v at version %d", s.Persistent, s.Version)
	}
}

func TestWhichClusterSettingCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	started := func(o *Options) {
		o.Config = map[string]string{"search.max_buckets": "1", "node.attr.box": "hot"}
	}
	c, ctx := open(t, path, started), t.Context()
	key := "search.max_buckets"
	reset := func(pattern string) SettingsChange { return SettingsChange{Reset: []string{pattern}} }
	for _, e := range []struct {
		is                    string
		persistent, transient SettingsChange
		want                  string
		moves                 bool
	}{
		{"as the node was started", reset("nope.*"), SettingsChange{}, "1", false},
		{"the persistent one over that", changing(key, "2"), SettingsChange{}, "2", true},
		{"the transient one over that", SettingsChange{}, changing(key, "3"), "3", true},
		{"not moved by the same value", changing(key, "2"), SettingsChange{}, "3", false},
		{"the persistent one again, after a reset by pattern", SettingsChange{}, reset("search.*"), "2", true},
		{"as the node was started, after all are reset", reset("*"), reset("*"), "1", true},
		{"a reset of what is not set changes nothing", reset(key), SettingsChange{}, "1", false},
		{"the last", changing(key, "5"), changing(key, "6"), "6", true},
	} {
		version := c.State().Version
		must(t, c.PutClusterSettings(ctx, e.persistent, e.transient))
		if got := c.State().ClusterSetting(key); got != e.want {
			t.Errorf("%s: %q, want %q", e.is, got, e.want)
		}
		if moved := c.State().Version != version; moved != e.moves {
			t.Errorf("%s: the version moved: %v", e.is, moved)
		}
	}
	if got := c.State().ClusterSettings().Int(key); got != 6 {
		t.Errorf("the view says %d", got)
	}
	if diff := cmp.Diff(setting.Values{key: "1"}, c.State().NodeSettings()); diff != "" {
		t.Error(diff)
	}
	defaults := c.State().ClusterDefaults()
	if _, shown := defaults[key]; shown || defaults["cluster.max_shards_per_node"] != "1000" {
		t.Errorf("defaults %v", defaults)
	}
	must(t, c.Close())
	c = open(t, path, started)
	defer func() { must(t, c.Close()) }()
	if got := c.State().ClusterSetting(key); got != "5" {
		t.Errorf("after opening again: %q", got)
	}
}

func TestANodeIsNotStartedWithABadSetting(t *testing.T) {
	_, err := Open(Options{Path: filepath.Join(t.TempDir(), "c.db"), Config: map[string]string{"search.max_buckets": "x"}})
	fails(t, err, "illegal_argument_exception", "Failed to parse value [x] for setting [search.max_buckets]")
}

func TestParsingClusterSettings(t *testing.T) {
	got, err := ParseClusterSettings([]byte(`{"search":{"max_buckets":5},"b.c":["x","y"],"z":null,"a":null}`))
	must(t, err)
	if diff := cmp.Diff(SettingsChange{Set: setting.Values{"search.max_buckets": "5", "b.c": "x,y"}, Reset: []string{"a", "z"}}, got); diff != "" {
		t.Error(diff)
	}
}
