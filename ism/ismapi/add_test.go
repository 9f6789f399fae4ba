// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

func TestWhichIndicesMayGetAPolicy(t *testing.T) {
	const rollup = `{"rollup":{"ism_rollup":{"description":"d","target_index":"t","page_size":1,
		"dimensions":[{"date_histogram":{"fixed_interval":"1h","source_field":"ts"}}]}}}`
	optimized := map[string]string{"index.pluggable.dataformat.enabled": "true"}
	for _, c := range []struct {
		name, action string
		index        opensearch.IndexInfo
		managed      bool
		want         string // "" if it may
	}{
		{"any", `{"close":{}}`, opensearch.IndexInfo{Name: "books", Open: true}, false, ""},
		{"not a closed one", `{"close":{}}`, opensearch.IndexInfo{Name: "books"}, true, "This index is closed"},
		{"not one with a restricted name", `{"close":{}}`, opensearch.IndexInfo{Name: ".kibana_1", Open: true}, true, "Matches restricted index pattern defined in the cluster setting"},
		{
			"not one of the optimized engine, for a rollup", rollup,
			opensearch.IndexInfo{Name: "books", Open: true, Settings: optimized},
			true,
			"Rollup/Transform is not supported with Optimized Engine currently",
		},
		{"one of the optimized engine, for anything else", `{"close":{}}`, opensearch.IndexInfo{Name: "books", Open: true, Settings: optimized}, false, ""},
		{"not one that has one", `{"close":{}}`, opensearch.IndexInfo{Name: "books", Open: true}, true, "This index already has a policy, use the update policy API to update index policies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ism.ReadPolicy("p", []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[`+c.action+`]}]}}`))
			if err != nil {
				t.Fatal(err)
			}
			x := &target{IndexInfo: c.index}
			if c.managed {
				x.job = &ism.Job{}
			}
			out := &outcome{}
			free := addable([]*target{x}, p, setting.View{Registry: setting.NewRegistry(ism.Settings()...)}, out)
			reason := ""
			for _, m := range out.failed {
				reason, _ = m[2].Value.(string)
			}
			if reason != c.want || (len(free) == 1) != (c.want == "") {
				t.Errorf("%q, want %q", reason, c.want)
			}
		})
	}
}
