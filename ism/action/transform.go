// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// transformProperties are what the action keeps from step to step.
type transformProperties struct {
	ID string `json:"transform_id,omitempty"`
}

// transformID is the id of the job of a policy's transform. The plugin hashes the same parts.
func transformID(e *Env) string {
	t := e.Action.Transform
	var b strings.Builder
	b.WriteString(e.Index + t.TargetIndex + strconv.Itoa(t.PageSize) + string(t.Query))
	for _, d := range t.Groups {
		b.WriteString(d.Kind + d.SourceField)
	}
	b.WriteString(string(t.Aggregations))
	return sha1ID(b.String())
}

// storedTransform is the job that this action has created; "" if none is known.
func storedTransform(e *Env) string {
	stored := e.Meta.Action.Properties
	if stored == nil || stored.Transform == nil {
		return ""
	}
	var p transformProperties
	if json.Unmarshal(stored.Transform, &p) != nil {
		return ""
	}
	return p.ID
}

// keepTransform is the action's properties with the job's id.
func keepTransform(id string) *ism.Properties {
	raw, err := wire.Marshal(transformProperties{id})
	if err != nil {
		return nil
	}
	return &ism.Properties{Transform: raw}
}

// attemptCreateTransform stores the transform job of the index. One that is there from an earlier time is started again.
func attemptCreateTransform(ctx context.Context, e *Env) (ism.Result, error) {
	r, err := createTransform(ctx, e, transformID(e))
	if r.Properties == nil {
		r.Properties = keepTransform("")
	}
	return r, err
}

// createTransform reports without properties where there is no job.
func createTransform(ctx context.Context, e *Env, id string) (ism.Result, error) {
	t := e.Action.Transform
	job, err := newJob(e, rollup.Transform, id, wire.Obj("source_index", e.Index, "target_index", t.TargetIndex,
		"description", t.Description, "page_size", t.PageSize, "schedule", minutely, "data_selection_query", t.Query,
		"groups", dimension.ListJSON(t.Groups), "aggregations", t.Aggregations))
	if err == nil {
		err = readable(ctx, e, rollup.Transform, e.Index)
	}
	if c, ok := errors.AsType[unfit](err); ok {
		info := e.message("Failed to create the transform job [%s]", id).With("cause", string(c))
		return ism.Result{Status: ism.StatusFailed, Info: info}, nil
	}
	if err == nil {
		_, err = rollup.Create(ctx, e.Client, configExists, job, "true")
	}
	switch {
	case err == nil:
		r := completed(e.message("Successfully created the transform job [%s]", id))
		r.Properties = keepTransform(id)
		return r, nil
	case !fault.HasStatus(err, http.StatusConflict):
		return refused(err, e.message("Failed to create the transform job [%s]", id))
	}
	r := alreadyThere(e, rollup.Transform, id)
	if storedTransform(e) == "" {
		r, err = restartJob(ctx, e, rollup.Transform, id)
	} else {
		err = nil
	}
	r.Properties = keepTransform(id)
	return r, err
}

// waitForTransform waits for the end of the transform job. One that is gone is over.
func waitForTransform(ctx context.Context, e *Env) (ism.Result, error) {
	id := storedTransform(e)
	if id == "" {
		return ism.Result{Status: ism.StatusFailed, Info: e.message("Transform job was not found")}, nil
	}
	o, err := rollup.Explain(ctx, e.Client, rollup.Transform, id)
	switch {
	case err != nil:
		return refused(err, e.message("Failed to get the status of transform job [%s]", id))
	case !o.Exists:
		return completed(e.message("Transform job [%s] is not found", id)), nil
	}
	return jobResult(e, rollup.Transform, id, o), nil
}
