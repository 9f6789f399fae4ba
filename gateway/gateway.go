// SPDX-License-Identifier: Apache-2.0

// Package gateway is the front door: it listens, decides what is ours and what is the cluster's, and passes on the
// latter byte for byte.
//
// The choice is made on the raw path before anything could clean it. A request that one of the [API] values matches is
// answered here; every other one goes to the cluster as it came: path and query as they were written, the client's own
// headers and credentials, the body and the answer streamed, compressed answers left compressed. Only the headers that
// HTTP defines for a single connection are removed.
//
// Before a cluster that refuses anonymous callers ([Access]), our APIs answer only whom the cluster lets do anything.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/opensteward/steward/fault"
)

// API is a part of the paths that Steward serves itself.
type API struct {
	// Match reports whether an escaped path belongs to it.
	Match func(path string) bool
	// Handler answers.
	Handler http.Handler
}

// Options are what a gateway is made of.
type Options struct {
	// APIs are tried in order.
	APIs []API
	// Backend carries all other requests.
	Backend http.RoundTripper
	// Access says who may use the APIs; nil means everybody.
	Access *Access
	// Changing is called before a request is passed on that may change something, and what it returns after the answer;
	// nil means nobody wants to know. Neither must block.
	Changing func() (changed func())
	// MaxBody is the limit of a passed-on body in bytes, beyond which the answer is 413; 0 leaves it to the backend.
	MaxBody int64
	// Logger gets requests (debug), and failures that are not the caller's (error).
	Logger *slog.Logger
}

// Gateway is the front door as an http.Handler.
type Gateway struct {
	o     Options
	proxy http.Handler
	count atomic.Uint64
}

// New returns a gateway.
func New(o Options) *Gateway {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changing == nil {
		o.Changing = func() func() { return func() {} }
	}
	return &Gateway{o: o, proxy: newProxy(o)}
}

// ServeHTTP answers, or passes on.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := g.requestID(r)
	out := &response{ResponseWriter: w}
	begin := time.Now()
	defer func() {
		v := recover()
		if v != nil {
			g.panicked(out, r, id, v)
		}
		g.o.Logger.DebugContext(r.Context(), "request", "id", id, "method", r.Method, "path", r.URL.EscapedPath(),
			"status", out.status, "took", time.Since(begin))
	}()
	if api := g.ours(r); api != nil {
		g.serve(out, r, id, api)
		return
	}
	g.proxy.ServeHTTP(out, r)
}

// requestID is the client's X-Opaque-Id, or a number.
func (g *Gateway) requestID(r *http.Request) string {
	if id := r.Header.Get("X-Opaque-Id"); id != "" {
		return id
	}
	return strconv.FormatUint(g.count.Add(1), 10)
}

func (g *Gateway) ours(r *http.Request) http.Handler {
	path := r.URL.EscapedPath()
	for _, api := range g.o.APIs {
		if api.Match(path) {
			return api.Handler
		}
	}
	return nil
}

// serve answers a request of our own APIs.
func (g *Gateway) serve(w *response, r *http.Request, id string, api http.Handler) {
	if id := r.Header.Get("X-Opaque-Id"); id != "" {
		w.Header().Set("X-Opaque-Id", id)
	}
	if g.o.Access != nil {
		if err := g.o.Access.Check(r.Context(), r.Header); err != nil {
			fault.Write(w, err)
			return
		}
	}
	api.ServeHTTP(w, r)
	if w.status >= http.StatusInternalServerError {
		g.o.Logger.ErrorContext(r.Context(), "request failed", "id", id, "method", r.Method,
			"path", r.URL.EscapedPath(), "status", w.status)
	}
}

// panicked answers for a handler that panicked, if it had not begun to. http.ErrAbortHandler goes on to the server,
// which drops the connection: the client must see that an answer was cut off.
func (g *Gateway) panicked(w *response, r *http.Request, id string, v any) {
	if err, is := v.(error); is && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	g.o.Logger.ErrorContext(r.Context(), "a request handler panicked", "id", id, "method", r.Method,
		"path", r.URL.EscapedPath(), "panic", v, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	fault.Write(w, fmt.Errorf("panic: %v", v))
}

// response remembers the status.
type response struct {
	http.ResponseWriter
	status int
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush and hijack.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// gone reports whether the client went away, in which case nobody reads an answer.
func gone(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
