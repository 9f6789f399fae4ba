// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
)

// TestWhatAnAttemptMadeUnderANameIsFound asks what an attempt has made whose end nobody saw.
func TestWhatAnAttemptMadeUnderANameIsFound(t *testing.T) {
	const (
		nothing = "404 {}"
		ours    = `{"ours":true}`
	)
	for _, c := range []struct {
		name, step, inputs, note string
		call, answer             string
		made                     bool
	}{
		{"an attempt that noted nothing", "create_index", `{"index_name":"i","configurations":""}`, "", "", "", false},
		{"an index that is not there", "create_index", `{"index_name":"i","configurations":""}`, `{"absent":true}`, "GET /i?flat_settings=true", nothing, false},
		{
			"an index as it was asked for", "create_index", `{"index_name":"i","configurations":{"settings":{"number_of_shards":2},"mappings":{"properties":{"a":{"type":"keyword"}}},"aliases":{"x":{}}}}`,
			`{"absent":true}`, "GET /i?flat_settings=true",
			`200 {"i":{"settings":{"index.number_of_shards":"2","index.uuid":"u"},"mappings":{"properties":{"a":{"type":"keyword"},"b":{"type":"long"}}},"aliases":{"x":{}}}}`, true,
		},
		{
			"an index of somebody else", "create_index", `{"index_name":"i","configurations":{"settings":{"number_of_shards":2}}}`, `{"absent":true}`, "GET /i?flat_settings=true",
			`200 {"i":{"settings":{"index.number_of_shards":"1","index.uuid":"u"}}}`, false,
		},
		{
			"an index with other fields", "create_index", `{"index_name":"i","configurations":{"mappings":{"properties":{"a":{"type":"keyword"}}}}}`, `{"absent":true}`,
			"GET /i?flat_settings=true", `200 {"i":{"settings":{"index.uuid":"u"},"mappings":{"properties":{"a":{"type":"text"}}}}}`, false,
		},
		{"a pipeline that was written", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"a":1}}`, ours, "GET /_ingest/pipeline/p", `200 {"p":{"a":1}}`, true},
		{"a pipeline that was not", "create_ingest_pipeline", `{"pipeline_id":"p","configurations":{"a":1}}`, ours, "GET /_ingest/pipeline/p", nothing, false},
		{
			"a template with what the server adds", "create_index_template", `{"index_template_name":"t","configurations":{"index_patterns":["a-*"],"template":{"settings":{"number_of_shards":1}}}}`, ours,
			"GET /_index_template/t", `200 {"index_templates":[{"name":"t","index_template":{"index_patterns":["a-*"],"template":{"settings":{"index":{"number_of_shards":"1"}}},"composed_of":[]}}]}`, true,
		},
		{
			"a template that asks for something else", "create_component_template", `{"component_template_name":"t","configurations":{"template":{"settings":{"number_of_shards":1}}}}`, ours,
			"GET /_component_template/t", `200 {"component_templates":[{"name":"t","component_template":{"template":{"settings":{"index":{"number_of_shards":"2"}}}}}]}`, false,
		},
		{"an alias that is there", "create_alias", `{"index_name":"i","alias_name":"a"}`, ours, "GET /i/_alias/a", `200 {"i":{}}`, true},
		{"an alias that is not", "create_alias", `{"index_name":"i","alias_name":"a"}`, ours, "GET /i/_alias/a", nothing, false},
		{"a call that may be sent again", "rest_call", `{"method":"PUT","path":"/x"}`, `{"sent":"PUT /x"}`, "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string]string{c.call: c.answer}}
			found, _ := step.Find(c.step)
			var note json.RawMessage
			if c.note != "" {
				note = json.RawMessage(c.note)
			}
			_, err := found.Look(context.Background(), step.Env{Client: opensearch.NewClient(s)}, inputs(t, c.inputs), note)
			switch {
			case c.made && err != nil:
				t.Errorf("it is not found: %v", err)
			case !c.made && !errors.Is(err, step.ErrNotMade):
				t.Errorf("got %v, want that nothing was made", err)
			}
		})
	}
}

func TestACallThatMustNotBeSentTwiceIsNot(t *testing.T) {
	found, _ := step.Find("rest_call")
	_, err := found.Look(context.Background(), step.Env{}, inputs(t, `{"method":"post","path":"/x"}`), json.RawMessage(`{"sent":"POST /x"}`))
	if !fault.HasStatus(err, http.StatusConflict) || !strings.Contains(err.Error(), "is not sent twice") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherIndexOfTheNameStays(t *testing.T) {
	s := &script{answers: map[string]string{"GET /i/_settings?flat_settings=true": `200 {"i":{"settings":{"index.uuid":"theirs"}}}`}}
	found, _ := step.Find("delete_index")
	env := step.Env{Client: opensearch.NewClient(s), Left: json.RawMessage(`{"uuid":"ours"}`)}
	if _, err := found.Run(context.Background(), env, inputs(t, `{"index_name":"i"}`)); err != nil || len(s.calls) != 1 {
		t.Errorf("%v, called %v", err, s.calls)
	}
}
