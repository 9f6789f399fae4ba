// SPDX-License-Identifier: Apache-2.0

// Package rest is the HTTP frame of every API that Steward serves itself: routing, parameters, bodies, answers.
//
// A [Router] chooses a [Handler] by method and raw path (nothing is cleaned, a trailing slash is ignored) and answers
// 405 with Allow, or 400 "no handler found", as OpenSearch does. A handler works in two phases, as OpenSearch's do:
// it reads parameters and body and returns an [Action]; then parameters that nobody read are refused; then the action
// runs. The router writes the answer: filter_path, pretty, human, format=yaml, HEAD without a body.
package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/opensteward/steward/wire"
)

// Handler reads a request. An error it returns is answered as it is; see package fault.
type Handler func(r *Request) (Action, error)

// Action does what a request asks for.
type Action func(ctx context.Context) (*Response, error)

// Response is an answer. Body is marshalled as JSON unless it is a []byte, which is sent as it is with ContentType.
type Response struct {
	Status      int // 0 means 200
	Body        any
	ContentType string // "" means application/json; charset=UTF-8
	Header      http.Header
}

// OK is a 200 with this body.
func OK(body any) *Response { return &Response{Status: http.StatusOK, Body: body} }

// Now wraps an answer that needs no second phase.
func Now(r *Response) Action {
	return func(context.Context) (*Response, error) { return r, nil }
}

// Router chooses handlers. It is safe for concurrent use once all routes are added.
type Router struct{}

// NewRouter returns an empty router. version is what a deprecation warning names ("3.4.0").
func NewRouter(version string) *Router { panic("stub") }

// Handle adds a route. A pattern is a path with {name} segments ("/_plugins/_ism/policies/{policyID}"); a literal
// segment wins over a name, with backtracking. Segments are unescaped after the split, so an id may hold %2F. A GET
// route also serves HEAD unless HEAD has a route of its own. The same pattern and method twice panics.
func (rt *Router) Handle(method, pattern string, h Handler) { panic("stub") }

// Deprecated adds the route of Handle under an old pattern too, which answers with a Warning header that names both
// templates (ISM notes, section 1.2).
func (rt *Router) Deprecated(method, oldPattern, pattern string, h Handler) { panic("stub") }

// MaxBody is the limit of a request body in bytes; 0 means 100 MiB (http.max_content_length of OpenSearch). Larger
// bodies are a 413.
func (rt *Router) MaxBody(n int64) { panic("stub") }

// Match reports whether some route's pattern fits the path, whatever the method.
func (rt *Router) Match(path string) bool { panic("stub") }

// ServeHTTP answers.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("stub") }

// Request is one request as a handler sees it. Reading a parameter marks it as known.
type Request struct {
	HTTP *http.Request
	// Pattern is the route's template.
	Pattern string
}

// Path is a path parameter, unescaped; a query parameter of the same name stands in where the path has none. "" if
// absent.
func (r *Request) Path(name string) string { panic("stub") }

// Has reports whether a query or path parameter was given, and marks it as read.
func (r *Request) Has(name string) bool { panic("stub") }

// Param is a query (or path) parameter, or def. Parameters are separated by & or ;.
func (r *Request) Param(name, def string) string { panic("stub") }

// List is a comma-separated parameter; nil if absent or empty.
func (r *Request) List(name string) []string { panic("stub") }

// Bool is a boolean parameter (empty means true): "Failed to parse value [x] as only [true] or [false] are allowed."
func (r *Request) Bool(name string, def bool) (bool, error) { panic("stub") }

// Int is an int parameter: "Failed to parse int parameter [size] with value [abc]".
func (r *Request) Int(name string, def int) (int, error) { panic("stub") }

// Long is a long parameter.
func (r *Request) Long(name string, def int64) (int64, error) { panic("stub") }

// Duration is a time value parameter.
func (r *Request) Duration(name string, def time.Duration) (time.Duration, error) { panic("stub") }

// ManagerTimeout reads cluster_manager_timeout and its deprecated alias master_timeout (both: parse_exception), default
// 30 s, and adds the Warning header for the alias.
func (r *Request) ManagerTimeout() (time.Duration, error) { panic("stub") }

// Refresh reads refresh: "true" (or empty), "false" or "wait_for"; else 400 "Unknown value for refresh: [foo]."
func (r *Request) Refresh(def string) (string, error) { panic("stub") }

// IndexOptions reads expand_wildcards, ignore_unavailable and allow_no_indices over the defaults of the call.
func (r *Request) IndexOptions(def wire.IndexOptions) (wire.IndexOptions, error) { panic("stub") }

// Ignore marks parameters as known that have no effect here.
func (r *Request) Ignore(names ...string) { panic("stub") }

// Human reports ?human=true.
func (r *Request) Human() bool { panic("stub") }

// HasBody reports whether the request has a body.
func (r *Request) HasBody() bool { panic("stub") }

// Body is the body as JSON (a YAML body is converted). Without a Content-Type, or with one that is not supported: 406;
// without a body: nil.
func (r *Request) Body() (json.RawMessage, error) { panic("stub") }

// RawBody is the body as it came, for newline-delimited JSON.
func (r *Request) RawBody() ([]byte, error) { panic("stub") }

// RequireBody is Body, or 400 parse_exception "request body is required".
func (r *Request) RequireBody() (json.RawMessage, error) { panic("stub") }

// Warn adds a deprecation warning to the answer.
func (r *Request) Warn(text string) { panic("stub") }
