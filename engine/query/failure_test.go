// SPDX-License-Identifier: Apache-2.0

package query

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

func TestAnIndexThatCannotRunASearchIsLeftOut(t *testing.T) {
	books := library(t)
	other := newTarget(t, "bare", `{}`, `{"x":1}`)
	ids, res, err := run(t, `{"sort":["pages"],"size":1}`, other, books)
	if err != nil || strings.Join(ids, " ") != "4" {
		t.Fatalf("%v, %v", ids, err)
	}
	got, err := json.Marshal(res.shards())
	want := `{"total":2,"successful":1,"skipped":0,"failed":1,"failures":[{"shard":0,"index":"bare","node":"` + NodeID +
		`","reason":{"type":"query_shard_exception","reason":"No mapping found for [pages] in order to sort on","index":"bare","index_uuid":"u"}}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestASearchThatNoIndexCanRunIsWordedAsByTheServer(t *testing.T) {
	books := library(t)
	for _, c := range []struct{ name, body, want string }{
		{"a number that is none", `{"query":{"term":{"pages":"many"}}}`, `{"root_cause":[{"type":"query_shard_exception","reason":"failed to create query: For input string: \"many\"","index":"books","index_uuid":"u"}],"type":"search_phase_execution_exception"`},
		{"a date that is none", `{"query":{"range":{"out":{"gte":"soon"}}}}`, `{"root_cause":[{"type":"parse_exception","reason":"failed to parse date field [soon] with format [strict_date_optional_time||epoch_millis]"}],"type":"search_phase_execution_exception"`},
		{"a page too far", `{"from":10000}`, `{"root_cause":[{"type":"illegal_argument_exception","reason":"Result window is too large, from + size must be less than or equal to: [10000] but was [10010].`},
	} {
		_, _, err := run(t, c.body, books)
		if _, _, body := fault.Body(err); err == nil || !strings.HasPrefix(string(body), `{"error":`+c.want) {
			t.Errorf("%s: %s\nwant %s", c.name, body, c.want)
		}
	}
	small := books
	small.MaxResultWindow = 5
	if _, _, err := run(t, `{}`, small); err == nil || !strings.Contains(fault.Of(err).CausedBy.Reason, "less than or equal to: [5] but was [10]") {
		t.Errorf("a smaller window: %v", err)
	}
}
