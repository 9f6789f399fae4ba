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

// pipelineNote is what create_*_pipeline notes before it writes.
type pipelineNote struct {
	// Ours is true if there was none, or if it is to be written over.
	Ours bool `json:"ours"`
}

func (p pipelines) path(id string) string { return opensearch.Path(p.api, "pipeline", id) }

// inputs are the id and the body of a pipeline, checked.
func (p pipelines) inputs(in flow.Inputs, verb string) (id, body string, err error) {
	id = text(in, "pipeline_id")
	if err := single("pipeline_id", id); err != nil {
		return "", "", err
	}
	body = unquoteArrays(text(in, "configurations"))
	if !json.Valid([]byte(body)) {
		return "", "", failed(http.StatusBadRequest, nil, "Failed step %s_%s_pipeline", verb, p.kind)
	}
	return id, body, nil
}

// create makes a pipeline. One that is there already is adopted if it is equal, and else left alone: the step fails.
func (p pipelines) create(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id, body, err := p.inputs(in, "create")
	if err != nil {
		return Result{}, err
	}
	made := Result{Outputs: flow.Outputs{"pipeline_id": id}}
	there, found, err := p.get(ctx, env.Client, id)
	if err != nil {
		return Result{}, safe(err, "Failed step create_%s_pipeline", p.kind)
	}
	if found {
		take, err := existing(in, sameJSON(there, body), p.kind+" pipeline", id)
		if err != nil || take {
			made.Adopted = take
			return made, err
		}
	}
	if err := env.Note(ctx, pipelineNote{Ours: true}); err != nil {
		return Result{}, err
	}
	return made, p.put(ctx, env, id, body, "create")
}

// look takes a pipeline for the one of an attempt if it is what the attempt wrote.
func (p pipelines) look(ctx context.Context, env Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	id, body, err := p.inputs(in, "create")
	if err != nil {
		return Result{}, err
	}
	var noted pipelineNote
	if note == nil || json.Unmarshal(note, &noted) != nil || !noted.Ours {
		return Result{}, ErrNotMade
	}
	there, found, err := p.get(ctx, env.Client, id)
	switch {
	case err != nil:
		return Result{}, safe(err, "Failed step create_%s_pipeline", p.kind)
	case !found || !sameJSON(there, body):
		return Result{}, ErrNotMade
	}
	return Result{Outputs: flow.Outputs{"pipeline_id": id}}, nil
}

// update writes over a pipeline.
func (p pipelines) update(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id, body, err := p.inputs(in, "update")
	if err != nil {
		return Result{}, err
	}
	return Result{Outputs: flow.Outputs{"pipeline_id": id}}, p.put(ctx, env, id, body, "update")
}

func (p pipelines) put(ctx context.Context, env Env, id, body, verb string) error {
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: p.path(id), Body: json.RawMessage(body)}, nil)
	if err != nil {
		return safe(err, "Failed step %s_%s_pipeline", verb, p.kind)
	}
	return nil
}

func (p pipelines) get(ctx context.Context, c *opensearch.Client, id string) (body string, found bool, err error) {
	var answer map[string]json.RawMessage
	err = c.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: p.path(id)}, &answer)
	if fault.HasStatus(err, http.StatusNotFound) {
		return "", false, nil
	}
	raw, found := answer[id]
	return string(raw), found, err
}

func (p pipelines) exists(ctx context.Context, env Env, in flow.Inputs) (bool, error) {
	_, found, err := p.get(ctx, env.Client, text(in, "pipeline_id"))
	return found, err
}

func (p pipelines) remove(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, "pipeline_id")
	if err := single("pipeline_id", id); err != nil {
		return Result{}, err
	}
	err := env.Client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: p.path(id)}, nil)
	if err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to delete the %s pipeline %s", p.kind, id)
	}
	return Result{Outputs: flow.Outputs{"pipeline_id": id}}, nil
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
