// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"strings"
	"testing"
)

// rollsUp runs a job with one part of it replaced, which fails for a reason, or finishes if there is none.
func (w *world) rollsUp(job, old, replaced, reason string) {
	w.t.Helper()
	if !strings.Contains(job, old) {
		w.t.Fatalf("%s is not in the job", old)
	}
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(job, old, replaced, 1))
	w.settle()
	status, told := `"failed"`, `"`+reason+`"`
	if reason == "" {
		status, told = `"finished"`, `null`
	}
	w.want("status", w.progress("rollup", "status"), status)
	w.want("reason", w.progress("rollup", "failure_reason"), told)
}

// The reasons are those of OpenSearch 3.4.0's aggregations.
func TestWhatCannotBeComputedOfATypeFailsTheJob(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a sum of words", `{"source_field":"n",`, `{"source_field":"host",`, "Field [host] of type [keyword] is not supported for aggregation [sum]"},
		{"a least address", `{"source_field":"x",`, `{"source_field":"ip",`, "Field [ip] of type [ip] is not supported for aggregation [min]"},
		{"a histogram of words", `{"terms":{"source_field":"host"}}`, `{"histogram":{"source_field":"host","interval":1}}`, "Field [host] of type [keyword] is not supported for aggregation [histogram]"},
		{"a histogram of what is true", `{"terms":{"source_field":"host"}}`, `{"histogram":{"source_field":"ok","interval":1}}`, "Field [ok] of type [boolean] is not supported for aggregation [histogram]"},
		{"days of words", `"source_field":"ts"`, `"source_field":"host"`, "Field [host] of type [keyword] is not supported for aggregation [date_histogram]"},
		{"a sum of what is true", `{"source_field":"n",`, `{"source_field":"ok",`, ""},
		{"a count of words", `{"source_field":"x","metrics":[{"min":{}},`, `{"source_field":"host","metrics":[`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.create("PREFIX-src", strings.Replace(sales, `"n":`, `"ip":{"type":"ip"},"ok":{"type":"boolean"},"n":`, 1))
			w.index("PREFIX-src", sold...)
			defer w.run(w.transport)()
			w.rollsUp(hourly, c.old, c.new, c.want)
		})
	}
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_transform/PREFIX", strings.Replace(byHost, `"max":{"field":"n"}`, `"max":{"field":"host"}`, 1))
	w.settle()
	w.want("reason of a transform", w.progress("transform", "failure_reason"), `"Failed to search data in source indices"`)
}

func TestNumbersAreMillisecondsOfADateHistogram(t *testing.T) {
	for _, kind := range []string{"long", "double"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			w.create("PREFIX-src", strings.Replace(sales, `"ts":{"type":"date"}`, `"ts":{"type":"`+kind+`"}`, 1))
			times := strings.NewReplacer(`"2026-01-01T00:10:00Z"`, "1767226200000", `"2026-01-01T00:50:00Z"`, "1767228600000",
				`"2026-01-01T00:20:00Z"`, "1767226800000", `"2026-01-01T03:00:00Z"`, "1767236400000")
			for _, doc := range sold {
				w.index("PREFIX-src", times.Replace(doc))
			}
			defer w.run(w.transport)()
			w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
			w.settle()
			w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
		})
	}
}
