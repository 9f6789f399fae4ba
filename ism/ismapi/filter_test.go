// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"testing"

	"github.com/opensteward/steward/ism"
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
