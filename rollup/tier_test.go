// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"strings"
	"testing"
	"time"
)

// daily is a job over what hourly writes.
var daily = strings.NewReplacer("PREFIX-src", "PREFIX-out", "PREFIX-out", "PREFIX-days", `"1h"`, `"1d"`,
	`,{"terms":{"source_field":"host"}}`, ``).Replace(hourly)

// hourlyDone is a world in which hourly has run, as the job "hours".
func hourlyDone(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	t.Cleanup(w.run(w.transport))
	w.must("PUT", "/_plugins/_rollup/jobs/hours", hourly)
	w.settle()
	return w
}

func TestARollupIndexIsRolledUpFurther(t *testing.T) {
	w := hourlyDone(t)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", daily)
	w.settle()
	// Sums and counts are sums of what is there, and counts therefore written as such.
	const days = `{"rollup._id":"PREFIX","_doc_count":5,"rollup._schema_version":30,"ts.date_histogram":1767225600000,"n.sum":31.0,"n.max":16.0,"n.avg.sum":31.0,"n.avg.value_count":5.0,"x.min":0.25,"x.value_count":3.0}`
	w.want("documents", w.documents("PREFIX-days", "_seq_no"), days)
	w.want("documents processed", w.progress("rollup", "stats", "documents_processed"), `5`)
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	weekly := strings.NewReplacer("PREFIX-out", "PREFIX-days", "PREFIX-days", "PREFIX-weeks", `"1d"`, `"7d"`).Replace(daily)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX2", weekly)
	w.settle()
	w.want("a third tier", w.documents("PREFIX-weeks", "_seq_no"),
		strings.NewReplacer(`"PREFIX"`, `"PREFIX2"`, "1767225600000", "1767225600000").Replace(days))
}

func TestAContinuousRollupFollowsARollupIndex(t *testing.T) {
	w := hourlyDone(t)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(daily, `"page_size":2`, `"page_size":2,"continuous":true`, 1))
	w.settle()
	w.advance(2 * time.Minute)
	if got := w.documents("PREFIX-days", "_seq_no"); !strings.Contains(got, `"n.sum":31.0`) {
		t.Errorf("documents: %s", got)
	}
	w.want("status", w.progress("rollup", "status"), `"started"`)
	w.want("the next window", w.progress("rollup", "continuous", "next_window_start_time"), `1772409600000`)
}

func TestATierThatDoesNotFitIsRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"an interval that is no multiple", `"1d"`, `"90m"`, "Target interval [90m] must be an exact multiple of source interval [1h]"},
		{"the same interval", `"1d"`, `"1h"`, "Target interval [1h] must be an exact multiple of source interval [1h]"},
		{"a calendar interval that is one", `"fixed_interval":"1d"`, `"calendar_interval":"day"`, ""},
		{"a dimension that is gone", `"fixed_interval":"1d"}}`, `"fixed_interval":"1d"}},{"terms":{"source_field":"n"}}`, "Cannot rollup on dimension fields [n] that don't exist in source rollup"},
		{"a dimension of another kind", `"fixed_interval":"1d"}}`, `"fixed_interval":"1d"}},{"histogram":{"source_field":"host","interval":1}}`, "Cannot rollup on dimension fields [host] that don't exist in source rollup"},
		{"metrics of a field that has none", `"source_field":"n"`, `"source_field":"host"`, "Cannot rollup on metric fields [host] that don't exist in source rollup"},
		{"a metric that was not computed", `{"min":{}}`, `{"sum":{}}`, "Target rollup requests metrics [sum] that are not available in source rollup"},
		{"a field that nobody had", `"source_field":"n"`, `"source_field":"who"`, "Invalid mappings for index [PREFIX-out] because [missing field who]"},
		{"a source that is a rollup index in part", `"source_index":"PREFIX-out"`, `"source_index":"PREFIX-out,PREFIX-src"`, "Source index [PREFIX-out] is a rollup index and others of [PREFIX-out,PREFIX-src] are not: rolling them up together is not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := hourlyDone(t)
			w.rollsUp(daily, c.old, c.new, c.want)
		})
	}
	w := newWorld(t)
	w.create("PREFIX-out", strings.Replace(sales, `"number_of_replicas":0`, `"number_of_replicas":0,"index.plugins.rollup_index":true`, 1))
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", daily)
	w.settle()
	w.want("reason", w.progress("rollup", "failure_reason"), `"Source rollup index has no rollup jobs"`)
}
