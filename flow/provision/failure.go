// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
)

// NodeError is the failure of one node.
type NodeError struct {
	Node string
	Err  error
}

// Error is the text that the plugin stores in a workflow's state.
func (e *NodeError) Error() string {
	class, message, status := e.parts()
	if message != "" {
		class += " during step " + e.Node + ", " + message
	} else {
		class += " during step " + e.Node
	}
	return fmt.Sprintf("%s, restStatus: %s", class, statusName(status))
}

// onReprovision is the text that the plugin stores when a changed template fails: without the name of a class.
func (e *NodeError) onReprovision() string {
	_, message, status := e.parts()
	if message == "" {
		message = "java.util.concurrent.TimeoutException"
	}
	return fmt.Sprintf("%s during step %s, restStatus: %s", message, e.Node, statusName(status))
}

func (e *NodeError) parts() (class, message string, status int) {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return "TimeoutException", "", http.StatusInternalServerError
	}
	f := fault.Of(e.Err)
	if f.Type == step.Class {
		return "WorkflowStepException", f.Reason + hiddenCause(f), f.Status
	}
	return "FlowFrameworkException", f.Reason, f.Status
}

// hiddenCause is what the cluster said where the step's own words do not tell it: the plugin leaves it out.
func hiddenCause(f *fault.Error) string {
	cause := clusterFault(f.Err)
	if cause == nil || f.Status != http.StatusInternalServerError || cause.Reason == f.Reason {
		return ""
	}
	return fmt.Sprintf(" (%d %s: %s)", cause.Status, cause.Type, cause.Reason)
}

// Unwrap returns the failure itself.
func (e *NodeError) Unwrap() error { return e.Err }

// status is the status of an answer that tells of the failure.
func (e *NodeError) status() int {
	_, _, status := e.parts()
	return status
}

// statusName is OpenSearch's name of a status: BAD_REQUEST.
func statusName(status int) string {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
}

// passing reports whether an error comes from a passing weakness of the cluster, so that trying again may help: no
// answer, or an answer that says "not now".
func passing(err error) bool {
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		f, is := cause.(*fault.Error) //nolint:errorlint // each link of the chain is looked at by itself
		if !is {
			continue
		}
		switch f.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
	}
	return false
}

func flowError(err error, status int, format string, args ...any) error {
	e := flow.Errorf(status, format, args...)
	e.Err = err
	return e
}
