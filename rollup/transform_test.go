// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// byHost is a transform of sales, in pages of two.
const byHost = `{"transform":{"enabled":true,"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"t",
	"source_index":"PREFIX-src","target_index":"PREFIX-out","page_size":2,"data_selection_query":{"match_all":{}},
	"groups":[{"terms":{"source_field":"host","target_field":"who"}}],
	"aggregations":{"total":{"sum":{"field":"n"}},"mean":{"avg":{"field":"x"}},"last":{"max":{"field":"ts"}},"most":{"max":{"field":"n"}},"count":{"value_count":{"field":"x"}}}}}`

const transformed = `{"transform._id":"PREFIX","transform._doc_count":1,"who":"b","total":4.0,"mean":null,"last":1767226800000,"most":4.0,"count":0.0}
{"transform._id":"PREFIX","transform._doc_count":3,"who":"a","total":11.0,"mean":1.4166666666666667,"last":1767236400000,"most":8.0,"count":3.0}
{"transform._id":"PREFIX","transform._doc_count":1,"who":null,"total":16.0,"mean":null,"last":1767236400000,"most":16.0,"count":0.0}`

func TestATransformWritesADocumentPerGroupAndEnds(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", byHost)
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "total"), transformed)
	w.want("status", w.progress("transform", "status"), `"finished"`)
	w.want("pages", w.progress("transform", "stats", "pages_processed"), `3`)
	w.want("documents processed", w.progress("transform", "stats", "documents_processed"), `5`)
	w.want("documents indexed", w.progress("transform", "stats", "documents_indexed"), `3`)
	w.want("a date stays one", w.mapping("PREFIX-out", "properties", "last", "type"), `"date"`)
	w.want("texts are terms", w.mapping("PREFIX-out", "properties", "who", "type"), `"keyword"`)
	w.want("_meta", w.mapping("PREFIX-out", "_meta"), `{"schema_version":1}`)
	if job := w.must("GET", "/_plugins/_transform/PREFIX", ""); !strings.Contains(job, `"enabled":false,"enabled_at":null`) {
		t.Errorf("the job is not disabled: %s", job)
	}
}

func TestATransformReadsWhatItsQuerySelects(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", `{"transform":{"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"t",
		"source_index":"PREFIX-src","target_index":"PREFIX-out","page_size":10,"data_selection_query":{"range":{"n":{"gte":2,"lt":16}}},
		"groups":[{"date_histogram":{"source_field":"ts","target_field":"at","fixed_interval":"1h"}},{"terms":{"source_field":"ts","target_field":"exact"}},
			{"histogram":{"source_field":"n","target_field":"size","interval":5}}],
		"aggregations":{"n":{"min":{"field":"n"}}}}}`)
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n"), `{"transform._id":"PREFIX","transform._doc_count":1,"at":1767225600000,"exact":1767228600000,"size":0.0,"n":2.0}
{"transform._id":"PREFIX","transform._doc_count":1,"at":1767225600000,"exact":1767226800000,"size":0.0,"n":4.0}
{"transform._id":"PREFIX","transform._doc_count":1,"at":1767236400000,"exact":1767236400000,"size":5.0,"n":8.0}`)
	w.want("terms of dates are dates", w.mapping("PREFIX-out", "properties", "exact", "type"), `"date"`)
}

func TestAContinuousTransformComputesChangedGroupsAnew(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", strings.Replace(sales, `"number_of_replicas":0`, `"number_of_replicas":0,"number_of_shards":2`, 1))
	w.index("PREFIX-src", sold[:3]...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", strings.Replace(byHost, `"page_size":2`, `"page_size":2,"continuous":true`, 1))
	w.settle()
	w.want("behind", w.progress("transform", "continuous_stats", "documents_behind"), `{"PREFIX-src":0}`)
	w.want("last", w.progress("transform", "continuous_stats", "last_timestamp"), `1772445600000`)
	w.want("what is stored only", w.progress("transform", "shard_id_to_global_checkpoint"), ``)
	before := w.stat("transform", "pages_processed")
	w.index("PREFIX-src", sold[3:]...)
	w.advance(time.Minute)
	w.want("documents", w.documents("PREFIX-out", "total"), transformed)
	w.want("status", w.progress("transform", "status"), `"started"`)
	w.want("last", w.progress("transform", "continuous_stats", "last_timestamp"), `1772445660000`)
	if after := w.stat("transform", "pages_processed"); before < 2 || after <= before {
		t.Errorf("%d pages of changes, then %d", before, after)
	}
	stats := w.progress("transform", "stats")
	w.advance(10 * time.Minute)
	w.want("nothing more to do", w.progress("transform", "stats"), stats)
}

// Each shard that changed is a page for every two of its groups, and one that finds nothing more.
func TestPagesOfAContinuousTransformAreThoseOfItsChanges(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-a", sales)
	w.create("PREFIX-b", sales)
	w.index("PREFIX-a", sold...)
	w.index("PREFIX-b", sold[2])
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", strings.NewReplacer(`"page_size":2`, `"page_size":2,"continuous":true`, "PREFIX-src", "PREFIX-*,-PREFIX-out").Replace(byHost))
	w.settle()
	w.want("pages", w.progress("transform", "stats", "pages_processed"), `5`)
	w.want("documents processed", w.progress("transform", "stats", "documents_processed"), `6`)
	w.want("documents indexed", w.progress("transform", "stats", "documents_indexed"), `3`)
	w.index("PREFIX-b", sold[2])
	w.advance(time.Minute)
	w.want("pages", w.progress("transform", "stats", "pages_processed"), `7`)
	w.want("documents processed", w.progress("transform", "stats", "documents_processed"), `9`)
}

func TestDatesOfADateHistogramAreWrittenInItsFormat(t *testing.T) {
	group := `{"date_histogram":{"source_field":"ts","target_field":"hour","fixed_interval":"1h","timezone":"Europe/Berlin","format":"FORMAT"}}`
	job := strings.Replace(byHost, `{"terms":{"source_field":"host","target_field":"who"}}`, group, 1)
	for _, c := range []struct{ format, documents, reason string }{
		{"dd.MM.yyyy HH:mm", `{"transform._id":"PREFIX","transform._doc_count":3,"hour":"01.01.2026 01:00","total":7.0,"mean":2.0,"last":1767228600000,"most":4.0,"count":2.0}
{"transform._id":"PREFIX","transform._doc_count":2,"hour":"01.01.2026 04:00","total":24.0,"mean":0.25,"last":1767236400000,"most":16.0,"count":1.0}`, `null`},
		{"bogus", ``, `"Failed to search data in source indices"`},
	} {
		for _, continuous := range []string{"false", "true"} {
			t.Run(c.format+" "+continuous, func(t *testing.T) {
				w := newWorld(t)
				w.create("PREFIX-src", sales)
				w.index("PREFIX-src", sold...)
				w.create("PREFIX-out", `{"mappings":{"date_detection":false}}`)
				defer w.run(w.transport)()
				w.must("PUT", "/_plugins/_transform/PREFIX", strings.NewReplacer("FORMAT", c.format, `"page_size":2`, `"page_size":2,"continuous":`+continuous).Replace(job))
				w.settle()
				w.want("reason", w.progress("transform", "failure_reason"), c.reason)
				w.want("documents", w.documents("PREFIX-out", "_seq_no"), c.documents)
			})
		}
	}
}

func TestAContinuousTransformWithGroupsOfAllKinds(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", `{"mappings":{"properties":{"ts":{"type":"date"},"ok":{"type":"boolean"},"x":{"type":"double"},"n":{"type":"long"},"host":{"type":"keyword"}}}}`)
	w.index("PREFIX-src", `{"ts":"2026-01-31T12:00:00Z","ok":true,"x":0.33,"n":1}`)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", `{"transform":{"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"t",
		"source_index":"PREFIX-src","target_index":"PREFIX-out","page_size":10,"continuous":true,
		"groups":[{"date_histogram":{"source_field":"ts","calendar_interval":"month","target_field":"m"}},{"terms":{"source_field":"ts","target_field":"t"}},
			{"terms":{"source_field":"ok","target_field":"o"}},{"histogram":{"source_field":"x","target_field":"b","interval":0.1}},{"terms":{"source_field":"host","target_field":"h"}}],
		"aggregations":{"s":{"sum":{"field":"n"}}}}}`)
	w.settle()
	w.index("PREFIX-src", `{"ts":"2026-01-31T12:00:00Z","ok":true,"x":0.35,"n":2}`, `{"ts":"2026-02-01T00:00:00Z","ok":true,"x":0.33,"n":4}`)
	w.advance(time.Minute)
	w.want("documents", w.documents("PREFIX-out", "s"), `{"transform._id":"PREFIX","transform._doc_count":2,"m":1767225600000,"t":1769860800000,"o":true,"b":0.30000000000000004,"h":null,"s":3.0}
{"transform._id":"PREFIX","transform._doc_count":1,"m":1769904000000,"t":1769904000000,"o":true,"b":0.30000000000000004,"h":null,"s":4.0}`)
}

func TestATransformWhoseSourceIsGoneFails(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.must("PUT", "/_plugins/_transform/PREFIX", byHost)
	_, err := w.client.DeleteIndex(t.Context(), w.own("PREFIX-src"))
	w.do(err)
	defer w.run(w.transport)()
	w.settle()
	w.want("status", w.progress("transform", "status"), `"failed"`)
	w.want("reason", w.progress("transform", "failure_reason"), `"Failed validation - [No specified source index exist in the cluster]"`)
}

func TestATransformIntoAnAliasNeedsItsWriteIndex(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	w.create("PREFIX-1", `{"aliases":{"PREFIX-out":{}}}`)
	w.create("PREFIX-2", `{"aliases":{"PREFIX-out":{}}}`)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", byHost)
	w.settle()
	w.want("reason", w.progress("transform", "failure_reason"),
		`"target_index [PREFIX-out] is an alias but doesn't have write index"`)
	_, err := w.client.UpdateAliases(t.Context(), []any{map[string]any{"add": map[string]any{
		"index": w.own("PREFIX-2"), "alias": w.own("PREFIX-out"), "is_write_index": true,
	}}})
	w.do(err)
	w.must("POST", "/_plugins/_transform/PREFIX/_start", "")
	w.settle()
	w.want("documents", w.documents("PREFIX-2", "total"), transformed)
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
