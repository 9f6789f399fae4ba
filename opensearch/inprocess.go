// SPDX-License-Identifier: Apache-2.0

package opensearch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/opensteward/steward/fault"
)

// InProcess calls a handler directly. Answers are buffered. A call returns with its context's error as soon as that is
// done, and leaves the handler to notice by itself; a handler that panics gives a 500.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

// RoundTrip runs the handler.
func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done := make(chan *recorder, 1)
	go func() { done <- p.run(ctx, req) }()
	select {
	case w := <-done:
		return w.response(req), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p inProcess) run(ctx context.Context, req *http.Request) (w *recorder) {
	w = &recorder{header: http.Header{}}
	defer func() {
		if v := recover(); v != nil {
			slog.ErrorContext(ctx, "a request handler panicked", "method", req.Method, "path", req.URL.Path,
				"panic", v, "stack", string(debug.Stack()))
			w = &recorder{header: http.Header{}}
			fault.Write(w, fmt.Errorf("panic: %v", v))
		}
	}()
	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	defer in.Body.Close()
	p.handler.ServeHTTP(w, in)
	return w
}

// recorder keeps an answer.
type recorder struct {
	status int
	header http.Header // what the handler sees
	sent   http.Header // what it was when the status was written
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(req *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	res := &http.Response{
		StatusCode: w.status, Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: http.NoBody, ContentLength: int64(w.body.Len()), Request: req,
	}
	if w.sent.Get("Content-Length") == "" && bodyAllowed(w.status) {
		w.sent.Set("Content-Length", strconv.Itoa(w.body.Len()))
	}
	if req.Method == http.MethodHead {
		// The length is that of the body a GET would have.
		if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
			res.ContentLength = n
		}
		return res
	}
	res.Body = io.NopCloser(bytes.NewReader(w.body.Bytes()))
	return res
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
