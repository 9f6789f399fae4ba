// SPDX-License-Identifier: Apache-2.0

// Package step runs the steps of workflows against a cluster.
//
// [Find] gives the [Step] of a type: which optional inputs it reads, how it runs, and how what it made is found again.
// A step makes one call that changes the cluster, waits until what it made is there, and returns a [Result]. It holds no
// state and does not try again by itself: its caller records resources, bounds the time, repeats what a passing
// weakness of the cluster kept from happening, and decides what a failure means.
//
// A process may die at any instant. So a step whose second call would do harm looks at the cluster first and stores
// with [Env.Note] what it must know later ("it was not there before"). When the end of an attempt was not seen, because
// the process died or no answer came, the caller does not run the step again but asks the step's Look, with that note:
// it returns what the attempt made, or [ErrNotMade], and then the step runs again. A step without Look may be run twice.
//
// A resource that was there before is not overwritten: an index makes the step fail, an equal pipeline is adopted, one
// that differs makes the step fail. The input "adopt": true takes over what is there; "overwrite": true writes over it,
// as the plugin always does to pipelines. What is adopted stays when the workflow is deprovisioned. Taking away what is
// not there any more is a success (the plugin fails there).
//
// A failure is a *fault.Error of type "workflow_step_exception" whose reason and status are those that the plugin shows,
// and whose Err is the cluster's own answer.
package step

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// Env is what a step may use while one node runs.
type Env struct {
	Client *opensearch.Client
	// Own reaches what this program serves itself, and not the cluster: lifecycle policies.
	Own *opensearch.Client
	// RestCalls are the patterns of the calls that rest_call may send: "PUT /logs-*/_settings".
	RestCalls []string
	// Wait returns after d on the program's clock, or with ctx's error. It is for delays that a template asks for; pauses
	// between two looks at the cluster are the machine's.
	Wait func(ctx context.Context, d time.Duration) error
	// Node is the node that runs, in its place. When a resource is taken away it is empty.
	Node flow.Planned
	// Before is what the node's direct predecessors gave, by node id.
	Before map[string]flow.Outputs
	// Note stores v as this node's note, in place of an earlier one, and returns when it is durable. A step that notes
	// something makes no change after an error of Note. Nothing secret may stand in it.
	Note func(ctx context.Context, v any) error
	// Left is, when a resource is taken away, the last note of the node that made it; nil if it left none.
	Left json.RawMessage
	// Gave are, when a resource is taken away, the outputs of the node that made it; empty if they are not known.
	Gave flow.Outputs
	// Claimed reports whether another workflow has recorded a resource of this type ("connector_id") and id.
	Claimed func(ctx context.Context, resource, id string) (bool, error)
	// OpaqueID names workflow and node in the cluster's list of tasks.
	OpaqueID string
	// Poll is the longest pause between two looks at a task (plugins.flow_framework.task_request_retry_duration).
	Poll time.Duration
}

// Result is what a step gives.
type Result struct {
	// Outputs are for the nodes after it. The one that is named like the resource of its type is the resource's id.
	Outputs flow.Outputs
	// Adopted is true if the resource was there before: it is not recorded, and stays when all others go.
	Adopted bool
	// Note is the node's last note, stored with the resource; nil keeps the one before.
	Note any
	// Also are resources that were made besides, in their order; the node's id need not be set.
	Also []flow.Resource
}

// Step is how a step type runs.
type Step struct {
	// Optional are the inputs that it reads besides the required ones of its type.
	Optional []string
	// Run does it, with resolved inputs. ctx ends with the node's timeout.
	Run func(ctx context.Context, env Env, inputs flow.Inputs) (Result, error)
	// Look finds what an attempt has made whose end nobody saw. note is what it noted; nil if it noted nothing, and so
	// changed nothing. It changes nothing itself. nil means that the step may be run again without harm.
	Look func(ctx context.Context, env Env, inputs flow.Inputs, note json.RawMessage) (Result, error)
	// Check refuses what Run would refuse before it calls the cluster. nil if only Run knows.
	Check func(env Env, inputs flow.Inputs) error
	// Exists reports whether what it would make is there already, by name. nil if what it makes has no name of its own.
	Exists func(ctx context.Context, env Env, inputs flow.Inputs) (bool, error)
}

// ErrNotMade is returned by a Look: the attempt made nothing.
var ErrNotMade = errors.New("nothing was made")

var steps = map[string]Step{
	"noop":                   {Optional: []string{"delay"}, Run: noop},
	"create_index":           {Optional: keep[:1], Run: createIndex, Look: lookIndex, Check: checkIndex, Exists: indexExists},
	"update_index":           {Run: updateIndex, Look: lookUpdate},
	"delete_index":           {Run: deleteIndex},
	"create_ingest_pipeline": ingest.making("model_id"),
	"update_ingest_pipeline": {Optional: []string{"model_id"}, Run: ingest.update},
	"delete_ingest_pipeline": {Run: ingest.remove},
	"create_search_pipeline": search.making("model_id"),
	"update_search_pipeline": {Optional: []string{"model_id"}, Run: search.update},
	"delete_search_pipeline": {Run: search.remove},
	"reindex":                {Optional: reindexOptions, Run: reindex},

	"create_connector":                     {Optional: connectorOptions, Run: createConnector, Look: lookConnector},
	"delete_connector":                     {Run: deleteConnector},
	"register_model_group":                 {Optional: []string{"description", "access_mode", "add_all_backend_roles", "backend_roles"}, Run: registerGroup, Look: lookGroup},
	"delete_model_group":                   {Run: deleteGroup},
	"register_remote_model":                remoteModel.asStep(),
	"register_local_pretrained_model":      pretrainedModel.asStep(),
	"register_local_sparse_encoding_model": sparseModel.asStep(),
	"register_local_custom_model":          customModel.asStep(),
	"deploy_model":                         {Run: deployModel, Look: lookDeployment},
	"undeploy_model":                       {Run: undeployModel},
	"delete_model":                         {Run: deleteModel},
	"create_tool":                          {Optional: toolOptions, Run: createTool},
	"register_agent":                       {Optional: agentOptions, Run: registerAgent, Look: lookAgent},
	"delete_agent":                         {Run: deleteAgent},

	"create_index_template":      indexTemplates.making(),
	"update_index_template":      {Run: indexTemplates.update},
	"delete_index_template":      {Run: indexTemplates.remove},
	"create_component_template":  componentTemplates.making(),
	"update_component_template":  {Run: componentTemplates.update},
	"delete_component_template":  {Run: componentTemplates.remove},
	"create_data_stream":         dataStreams.making(),
	"delete_data_stream":         {Run: dataStreams.remove},
	"create_alias":               {Optional: []string{"configurations"}, Run: createAlias, Look: lookAlias, Check: checkAlias, Exists: aliasExists},
	"update_alias":               {Optional: []string{"configurations"}, Run: updateAlias},
	"delete_alias":               {Run: deleteAlias},
	"create_snapshot_repository": repositories.making(),
	"update_snapshot_repository": {Run: repositories.update},
	"delete_snapshot_repository": {Run: repositories.remove},
	"create_ism_policy":          policies.making(),
	"update_ism_policy":          {Run: policies.update},
	"delete_ism_policy":          {Run: policies.remove},
	"rest_call":                  {Optional: restOptions, Run: restCall, Look: lookRestCall, Check: checkRestCall},
	"undo_rest_call":             {Run: undoRestCall},
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
