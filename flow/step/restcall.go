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
// "DELETE /path", or "PUT /path#body" if it has a body.
const restInput = "rest_call"

// undoBody ends the id of an undoing call that has a body. The body may hold secrets: it is kept with the node's outputs.
const undoBody = "#body"

// undoOutput is the output that keeps what an undoing call needs besides its id. No placeholder can name it.
const undoOutput = "rest_call.undo"

var restOptions = []string{
	"configurations", "expected_status", "undo_method", "undo_path", "undo_configurations", "undo_expected_status",
}

// restNote is noted before a call is sent.
type restNote struct {
	Sent string `json:"sent"` // method and path
}

// restCall sends one call, if the setting lets it through. Without expected_status every 2xx is a success.
func restCall(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	call, made, err := restPlan(env, in)
	if err != nil {
		return Result{}, err
	}
	if err := env.Note(ctx, restNote{Sent: call.Method + " " + call.Path}); err != nil {
		return Result{}, err
	}
	status, _, body, err := env.Client.Send(ctx, call)
	if err != nil {
		return Result{}, safe(err, "Failed to call %s %s", call.Method, call.Path)
	}
	if !expected(text(in, "expected_status"), status) {
		return Result{}, unexpected(call, status, body)
	}
	return made, nil
}

// restPlan is the call of a node, and what it gives once it is sent.
func restPlan(env Env, in flow.Inputs) (opensearch.Call, Result, error) {
	call, err := restRequest(env, text(in, "method"), text(in, "path"))
	if err != nil {
		return call, Result{}, err
	}
	made, err := restMade(env, in)
	if err != nil {
		return call, Result{}, err
	}
	if in.Has("configurations") {
		call.Body = json.RawMessage(text(in, "configurations"))
	}
	return call, made, checkExpected(in, "expected_status")
}

// checkRestCall refuses a call that would not be sent.
func checkRestCall(env Env, in flow.Inputs) error {
	_, _, err := restPlan(env, in)
	return err
}

// unexpected is the failure of a call whose answer has another status than it should.
func unexpected(call opensearch.Call, status int, body []byte) error {
	cause := answered(status, body)
	return failed(http.StatusBadRequest, cause, "%s %s answered %d %s: %s", call.Method, call.Path, status, cause.Type, cause.Reason)
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

// restUndo is what an undoing call needs besides its method and path.
type restUndo struct {
	Body     string `json:"body,omitempty"`
	Expected string `json:"expected_status,omitempty"`
}

// restMade is the result of a call: the call that undoes it, if there is one.
func restMade(env Env, in flow.Inputs) (Result, error) {
	none := Result{Outputs: flow.Outputs{}}
	if !in.Has("undo_path") {
		for _, name := range []string{"undo_method", "undo_configurations", "undo_expected_status"} {
			if in.Has(name) {
				return none, failed(http.StatusBadRequest, nil, "Input [%s] needs [undo_path]", name)
			}
		}
		return none, nil
	}
	method := text(in, "undo_method")
	if method == "" {
		method = http.MethodDelete
	}
	call, err := restRequest(env, method, text(in, "undo_path"))
	if err != nil {
		return none, err
	}
	if err := checkExpected(in, "undo_expected_status"); err != nil {
		return none, err
	}
	id, undo := call.Method+" "+text(in, "undo_path"), restUndo{text(in, "undo_configurations"), text(in, "undo_expected_status")}
	if undo.Body != "" {
		id += undoBody
	}
	made := Result{Outputs: flow.Outputs{restInput: id}}
	if undo != (restUndo{}) {
		kept, err := json.Marshal(undo)
		made.Outputs[undoOutput] = string(kept)
		return made, err
	}
	return made, nil
}

// checkExpected refuses a list that is none before anything is sent.
func checkExpected(in flow.Inputs, name string) error {
	list := text(in, name)
	if list == "" {
		return nil
	}
	for s := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(s)); err != nil || n < 100 || n > 599 {
			return failed(http.StatusBadRequest, err, "Input [%s] has a status that is none: [%s]", name, strings.TrimSpace(s))
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

// undoRestCall sends the call that undoes another one. Without undo_expected_status every 2xx is a success, and 404:
// what is gone is undone.
func undoRestCall(ctx context.Context, env Env, in flow.Inputs) (Result, error) {
	id := text(in, restInput)
	method, path, _ := strings.Cut(id, " ")
	path, hasBody := strings.CutSuffix(path, undoBody)
	call, err := restRequest(env, method, path)
	if err != nil {
		return Result{}, err
	}
	var undo restUndo
	if kept, ok := env.Gave[undoOutput].(string); ok {
		if err := json.Unmarshal([]byte(kept), &undo); err != nil {
			return Result{}, failed(http.StatusInternalServerError, err, "Failed to call %s", id)
		}
	}
	if hasBody {
		if undo.Body == "" {
			return Result{}, failed(http.StatusConflict, nil, "The body of %s is not known any more, and it is not sent without", id)
		}
		call.Body = json.RawMessage(undo.Body)
	}
	status, _, body, err := env.Client.Send(ctx, call)
	if err != nil {
		return Result{}, safe(err, "Failed to call %s", id)
	}
	if !expected(undo.Expected, status) && (undo.Expected != "" || status != http.StatusNotFound) {
		return Result{}, unexpected(call, status, body)
	}
	return Result{}, nil
}
