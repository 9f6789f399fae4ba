// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAPreviewShowsTheFirstDocumentsOfATransformAndStoresNothing(t *testing.T) {
	w := newWorld(t)
	w.answers("POST", "/_plugins/_transform/_preview", byHost, 404, `No specified source index exist in the cluster`)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	const want = `{"documents":[` +
		`{"transform._doc_count":1,"who":null,"total":16.0,"mean":null,"last":1767236400000,"most":16.0,"count":0},` +
		`{"transform._doc_count":3,"who":"a","total":11.0,"mean":1.4166666666666667,"last":1767236400000,"most":8.0,"count":3},` +
		`{"transform._doc_count":1,"who":"b","total":4.0,"mean":null,"last":1767226800000,"most":4.0,"count":0}]}`
	w.answers("POST", "/_plugins/_transform/_preview", byHost, 200, want)
	w.answers("POST", "/_plugins/_transform", byHost, 200, want)
	w.answers("POST", "/_plugins/_transform/_preview", strings.Replace(byHost, `{"match_all":{}}`, `{"term":{"host":"none"}}`, 1), 200, `{"documents":[]}`)
	w.answers("POST", "/_plugins/_transform/_preview", strings.Replace(byHost, `"source_field":"host"`, `"source_field":"gone"`, 1), 400,
		`Cannot find field [gone] that can be grouped as [terms] in [PREFIX-src].`)
	w.answers("POST", "/_plugins/_transform/_preview", strings.Replace(byHost, `"page_size":2`, `"page_size":0`, 1), 400, `Page size must be between 1 and 10,000`)
	w.answers("POST", "/_plugins/_transform/_preview", "", 400, `request body is required`)
	w.answers("GET", "/_plugins/_transform", "", 404, `no such index [.opendistro-ism-config]`)
}

func TestAPreviewShowsTenDocuments(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	for n := range 30 {
		w.index("PREFIX-src", fmt.Sprintf(`{"ts":"2026-01-01T00:00:00Z","host":"h%02d","n":%d}`, n, n))
	}
	answer := w.must("POST", "/_plugins/_transform/_preview", byHost)
	if n := strings.Count(answer, `"who"`); n != 10 || !strings.Contains(answer, `"who":"h00"`) || !strings.Contains(answer, `"who":"h09"`) {
		t.Errorf("%d documents: %s", n, answer)
	}
}

func TestATransformIsUpdatedByABodyOfOtherNotation(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	const job = `{"transform":{"enabled":false,"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"t","source_index":"PREFIX-src",
		"target_index":"PREFIX-out","page_size":2,"groups":[{"terms":{"source_field":"host","target_field":"who"}}]%s}}`
	for i, c := range []struct{ name, created, updated string }{
		{"a query with blanks, and no aggregations", `,"data_selection_query":{"match_all": {}}`, `,"data_selection_query": { "match_all" : {} }`},
		{"the default query, and empty aggregations", ``, `,"data_selection_query":{"match_all":{}},"aggregations":{}`},
		{
			"aggregations in another order", `,"aggregations":{"a":{"sum":{"field":"n"}},"b":{"max":{"field":"n"}}}`,
			`,"aggregations":{"b":{"max":{"field":"n"}},"a":{"sum":{"field":"n"}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := fmt.Sprintf("/_plugins/_transform/PREFIX-%d", i)
			w.must("PUT", path, fmt.Sprintf(job, c.created))
			if status, answer := w.call("PUT", fmt.Sprintf("%s?if_seq_no=%d&if_primary_term=1", path, 2*i), fmt.Sprintf(job, c.updated)); status != 200 {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
}
