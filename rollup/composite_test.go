// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/wire"
)

// TestARollupIsWhatTheServersOwnAggregationFinds compares rollups of random documents with composite aggregations,
// which the plugin uses, where there is a server that has them.
func TestARollupIsWhatTheServersOwnAggregationFinds(t *testing.T) {
	if os.Getenv(test.ClusterVariable) == "" {
		t.Skip("the embedded engine has no composite aggregation")
	}
	for _, c := range []struct{ interval, zone string }{
		{`"fixed_interval":"90m"`, "Europe/Berlin"},
		{`"fixed_interval":"7d"`, "UTC"},
		{`"fixed_interval":"250ms"`, "Asia/Kolkata"},
		{`"calendar_interval":"1h"`, "Asia/Kolkata"},
		{`"calendar_interval":"1d"`, "America/New_York"},
		{`"calendar_interval":"week"`, "Europe/Berlin"},
		{`"calendar_interval":"month"`, "Australia/Lord_Howe"},
		{`"calendar_interval":"1q"`, "+05:30"},
		{`"calendar_interval":"year"`, "America/Sao_Paulo"},
	} {
		t.Run(c.interval+" "+c.zone, func(t *testing.T) {
			w := newWorld(t)
			w.create("PREFIX-src", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{
				"ts":{"type":"date"},"host":{"type":"keyword"},"ok":{"type":"boolean"},"n":{"type":"long"},"x":{"type":"float"}}}}`)
			w.index("PREFIX-src", randomDocuments(300)...)
			defer w.run(w.transport)()
			date := fmt.Sprintf(`{"date_histogram":{"field":"ts",%s,"time_zone":%q,"missing_bucket":true}}`, c.interval, c.zone)
			w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", fmt.Sprintf(`{"rollup":{"source_index":"PREFIX-src","target_index":"PREFIX-out",
				"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"d","page_size":37,"dimensions":[
				{"date_histogram":{"source_field":"ts","target_field":"d",%s,"timezone":%q}},{"terms":{"source_field":"host","target_field":"h"}},
				{"terms":{"source_field":"ok","target_field":"o"}},{"histogram":{"source_field":"n","target_field":"b","interval":3}}],
				"metrics":[{"source_field":"x","target_field":"x","metrics":[{"sum":{}},{"min":{}},{"max":{}},{"value_count":{}}]}]}}`, c.interval, c.zone))
			w.settle()
			w.want("status", w.progress("rollup", "status"), `"finished"`)
			w.want("buckets", w.stored(), w.aggregated(date))
		})
	}
}

func randomDocuments(n int) []string {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same documents each time
	out := make([]string, n)
	for i := range out {
		o := wire.Obj("x", random.Float64()*100-50)
		at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.Int64N(int64(800 * 24 * time.Hour))))
		o.AddIf(random.IntN(20) > 0, "ts", at.Format("2006-01-02T15:04:05.000Z"))
		o.AddIf(random.IntN(4) > 0, "host", fmt.Sprintf("h%d", random.IntN(3)))
		o.AddIf(random.IntN(4) > 0, "ok", random.IntN(2) > 0)
		o.AddIf(random.IntN(4) > 0, "n", random.IntN(12)-6)
		text, err := wire.Marshal(o)
		if err != nil {
			panic(err)
		}
		out[i] = string(text)
	}
	return out
}

// row is one bucket as a line.
func row(d, h, o, b, count, sum, least, most, values any) string {
	return fmt.Sprintf("%v %v %v %v: %v %.4f %v %v %v", d, h, o, b, count, sum, least, most, values)
}

// stored are the buckets of the target index.
func (w *world) stored() string {
	w.t.Helper()
	var rows []string
	for line := range strings.SplitSeq(w.documents("PREFIX-out", "_seq_no"), "\n") {
		var d map[string]any
		w.do(json.Unmarshal([]byte(line), &d))
		rows = append(rows, row(d["d.date_histogram"], d["h.terms"], d["o.terms"], d["b.histogram"], d["_doc_count"],
			d["x.sum"], d["x.min"], d["x.max"], d["x.value_count"]))
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// aggregated are the buckets of the server's own aggregation.
func (w *world) aggregated(date string) string {
	w.t.Helper()
	body := `{"size":0,"aggs":{"a":{"composite":{"size":10000,"sources":[{"d":` + date + `},{"h":{"terms":{"field":"host","missing_bucket":true}}},
		{"o":{"terms":{"field":"ok","missing_bucket":true}}},{"b":{"histogram":{"field":"n","interval":3,"missing_bucket":true}}}]},
		"aggs":{"sum":{"sum":{"field":"x"}},"min":{"min":{"field":"x"}},"max":{"max":{"field":"x"}},"n":{"value_count":{"field":"x"}}}}}}`
	type value struct{ Value any }
	var answer struct {
		Aggregations struct {
			A struct {
				Buckets []struct {
					Key              map[string]any
					DocCount         float64 `json:"doc_count"`
					Sum, Min, Max, N value
				}
			}
		}
	}
	w.do(w.client.Do(w.t.Context(), opensearch.Call{
		Method: http.MethodPost, Path: opensearch.Path(w.own("PREFIX-src"), "_search"), Body: []byte(body),
	}, &answer))
	var rows []string
	for _, b := range answer.Aggregations.A.Buckets {
		rows = append(rows, row(b.Key["d"], b.Key["h"], b.Key["o"], b.Key["b"], b.DocCount, b.Sum.Value, b.Min.Value, b.Max.Value, b.N.Value))
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}
