// SPDX-License-Identifier: Apache-2.0

// Package provision keeps workflows and makes what they describe.
//
// A [Service] stores templates and the state of workflows as the Flow Framework plugin does, provisions a template's
// graph, takes what was made away again, and finishes both after a crash. What the plugin's documents have no place for
// lies in a run document per workflow in [lease.Index]: the plan and the request's parameters, encrypted, until the
// workflow is COMPLETED or deprovisioned, and the progress of each node.
//
// [Run] runs the nodes of a plan; [Undo] takes resources away. Around them, for each node: its note is stored before
// its effect, and its resource and outputs before any node that depends on it starts. Whoever provisions or
// deprovisions holds the lease; the run document is written under its version, so that a process that lost the lease
// cannot write any more. Every other process only stores what is wanted, and waits.
//
// All times in documents are epoch milliseconds of the program's clock; time-outs and pauses are the machine's.
package provision

import "github.com/opensteward/steward/flow"

// Resource is one entry of resources_created.
type Resource = flow.Resource
