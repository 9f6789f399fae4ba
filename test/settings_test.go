// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

const (
	settings    = "plugins.index_state_management."
	oldSettings = "opendistro.index_state_management."
)

// settingRows are the cluster settings with a value they take and one they refuse. The old name of those of the plugin
// has "opendistro." in place of "plugins."; onlyNew have none.
var settingRows = []struct {
	key, good, bad, refusal string
	onlyNew                 bool
}{
	{key: settings + "enabled", good: "false", bad: "perhaps", refusal: "Failed to parse value [perhaps] as only [true] or [false] are allowed."},
	{key: settings + "job_interval", good: "7", bad: "0", refusal: "Failed to parse value [0] for setting [KEY] must be >= 1"},
	{key: settings + "jitter", good: "0.25", bad: "1.5", refusal: "Failed to parse value [1.5] for setting [KEY] must be <= 1.0", onlyNew: true},
	{key: settings + "allow_list", good: `["delete","close"]`},
	{key: settings + "action_validation.enabled", good: "true", bad: "1", refusal: "Failed to parse value [1] as only [true] or [false] are allowed.", onlyNew: true},
	{key: settings + "allow_running_on_red_cluster", good: "true", bad: "no", refusal: "Failed to parse value [no] as only [true] or [false] are allowed.", onlyNew: true},
	{key: settings + "restricted_index_pattern", good: "secret-.*", bad: "(?!a)b", refusal: "[(?!] in a regular expression is not supported"},
	{key: settings + "snapshot.deny_list", good: `["backup-*"]`},
	{key: settings + "coordinator.sweep_period", good: "7m", bad: "4m", refusal: "failed to parse value [4m] for setting [KEY], must be >= [5m]"},
	{key: settings + "coordinator.sweep_skip_period", good: "1m", bad: "soon", refusal: "failed to parse setting [KEY] with value [soon] as a time value: unit is missing or unrecognized", onlyNew: true},
	{key: settings + "coordinator.backoff_millis", good: "10ms", bad: "-1", refusal: "failed to parse value [-1] for setting [KEY], must be >= [0ms]"},
	{key: settings + "coordinator.backoff_count", good: "3", bad: "-1", refusal: "Failed to parse value [-1] for setting [KEY] must be >= 0"},
	{key: settings + "history.enabled", good: "false", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed."},
	{key: settings + "history.max_docs", good: "5", bad: "-1", refusal: "Failed to parse value [-1] for setting [KEY] must be >= 0"},
	{key: settings + "history.max_age", good: "2d", bad: "-1", refusal: "failed to parse value [-1] for setting [KEY], must be >= [0ms]"},
	{key: settings + "history.rollover_check_period", good: "1h", bad: "-1", refusal: "failed to parse value [-1] for setting [KEY], must be >= [0ms]"},
	{key: settings + "history.rollover_retention_period", good: "3d", bad: "-1", refusal: "failed to parse value [-1] for setting [KEY], must be >= [0ms]"},
	{key: settings + "history.number_of_shards", good: "2", bad: "two", refusal: "Failed to parse value [two] for setting [KEY]"},
	{key: settings + "history.number_of_replicas", good: "0", bad: "none", refusal: "Failed to parse value [none] for setting [KEY]"},
	{key: settings + "metadata_service.enabled", good: "false", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed."},
	{key: settings + "metadata_migration.status", good: "1", bad: "x", refusal: "Failed to parse value [x] for setting [KEY]"},
	{key: settings + "template_migration.control", good: "-1", bad: "-3", refusal: "Failed to parse value [-3] for setting [KEY] must be >= -2"},
	{key: "plugins.jobscheduler.jitter_limit", good: "0.9", bad: "0.96", refusal: "Failed to parse value [0.96] for setting [KEY] must be <= 0.95"},
	{key: "plugins.jobscheduler.sweeper.period", good: "1m", bad: "x", refusal: "failed to parse setting [KEY] with value [x] as a time value: unit is missing or unrecognized"},
	{key: "plugins.jobscheduler.sweeper.page_size", good: "10", bad: "x", refusal: "Failed to parse value [x] for setting [KEY]"},
	{key: "plugins.jobscheduler.sweeper.backoff_millis", good: "1ms", bad: "x", refusal: "failed to parse setting [KEY] with value [x] as a time value: unit is missing or unrecognized"},
	{key: "plugins.jobscheduler.retry_count", good: "4", bad: "x", refusal: "Failed to parse value [x] for setting [KEY]"},
	{key: "plugins.jobscheduler.request_timeout", good: "4s", bad: "x", refusal: "failed to parse setting [KEY] with value [x] as a time value: unit is missing or unrecognized"},
	{key: "plugins.jobscheduler.history.enabled", good: "true", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed.", onlyNew: true},
	{key: "plugins.transform.circuit_breaker.enabled", good: "false", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed.", onlyNew: true},
	{key: "plugins.transform.circuit_breaker.jvm.threshold", good: "50", bad: "101", refusal: "Failed to parse value [101] for setting [KEY] must be <= 100", onlyNew: true},
	{key: "steward.ism.watch.enabled", good: "false", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed.", onlyNew: true},
	{key: "plugins.index_management.filter_by_backend_roles", good: "true", bad: "x", refusal: "Failed to parse value [x] as only [true] or [false] are allowed.", onlyNew: true},
}

// settingNames calls fn with every name of every row.
func settingNames(fn func(key, good, bad, refusal string)) {
	for _, row := range settingRows {
		fn(row.key, row.good, row.bad, strings.ReplaceAll(row.refusal, "KEY", row.key))
		if !row.onlyNew {
			old := strings.Replace(row.key, "plugins.", "opendistro.", 1)
			fn(old, row.good, row.bad, strings.ReplaceAll(row.refusal, "KEY", old))
		}
	}
}

func TestEverySettingHasARow(t *testing.T) {
	var want, got []string
	for _, d := range setting.NewRegistry(ism.Settings()...).All() {
		if !d.Index {
			want = append(want, d.Key)
		}
	}
	settingNames(func(key, _, _, _ string) { got = append(got, key) })
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("rows %v\nwant %v", got, want)
	}
}

// value is a setting's value as a request has it.
func value(text string) any {
	if strings.HasPrefix(text, "[") {
		return json.RawMessage(text)
	}
	return text
}

func TestEverySettingIsChangedUnderBothItsNamesAndRefusesWhatItCannotBe(t *testing.T) {
	p := Program(t)
	settingNames(func(key, good, bad, refusal string) {
		t.Run(key, func(t *testing.T) {
			var done struct{ Persistent map[string]any }
			p.Must("PUT", "/_cluster/settings?flat_settings=true", wire.Obj("persistent", wire.Obj(key, value(good))), &done)
			t.Cleanup(func() { p.Must("PUT", "/_cluster/settings", wire.Obj("persistent", wire.Obj(key, nil)), nil) })
			if got := shown(done.Persistent[key]); got != good {
				t.Errorf("the answer shows %s, want %s", got, good)
			}
			var all struct{ Persistent, Defaults map[string]any }
			p.Must("GET", "/_cluster/settings?flat_settings=true", nil, &all)
			if got := shown(all.Persistent[key]); got != good {
				t.Errorf("it is %s, want %s", got, good)
			}
			if bad == "" {
				return
			}
			status, body := p.Call("PUT", "/_cluster/settings", wire.Obj("persistent", wire.Obj(key, bad)))
			var answer struct{ Error struct{ Type, Reason string } }
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatal(err)
			}
			if status != 400 || answer.Error.Type != "illegal_argument_exception" || answer.Error.Reason != refusal {
				t.Errorf("%q: %d %s, want %s", bad, status, body, refusal)
			}
		})
	})
}

// shown is a value in the form of the rows.
func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.Trim(string(text), `"`)
}
