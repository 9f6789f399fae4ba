// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// newProxy returns the handler that passes requests on.
func newProxy(o Options) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:       rewrite,
		Transport:     o.Backend,
		FlushInterval: -1, // an answer is streamed as it comes
		ErrorLog:      slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		ErrorHandler:  func(w http.ResponseWriter, r *http.Request, err error) { passingFailed(o, w, r, err) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.MaxBody > 0 {
			if r.ContentLength > o.MaxBody {
				fault.Write(w, tooLarge(o.MaxBody))
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, o.MaxBody)
		}
		// The backend's answer stands as it is: net/http shall not add these.
		w.Header()["Date"], w.Header()["Content-Type"] = nil, nil
		if mayChange(r) {
			defer o.Changing()()
		}
		proxy.ServeHTTP(w, r)
	})
}

// rewrite undoes what ReverseProxy does to a request beyond removing the headers of the connection.
func rewrite(pr *httputil.ProxyRequest) {
	pr.Out.URL.Scheme, pr.Out.URL.Host = "http", "cluster" // replaced by whoever carries it
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery               // semicolons and all
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, set := pr.In.Header[name]; set {
			pr.Out.Header[name] = v
		}
	}
	// A path with characters that net/url would escape is sent as it was written.
	path, _, _ := strings.Cut(pr.In.RequestURI, "?")
	if path != pr.In.URL.EscapedPath() && strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		pr.Out.URL.Opaque = path
	}
	opensearch.Anonymous(pr.Out.Header) // the client's own credentials, or none
}

// passingFailed answers for a backend that did not.
func passingFailed(o Options, w http.ResponseWriter, r *http.Request, err error) {
	if gone(r.Context()) {
		panic(http.ErrAbortHandler)
	}
	if tooBig, is := errors.AsType[*http.MaxBytesError](err); is {
		fault.Write(w, tooLarge(tooBig.Limit))
		return
	}
	o.Logger.ErrorContext(r.Context(), "the cluster did not answer", "method", r.Method, "path", r.URL.EscapedPath(),
		"error", err)
	e := fault.New(http.StatusServiceUnavailable, "transport_exception", "no answer from the cluster")
	e.Err = err
	fault.Write(w, e)
}

func tooLarge(limit int64) error {
	return fault.New(http.StatusRequestEntityTooLarge, "content_too_large_exception",
		"the request body is larger than [%d] bytes", limit)
}

// readers are the endpoints that are called with POST but change nothing.
var readers = []string{
	"_search", "_msearch", "_count", "_mget", "_explain", "_field_caps", "_validate", "_analyze", "_termvectors",
	"_mtermvectors", "_rank_eval", "_render", "_simulate", "_pit",
}

// mayChange reports whether a request may have changed something that a policy looks at.
func mayChange(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return false
	}
	for segment := range strings.SplitSeq(r.URL.EscapedPath(), "/") {
		if slices.Contains(readers, segment) {
			return false
		}
	}
	return true
}
