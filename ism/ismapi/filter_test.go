// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

func TestFilter(t *testing.T) {
	m := &ism.Metadata{State: &ism.StateMeta{Name: "hot"}, Action: &ism.ActionMeta{Name: "rollover", Failed: true}}
	cases := []struct {
		name, body string
		meta       *ism.Metadata
		want       bool
	}{
		{"nothing asked for", `{"filter":{}}`, m, true},
		{"unknown members", `{"filter":{"colour":"red"},"x":[1]}`, m, true},
		{"its state", `{"filter":{"state":"hot"}}`, m, true},
		{"another state", `{"filter":{"state":"cold"}}`, m, false},
		{"its action", `{"filter":{"action_type":"rollover"}}`, m, true},
		{"another action", `{"filter":{"action_type":"transition"}}`, m, false},
		{"an index that failed counts as failed", `{"filter":{"failed":true}}`, m, true},
		{"and as not failed, by the other flag", `{"filter":{"failed":false}}`, m, true},
		{"an index without metadata passes", `{"filter":{"state":"cold","failed":true}}`, nil, true},
		{"an index in no state", `{"filter":{"state":"hot"}}`, &ism.Metadata{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := parseFilter([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.matches(c.meta); got != c.want {
				t.Errorf("matches: %v", got)
			}
		})
	}
}

func TestValidateAction(t *testing.T) {
	yes := true
	alias := map[string]string{"index.plugins.index_state_management.rollover_alias": "logs"}
	index := opensearch.IndexInfo{Name: "i", UUID: "u", Open: true}
	with := func(settings map[string]string, a opensearch.Alias) opensearch.IndexInfo {
		out := index
		out.Settings, out.Aliases = settings, map[string]opensearch.Alias{"logs": a}
		return out
	}
	withoutAlias := index
	withoutAlias.Settings = alias
	skipped := index
	skipped.Settings = map[string]string{"index.plugins.index_state_management.rollover_alias": "x", "index.opendistro.index_state_management.rollover_skip": "true"}
	cases := []struct {
		name   string
		action string
		index  opensearch.IndexInfo
		users  int // indices of the alias
		want   validation
	}{
		{"no alias setting", `{"rollover":{}}`, index, 0, validation{revalidating, "Missing rollover_alias index setting [index=i]"}},
		{"skipped", `{"rollover":{}}`, skipped, 0, validation{passed, "Skipped rollover action for [index=i]"}},
		{"not in the alias", `{"rollover":{}}`, withoutAlias, 1, validation{revalidating, "Missing alias when rollover [index=i]"}},
		{"not the write index", `{"rollover":{}}`, with(alias, opensearch.Alias{}), 2, validation{revalidating, "Not the write index when rollover [index=i]"}},
		{"the only index", `{"rollover":{}}`, with(alias, opensearch.Alias{}), 1, validation{passed, "Rollover validation passed for [index=i]"}},
		{"the write index", `{"rollover":{}}`, with(alias, opensearch.Alias{Write: &yes}), 2, validation{passed, "Rollover validation passed for [index=i]"}},
		{
			"deleting a write index", `{"delete":{}}`, with(alias, opensearch.Alias{Write: &yes}), 2,
			validation{revalidating, "Index [index=i] is the write index for data stream and cannot be deleted"},
		},
		{"deleting another", `{"delete":{}}`, with(alias, opensearch.Alias{}), 2, validation{passed, "Delete validation passed for [index=i]"}},
		{"read_only", `{"read_only":{}}`, index, 0, validation{passed, "validate_read_only action validation passed for [index=i]"}},
		{"an action without checks", `{"allocation":{"require":{"a":"b"}}}`, index, 0, nothingToValidate},
		{
			"a searchable snapshot", `{"convert_index_to_remote":{"repository":"r","snapshot":"s"}}`, index, 0,
			validation{notPassed, "Index [index=i] already exists, cannot restore over existing index."},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := ism.ReadPolicy("p", []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[`+
				c.action+`],"transitions":[]}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			x := &target{IndexInfo: c.index, job: &ism.Job{Policy: p}, meta: &ism.Metadata{State: &ism.StateMeta{Name: "s"}}}
			if got := x.validate(nil, map[string]int{"logs": c.users}); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
