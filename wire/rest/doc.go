// SPDX-License-Identifier: Apache-2.0

// Package rest is the HTTP frame of every API that Steward serves itself: routing, parameters, bodies, answers.
//
// A [Router] chooses a [Handler] by method and raw path (nothing is cleaned, a trailing slash is ignored) and answers
// 405 with Allow, or 400 "no handler found", as OpenSearch does. A handler works in two phases, as OpenSearch's do:
// it reads parameters and body, changing nothing, and returns an [Action]; then a parameter whose value could not be
// taken is refused, before any error of the handler itself; then parameters that nobody read; then the action runs. The
// router writes the answer: filter_path, pretty, human, format=yaml, HEAD without a body.
package rest

import (
	"context"
	"net/http"
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
