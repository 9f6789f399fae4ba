// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/wire/setting"
)

func TestChangingSettings(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	open := create(t, c, "open", NewIndex{}).UUID
	create(t, c, "closed", NewIndex{})
	_, err := c.CloseIndices(ctx, []string{"closed"}, all)
	must(t, err)
	unknown := func(key string) string {
		return "400 settings_exception: unknown setting [" + key + "] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
	}
	static := func(key string) string {
		return "400 illegal_argument_exception: Can't update non dynamic settings [[" + key + "]] for open indices [[open/" + open + "]]"
	}
	reset := func(keys ...string) SettingsChange { return SettingsChange{Reset: keys} }
	for _, e := range []struct {
		is, index string
		change    SettingsChange
		want      string
	}{
		{"none is refused", "open", SettingsChange{}, "400 action_request_validation_exception: Validation Failed: 1: no settings to update;"},
		{"a dynamic one", "open", changing("index.refresh_interval", "5s"), ""},
		{"a bad value", "open", changing("index.number_of_replicas", "-1"), "400 illegal_argument_exception: Failed to parse value [-1] for setting [index.number_of_replicas] must be >= 0"},
		{"an unknown one", "open", changing("index.bogus", "1"), unknown("index.bogus")},
		{"an unknown one beside a good one", "open", changing("index.priority", "3", "index.bogus", "1"), unknown("index.bogus")},
		{"the default of an unknown one", "open", reset("index.bogus"), unknown("index.bogus")},
		{"one that is fixed", "open", changing("index.number_of_shards", "2"), static("index.number_of_shards")},
		{"one for closed indices", "open", changing("index.codec", "best_compression"), static("index.codec")},
		{"two of them", "*", changing("index.codec", "best_compression", "index.number_of_shards", "2"), static("index.codec, index.number_of_shards")},
		{"one for closed indices, of a closed one", "closed", changing("index.codec", "best_compression"), ""},
		{"slots, of a closed one", "closed", changing("index.number_of_routing_shards", "4"), ""},
		{"one that is fixed, of a closed one", "closed", changing("index.number_of_shards", "2"), "400 settings_exception: final closed setting [index.number_of_shards], not updateable"},
		{"one of the server", "open", changing("index.uuid", "x"), "400 settings_exception: can not update private setting [index.uuid]; this setting is managed by OpenSearch"},
		{"one of the server that has no name for requests", "open", changing("index.provided_name", "x"), unknown("index.provided_name")},
		{"one of an index that is missing", "nope", changing("index.priority", "1"), "404 index_not_found_exception: no such index [nope]"},
		{"archived ones by pattern", "open", reset("archived.*"), ""},
	} {
		t.Run(e.is, func(t *testing.T) {
			before := c.State()
			says(t, c.PutSettings(ctx, []string{e.index}, all, e.change, false), e.want)
			if e.want != "" && c.State() != before {
				t.Error("a refused change changed the state")
			}
		})
	}
}

func TestWhatChangesOfSettingsLeave(t *testing.T) {
	c, ctx := newCatalog(t), t.Context()
	first := create(t, c, "a", NewIndex{Settings: changing("index.refresh_interval", "5s", "index.routing.allocation.require.box", "hot")})
	versions := int64(0)
	for _, e := range []struct {
		is       string
		change   SettingsChange
		preserve bool
		changes  bool
		want     setting.Values // beyond what the server gives
	}{
		{"a new value", changing("index.refresh_interval", "7s"), false, true, setting.Values{"index.refresh_interval": "7s", "index.routing.allocation.require.box": "hot"}},
		{"the same value", changing("index.refresh_interval", "7s"), false, false, setting.Values{"index.refresh_interval": "7s", "index.routing.allocation.require.box": "hot"}},
		{"what is set is preserved", changing("index.refresh_interval", "9s", "index.priority", "4"), true, true, setting.Values{"index.refresh_interval": "7s", "index.priority": "4", "index.routing.allocation.require.box": "hot"}},
		{"a default by pattern", SettingsChange{Reset: []string{"index.routing.allocation.require.*"}}, false, true, setting.Values{"index.refresh_interval": "7s", "index.priority": "4"}},
		{"a default of what is not set", SettingsChange{Reset: []string{"index.max_result_window"}}, false, false, setting.Values{"index.refresh_interval": "7s", "index.priority": "4"}},
		{"a number of replicas", changing("index.number_of_replicas", "3"), false, true, setting.Values{"index.refresh_interval": "7s", "index.priority": "4", "index.number_of_replicas": "3"}},
		{"all defaults", SettingsChange{Reset: []string{"*"}}, false, true, setting.Values{}},
	} {
		must(t, c.PutSettings(ctx, []string{"a"}, all, e.change, e.preserve))
		i := c.State().Indices["a"]
		if e.changes {
			versions++
		}
		if i.SettingsVersion-first.SettingsVersion != versions || i.MappingVersion != first.MappingVersion {
			t.Errorf("%s: settings version %d", e.is, i.SettingsVersion)
		}
		want := setting.Values{"index.number_of_replicas": "1"}
		for _, key := range []string{"index.uuid", "index.creation_date", "index.provided_name", "index.version.created", "index.number_of_shards", "index.replication.type"} {
			want[key] = first.Settings[key]
		}
		maps.Copy(want, e.want)
		if diff := cmp.Diff(want, i.Settings); diff != "" {
			t.Errorf("%s: %s", e.is, diff)
		}
	}
}

func TestParsingIndexSettings(t *testing.T) {
	got, err := ParseIndexSettings([]byte(`{"number_of_shards":2,"index":{"priority":"3","sort.field":["a","b"]},"index.codec":"default","refresh_interval":null,"*":null,"refresh_*":null,"archived.x":1}`))
	must(t, err)
	slices.Sort(got.Reset)
	want := SettingsChange{
		Set:   setting.Values{"index.number_of_shards": "2", "index.priority": "3", "index.sort.field": "a,b", "index.codec": "default", "archived.x": "1"},
		Reset: []string{"*", "index.refresh_interval", "refresh_*"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ParseIndexSettings([]byte(`[]`)); err == nil {
		t.Error("an array is read")
	}
}

func TestPluginsDeclareIndexSettings(t *testing.T) {
	c := newCatalog(t, func(o *Options) {
		o.Settings = []setting.Definition{
			{Key: "index.plugin.alias", Index: true}, {Key: "index.plugin.fixed", Index: true, Final: true, Default: "7"}, {Key: "plugin.interval", Kind: setting.Int, Default: "5", Min: "1"},
		}
	})
	i := create(t, c, "a", NewIndex{Settings: changing("index.plugin.alias", "x")})
	must(t, c.PutSettings(t.Context(), []string{"a"}, all, changing("index.plugin.alias", "y"), false))
	fails(t, c.PutSettings(t.Context(), []string{"a"}, all, changing("index.plugin.fixed", "y"), false), "illegal_argument_exception", "Can't update non dynamic settings [[index.plugin.fixed]]")
	defaults := c.State().IndexDefaults(i)
	if defaults["index.plugin.fixed"] != "7" || defaults["index.max_result_window"] != "10000" {
		t.Errorf("defaults %v", defaults)
	}
	for _, key := range []string{"index.plugin.alias", "index.uuid", "index.analysis.*"} {
		if _, shown := defaults[key]; shown {
			t.Errorf("the defaults show %s", key)
		}
	}
	if _, known := c.State().IndexRegistry().Lookup("index.plugin.alias"); !known {
		t.Error("the registry does not know a plugin's setting")
	}
	fails(t, c.PutClusterSettings(t.Context(), changing("plugin.interval", "0"), SettingsChange{}), "illegal_argument_exception", "must be >= 1")
	if got := c.State().ClusterSetting("plugin.interval"); got != "5" {
		t.Errorf("the default is %q", got)
	}
}
