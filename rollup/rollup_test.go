// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"testing"
)

const sales = `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"ts":{"type":"date"},"host":{"type":"keyword"},"n":{"type":"long"},"x":{"type":"double"}}}}`

var sold = []string{
	`{"ts":"2026-01-01T00:10:00Z","host":"a","n":1,"x":1.5}`,
	`{"ts":"2026-01-01T00:50:00Z","host":"a","n":2,"x":2.5}`,
	`{"ts":"2026-01-01T00:20:00Z","host":"b","n":4}`,
	`{"ts":"2026-01-01T03:00:00Z","host":"a","n":8,"x":0.25}`,
	`{"ts":"2026-01-01T03:00:00Z","n":16}`,
}

const hourly = `{"rollup":{"source_index":"PREFIX-src","target_index":"PREFIX-out","schedule":{"interval":{"period":1,"unit":"Minutes"}},
	"description":"d","page_size":2,"dimensions":[
		{"date_histogram":{"source_field":"ts","fixed_interval":"1h"}},{"terms":{"source_field":"host"}}],
	"metrics":[{"source_field":"n","metrics":[{"sum":{}},{"max":{}},{"avg":{}}]},{"source_field":"x","metrics":[{"min":{}},{"value_count":{}}]}]}}`

func TestARollupWritesADocumentPerBucket(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "_id"), ``)
	w.want("progress", w.progress("rollup", "PREFIX"), ``)
	w.want("job", w.must("GET", "/_plugins/_rollup/jobs/PREFIX", ""), ``)
}
