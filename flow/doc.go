// SPDX-License-Identifier: Apache-2.0

// Package flow holds workflow templates: parsing and printing them, ordering their nodes, checking them, and filling
// in their inputs.
//
// A [Template] is a parsed document; its "provision" [Workflow] is a graph of [Node]s. [Plan] orders the nodes and
// names every mistake; [Resolve] finds a node's inputs in what its predecessors made, the workflow's user_params and its
// own user_inputs, and substitutes ${{ placeholders }}. [Steps] is what each step type needs and gives.
//
// Nothing in this package reads a clock, touches storage or the network, or starts a goroutine. Errors are those of
// OpenSearch's Flow Framework plugin, {"error":"..."}; a behaviour that differs on purpose says so, and
// docs/differences.md lists it.
package flow

import (
	"net/http"

	"github.com/opensteward/steward/fault"
)

// Errorf is an error of the Flow Framework API: {"error":"..."} with this status.
func Errorf(status int, format string, args ...any) *fault.Error {
	e := fault.New(status, "flow_framework_exception", format, args...)
	e.Form = fault.PlainNoStatus
	return e
}

func badRequest(format string, args ...any) *fault.Error {
	return Errorf(http.StatusBadRequest, format, args...)
}
