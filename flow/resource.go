// SPDX-License-Identifier: Apache-2.0

package flow

// Resource is one entry of a workflow's resources_created.
type Resource struct {
	Step string `json:"workflow_step_name"`
	Node string `json:"workflow_step_id"`
	Type string `json:"resource_type"`
	ID   string `json:"resource_id"`
}
