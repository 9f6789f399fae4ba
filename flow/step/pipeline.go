// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// pipelines are the pipelines of one kind.
type pipelines struct{ kind, api string }

var (
	ingest = pipelines{"ingest", "_ingest"}
	search = pipelines{"search", "_search"}
)

func (p pipelines) path(id string) string { return opensearch.Path(p.api, "pipeline", id) }

func (p pipelines) put(verb string) func(context.Context, Env, flow.Inputs) (flow.Outputs, error) {
	return func(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
		id := text(in, "pipeline_id")
		if err := single("pipeline_id", id); err != nil {
			return nil, err
		}
		body := json.RawMessage(unquoteArrays(text(in, "configurations")))
		if !json.Valid(body) {
			return nil, failed(http.StatusBadRequest, nil, "Failed step %s_%s_pipeline", verb, p.kind)
		}
		err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: p.path(id), Body: body}, nil)
		if err != nil {
			return nil, safe(err, "Failed step %s_%s_pipeline", verb, p.kind)
		}
		return flow.Outputs{"pipeline_id": id}, nil
	}
}

func (p pipelines) remove(ctx context.Context, env Env, in flow.Inputs) (flow.Outputs, error) {
	id := text(in, "pipeline_id")
	if err := single("pipeline_id", id); err != nil {
		return nil, err
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: p.path(id)}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return nil, safe(err, "Failed to delete the %s pipeline %s", p.kind, id)
	}
	return flow.Outputs{"pipeline_id": id}, nil
}

var quotedArray = regexp.MustCompile(`"(\[.*?\])"`)

// unquoteArrays makes arrays of the texts that hold one: a substitution value is always a text. A text that only looks
// like an array, such as a character class of a pattern, stays (the plugin breaks it).
func unquoteArrays(body string) string {
	return quotedArray.ReplaceAllStringFunc(body, func(found string) string {
		array := strings.ReplaceAll(found[1:len(found)-1], `\"`, `"`)
		if !json.Valid([]byte(array)) {
			return found
		}
		return array
	})
}
