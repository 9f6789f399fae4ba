// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
)

// defaultMaxBody is OpenSearch's http.max_content_length.
const defaultMaxBody = 100 << 20

// Router chooses handlers. It is safe for concurrent use once all routes are added.
type Router struct {
	root    *node
	version string
	maxBody int64
	logger  *slog.Logger
}

// node is one segment of the tree of patterns.
type node struct {
	literals map[string]*node
	params   []*param
	pattern  string
	routes   map[string]*route // by method; nil if no pattern ends here
	methods  []string          // in the order they were added
}

type param struct {
	name string
	node *node
}

type route struct {
	handler Handler
	pattern string
	// instead is the pattern that a deprecated one stands for.
	instead string
}

// NewRouter returns an empty router. version is what a deprecation warning names ("3.4.0").
func NewRouter(version string) *Router {
	return &Router{root: &node{}, version: version, maxBody: defaultMaxBody, logger: slog.Default()}
}

// MaxBody is the limit of a request body in bytes. Larger bodies are a 413.
func (rt *Router) MaxBody(n int64) { rt.maxBody = n }

// Logger sets where failures of the server are logged; the default is slog's.
func (rt *Router) Logger(l *slog.Logger) { rt.logger = l }

// Handle adds a route. A pattern is a path with {name} segments ("/_plugins/_ism/policies/{policyID}"); a literal
// segment wins over a name, whatever the method, unless it leads nowhere. Segments are unescaped after the split, so an
// id may hold %2F. A GET route also serves HEAD unless HEAD has a route of its own. The same pattern and method twice
// panics.
func (rt *Router) Handle(method, pattern string, h Handler) {
	rt.add(method, pattern, &route{handler: h, pattern: pattern})
}

// Deprecated adds the route of Handle under an old pattern too, which answers with a Warning header that names both
// templates.
func (rt *Router) Deprecated(method, oldPattern, pattern string, h Handler) {
	rt.add(method, oldPattern, &route{handler: h, pattern: oldPattern, instead: pattern})
}

func (rt *Router) add(method, pattern string, r *route) {
	n := rt.root
	for _, segment := range segments(pattern) {
		n = n.child(segment)
	}
	if n.routes == nil {
		n.routes = map[string]*route{}
		n.pattern = pattern
	}
	if n.routes[method] != nil {
		panic(fmt.Sprintf("route %s %s is added twice", method, pattern))
	}
	n.routes[method] = r
	n.methods = append(n.methods, method)
}

func (n *node) child(segment string) *node {
	if name, ok := strings.CutPrefix(segment, "{"); ok {
		name = strings.TrimSuffix(name, "}")
		for _, p := range n.params {
			if p.name == name {
				return p.node
			}
		}
		p := &param{name, &node{}}
		n.params = append(n.params, p)
		return p.node
	}
	if n.literals == nil {
		n.literals = map[string]*node{}
	}
	if n.literals[segment] == nil {
		n.literals[segment] = &node{}
	}
	return n.literals[segment]
}

// segments splits an escaped path. As in OpenSearch an empty segment counts, but not at the end: a name may be empty.
func segments(path string) []string {
	path = strings.TrimRight(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// pathValue is one path parameter.
type pathValue struct{ name, value string }

// match is a pattern that fits a path.
type match struct {
	node   *node
	values []pathValue
}

// matches appends the patterns that fit best: a name stands only where no literal segment leads to a pattern. They
// differ in their names alone.
func (n *node) matches(rest []string, values []pathValue, list []match) []match {
	if len(rest) == 0 {
		if n.routes != nil {
			list = append(list, match{n, values})
		}
		return list
	}
	if next := n.literals[rest[0]]; next != nil {
		if found := next.matches(rest[1:], values, list); len(found) > len(list) {
			return found
		}
	}
	for _, p := range n.params {
		list = p.node.matches(rest[1:], append(slices.Clip(values), pathValue{p.name, rest[0]}), list)
	}
	return list
}

// Match reports whether some route's pattern fits the escaped path, whatever the method.
func (rt *Router) Match(path string) bool {
	return len(rt.root.matches(segments(path), nil, nil)) > 0
}

// find chooses a route. allowed are the methods of the patterns that fit where none has the method.
func (rt *Router) find(method, path string) (r *route, values []pathValue, allowed []string) {
	for _, m := range rt.root.matches(segments(path), nil, nil) {
		r = m.node.routes[method]
		if r == nil && method == http.MethodHead {
			r = m.node.routes[http.MethodGet]
		}
		if r != nil {
			return r, m.values, nil
		}
		for _, other := range m.node.methods {
			if !slices.Contains(allowed, other) {
				allowed = append(allowed, other)
			}
		}
	}
	return nil, nil, allowed
}

// ServeHTTP answers. What is wrong with a body's type is told before anything is asked of a handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &writer{w: w, head: r.Method == http.MethodHead, logger: rt.logger}
	w.Header().Set("X-OpenSearch-Version", "OpenSearch/"+rt.version+" (opensearch)")
	if id := r.Header.Get("X-Opaque-Id"); id != "" {
		w.Header().Set("X-Opaque-Id", id)
	}
	defer func() {
		if p := recover(); p != nil {
			if err, is := p.(error); is && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			rt.logger.Error("handler panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			out.error(&fault.Error{Status: 500, Type: "exception", Reason: "internal error"})
		}
	}()
	kind, err := contentKind(r.Header)
	if err != nil {
		out.error(err)
		return
	}
	path := r.URL.EscapedPath()
	found, values, allowed := rt.find(r.Method, path)
	if found == nil {
		if r.Method == http.MethodOptions && len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ","))
			w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
			w.WriteHeader(http.StatusOK)
			return
		}
		out.error(notFound(r, allowed))
		return
	}
	req, err := newRequest(r, found, values, rt.maxBody)
	if err != nil {
		out.error(err)
		return
	}
	req.version, req.kind = rt.version, kind
	if found.instead != "" {
		req.Warn(deprecation(r.Method, found))
	}
	rt.serve(out, req, found.handler)
}

func (rt *Router) serve(out *writer, req *Request, h Handler) {
	out.req = req
	if err := req.checkContent(); err != nil {
		out.error(err)
		return
	}
	action, err := h(req)
	if req.err != nil {
		err = req.err // met before whatever the handler made of the default in its place
	}
	if err == nil {
		err = req.refuseUnread()
	}
	if err != nil {
		out.error(err)
		return
	}
	res, err := action(req.HTTP.Context())
	if err != nil {
		out.error(err)
		return
	}
	out.response(res)
}

// deprecation is the text of the Warning header of a deprecated path.
func deprecation(method string, r *route) string {
	return fmt.Sprintf("[%s %s] is deprecated! Use [%s %s] instead.", method, r.pattern, method, r.instead)
}

func notFound(r *http.Request, allowed []string) error {
	uri := r.URL.RequestURI()
	if len(allowed) == 0 {
		e := fault.New(http.StatusBadRequest, "", "no handler found for uri [%s] and method [%s]", uri, r.Method)
		e.Form = fault.PlainNoStatus
		return e
	}
	e := fault.New(http.StatusMethodNotAllowed, "", "Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]",
		uri, r.Method, strings.Join(allowed, ", "))
	e.Form = fault.Plain
	e.Header = http.Header{"Allow": {strings.Join(allowed, ",")}}
	return e
}

// unescape undoes percent encoding in one path segment.
func unescape(segment string) (string, error) {
	s, err := url.PathUnescape(segment)
	if err != nil {
		return "", fault.Illegal("unterminated escape sequence at end of string: %s", segment)
	}
	return s, nil
}
