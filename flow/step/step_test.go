// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
)

// script answers each "METHOD /path?query" and keeps what it was asked.
type script struct {
	answers map[string]string // status, a space, the body
	calls   []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	call := r.Method + " " + r.URL.RequestURI()
	answer, ok := s.answers[call]
	if !ok {
		return nil, errors.New("unexpected call " + call)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		call += " " + string(body)
	}
	s.calls = append(s.calls, call)
	status, body, _ := strings.Cut(answer, " ")
	code := map[string]int{"200": 200, "400": 400, "403": 403, "404": 404, "500": 500}[status]
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// wait keeps a delay among the calls.
func (s *script) wait(ctx context.Context, d time.Duration) error {
	s.calls = append(s.calls, "wait "+d.String())
	return ctx.Err()
}

// note keeps a note among the calls.
func (s *script) note(_ context.Context, v any) error {
	text, err := json.Marshal(v)
	s.calls = append(s.calls, "note "+string(text))
	return err
}

func inputs(t *testing.T, text string) flow.Inputs {
	t.Helper()
	template, err := flow.Parse([]byte(`{"name":"t","workflows":{"provision":{"nodes":[{"id":"n","type":"noop","user_inputs":` + text + `}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return template.Workflows[0].Nodes[0].Inputs
}

func run(t *testing.T, name string, s *script, in string) (step.Result, error) {
	t.Helper()
	found, ok := step.Find(name)
	if !ok {
		t.Fatalf("no step %s", name)
	}
	env := step.Env{Client: opensearch.NewClient(s), Wait: s.wait, Note: s.note}
	return found.Run(context.Background(), env, inputs(t, in))
}

const (
	acknowledged = `200 {"acknowledged":true}`
	missing      = `404 {"error":{"root_cause":[],"type":"index_not_found_exception","reason":"no such index [i]"},"status":404}`
	exists       = `400 {"error":{"root_cause":[],"type":"resource_already_exists_exception","reason":"index [i/u] already exists"},"status":400}`
	forbidden    = `403 {"error":{"root_cause":[],"type":"security_exception","reason":"no permissions"},"status":403}`
)

const settingsOf = "/i/_settings?flat_settings=true"

// clusterCalls are what steps call, and what comes of it.
var clusterCalls = []struct {
	name, step, inputs string
	answers            map[string]string
	calls              []string
	outputs            string
}{
	{
		"an index is made with its configuration, after a note that it was not there", "create_index",
		`{"index_name":"i","configurations":{"settings":{"number_of_shards":2}}}`,
		map[string]string{"GET " + settingsOf: missing, "PUT /i": acknowledged},
		[]string{"GET " + settingsOf, `note {"absent":true}`, `PUT /i {"settings":{"number_of_shards":2}}`, "GET " + settingsOf},
		`{"index_name":"i"}`,
	},
	{
		"an index without configuration has no body", "create_index", `{"index_name":"i","configurations":""}`,
		map[string]string{"GET " + settingsOf: missing, "PUT /i": acknowledged},
		[]string{"GET " + settingsOf, `note {"absent":true}`, "PUT /i", "GET " + settingsOf},
		`{"index_name":"i"}`,
	},
	{
		"an index that is there is adopted where the node says so", "create_index", `{"index_name":"i","configurations":"","adopt":true}`,
		map[string]string{"GET " + settingsOf: `200 {"i":{"settings":{"index.uuid":"u"}}}`},
		[]string{"GET " + settingsOf},
		`{"index_name":"i"}`,
	},
	{
		"an index is deleted", "delete_index", `{"index_name":"i"}`,
		map[string]string{"DELETE /i": acknowledged},
		[]string{"DELETE /i"},
		`{"index_name":"i"}`,
	},
	{
		"an index that is gone counts as deleted", "delete_index", `{"index_name":"i"}`,
		map[string]string{"DELETE /i": missing},
		[]string{"DELETE /i"},
		`{"index_name":"i"}`,
	},
	{
		"texts that hold arrays become arrays, patterns stay", "create_search_pipeline",
		`{"pipeline_id":"p","configurations":"{\"w\":\"[0.3, 0.7]\",\"x\":\"[a-z]\"}"}`,
		map[string]string{"GET /_search/pipeline/p": "404 {}", "PUT /_search/pipeline/p": acknowledged},
		[]string{"GET /_search/pipeline/p", `note {"ours":true}`, `PUT /_search/pipeline/p {"w":[0.3, 0.7],"x":"[a-z]"}`},
		`{"pipeline_id":"p"}`,
	},
	{
		"an equal pipeline is adopted", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"a":{"b":1,"c":2}}}`,
		map[string]string{"GET /_ingest/pipeline/p": `200 {"p":{"a":{"c":2,"b":1}}}`},
		[]string{"GET /_ingest/pipeline/p"},
		`{"pipeline_id":"p"}`,
	},
	{
		"a pipeline is written over where the node says so", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":"{}","overwrite":"true"}`,
		map[string]string{"GET /_ingest/pipeline/p": `200 {"p":{"a":1}}`, "PUT /_ingest/pipeline/p": acknowledged},
		[]string{"GET /_ingest/pipeline/p", `note {"ours":true}`, `PUT /_ingest/pipeline/p {}`},
		`{"pipeline_id":"p"}`,
	},
	{
		"a pipeline is changed by the same call", "update_ingest_pipeline", `{"pipeline_id":"p","configurations":"{}"}`,
		map[string]string{"PUT /_ingest/pipeline/p": acknowledged},
		[]string{`PUT /_ingest/pipeline/p {}`},
		`{"pipeline_id":"p"}`,
	},
	{
		"a number names a pipeline", "delete_ingest_pipeline", `{"pipeline_id":7}`,
		map[string]string{"DELETE /_ingest/pipeline/7": missing},
		[]string{"DELETE /_ingest/pipeline/7"},
		`{"pipeline_id":"7"}`,
	},
	{
		"a reindex waits, unthrottled by default", "reindex", `{"source_index":"a,b","destination_index":"d","max_docs":5,"refresh":"true"}`,
		map[string]string{"POST /_reindex?refresh=true&wait_for_completion=true": `200 {"failures":[]}`},
		[]string{`POST /_reindex?refresh=true&wait_for_completion=true {"dest":{"index":"d"},"max_docs":5,"source":{"index":["a","b"]}}`},
		`{"reindex":{"destination_index":"d","source_index":"a,b"}}`,
	},
	{"a noop waits", "noop", `{"delay":"1ms"}`, nil, []string{"wait 1ms"}, `null`},
}

func TestStepsCallTheCluster(t *testing.T) {
	for _, c := range clusterCalls {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: c.answers}
			out, err := run(t, c.step, s, c.inputs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.calls, s.calls); diff != "" {
				t.Error(diff)
			}
			got, err := json.Marshal(out.Outputs)
			if err != nil || string(got) != c.outputs {
				t.Errorf("gives %s (%v), want %s", got, err, c.outputs)
			}
			if adopts := strings.Contains(c.name, "adopted"); out.Adopted != adopts {
				t.Errorf("adopted: %v", out.Adopted)
			}
		})
	}
}

func TestStepsFailAsThePluginWordsIt(t *testing.T) {
	const settings, there = "GET " + settingsOf, `200 {"i":{"settings":{"index.uuid":"u"}}}`
	for _, c := range []struct {
		name, step, inputs, call, answer string
		status                           int
		reason                           string
	}{
		{"the cluster's own words for a wrong request", "create_index", `{"index_name":"i","configurations":"{}"}`, "PUT /i", exists, 400, "index [i/u] already exists"},
		{"the step's words for anything else", "create_index", `{"index_name":"i","configurations":"{}"}`, "PUT /i", forbidden, 500, "Failed to create the index i"},
		{"a configuration that is not JSON", "create_index", `{"index_name":"i","configurations":"{"}`, "", "", 400, "Failed to create the index i, _doc is not permitted in mapping"},
		{"a wrapped mapping", "create_index", `{"index_name":"i","configurations":{"mappings":{"_doc":{}}}}`, "", "", 400, "Failed to create the index i, _doc is not permitted in mapping"},
		{"a name that is another API", "create_index", `{"index_name":"_bulk","configurations":""}`, "", "", 400, "Invalid index name [_bulk], must not start with '_', '-', or '+'"},
		{"a name that is a pattern", "delete_index", `{"index_name":"*"}`, "", "", 400, "Input [index_name] does not name one resource: [*]"},
		{"a name that climbs", "delete_ingest_pipeline", `{"pipeline_id":"../x"}`, "", "", 400, "Input [pipeline_id] does not name one resource: [../x]"},
		{
			"a pipeline that is there and differs", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":"{}"}`, "GET /_ingest/pipeline/p", `200 {"p":{"a":1}}`, 400,
			"The ingest pipeline [p] exists and differs from the one of this node; it is not written over unless the node says so with [adopt] or [overwrite]",
		},
		{"an index that cannot be deleted", "delete_index", `{"index_name":"i"}`, "DELETE /i", forbidden, 500, "Failed to delete the index i"},
		{"a pipeline that cannot be made", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":"{}"}`, "PUT /_ingest/pipeline/p", forbidden, 500, "Failed step create_ingest_pipeline"},
		{"a search pipeline that cannot be made", "create_search_pipeline", `{"pipeline_id":"p","configurations":"{}"}`, "PUT /_search/pipeline/p", forbidden, 500, "Failed step create_search_pipeline"},
		{"an ingest pipeline that cannot be updated", "update_ingest_pipeline", `{"pipeline_id":"p","configurations":"{}"}`, "PUT /_ingest/pipeline/p", forbidden, 500, "Failed step update_ingest_pipeline"},
		{"a search pipeline that cannot be updated", "update_search_pipeline", `{"pipeline_id":"p","configurations":"{}"}`, "PUT /_search/pipeline/p", forbidden, 500, "Failed step update_search_pipeline"},
		{"an ingest pipeline that cannot be deleted", "delete_ingest_pipeline", `{"pipeline_id":"p"}`, "DELETE /_ingest/pipeline/p", forbidden, 500, "Failed to delete the ingest pipeline p"},
		{
			"settings that cannot be updated", "update_index", `{"index_name":"i","configurations":{"settings":{"number_of_replicas":1}}}`, "PUT /i/_settings", forbidden, 500,
			"Failed to update the index settings for index i",
		},
		{"a pipeline that cannot be deleted", "delete_search_pipeline", `{"pipeline_id":"p"}`, "DELETE /_search/pipeline/p", forbidden, 500, "Failed to delete the search pipeline p"},
		{"an update without configuration", "update_index", `{"index_name":"i","configurations":""}`, "", "", 400, "Failed to update index settings for index i, index configuration is not given"},
		{"an update without settings", "update_index", `{"index_name":"i","configurations":{"mappings":{}}}`, "", "", 400, "Failed to update index settings for index i, settings are not found in the index configuration"},
		{
			"an update that changes nothing", "update_index", `{"index_name":"i","configurations":{"settings":{"number_of_replicas":1}}}`, settings,
			`200 {"i":{"settings":{"index.number_of_replicas":"1"}}}`, 400, "Failed to update index settings for index i, no settings have been updated",
		},
		{
			"an update of an index that is not there", "update_index", `{"index_name":"i","configurations":{"settings":{"number_of_replicas":1}}}`, settings,
			missing, 500, "Failed to retrieve the index settings for index i",
		},
		{"a source that is not there", "reindex", `{"source_index":"s","destination_index":"d"}`, "POST /_reindex?wait_for_completion=true", missing, 404, "Failed to reindex from source s to d"},
		{"documents that were not copied", "reindex", `{"source_index":"s","destination_index":"d"}`, "POST /_reindex?wait_for_completion=true", `200 {"failures":[{"id":"1"}]}`, 400, `Failed to get bulk response [{"id":"1"}]`},
		{"a flag that is none", "reindex", `{"source_index":"s","destination_index":"d","refresh":"yes"}`, "", "", 400, "Failed to reindex Failed to parse value [yes] as only [true] or [false] are allowed."},
		{"a number that is none", "reindex", `{"source_index":"s","destination_index":"d","slices":"auto"}`, "", "", 400, `Failed to reindex For input string: "auto"`},
		{"a delay without a unit", "noop", `{"delay":"5"}`, "", "", 400, "failed to parse setting [delay] with value [5] as a time value: unit is missing or unrecognized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string]string{settings: there, "GET /_ingest/pipeline/p": missing, "GET /_search/pipeline/p": missing}}
			if c.call != "" {
				s.answers[c.call] = c.answer
			}
			_, err := run(t, c.step, s, c.inputs)
			if !fault.Is(err, step.Class) {
				t.Fatalf("got %v", err)
			}
			if f := fault.Of(err); f.Status != c.status || f.Reason != c.reason {
				t.Errorf("got %d %s, want %d %s", f.Status, f.Reason, c.status, c.reason)
			}
		})
	}
}

func TestAnUpdateSendsOnlyWhatDiffers(t *testing.T) {
	s := &script{answers: map[string]string{
		"GET /i/_settings?flat_settings=true": `200 {"i":{"settings":{"index.number_of_replicas":"1","index.refresh_interval":"1s"}}}`,
		"PUT /i/_settings":                    acknowledged,
	}}
	_, err := run(t, "update_index", s, `{"index_name":"i","configurations":{"settings":{"index":{"number_of_replicas":1,"refresh_interval":"5s"}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /i/_settings?flat_settings=true", `note {"settings":["index.refresh_interval"]}`, `PUT /i/_settings {"index.refresh_interval":"5s"}`}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Error(diff)
	}
}
