// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const sales = `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"ts":{"type":"date"},"host":{"type":"keyword"},"n":{"type":"long"},"x":{"type":"double"}}}}`

var sold = []string{
	`{"ts":"2026-01-01T00:10:00Z","host":"a","n":1,"x":1.5}`,
	`{"ts":"2026-01-01T00:50:00Z","host":"a","n":2,"x":2.5}`,
	`{"ts":"2026-01-01T00:20:00Z","host":"b","n":4}`,
	`{"ts":"2026-01-01T03:00:00Z","host":"a","n":8,"x":0.25}`,
	`{"ts":"2026-01-01T03:00:00Z","n":16}`,
}

// hourly is a job over these, in pages of two.
const hourly = `{"rollup":{"source_index":"PREFIX-src","target_index":"PREFIX-out","schedule":{"interval":{"period":1,"unit":"Minutes"}},
	"description":"d","page_size":2,"dimensions":[
		{"date_histogram":{"source_field":"ts","fixed_interval":"1h"}},{"terms":{"source_field":"host"}}],
	"metrics":[{"source_field":"n","metrics":[{"sum":{}},{"max":{}},{"avg":{}}]},{"source_field":"x","metrics":[{"min":{}},{"value_count":{}}]}]}}`

// rolledUp is what it writes, in the order of n.sum.
const rolledUp = `{"rollup._id":"PREFIX","_doc_count":2,"rollup._schema_version":30,"ts.date_histogram":1767225600000,"host.terms":"a","n.sum":3.0,"n.max":2.0,"n.avg.sum":3.0,"n.avg.value_count":2,"x.min":1.5,"x.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"ts.date_histogram":1767225600000,"host.terms":"b","n.sum":4.0,"n.max":4.0,"n.avg.sum":4.0,"n.avg.value_count":1,"x.min":null,"x.value_count":0}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"ts.date_histogram":1767236400000,"host.terms":"a","n.sum":8.0,"n.max":8.0,"n.avg.sum":8.0,"n.avg.value_count":1,"x.min":0.25,"x.value_count":1}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"ts.date_histogram":1767236400000,"host.terms":null,"n.sum":16.0,"n.max":16.0,"n.avg.sum":16.0,"n.avg.value_count":1,"x.min":null,"x.value_count":0}`

func TestARollupWritesADocumentPerBucketAndEnds(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.want("pages", w.progress("rollup", "stats", "pages_processed"), `3`)
	w.want("documents processed", w.progress("rollup", "stats", "documents_processed"), `5`)
	w.want("rollups indexed", w.progress("rollup", "stats", "rollups_indexed"), `4`)
	if job := w.must("GET", "/_plugins/_rollup/jobs/PREFIX", ""); !strings.Contains(job, `"enabled":false,`) || !strings.Contains(job, `"enabled_time":null`) {
		t.Errorf("the job is not disabled: %s", job)
	}
	infos, err := w.client.Indices(t.Context(), []string{w.own("PREFIX-out")})
	w.do(err)
	if got := infos[w.own("PREFIX-out")].Settings["index.plugins.rollup_index"]; got != "true" {
		t.Errorf("index.plugins.rollup_index is %q", got)
	}
	w.want("mapping", w.mapping("PREFIX-out", "_meta", "rollups", w.prefix, "rollup_id"), `"PREFIX"`)
	w.want("type of the dates", w.mapping("PREFIX-out", "properties", "ts", "properties", "date_histogram", "type"), `"date"`)
	w.want("type of the terms", w.mapping("PREFIX-out", "properties", "host", "properties", "terms", "type"), `"keyword"`)
}

func TestDocumentsOfARollupHaveThePluginsIDs(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", `{"ts":"2026-01-01T00:10:00Z","host":"a","n":1}`)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/fixed", hourly)
	w.settle()
	doc, err := w.client.Get(t.Context(), w.own("PREFIX-out"), "RaSUA5x-FYrYvjZyRO9HMg", "")
	w.do(err)
	if !doc.Found {
		t.Error("no document of this id")
	}
}

func TestWhatHasNoDateComesFirst(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", `{"host":"a","n":1}`, `{"ts":["2026-01-01T00:10:00Z","2026-01-02T00:10:00Z"],"host":["a","b"],"n":[2,3]}`)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", `{"rollup":{"source_index":"PREFIX-src","target_index":"PREFIX-out",
		"schedule":{"interval":{"period":1,"unit":"Minutes"}},"description":"d","page_size":1,"dimensions":[
		{"date_histogram":{"source_field":"ts","target_field":"day","calendar_interval":"1d","timezone":"Europe/Berlin"}},
		{"terms":{"source_field":"host","target_field":"h"}},{"histogram":{"source_field":"n","target_field":"size","interval":2.5}}],
		"metrics":[{"source_field":"n","metrics":[{"value_count":{}}]}]}}`)
	w.settle()
	// A document with several values is in the buckets of all of them.
	w.want("documents", w.documents("PREFIX-out", "_seq_no"), `{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":null,"h.terms":"a","size.histogram":0.0,"n.value_count":1}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767222000000,"h.terms":"a","size.histogram":0.0,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767222000000,"h.terms":"a","size.histogram":2.5,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767222000000,"h.terms":"b","size.histogram":0.0,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767222000000,"h.terms":"b","size.histogram":2.5,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767308400000,"h.terms":"a","size.histogram":0.0,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767308400000,"h.terms":"a","size.histogram":2.5,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767308400000,"h.terms":"b","size.histogram":0.0,"n.value_count":2}
{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"day.date_histogram":1767308400000,"h.terms":"b","size.histogram":2.5,"n.value_count":2}`)
	w.want("pages", w.progress("rollup", "stats", "pages_processed"), `10`)
}

func TestARollupOfAPatternReadsAllItsIndices(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-a", strings.Replace(sales, `"number_of_replicas":0`, `"number_of_replicas":0,"number_of_shards":3`, 1))
	w.create("PREFIX-b", sales)
	w.index("PREFIX-a", sold[:2]...)
	w.index("PREFIX-b", sold[2:]...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, "PREFIX-src", "PREFIX-a,PREFIX-b", 1))
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
}

func TestTheTargetMayBeATemplateOrAnAlias(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	w.create("PREFIX-1", `{"settings":{"index.plugins.rollup_index":true,"number_of_replicas":0},"aliases":{"PREFIX-src-old":{}},
		"mappings":{"_meta":{"mine":1},"dynamic_templates":[{"strings":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}]}}`)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, "PREFIX-out", "{{ctx.source_index}}-old", 1))
	w.settle()
	w.want("documents", w.documents("PREFIX-1", "n.sum"), rolledUp)
	w.want("the rest of _meta", w.mapping("PREFIX-1", "_meta", "mine"), `1`)
	w.want("the job in _meta", w.mapping("PREFIX-1", "_meta", "rollups", w.prefix, "page_size"), `2`)
}

// The cluster makes an index of such a name, and says then that it is there, but never under this name.
func TestATargetWithADateMathNameFailsWhenItIsThere(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.ReplaceAll(hourly, "PREFIX-out", "<PREFIX-out-{now/y{yyyy}}>"))
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"failed"`)
}

func TestATargetIsMadeWithItsSettingsAndRouting(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, `"page_size":2`,
		`"page_size":2,"routing_field":"host","target_index_settings":{"index":{"number_of_shards":2},"index.number_of_replicas":0}`, 1))
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
	infos, err := w.client.Indices(t.Context(), []string{w.own("PREFIX-out")})
	w.do(err)
	if got := infos[w.own("PREFIX-out")].Settings["index.number_of_shards"]; got != "2" {
		t.Errorf("index.number_of_shards is %q", got)
	}
	if job := w.must("GET", "/_plugins/_rollup/jobs/PREFIX", ""); !strings.Contains(job, `"target_index_settings":{"index":{"number_of_replicas":"0","number_of_shards":"2"}},`) {
		t.Errorf("settings are shown as texts, nested: %s", job)
	}
	if got := w.routings("PREFIX-out"); got != " a a b" {
		t.Errorf("routings %q", got)
	}
}

func TestAJobThatCannotWorkFailsWithItsReasonAndIsDisabled(t *testing.T) {
	for _, c := range []struct{ name, source, target, field, want string }{
		{"no source", "PREFIX-none", "PREFIX-out", "host", "No indices found for [PREFIX-none]"},
		{"a field that the source does not have", "PREFIX-src", "PREFIX-out", "who", "Invalid mappings for index [PREFIX-src] because [missing field who]"},
		{"a source without a mapping", "PREFIX-empty", "PREFIX-out", "host", "Invalid mappings for index [PREFIX-empty] because [missing field ts, missing field host, missing field n, missing field x]"},
		{"a target that is no rollup index", "PREFIX-src", "PREFIX-plain", "host", "Target index [PREFIX-plain] is a non rollup index"},
		{"a target that cannot be", "PREFIX-src", "PREFIX-OUT", "host", "Failed to create target index [PREFIX-OUT]"},
		{"terms of text", "PREFIX-src", "PREFIX-out", "text", "Text fields are not optimised"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.create("PREFIX-src", strings.Replace(sales, `"n":`, `"text":{"type":"text"},"n":`, 1))
			w.index("PREFIX-src", sold...)
			w.create("PREFIX-empty", `{}`)
			w.create("PREFIX-plain", `{}`)
			defer w.run(w.transport)()
			job := strings.NewReplacer("PREFIX-src", c.source, "PREFIX-out", c.target, `"source_field":"host"`, `"source_field":"`+c.field+`"`).Replace(hourly)
			w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", job)
			w.settle()
			w.want("status", w.progress("rollup", "status"), `"failed"`)
			if got := w.progress("rollup", "failure_reason"); !strings.Contains(got, c.want) {
				t.Errorf("failure_reason %s, want %s", got, c.want)
			}
			if job := w.must("GET", "/_plugins/_rollup/jobs/PREFIX", ""); !strings.Contains(job, `"enabled":false,`) {
				t.Errorf("the job is not disabled: %s", job)
			}
		})
	}
}

func TestAFailedRollupGoesOnWhenItIsStarted(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-other", sales)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"failed"`)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.want("reason", w.progress("rollup", "failure_reason"), `null`)
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
}

func TestAFinishedRollupThatIsStartedRunsOnceMore(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold[:3]...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.settle()
	w.index("PREFIX-src", sold[3:]...)
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
	w.want("documents processed", w.progress("rollup", "stats", "documents_processed"), `8`)
}

// meddler does something before the first request with a method and a body that holds a text.
type meddler struct {
	next         http.RoundTripper
	method, text string
	once         sync.Once
	do           func()
}

// RoundTrip is part of http.RoundTripper.
func (m *meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == m.method && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte(m.text)) {
			m.once.Do(m.do)
		}
	}
	return m.next.RoundTrip(r)
}

func TestAJobThatIsStartedWhileItEndsRunsOnceMore(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	started := false
	defer w.run(&meddler{next: w.transport, method: "PUT", text: `"enabled":false`, do: func() {
		started = true
		w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	}})()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.settle()
	if !started {
		t.Error("the job was never disabled")
	}
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.want("documents processed", w.progress("rollup", "stats", "documents_processed"), `10`)
	if job := w.must("GET", "/_plugins/_rollup/jobs/PREFIX", ""); !strings.Contains(job, `"enabled":false,`) {
		t.Errorf("the job is not disabled: %s", job)
	}
}

func TestTheSizeOfAPageCountsFromTheNextOne(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(&meddler{next: w.transport, method: "POST", text: `"_doc_count"`, do: func() {
		var job struct {
			SeqNo  int `json:"_seq_no"`
			Term   int `json:"_primary_term"`
			Rollup json.RawMessage
		}
		w.do(json.Unmarshal([]byte(w.must("GET", "/_plugins/_rollup/jobs/PREFIX", "")), &job))
		w.must("PUT", fmt.Sprintf("/_plugins/_rollup/jobs/PREFIX?if_seq_no=%d&if_primary_term=%d", job.SeqNo, job.Term),
			`{"rollup":`+strings.Replace(string(job.Rollup), `"page_size":1,`, `"page_size":100,`, 1)+`}`)
	}})()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, `"page_size":2`, `"page_size":1`, 1))
	w.settle()
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.want("pages", w.progress("rollup", "stats", "pages_processed"), `3`)
}

// continuous is hourly without an end, ten minutes late.
var continuous = strings.Replace(hourly, `"page_size":2`, `"page_size":2,"continuous":true,"delay":600000`, 1)

func TestAContinuousRollupTakesEachWindowWhenItIsOver(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", continuous)
	w.settle()
	w.want("nothing to begin with", w.progress("rollup"), `null`)
	w.index("PREFIX-src", `{"ts":"2026-03-02T10:05:00Z","host":"a","n":1}`, `{"ts":"2026-03-02T10:55:00Z","host":"b","n":2}`)
	w.advance(30 * time.Minute) // 10:30
	w.want("the first window", w.progress("rollup", "continuous"),
		`{"next_window_start_time":1772445600000,"next_window_end_time":1772449200000}`)
	w.index("PREFIX-src", `{"ts":"2026-03-02T10:59:00Z","host":"a","n":4}`)
	w.advance(39 * time.Minute) // 11:09
	w.want("not before the delay is over", w.progress("rollup", "stats", "rollups_indexed"), `0`)
	w.index("PREFIX-src", `{"ts":"2026-03-02T13:10:00Z","host":"a","n":8}`)
	w.advance(2 * time.Minute) // 11:11
	w.want("documents", w.documents("PREFIX-out", "n.sum"),
		`{"rollup._id":"PREFIX","_doc_count":1,"rollup._schema_version":30,"ts.date_histogram":1772445600000,"host.terms":"b","n.sum":2.0,"n.max":2.0,"n.avg.sum":2.0,"n.avg.value_count":1,"x.min":null,"x.value_count":0}
{"rollup._id":"PREFIX","_doc_count":2,"rollup._schema_version":30,"ts.date_histogram":1772445600000,"host.terms":"a","n.sum":5.0,"n.max":4.0,"n.avg.sum":5.0,"n.avg.value_count":2,"x.min":null,"x.value_count":0}`)
	w.want("the next window", w.progress("rollup", "continuous"),
		`{"next_window_start_time":1772449200000,"next_window_end_time":1772452800000}`)
	w.advance(3 * time.Hour) // 14:11
	w.want("windows without documents are passed over", w.progress("rollup", "stats", "rollups_indexed"), `3`)
	w.want("the window then", w.progress("rollup", "continuous"),
		`{"next_window_start_time":1772460000000,"next_window_end_time":1772463600000}`)
	w.want("status", w.progress("rollup", "status"), `"started"`)
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_stop", "")
	w.index("PREFIX-src", `{"ts":"2026-03-02T14:20:00Z","host":"a","n":16}`)
	w.advance(24 * time.Hour)
	w.want("a stopped job rests", w.progress("rollup", "stats", "rollups_indexed"), `3`)
	w.want("status", w.progress("rollup", "status"), `"stopped"`)
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	w.settle()
	w.want("and goes on when it is started", w.progress("rollup", "stats", "rollups_indexed"), `4`)
}

func TestACronScheduleIsCaughtUpWith(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	stop := w.run(w.transport)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, `{"interval":{"period":1,"unit":"Minutes"}}`,
		`{"cron":{"expression":"0 12 * * *","timezone":"UTC"}}`, 1))
	w.advance(119 * time.Minute)
	w.want("before its time", w.progress("rollup"), `null`)
	stop()
	w.advance(time.Hour) // nobody was there at noon
	defer w.run(w.transport)()
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"finished"`)
}

func TestAJobThatIsDeletedEndsAndItsDocumentsStay(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", strings.Replace(hourly, `"page_size":2`, `"page_size":2,"continuous":true`, 1))
	w.settle()
	w.must("DELETE", "/_plugins/_rollup/jobs/PREFIX", "")
	w.advance(time.Hour)
	w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
	if status, _ := w.call("GET", "/_plugins/_rollup/jobs/PREFIX", ""); status != 404 {
		t.Errorf("a deleted job answers %d", status)
	}
}
