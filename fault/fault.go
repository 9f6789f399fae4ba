// SPDX-License-Identifier: Apache-2.0

// Package fault is the one error type that reaches a client, and the one place that turns it into bytes.
//
// An [Error] carries what OpenSearch would send: an HTTP status, a wire type ("illegal_argument_exception") and a
// reason. Code below the HTTP layer returns it, wrapped or not, as an ordinary error; [Of] finds it again. An error
// that is not a fault is an internal one: it is logged, and the client sees only that something failed.
package fault

import (
	"errors"
	"fmt"
	"net/http"
)

// Form says which of OpenSearch's error bodies an error takes.
type Form int

const (
	// Envelope is the usual form: {"error":{"root_cause":[...],"type":...,"reason":...},"status":400}.
	Envelope Form = iota
	// Plain is {"error":"reason","status":405}, as core answers before a handler is chosen.
	Plain
	// PlainNoStatus is {"error":"reason"}: an unknown path, and all errors of the Flow Framework API.
	PlainNoStatus
	// Text is the reason alone as text/plain.
	Text
)

// Field is one more member of an error object, such as "index" or "line".
type Field struct {
	Name  string
	Value any
}

// Error is a failure that a client may see.
type Error struct {
	// Status is the HTTP status; 0 means 500.
	Status int
	// Type is the wire type; "" means "exception".
	Type string
	// Reason is the sentence for the caller.
	Reason string
	// Fields follow type and reason in the error object, in this order, in root_cause too.
	Fields []Field
	// Roots are the root causes, if they are not this error itself.
	Roots []*Error
	// CausedBy is printed outside root_cause only.
	CausedBy *Error
	// Form is the shape of the body.
	Form Form
	// Header is added to the response (Allow of a 405).
	Header http.Header
	// Err is for the log and is never sent.
	Err error

	unsupported bool
}

// Error returns the type and the reason, and for the log the cause.
func (e *Error) Error() string {
	s := e.Reason
	if e.Type != "" {
		s = e.Type + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports that a refusal of [Unsupported] is [errors.ErrUnsupported].
func (e *Error) Is(target error) bool { return e.unsupported && target == errors.ErrUnsupported }

// Unwrap returns the error behind this one.
func (e *Error) Unwrap() error { return e.Err }

// With returns e with one more field.
func (e *Error) With(name string, value any) *Error {
	e.Fields = append(e.Fields, Field{name, value})
	return e
}

// Field returns the value of a field, or nil.
func (e *Error) Field(name string) any {
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// New returns an error of any status and type.
func New(status int, typ, format string, args ...any) *Error {
	return &Error{Status: status, Type: typ, Reason: fmt.Sprintf(format, args...)}
}

// Illegal is a 400 illegal_argument_exception.
func Illegal(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "illegal_argument_exception", format, args...)
}

// Parse is a 400 parse_exception (time, bytes, missing body).
func Parse(format string, args ...any) *Error {
	return New(http.StatusBadRequest, "parse_exception", format, args...)
}

// Parsing is a 400 parsing_exception at a place in the body (1-based line and column).
func Parsing(line, col int, format string, args ...any) *Error {
	return New(http.StatusBadRequest, "parsing_exception", format, args...).With("line", line).With("col", col)
}

// Validation is a 400 action_request_validation_exception: "Validation Failed: 1: a;2: b;".
func Validation(messages ...string) *Error {
	return New(http.StatusBadRequest, "action_request_validation_exception", "%s", Numbered(messages...))
}

// Numbered joins messages the way OpenSearch numbers validation errors: "Validation Failed: 1: a;2: b;".
func Numbered(messages ...string) string {
	s := "Validation Failed: "
	for i, m := range messages {
		s += fmt.Sprintf("%d: %s;", i+1, m)
	}
	return s
}

// Status is a status_exception of the given status.
func Status(status int, format string, args ...any) *Error {
	return New(status, "status_exception", format, args...)
}

// IllegalState is a 500 illegal_state_exception.
func IllegalState(format string, args ...any) *Error {
	return New(http.StatusInternalServerError, "illegal_state_exception", format, args...)
}

// IndexNotFound is the 404 index_not_found_exception. resourceType is "index_or_alias" for a name in a request's path
// and "index_expression" for a name the server itself looked for.
func IndexNotFound(name, resourceType string) *Error {
	return New(http.StatusNotFound, "index_not_found_exception", "no such index [%s]", name).
		With("index", name).With("resource.id", name).With("resource.type", resourceType).With("index_uuid", "_na_")
}

// Conflict is the 409 version_conflict_engine_exception of a document.
func Conflict(index, indexUUID string, shard int, format string, args ...any) *Error {
	return New(http.StatusConflict, "version_conflict_engine_exception", format, args...).
		With("index", index).With("shard", fmt.Sprint(shard)).With("index_uuid", indexUUID)
}

// Unsupported is the 400 for a feature of OpenSearch that this engine does not have. It names the feature, and is
// [errors.ErrUnsupported] too.
func Unsupported(feature string) *Error {
	e := Illegal("%s is not supported by the embedded engine", feature)
	e.unsupported = true
	return e
}

// Of returns the fault in err's chain. An error without one becomes a 500 that hides its text from the client.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Type: "exception", Reason: "internal error", Err: err}
}

// Is reports whether err is a fault of this wire type.
func Is(err error, typ string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Type == typ
}

// HasStatus reports whether err is a fault of this HTTP status.
func HasStatus(err error, status int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.status() == status
}

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusInternalServerError
	}
	return e.Status
}
