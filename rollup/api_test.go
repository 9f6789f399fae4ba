// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// created is what a PUT of hourly answers.
const created = `{"_id":"PREFIX","_version":1,"_seq_no":0,"_primary_term":1,"rollup":{"rollup_id":"PREFIX","enabled":true,` +
	`"schedule":{"interval":{"start_time":1772445600000,"period":1,"unit":"Minutes"}},"last_updated_time":1772445600000,"enabled_time":1772445600000,` +
	`"description":"d","schema_version":30,"source_index":"PREFIX-src","target_index":"PREFIX-out","metadata_id":null,"page_size":2,"delay":null,"continuous":false,` +
	`"dimensions":[{"date_histogram":{"fixed_interval":"1h","source_field":"ts","target_field":"ts","timezone":"UTC","format":null}},` +
	`{"terms":{"source_field":"host","target_field":"host"}}],"metrics":[{"source_field":"n","metrics":[{"sum":{}},{"max":{}},{"avg":{}}]},` +
	`{"source_field":"x","metrics":[{"min":{}},{"value_count":{}}]}]}}`

func TestTheLifeOfARollupJobInTheAPI(t *testing.T) {
	w := newWorld(t)
	w.answers("GET", "/_plugins/_rollup/jobs", "", 404, `no such index [.opendistro-ism-config]`)
	w.answers("GET", "/_plugins/_rollup/jobs/x/_explain", "", 200, `{"x":null}`)
	w.answers("POST", "/_plugins/_rollup/jobs/x/_start", "", 404, `no such index [.opendistro-ism-config]`)
	w.answers("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly, 201, created)
	w.answers("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly, 409, `version conflict, document already exists (current version [1])`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX", "", 200, created)
	w.answers("GET", "/_opendistro/_rollup/jobs/PREFIX", "", 200, created)
	w.answers("HEAD", "/_plugins/_rollup/jobs/PREFIX", "", 200, ``)
	w.answers("GET", "/_plugins/_rollup/jobs/none", "", 404, `{"type":"status_exception","reason":"Rollup not found"}`)
	w.answers("GET", "/_plugins/_rollup/jobs", "", 200, `{"total_rollups":1,"rollups":[{"_id":"PREFIX","_seq_no":0,"_primary_term":1,"rollup":{"rollup_id":"PREFIX"`)
	w.answers("GET", "/_plugins/_rollup/jobs?search=nothing", "", 200, `{"total_rollups":0,"rollups":[]}`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX/_explain", "", 200, `{"PREFIX":{"metadata_id":null,"rollup_metadata":null}}`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX*,none/_explain", "", 200, `{"none":null,"PREFIX":{"metadata_id":null,"rollup_metadata":null}}`)
	w.answers("PUT", "/_plugins/_rollup/jobs/PREFIX?if_seq_no=0&if_primary_term=1", strings.Replace(hourly, `"description":"d"`, `"description":"e"`, 1),
		200, `"_version":2,"_seq_no":1,"_primary_term":1,"rollup":{"rollup_id":"PREFIX","enabled":true,"schedule":{"interval":{"start_time":1772445600000,`)
	w.answers("PUT", "/_plugins/_rollup/jobs/PREFIX?if_seq_no=0&if_primary_term=1", hourly, 409, `version_conflict_engine_exception`)
	w.answers("PUT", "/_plugins/_rollup/jobs/none?if_seq_no=0&if_primary_term=1", hourly, 404, `Rollup not found`)
	w.answers("PUT", "/_plugins/_rollup/jobs/PREFIX?if_seq_no=1&if_primary_term=1",
		strings.NewReplacer(`"PREFIX-src"`, `"other"`, `"1h"`, `"2h"`, `{"sum":{}},`, ``, `"page_size":2`, `"page_size":2,"continuous":true`).Replace(hourly),
		400, `Not allowed to modify [continuous, dimensions, metrics, source_index]`)
	w.answers("POST", "/_plugins/_rollup/jobs/PREFIX/_stop", "", 200, `{"acknowledged":true}`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX", "", 200, `"enabled":false,`)
	w.answers("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "", 200, `{"acknowledged":true}`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX", "", 200, `"enabled_time":1772445600000,`)
	w.answers("POST", "/_plugins/_rollup/jobs/none/_start", "", 404, `Rollup not found`)
	w.answers("POST", "/_plugins/_rollup/jobs/none/_stop", "", 404, `Rollup not found`)
	w.answers("DELETE", "/_plugins/_rollup/jobs/none", "", 404, `Rollup none is not found`)
	w.answers("DELETE", "/_plugins/_rollup/jobs/PREFIX", "", 200, `"_id":"PREFIX"`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX", "", 404, `Rollup not found`)
	w.answers("PUT", "/_plugins/_rollup/jobs", hourly, 400, `Missing rollup ID`)
	w.answers("PUT", "/_plugins/_rollup/jobs/x", "", 400, `request body is required`)
	w.answers("GET", "/_plugins/_rollup/jobs?sortDirection=up", "", 400, `No enum constant org.opensearch.search.sort.SortOrder.UP`)
	w.answers("GET", "/_plugins/_rollup/jobs?sortfield=up", "", 400, `unrecognized parameter: [sortfield] -> did you mean [sortField]?`)
}

func TestTheLifeOfATransformJobInTheAPI(t *testing.T) {
	w := newWorld(t)
	w.answers("GET", "/_plugins/_transform/x/_explain", "", 200, `{"x":"Failed to search transform metadata"}`)
	w.answers("DELETE", "/_plugins/_transform/x", "", 400, `Cluster missing system index .opendistro-ism-config, cannot execute the request`)
	w.answers("PUT", "/_plugins/_transform/PREFIX", byHost, 404, `No specified source index exist in the cluster`)
	w.create("PREFIX-src", strings.Replace(sales, `"n":`, `"text":{"type":"text"},"n":`, 1))
	w.answers("PUT", "/_plugins/_transform/PREFIX", strings.Replace(byHost, `"source_field":"host"`, `"source_field":"text"`, 1), 400,
		`Cannot find field [text] that can be grouped as [terms] in [PREFIX-src].`)
	w.answers("PUT", "/_plugins/_transform/PREFIX", strings.Replace(byHost, `"match_all":{}`, `"bogus":{}`, 1), 400, `unknown query [bogus]`)
	w.answers("PUT", "/_plugins/_transform/PREFIX", byHost, 201,
		`{"_id":"PREFIX","_version":1,"_seq_no":0,"_primary_term":1,"transform":{"transform_id":"PREFIX","schema_version":30,`+
			`"schedule":{"interval":{"start_time":1772445600000,"period":1,"unit":"Minutes"}},"metadata_id":null,"updated_at":1772445600000,"enabled":true,"enabled_at":1772445600000,`+
			`"description":"t","source_index":"PREFIX-src","data_selection_query":{"match_all":{"boost":1.0}},"target_index":"PREFIX-out","page_size":2,`+
			`"groups":[{"terms":{"source_field":"host","target_field":"who"}}],"aggregations":{"total":{"sum":{"field":"n"}},"mean":{"avg":{"field":"x"}},`+
			`"last":{"max":{"field":"ts"}},"most":{"max":{"field":"n"}},"count":{"value_count":{"field":"x"}}},"continuous":false}}`)
	w.answers("GET", "/_plugins/_transform?search=PREFIX", "", 200, `{"total_transforms":1,"transforms":[{"_id":"PREFIX","_seq_no":0,"_primary_term":1,"transform":{`)
	w.answers("GET", "/_plugins/_transform/none", "", 404, `Transform not found`)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX", "", 404, `Rollup not found`)
	w.answers("PUT", "/_plugins/_transform/PREFIX?if_seq_no=0&if_primary_term=1", strings.NewReplacer(`"n"`, `"x"`, `{"match_all":{}}`, `{"term":{"n":1}}`, `"who"`, `"w"`).Replace(byHost),
		400, `Not allowed to modify [data_selection_query, groups, aggregations]`)
	w.answers("DELETE", "/_plugins/_transform/PREFIX,none", "", 409, `[PREFIX] transform(s) are enabled, please disable them before deleting them or set force flag`)
	w.answers("POST", "/_plugins/_transform/PREFIX/_stop", "", 200, `{"acknowledged":true}`)
	w.answers("DELETE", "/_plugins/_transform/PREFIX,none", "", 200, `"errors":false,"items":[{"delete":{"_index":".opendistro-ism-config","_id":"PREFIX"`)
	w.answers("POST", "/_plugins/_transform/_preview", byHost, 400, `[_preview] of a transform is not supported`)
	w.answers("POST", "/_plugins/_transform/x/_preview", byHost, 400, `no handler found for uri`)
	w.answers("POST", "/_plugins/_transform//_start", "", 400, `Validation Failed: 1: id is missing;`)
	w.answers("POST", "/_plugins/_transform//_stop", "", 400, `Missing transform ID`)
	w.answers("GET", "/_plugins/_transform//_explain", "", 400, `Missing transformID`)
	w.answers("GET", "/_opendistro/_transform", "", 400, `no handler found for uri`)
	w.must("PUT", "/_plugins/_rollup/jobs/r", hourly)
	w.answers("DELETE", "/_plugins/_transform/r", "", 400, `Cannot find transforms [r]`)
}

func TestJobsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	type change struct{ name, old, new, want string }
	try := func(path, body string, list []change) {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				status, answer := w.call("PUT", path, strings.Replace(body, c.old, c.new, 1))
				if !strings.Contains(body, c.old) || status != 400 && status != 500 || !strings.Contains(answer, c.want) {
					t.Errorf("%d %s, want %s", status, answer, c.want)
				}
			})
		}
	}
	try("/_plugins/_rollup/jobs/x", hourly, []change{
		{"an unknown field", `"description"`, `"bogus":1,"description"`, "Invalid field [bogus] found in Rollup."},
		{"no schedule", `"schedule":{"interval":{"period":1,"unit":"Minutes"}},`, ``, "Rollup schedule is null"},
		{"no description", `"description":"d",`, ``, "Rollup description is null"},
		{"no source", `"source_index":"PREFIX-src",`, ``, "Rollup source index is null"},
		{"no target", `"target_index":"PREFIX-out",`, ``, "Rollup target index is null"},
		{"no page size", `"page_size":2,`, ``, "Rollup page size is null"},
		{"a page size of nothing", `"page_size":2`, `"page_size":0`, "Page size must be between 1 and 10,000"},
		{"a target that is the source", `PREFIX-out`, `PREFIX-src`, "Your source and target index cannot be the same"},
		{"an interval of nothing", `"period":1`, `"period":0`, "Rollup job schedule interval must be greater than 0"},
		{"a negative delay", `"page_size":2`, `"page_size":2,"delay":-1`, "Delay must be non-negative if set"},
		{"a delay beyond now", `"page_size":2`, `"page_size":2,"delay":1900000000000`, "Delay must be less than the current unix time"},
		{"no date histogram", `{"date_histogram":{"source_field":"ts","fixed_interval":"1h"}},`, ``, "Must specify precisely one date histogram dimension"},
		{"a date histogram that is not first", `{"date_histogram"`, `{"terms":{"source_field":"a"}},{"date_histogram"`, "The first dimension must be a date histogram"},
		{"no interval", `,"fixed_interval":"1h"`, ``, "Must specify a fixed or calendar interval"},
		{"two intervals", `"fixed_interval":"1h"`, `"fixed_interval":"1h","calendar_interval":"1h"`, "Can only specify a fixed or calendar interval"},
		{"a zone that is none", `"fixed_interval":"1h"`, `"fixed_interval":"1h","timezone":"Mars"`, "Mars"},
		{"an unknown dimension", `"terms"`, `"words"`, "Invalid dimension type [words] found in dimensions"},
		{"an empty dimension", `{"terms":{"source_field":"host"}}`, `{}`, "Dimension cannot be null"},
		{"an unknown metric", `"sum"`, `"median"`, "Invalid metric type [median] found in metrics"},
		{"a metric twice", `{"max":{}}`, `{"sum":{}}`, "Cannot have multiple metrics of the same type in a single rollup metric"},
		{"no metric", `{"min":{}},{"value_count":{}}`, ``, "Must specify at least one metric to aggregate on for x"},
		{"a metric that is not supported", `{"max":{}}`, `{"cardinality":{}}`, "the rollup metric [cardinality] is not supported"},
		{"a target that is a pattern", `PREFIX-out`, `PREFIX-*`, "target_index value is invalid: PREFIX-*"},
		{
			"a target whose template makes a pattern of it", `"source_index":"PREFIX-src","target_index":"PREFIX-out"`,
			`"source_index":"PREFIX-s?c","target_index":"{{ctx.source_index}}-out"`, "target_index value is invalid: {{ctx.source_index}}-out",
		},
		{"a target that is no template", `PREFIX-out`, `{{ctx.source_index`, "Failed to compile template [{{ctx.source_index]"},
		{"a routing that is no dimension", `"page_size":2`, `"page_size":2,"routing_field":"n"`, "Routing field [n] must match a terms dimension"},
	})
	w.create("PREFIX-src", sales)
	try("/_plugins/_transform/x", byHost, []change{
		{"an unknown field of a transform", `"description"`, `"bogus":1,"description"`, "Invalid field [bogus] found in Transforms."},
		{"no description of a transform", `"description":"t",`, ``, "Transform description is null"},
		{"a transform without groups", `{"terms":{"source_field":"host","target_field":"who"}}`, ``, "Groupings are Empty"},
		{"a target of a transform that is the source", `PREFIX-out`, `PREFIX-src`, "Source and target indices cannot be the same"},
		{"a large page", `"page_size":2`, `"page_size":10001`, "Page size must be between 1 and 10,000"},
		{"a large page of a continuous transform", `"page_size":2`, `"page_size":1001,"continuous":true`, "Page size must be between 1 and 1,000"},
		{"an unknown aggregation", `"sum"`, `"terms"`, "Unsupported aggregation [terms]"},
		{"an aggregation that is not supported", `"sum"`, `"percentiles"`, "the transform aggregation [percentiles] is not supported"},
		{"an option that is not supported", `{"field":"n"}`, `{"field":"n","missing":1}`, "[missing] of the transform aggregation [sum] is not supported"},
		{"an aggregation without a field", `{"field":"n"}`, `{}`, "Required one of fields [field, script], but none were specified."},
	})
}

func TestTimesForPeople(t *testing.T) {
	w := newWorld(t)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.answers("GET", "/_plugins/_rollup/jobs/PREFIX?human=true", "", 200, `"last_updated_time_in_millis":"2026-03-02T10:00:00.000Z","last_updated_time":1772445600000`)
}

func TestAClusterWithThePluginIsPassedAllRequests(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]bool{
		"/_plugins/_rollup/jobs": true, "/_plugins/_rollup/jobs/x/_start": true, "/_opendistro/_rollup/jobs": true,
		"/_plugins/_transform": true, "/_plugins/_transform/x": true, "/_plugins/_transforms": false, "/_plugins/_rollup": false, "/x/_search": false,
	} {
		if got := w.api.Match(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	w.native = true
	if w.api.Match("/_plugins/_rollup/jobs") {
		t.Error("a request was kept")
	}
	w.native = false
}

func TestALegacyPathIsDeprecated(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("GET", "/_opendistro/_rollup/jobs/x/_explain", nil)
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if got := rec.Header().Get("Warning"); !strings.Contains(got, "/_plugins/_rollup/jobs/{id}/_explain") && !strings.Contains(got, "deprecated") {
		t.Errorf("Warning %q", got)
	}
}

func TestARunnerWithoutTheLeaseDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	w.lease.lose()
	stop := w.run(w.transport)
	w.advance(time.Hour)
	w.want("progress", w.progress("rollup"), `null`)
	stop()
	w.lease.win()
	defer w.run(w.transport)()
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"finished"`)
}
