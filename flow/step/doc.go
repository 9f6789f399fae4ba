// SPDX-License-Identifier: Apache-2.0

// Package step runs the steps of workflows against a cluster.
//
// [Find] gives the [Step] of a type: which optional inputs it reads, and how it runs. A step makes one call that
// changes the cluster, waits until what it made is there, and returns what it gives to the nodes after it. It does not
// record anything, does not try again, and holds no state: the caller records the resource, bounds the time, and decides
// what a failure means. Taking away what is not there any more is a success (Flow Framework of OpenSearch fails there).
//
// A failure is a *fault.Error of type "workflow_step_exception" whose reason and status are those that the plugin shows,
// and whose Err is the cluster's own answer.
package step

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// Env is what a step may use.
type Env struct {
	Client *opensearch.Client
	// Clock measures the delay of a noop.
	Clock clock.Clock
}

// Step is how a step type runs.
type Step struct {
	// Optional are the inputs that it reads besides the required ones of its type.
	Optional []string
	// Run does it, with resolved inputs.
	Run func(ctx context.Context, env Env, inputs flow.Inputs) (flow.Outputs, error)
}

var steps = map[string]Step{
	"noop":                   {[]string{"delay"}, noop},
	"create_index":           {nil, createIndex},
	"update_index":           {nil, updateIndex},
	"delete_index":           {nil, deleteIndex},
	"create_ingest_pipeline": {[]string{"model_id"}, ingest.put("create")},
	"update_ingest_pipeline": {[]string{"model_id"}, ingest.put("update")},
	"delete_ingest_pipeline": {nil, ingest.remove},
	"create_search_pipeline": {[]string{"model_id"}, search.put("create")},
	"update_search_pipeline": {[]string{"model_id"}, search.put("update")},
	"delete_search_pipeline": {nil, search.remove},
	"reindex":                {reindexOptions, reindex},
}

// Find returns the step of a type; ok is false if none is here.
func Find(name string) (s Step, ok bool) {
	s, ok = steps[name]
	return s, ok
}

// Class is the type of a step's failure.
const Class = "workflow_step_exception"

func failed(status int, cause error, format string, args ...any) error {
	e := fault.New(status, Class, format, args...)
	e.Form = fault.PlainNoStatus
	e.Err = cause
	return e
}

// safe words a cluster's refusal: its own reason if it says that the request was wrong, else the step's words and 500.
func safe(err error, format string, args ...any) error {
	cause := fault.Of(err)
	switch {
	case cause.Status == http.StatusBadRequest, cause.Type == "status_exception", cause.Type == "illegal_argument_exception":
		return failed(cause.Status, err, "%s", cause.Reason)
	default:
		return failed(http.StatusInternalServerError, err, format, args...)
	}
}
