// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// everywhere are the parameters that every route accepts.
var everywhere = []string{"pretty", "human", "error_trace", "format", "filter_path"}

// Request is one request as a handler sees it. Reading a parameter marks it as known. A value that its reader cannot
// take (a boolean that is none, say) is the request's answer: the reader gives the default, the handler goes on, and the
// router answers with the first such failure instead of running the action.
type Request struct {
	HTTP *http.Request
	// Pattern is the route's template.
	Pattern string

	path     map[string]string
	query    map[string]string
	read     map[string]bool
	order    []string // names read, in order, for suggestions
	warnings []string
	version  string
	kind     string // the body's media type
	maxBody  int64
	body     []byte
	bodyErr  error
	bodyRead bool
	err      error // of the first parameter that could not be read
}

func newRequest(r *http.Request, found *route, values []pathValue, maxBody int64) (*Request, error) {
	req := &Request{
		HTTP: r, Pattern: found.pattern, maxBody: maxBody,
		path: map[string]string{}, query: map[string]string{}, read: map[string]bool{},
	}
	for _, v := range values {
		text, err := unescape(v.value)
		if err != nil {
			return nil, err
		}
		req.path[v.name] = text
	}
	if err := parseQuery(r.URL.RawQuery, req.query); err != nil {
		return nil, err
	}
	return req, req.checkFlags()
}

// checkFlags refuses values of pretty and human that are no booleans, before anything else is looked at.
func (r *Request) checkFlags() error {
	for _, name := range []string{"pretty", "human"} {
		if v := r.query[name]; v != "" {
			if _, err := wire.ParseBool(v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Request) lookUp(name string) (string, bool) {
	r.mark(name)
	if v, ok := r.path[name]; ok {
		return v, true
	}
	v, ok := r.query[name]
	return v, ok
}

func (r *Request) mark(name string) {
	if !r.read[name] {
		r.read[name] = true
		r.order = append(r.order, name)
	}
}

// Path is a path parameter, unescaped; a query parameter of the same name stands in where the path has none. "" if
// absent.
func (r *Request) Path(name string) string {
	v, _ := r.lookUp(name)
	return v
}

// Has reports whether a query or path parameter was given, and marks it as read.
func (r *Request) Has(name string) bool {
	_, ok := r.lookUp(name)
	return ok
}

// Param is a query (or path) parameter, or def. Parameters are separated by & or ;.
func (r *Request) Param(name, def string) string {
	if v, ok := r.lookUp(name); ok {
		return v
	}
	return def
}

// List is a comma-separated parameter; nil if absent or empty.
func (r *Request) List(name string) []string {
	if v, ok := r.lookUp(name); ok && v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

// fail notes that a parameter could not be read.
func (r *Request) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Bool is a boolean parameter (empty means true): "Failed to parse value [x] as only [true] or [false] are allowed."
func (r *Request) Bool(name string, def bool) bool {
	on, err := r.boolean(name, def)
	if err != nil {
		r.fail(err)
	}
	return on
}

func (r *Request) boolean(name string, def bool) (bool, error) {
	v, ok := r.lookUp(name)
	switch {
	case !ok:
		return def, nil
	case v == "":
		return true, nil
	}
	on, err := wire.ParseBool(v)
	if err != nil {
		return def, err
	}
	return on, nil
}

// Int is an int parameter: "Failed to parse int parameter [size] with value [abc]".
func (r *Request) Int(name string, def int) int { return int(r.integer(name, int64(def), "int", 32)) }

// Long is a long parameter.
func (r *Request) Long(name string, def int64) int64 { return r.integer(name, def, "long", 64) }

func (r *Request) integer(name string, def int64, kind string, bits int) int64 {
	v, ok := r.lookUp(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(v, 10, bits)
	if err != nil {
		e := fault.Illegal("Failed to parse %s parameter [%s] with value [%s]", kind, name, v)
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", v)
		r.fail(e)
		return def
	}
	return n
}

// Duration is a time value parameter.
func (r *Request) Duration(name string, def time.Duration) time.Duration {
	v, ok := r.lookUp(name)
	if !ok {
		return def
	}
	d, err := wire.ParseDuration(v, name)
	if err != nil {
		r.fail(err)
		return def
	}
	return d.Value()
}

// ManagerTimeout reads cluster_manager_timeout and its deprecated alias master_timeout (both: parse_exception), default
// 30 s, and adds the Warning header for the alias.
func (r *Request) ManagerTimeout() time.Duration {
	timeout := r.Duration("cluster_manager_timeout", 30*time.Second)
	if !r.Has("master_timeout") {
		return timeout
	}
	if r.Has("cluster_manager_timeout") {
		r.fail(fault.Parse("Please only use one of the request parameters [master_timeout, cluster_manager_timeout]."))
		return timeout
	}
	r.Warn("Parameter [master_timeout] is deprecated and will be removed in 3.0. To support inclusive language, please use [cluster_manager_timeout] instead.")
	return r.Duration("master_timeout", timeout)
}

// Refresh reads refresh: "true" (or empty), "false" or "wait_for"; else 400 "Unknown value for refresh: [foo]."
func (r *Request) Refresh(def string) string {
	switch v, ok := r.lookUp("refresh"); {
	case !ok:
		return def
	case v == "" || v == "true":
		return "true"
	case v == "false" || v == "wait_for":
		return v
	default:
		r.fail(fault.Illegal("Unknown value for refresh: [%s].", v))
		return def
	}
}

// IndexOptions reads expand_wildcards, ignore_unavailable and allow_no_indices over the defaults of the call.
func (r *Request) IndexOptions(def wire.IndexOptions) wire.IndexOptions {
	o := def
	if r.Has("expand_wildcards") {
		if err := o.Expand(r.List("expand_wildcards")); err != nil {
			r.fail(err)
		}
	}
	o.IgnoreUnavailable = r.indexBool("ignore_unavailable", def.IgnoreUnavailable)
	o.AllowNoIndices = r.indexBool("allow_no_indices", def.AllowNoIndices)
	return o
}

// indexBool is Bool with the words of index options.
func (r *Request) indexBool(name string, def bool) bool {
	on, err := r.boolean(name, def)
	if err != nil {
		e := fault.Illegal("Could not convert [%s] to boolean", name)
		e.CausedBy = fault.Of(err)
		r.fail(e)
	}
	return on
}

// Ignore marks parameters as known that have no effect here.
func (r *Request) Ignore(names ...string) {
	for _, n := range names {
		r.mark(n)
	}
}

// IgnoreBools marks boolean parameters as known that have no effect here. A value that is no boolean is refused all the
// same.
func (r *Request) IgnoreBools(names ...string) {
	for _, n := range names {
		r.Bool(n, false)
	}
}

// Unread are the query parameters that nobody has read, by name; they are marked as read. It is for routes to which
// every parameter is welcome.
func (r *Request) Unread() map[string]string {
	out := map[string]string{}
	for name, v := range r.query {
		if !r.read[name] && !slices.Contains(everywhere, name) {
			r.mark(name)
			out[name] = v
		}
	}
	return out
}

// Human reports ?human=true.
func (r *Request) Human() bool { return r.flag("human") }

// PreferPretty indents the answer unless the request says pretty=false.
func (r *Request) PreferPretty() {
	if _, given := r.query["pretty"]; !given {
		r.query["pretty"] = "true"
	}
}

func (r *Request) flag(name string) bool {
	v, ok := r.query[name]
	return ok && (v == "" || v == "true")
}

// yamlAnswer reports whether the client wants YAML: by format, else Accept, else the body's own type.
func (r *Request) yamlAnswer() bool {
	if f, ok := r.query["format"]; ok {
		return f == "yaml"
	}
	if accept := r.HTTP.Header.Get("Accept"); accept != "" && !strings.HasPrefix(accept, "*/*") {
		return strings.Contains(accept, "yaml")
	}
	return strings.Contains(r.HTTP.Header.Get("Content-Type"), "yaml")
}

// Warn adds a deprecation warning to the answer.
func (r *Request) Warn(text string) {
	r.warnings = append(r.warnings, fmt.Sprintf("299 OpenSearch-%s-unknown %q", r.version, text))
}

// HasBody reports whether the request has a body.
func (r *Request) HasBody() bool {
	b, err := r.RawBody()
	return err != nil || len(b) > 0
}

// RawBody is the body as it came, unpacked if it was sent as gzip, for newline-delimited JSON.
func (r *Request) RawBody() ([]byte, error) {
	if r.bodyRead {
		return r.body, r.bodyErr
	}
	r.bodyRead = true
	if r.HTTP.Body == nil {
		return nil, nil
	}
	var b []byte
	body, err := r.unpacked()
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(body, r.maxBody+1))
	}
	switch {
	case err != nil:
		unread := fault.Parse("failed to read the request body")
		unread.Err = err
		r.bodyErr = unread
	case int64(len(b)) > r.maxBody:
		r.bodyErr = fault.New(http.StatusRequestEntityTooLarge, "content_too_long_exception", "entity content is too long [%d or more] for the configured buffer limit [%d]", len(b), r.maxBody)
	}
	r.body = b
	return r.body, r.bodyErr
}

// unpacked reads the body as it was before its Content-Encoding. The limit of a body counts for what comes out.
func (r *Request) unpacked() (io.Reader, error) {
	switch r.HTTP.Header.Get("Content-Encoding") {
	case "gzip", "x-gzip":
		return gzip.NewReader(r.HTTP.Body)
	default:
		return r.HTTP.Body, nil
	}
}

// RequireBody is Body, or 400 parse_exception "request body is required".
func (r *Request) RequireBody() (json.RawMessage, error) {
	b, err := r.Body()
	if err == nil && b == nil {
		err = fault.Parse("request body is required")
	}
	return b, err
}

// refuseUnread is the 400 for parameters that no handler has read.
func (r *Request) refuseUnread() error {
	var unread []string
	for name := range r.query {
		if !r.read[name] && !slices.Contains(everywhere, name) {
			unread = append(unread, name)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	slices.Sort(unread)
	known := append(slices.Clone(r.order), everywhere...)
	for i, name := range unread {
		unread[i] = "[" + name + "]" + wire.DidYouMean(" -> ", wire.Similar(name, known, wire.NameSimilarity))
	}
	word := "parameter"
	if len(unread) > 1 {
		word = "parameters"
	}
	return fault.Illegal("request [%s] contains unrecognized %s: %s", r.HTTP.URL.EscapedPath(), word, strings.Join(unread, ", "))
}
