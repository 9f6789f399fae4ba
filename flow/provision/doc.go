// SPDX-License-Identifier: Apache-2.0

// Package provision runs planned workflows.
//
// [Run] runs the nodes of a plan, each as soon as its predecessors are done, independent ones at the same time. A
// resource is recorded before any node that depends on it starts. After a failure no node starts that needs the failed
// one; independent branches go on, and Run returns when nothing runs any more. [Undo] takes the resources away again.
package provision

import (
	"context"

	"github.com/opensteward/steward/flow"
)

// Resource is one entry of resources_created.
type Resource struct {
	Step string `json:"workflow_step_name"`
	Node string `json:"workflow_step_id"`
	Type string `json:"resource_type"`
	ID   string `json:"resource_id"`
}

// Hooks are what a run needs from its surroundings. They are called by several goroutines at once.
type Hooks struct {
	// Do runs one node; outputs are those of its direct predecessors. ctx ends with the node's timeout.
	Do func(ctx context.Context, p flow.Planned, outputs map[string]flow.Outputs) (flow.Outputs, error)
	// Record writes down what a node made; the node is not done before it returns.
	Record func(ctx context.Context, r Resource) error
}
