// SPDX-License-Identifier: Apache-2.0

package step

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// restInput is the type of a call as a resource: one that has a call which undoes it. Its id is that call,
// "DELETE /path".
const restInput = "rest_call"

var restOptions = []string{"configurations", "expected_status", "undo_method", "undo_path"}

// restNote is noted before a call is sent.
type restNote struct {
	Sent string `json:"sent"` // method and path
}

// restCall sends one call, if the setting lets it through. Without expected_status every 2xx is a success.
func restCall(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	call, err := restRequest(env, text(in, "method"), text(in, "path"))
	if err != nil {
		return Result{}, err
	}
	undo, err := restUndo(env, in)
	if err != nil {
		return Result{}, err
	}
	if err := checkExpected(text(in, "expected_status")); err != nil {
		return Result{}, err
	}
	if in.Has("configurations") {
		call.Body = json.RawMessage(text(in, "configurations"))
	}
	if err := env.Note(ctx, restNote{Sent: call.Method + " " + call.Path}); err != nil {
		return Result{}, err
	}
	status, _, body, err := env.Client.Send(ctx, call)
	if err != nil {
		return Result{}, safe(err, "Failed to call %s %s", call.Method, call.Path)
	}
	if !expected(text(in, "expected_status"), status) {
		cause := answered(status, body)
		return Result{}, failed(http.StatusBadRequest, cause, "%s %s answered %d %s: %s", call.Method, call.Path, status, cause.Type, cause.Reason)
	}
	return restMade(undo), nil
}

// answered is a cluster's answer as the cause of a failure: its own type and reason, else the beginning of its body.
func answered(status int, body []byte) *fault.Error {
	const shown = 1000
	var told struct{ Error struct{ Type, Reason string } }
	if json.Unmarshal(body, &told) == nil && told.Error.Type != "" {
		return fault.New(status, told.Error.Type, "%s", told.Error.Reason)
	}
	return fault.New(status, "unexpected_status", "%s", string(body[:min(len(body), shown)]))
}

func restMade(undo string) Result {
	if undo == "" {
		return Result{Outputs: flow.Outputs{}}
	}
	return Result{Outputs: flow.Outputs{restInput: undo}}
}

// restRequest checks a call against the list of those that are allowed.
func restRequest(env Env, method, path string) (opensearch.Call, error) {
	method = strings.ToUpper(method)
	path, query, _ := strings.Cut(path, "?")
	bad := !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, `\#%`) ||
		slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
	if bad {
		return opensearch.Call{}, failed(http.StatusBadRequest, nil, "The path [%s] of a call is none", path)
	}
	allowed := slices.ContainsFunc(env.RestCalls, func(pattern string) bool { return wire.Match(pattern, method+" "+path) })
	if !allowed {
		return opensearch.Call{}, failed(http.StatusForbidden, nil,
			"The call [%s %s] is not on the list of the setting [%s]", method, path, flow.RestCallSetting)
	}
	call := opensearch.Call{Method: method, Path: path}
	if query != "" {
		q, err := url.ParseQuery(query)
		if err != nil {
			return call, failed(http.StatusBadRequest, err, "The path [%s] of a call is none", path)
		}
		call.Query = q
	}
	return call, nil
}

// restUndo is the call that undoes this one, "" if there is none.
func restUndo(env Env, in flow.Inputs) (string, error) {
	if !in.Has("undo_path") {
		if in.Has("undo_method") {
			return "", failed(http.StatusBadRequest, nil, "Input [undo_method] needs [undo_path]")
		}
		return "", nil
	}
	method := text(in, "undo_method")
	if method == "" {
		method = http.MethodDelete
	}
	call, err := restRequest(env, method, text(in, "undo_path"))
	return call.Method + " " + text(in, "undo_path"), err
}

// checkExpected refuses a list that is none before anything is sent.
func checkExpected(list string) error {
	if list == "" {
		return nil
	}
	for s := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err != nil || n < 100 || n > 599 {
			return failed(http.StatusBadRequest, err, "Input [expected_status] has a status that is none: [%s]", strings.TrimSpace(s))
		}
	}
	return nil
}

// expected reports whether a status is the one, or one of those, that were named.
func expected(list string, status int) bool {
	if list == "" {
		return status/100 == 2
	}
	return slices.ContainsFunc(strings.Split(list, ","), func(s string) bool {
		return strings.TrimSpace(s) == strconv.Itoa(status)
	})
}

// lookRestCall lets a call be sent again if that does no harm. Of any other one nobody knows whether it arrived: it
// fails, and a person has to look.
func lookRestCall(_ context.Context, _ Env, in flow.Inputs, note json.RawMessage) (Result, error) {
	method := strings.ToUpper(text(in, "method"))
	if note == nil || method != http.MethodPost && method != http.MethodPatch {
		return Result{}, ErrNotMade
	}
	return Result{}, failed(http.StatusConflict, nil, "The end of %s %s was not seen, and it is not sent twice", method, text(in, "path"))
}

// undoRestCall sends the call that undoes another one.
func undoRestCall(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, restInput)
	method, path, _ := strings.Cut(id, " ")
	call, err := restRequest(env, method, path)
	if err != nil {
		return Result{}, err
	}
	if err := env.Client.Do(ctx, call, nil); err != nil && !fault.HasStatus(err, http.StatusNotFound) {
		return Result{}, safe(err, "Failed to call %s", id)
	}
	return Result{}, nil
}
