// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"slices"
	"time"
)

// DefaultTimeout bounds a step whose type and node name none (the plugin's figure).
const DefaultTimeout = 10 * time.Second

// StepType is what a step type needs, gives, and how it is undone.
type StepType struct {
	Name    string
	Inputs  []string // required
	Outputs []string
	Plugins []string
	// Timeout is 0 for the default.
	Timeout time.Duration
	// Resource is the type of the resource it records ("index_name"); "" if it records none.
	Resource string
	// Undo is the step type that takes the resource away; "" or "noop" if nothing does.
	Undo string
	// AllowDelete is true if undoing needs the caller's allow_delete.
	AllowDelete bool
	// Update is the step type that changes the resource on reprovision; "" if none can.
	Update string
	// Named are the inputs that, joined by slashes, are the resource's id; nil if the cluster gives it one.
	Named []string
	// Internal types cannot stand in a template, and are not listed.
	Internal bool
}

var ml = []string{"opensearch-ml"}

// Steps are all step types: those of the plugin, in the order of its documentation, then ours.
var Steps = slices.Concat(plugins, ours)

var plugins = []StepType{
	{Name: "noop"},
	{
		Name: "create_index", Inputs: []string{"index_name", "configurations"}, Outputs: []string{"index_name"},
		Resource: "index_name", Undo: "delete_index", AllowDelete: true, Update: "update_index",
		Named: []string{"index_name"},
	},
	{Name: "delete_index", Inputs: []string{"index_name"}, Outputs: []string{"index_name"}, Internal: true},
	{Name: "reindex", Inputs: []string{"source_index", "destination_index"}, Outputs: []string{"reindex"}},
	{
		Name: "create_connector", Inputs: []string{"name", "description", "version", "protocol", "parameters", "credential", "actions"},
		Outputs: []string{"connector_id"}, Plugins: ml, Timeout: time.Minute, Resource: "connector_id", Undo: "delete_connector",
	},
	{
		Name:    "register_local_custom_model",
		Inputs:  []string{"name", "version", "model_format", "function_name", "model_content_hash_value", "url", "model_type", "embedding_dimension", "framework_type"},
		Outputs: []string{"model_id", "register_model_status"}, Plugins: ml, Timeout: time.Minute, Resource: "model_id", Undo: "delete_model",
	},
	{
		Name: "register_local_sparse_encoding_model", Inputs: []string{"name", "version", "model_format"},
		Outputs: []string{"model_id", "register_model_status", "function_name", "model_content_hash_value", "url"},
		Plugins: ml, Timeout: time.Minute, Resource: "model_id", Undo: "delete_model",
	},
	{
		Name: "register_local_pretrained_model", Inputs: []string{"name", "version", "model_format"},
		Outputs: []string{"model_id", "register_model_status"}, Plugins: ml, Timeout: time.Minute, Resource: "model_id", Undo: "delete_model",
	},
	{
		Name: "register_remote_model", Inputs: []string{"name", "connector_id"}, Outputs: []string{"model_id", "register_model_status"},
		Plugins: ml, Resource: "model_id", Undo: "delete_model",
	},
	{
		Name: "register_model_group", Inputs: []string{"name"}, Outputs: []string{"model_group_id", "model_group_status"},
		Plugins: ml, Resource: "model_group_id", Undo: "delete_model_group",
	},
	{Name: "delete_model_group", Inputs: []string{"model_group_id"}, Outputs: []string{"model_group_id"}, Plugins: ml, Internal: true},
	{
		Name: "deploy_model", Inputs: []string{"model_id"}, Outputs: []string{"model_id"}, Plugins: ml, Timeout: 15 * time.Second,
		Resource: "model_id", Undo: "undeploy_model",
	},
	{Name: "undeploy_model", Inputs: []string{"model_id"}, Outputs: []string{"success"}, Plugins: ml},
	{Name: "delete_model", Inputs: []string{"model_id"}, Outputs: []string{"model_id"}, Plugins: ml},
	{Name: "delete_connector", Inputs: []string{"connector_id"}, Outputs: []string{"connector_id"}, Plugins: ml},
	{
		Name: "register_agent", Inputs: []string{"name", "type"}, Outputs: []string{"agent_id"}, Plugins: ml,
		Resource: "agent_id", Undo: "delete_agent",
	},
	{Name: "delete_agent", Inputs: []string{"agent_id"}, Outputs: []string{"agent_id"}, Plugins: ml},
	{Name: "create_tool", Inputs: []string{"type"}, Outputs: []string{"tools"}, Plugins: ml},
	{
		Name: "create_ingest_pipeline", Inputs: []string{"pipeline_id", "configurations"}, Outputs: []string{"pipeline_id"},
		Resource: "pipeline_id", Undo: "delete_ingest_pipeline", AllowDelete: true, Update: "update_ingest_pipeline",
		Named: []string{"pipeline_id"},
	},
	{Name: "delete_ingest_pipeline", Inputs: []string{"pipeline_id"}, Outputs: []string{"pipeline_id"}, Internal: true},
	{
		Name: "create_search_pipeline", Inputs: []string{"pipeline_id", "configurations"}, Outputs: []string{"pipeline_id"},
		Resource: "pipeline_id", Undo: "delete_search_pipeline", AllowDelete: true, Update: "update_search_pipeline",
		Named: []string{"pipeline_id"},
	},
	{Name: "delete_search_pipeline", Inputs: []string{"pipeline_id"}, Outputs: []string{"pipeline_id"}, Internal: true},
	{Name: "update_ingest_pipeline", Inputs: []string{"pipeline_id", "configurations"}, Outputs: []string{"pipeline_id"}},
	{Name: "update_search_pipeline", Inputs: []string{"pipeline_id", "configurations"}, Outputs: []string{"pipeline_id"}},
	{Name: "update_index", Inputs: []string{"index_name", "configurations"}, Outputs: []string{"index_name"}},
}

// ours are the step types that the plugin does not have, each with the one that undoes it.
var ours = []StepType{
	{
		Name: "create_index_template", Inputs: []string{"index_template_name", "configurations"}, Outputs: []string{"index_template_name"},
		Resource: "index_template_name", Undo: "delete_index_template", AllowDelete: true,
		Update: "update_index_template", Named: []string{"index_template_name"},
	},
	{Name: "update_index_template", Inputs: []string{"index_template_name", "configurations"}, Outputs: []string{"index_template_name"}, Internal: true},
	{Name: "delete_index_template", Inputs: []string{"index_template_name"}, Internal: true},
	{
		Name: "create_component_template", Inputs: []string{"component_template_name", "configurations"}, Outputs: []string{"component_template_name"},
		Resource: "component_template_name", Undo: "delete_component_template", AllowDelete: true,
		Update: "update_component_template", Named: []string{"component_template_name"},
	},
	{Name: "update_component_template", Inputs: []string{"component_template_name", "configurations"}, Outputs: []string{"component_template_name"}, Internal: true},
	{Name: "delete_component_template", Inputs: []string{"component_template_name"}, Internal: true},
	{
		Name: "create_data_stream", Inputs: []string{"data_stream_name"}, Outputs: []string{"data_stream_name"},
		Resource: "data_stream_name", Undo: "delete_data_stream", AllowDelete: true,
	},
	{Name: "delete_data_stream", Inputs: []string{"data_stream_name"}, Internal: true},
	{
		Name: "create_alias", Inputs: []string{"index_name", "alias_name"}, Outputs: []string{"alias_name"},
		Resource: "alias_name", Undo: "delete_alias", AllowDelete: true, Update: "update_alias", Named: []string{"index_name", "alias_name"},
	},
	{Name: "update_alias", Inputs: []string{"index_name", "alias_name"}, Outputs: []string{"alias_name"}, Internal: true},
	{Name: "delete_alias", Inputs: []string{"alias_name"}, Internal: true},
	{
		Name: "create_snapshot_repository", Inputs: []string{"repository_name", "configurations"}, Outputs: []string{"repository_name"},
		Resource: "repository_name", Undo: "delete_snapshot_repository", AllowDelete: true,
		Update: "update_snapshot_repository", Named: []string{"repository_name"},
	},
	{Name: "update_snapshot_repository", Inputs: []string{"repository_name", "configurations"}, Outputs: []string{"repository_name"}, Internal: true},
	{Name: "delete_snapshot_repository", Inputs: []string{"repository_name"}, Internal: true},
	{
		Name: "create_ism_policy", Inputs: []string{"policy_id", "configurations"}, Outputs: []string{"policy_id"},
		Resource: "policy_id", Undo: "delete_ism_policy", AllowDelete: true,
		Update: "update_ism_policy", Named: []string{"policy_id"},
	},
	{Name: "update_ism_policy", Inputs: []string{"policy_id", "configurations"}, Outputs: []string{"policy_id"}, Internal: true},
	{Name: "delete_ism_policy", Inputs: []string{"policy_id"}, Internal: true},
	{
		Name: "rest_call", Inputs: []string{"method", "path"}, Outputs: []string{"rest_call"},
		Resource: "rest_call", Undo: "undo_rest_call",
	},
	{Name: "undo_rest_call", Inputs: []string{"rest_call"}, Internal: true},
}

// Step returns the step type of this name, or nil.
func Step(name string) *StepType {
	for i := range Steps {
		if Steps[i].Name == name {
			return &Steps[i]
		}
	}
	return nil
}
