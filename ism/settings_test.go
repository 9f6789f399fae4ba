// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

func TestSettingsHaveTheDefaultsOfThePlugin(t *testing.T) {
	text, err := os.ReadFile(recordings + "/native-3.4.0/ism-settings-get.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Response struct{ Defaults map[string]map[string]any }
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	registry := setting.NewRegistry(ism.Settings()...)
	compared := 0
	var compare func(key string, v any)
	compare = func(key string, v any) {
		if object, ok := v.(map[string]any); ok {
			for name, below := range object {
				compare(key+"."+name, below)
			}
			return
		}
		compared++
		want := fmt.Sprint(v)
		if list, ok := v.([]any); ok {
			want = strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
		}
		got := setting.View{Registry: registry}.Text(key)
		if strings.HasSuffix(key, ".allow_list") {
			got = strings.Replace(got, "search_only,", "", 1) // newer than the recording
		}
		if got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, root := range []string{"plugins", "opendistro"} {
		for _, group := range []string{"index_state_management", "jobscheduler"} {
			if v, ok := recorded.Response.Defaults[root][group]; ok {
				compare(root+"."+group, v)
			}
		}
	}
	if compared < 40 {
		t.Errorf("only %d settings were compared", compared)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	registry := setting.NewRegistry(ism.Settings()...)
	for _, c := range []struct{ key, value, want string }{
		{"plugins.index_state_management.job_interval", "0", "Failed to parse value [0] for setting [plugins.index_state_management.job_interval] must be >= 1"},
		{"opendistro.index_state_management.job_interval", "0", "Failed to parse value [0] for setting [opendistro.index_state_management.job_interval] must be >= 1"},
		{"plugins.index_state_management.jitter", "2", "Failed to parse value [2] for setting [plugins.index_state_management.jitter] must be <= 1.0"},
		{"plugins.index_state_management.enabled", "perhaps", "Failed to parse value [perhaps] as only [true] or [false] are allowed."},
		{"plugins.jobscheduler.jitter_limit", "0.96", "Failed to parse value [0.96] for setting [plugins.jobscheduler.jitter_limit] must be <= 0.95"},
		{"plugins.transform.circuit_breaker.jvm.threshold", "101", "Failed to parse value [101] for setting [plugins.transform.circuit_breaker.jvm.threshold] must be <= 100"},
		{"plugins.index_state_management.template_migration.control", "-3", "Failed to parse value [-3] for setting [plugins.index_state_management.template_migration.control] must be >= -2"},
		{"plugins.index_state_management.restricted_index_pattern", "(?=a)", "[(?=] in a regular expression is not supported"},
		{"plugins.index_state_management.restricted_index_pattern", "logs-[", "Unclosed character class near index 5\nlogs-[\n     ^"},
	} {
		d, ok := registry.Lookup(c.key)
		if !ok {
			t.Errorf("%s is not known", c.key)
			continue
		}
		if err := d.Validate(c.value); err == nil || fault.Of(err).Reason != c.want {
			t.Errorf("%s %q: %v, want %q", c.key, c.value, err, c.want)
		}
	}
}

func TestIndexSettingsHaveTheirOldNames(t *testing.T) {
	var names []string
	for _, d := range ism.Settings() {
		if d.Index {
			names = append(names, d.Key)
			if d.Fallback != strings.Replace(d.Key, "index.plugins.", "index.opendistro.", 1) {
				t.Errorf("%s falls back to %s", d.Key, d.Fallback)
			}
		}
	}
	slices.Sort(names)
	if len(names) != 4 {
		t.Errorf("index settings %v", names)
	}
}
