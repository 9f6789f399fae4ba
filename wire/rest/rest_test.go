// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// echo answers with the route and what the path gave.
func echo(params ...string) Handler {
	return func(r *Request) (Action, error) {
		o := wire.Obj("route", r.Pattern)
		for _, p := range params {
			o.Add(p, r.Path(p))
		}
		return Now(OK(o)), nil
	}
}

func testRouter() *Router {
	rt := NewRouter("3.4.0")
	rt.Handle("GET", "/{index}/_doc/{id}", echo("index", "id"))
	rt.Handle("GET", "/_snapshot/{repo}/{snap}", echo("repo", "snap"))
	rt.Handle("PUT", "/_plugins/_ism/policies/{policyID}", echo("policyID"))
	rt.Handle("GET", "/_plugins/_ism/policies/{policyID}", echo("policyID"))
	rt.Deprecated("GET", "/_opendistro/_ism/policies/{policyID}", "/_plugins/_ism/policies/{policyID}", echo("policyID"))
	rt.Handle("GET", "/{index}", echo("index"))
	rt.Handle("GET", "/_sized", func(r *Request) (Action, error) {
		size := r.Int("size", 20)
		return Now(OK(wire.Obj("size", size, "wide", r.Bool("wide", false)))), nil
	})
	rt.Handle("GET", "/_picky", func(r *Request) (Action, error) {
		if r.Int("n", 0) < 1 {
			return nil, fault.Illegal("n is too small")
		}
		return Now(OK(wire.Obj("n", r.Int("n", 0)))), nil
	})
	rt.Handle("POST", "/_body", func(r *Request) (Action, error) {
		b, err := r.RequireBody()
		return Now(OK(b)), err
	})
	rt.Handle("GET", "/_panic", func(*Request) (Action, error) {
		return func(context.Context) (*Response, error) { panic("boom") }, nil
	})
	return rt
}

func do(method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r.Body = http.NoBody
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	testRouter().ServeHTTP(w, r)
	return w
}

func TestRouterAnswers(t *testing.T) {
	const jsonBody = "application/json"
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		status                     int
		want                       string
	}{
		{"parameters", "GET", "/logs/_doc/1", "", nil, 200, `{"route":"/{index}/_doc/{id}","index":"logs","id":"1"}`},
		{"a literal wins over a name, with backtracking", "GET", "/_snapshot/_doc/x", "", nil, 200, `{"route":"/_snapshot/{repo}/{snap}","repo":"_doc","snap":"x"}`},
		{"segments are unescaped after the split", "GET", "/logs/_doc/a%2Fb%20c", "", nil, 200, `{"route":"/{index}/_doc/{id}","index":"logs","id":"a/b c"}`},
		{"a literal wins over a name, whatever the method", "GET", "/_body", "", nil, 405, `{"error":"Incorrect HTTP method for uri [/_body] and method [GET], allowed: [POST]","status":405}`},
		{"a dot path is not cleaned", "GET", "/logs/_doc/..", "", nil, 200, `{"route":"/{index}/_doc/{id}","index":"logs","id":".."}`},
		{"an empty segment is an empty name", "GET", "//_doc/1", "", nil, 200, `{"route":"/{index}/_doc/{id}","index":"","id":"1"}`},
		{"an empty segment is no literal", "GET", "/logs//_doc/1", "", nil, 400, `{"error":"no handler found for uri [/logs//_doc/1] and method [GET]"}`},
		{"trailing slashes are ignored", "GET", "/logs//", "", nil, 200, `{"route":"/{index}","index":"logs"}`},
		{"a trailing slash is ignored", "GET", "/logs/", "", nil, 200, `{"route":"/{index}","index":"logs"}`},
		{"an unknown path", "GET", "/a/b/c?x=1", "", nil, 400, `{"error":"no handler found for uri [/a/b/c?x=1] and method [GET]"}`},
		{"a wrong method", "POST", "/_plugins/_ism/policies/p1", "", nil, 405, `{"error":"Incorrect HTTP method for uri [/_plugins/_ism/policies/p1] and method [POST], allowed: [PUT, GET]","status":405}`},
		{"a number", "GET", "/_sized?size=3&wide", "", nil, 200, `{"size":3,"wide":true}`},
		{"semicolons separate too", "GET", "/_sized?wide=false;size=4", "", nil, 200, `{"size":4,"wide":false}`},
		{"escapes", "GET", "/_picky?n=%31%32", "", nil, 200, `{"n":12}`},
		{"an escape that does not end", "GET", "/_sized?size=5%", "", nil, 400, `"type":"bad_parameter_exception","reason":"java.lang.IllegalArgumentException: unterminated escape sequence at end of string: 5%","caused_by":{"type":"illegal_argument_exception","reason":"unterminated escape sequence at end of string: 5%"}},"status":400}`},
		{"half an escape", "GET", "/_sized?size=%4", "", nil, 400, "partial escape sequence at end of string: %4"},
		{"an escape that is none", "GET", "/_sized?a%4gb=1", "", nil, 400, "invalid escape sequence `%4g' at index 1 of: a%4gb"},
		{"a percent sign", "GET", "/_sized?size=%%", "", nil, 400, `Failed to parse int parameter [size] with value [%]`},
		{"a blank", "GET", "/_sized?size=+5", "", nil, 400, `Failed to parse int parameter [size] with value [ 5]`},
		{"a value without a name is one", "GET", "/_sized?=foo", "", nil, 400, `unrecognized parameter: [foo]`},
		{"a bad number", "GET", "/_sized?size=abc", "", nil, 400, `{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"Failed to parse int parameter [size] with value [abc]"}],"type":"illegal_argument_exception","reason":"Failed to parse int parameter [size] with value [abc]","caused_by":{"type":"number_format_exception","reason":"For input string: \"abc\""}},"status":400}`},
		{"what cannot be read goes before what the handler makes of the default", "GET", "/_picky?n=abc", "", nil, 400, `"reason":"Failed to parse int parameter [n] with value [abc]"`},
		{"a handler's own refusal", "GET", "/_picky?n=-1", "", nil, 400, `"reason":"n is too small"`},
		{"the parameter that is read first is refused", "GET", "/_sized?wide=x&size=abc", "", nil, 400, `"reason":"Failed to parse int parameter [size] with value [abc]"`},
		{"an unknown parameter", "GET", "/_sized?bogus=1", "", nil, 400, `request [/_sized] contains unrecognized parameter: [bogus]"`},
		{"an unknown parameter with a near name", "GET", "/_sized?sise=1", "", nil, 400, `unrecognized parameter: [sise] -> did you mean [size]?`},
		{"two unknown parameters", "GET", "/_sized?foo=1&bar=2", "", nil, 400, `unrecognized parameters: [bar], [foo]`},
		{"filter_path", "GET", "/_sized?filter_path=wide", "", nil, 200, `{"wide":false}`},
		{"pretty", "GET", "/_sized?pretty&filter_path=size", "", nil, 200, "{\n  \"size\" : 20\n}\n"},
		{"pretty that is no boolean", "GET", "/_sized?pretty=maybe", "", nil, 400, `"reason":"Failed to parse value [maybe] as only [true] or [false] are allowed."`},
		{"human that is no boolean", "GET", "/_sized?human=1", "", nil, 400, `"reason":"Failed to parse value [1] as only [true] or [false] are allowed."`},
		{"a body with comments", "POST", "/_body", "\ufeff{/*x*/\"a\": \"//\"} // y", []string{"Content-Type", jsonBody}, 200, `{"a":"//"}`},
		{"yaml", "GET", "/_sized?format=yaml", "", nil, 200, "---\nsize: 20\nwide: false\n"},
		{"a body", "POST", "/_body", `{"a":1}`, []string{"Content-Type", jsonBody}, 200, `{"a":1}`},
		{"a YAML body", "POST", "/_body?format=json", "a: 1\n", []string{"Content-Type", "application/yaml"}, 200, `{"a":1}`},
		{"no body", "POST", "/_body", "", nil, 400, `"type":"parse_exception","reason":"request body is required"`},
		{"a body without type", "POST", "/_body", "x", nil, 406, `{"error":"Content-Type header [] is not supported","status":406}`},
		{"a body of another type", "POST", "/_body", "x", []string{"Content-Type", "text/plain"}, 406, `{"error":"Content-Type header [text/plain] is not supported","status":406}`},
		{"a body of another type that nobody reads", "GET", "/_sized?bogus=1", "x", []string{"Content-Type", "text/plain"}, 406, `{"error":"Content-Type header [text/plain] is not supported","status":406}`},
		{"a body that nobody reads", "GET", "/_sized", "x", []string{"Content-Type", jsonBody}, 200, `{"size":20,"wide":false}`},
		{"another type without a body", "GET", "/_sized", "", []string{"Content-Type", "text/plain"}, 200, `{"size":20,"wide":false}`},
		{"a type in capitals with parameters", "POST", "/_body", `{"a":1}`, []string{"Content-Type", "Application/JSON ; charset=utf-8"}, 200, `{"a":1}`},
		{"a type of OpenSearch's own", "POST", "/_body", `{"a":1}`, []string{"Content-Type", "application/vnd.opensearch+json; compatible-with=7"}, 200, `{"a":1}`},
		{"a type that is none, whatever the path", "GET", "/a/b/c", "", []string{"Content-Type", "json"}, 400, `"type":"content_type_header_exception","reason":"java.lang.IllegalArgumentException: invalid Content-Type header [json]","caused_by":{"type":"illegal_argument_exception","reason":"invalid Content-Type header [json]"}},"status":400}`},
		{"parameters of no type", "GET", "/_sized", "", []string{"Content-Type", ";a=b"}, 400, `"reason":"java.lang.IllegalArgumentException: empty Content-Type header"`},
		{"two types", "GET", "/_sized", "", []string{"Content-Type", jsonBody, "Content-Type", jsonBody}, 400, `"reason":"java.lang.IllegalArgumentException: only one Content-Type header should be provided"`},
		{"a panic", "GET", "/_panic", "", nil, 500, `"reason":"internal error"`},
		{"HEAD has no body", "HEAD", "/logs/_doc/1", "", nil, 200, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := do(c.method, c.target, c.body, c.header...)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s\nwant %d %s", w.Code, w.Body, c.status, c.want)
			}
		})
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	if got := do("POST", "/_plugins/_ism/policies/p1", "").Header().Get("Allow"); got != "PUT,GET" {
		t.Errorf("Allow of a 405: %q", got)
	}
	if o := do("OPTIONS", "/_plugins/_ism/policies/p1", ""); o.Code != 200 || o.Header().Get("Allow") != "PUT,GET" || o.Header().Get("Content-Type") != "text/plain; charset=UTF-8" {
		t.Errorf("OPTIONS: %d %v", o.Code, o.Header())
	}
	if v := do("GET", "/nowhere/at/all", "").Header().Get("X-OpenSearch-Version"); v != "OpenSearch/3.4.0 (opensearch)" {
		t.Errorf("X-OpenSearch-Version of an error: %q", v)
	}
	w := do("GET", "/_opendistro/_ism/policies/p1", "", "X-Opaque-Id", "me")
	want := `299 OpenSearch-3.4.0-unknown "[GET /_opendistro/_ism/policies/{policyID}] is deprecated! Use [GET /_plugins/_ism/policies/{policyID}] instead."`
	if got := w.Header().Get("Warning"); got != want {
		t.Errorf("Warning %s", got)
	}
	if w.Header().Get("X-Opaque-Id") != "me" {
		t.Error("X-Opaque-Id is not echoed")
	}
	head := do("HEAD", "/logs/_doc/1", "")
	if head.Header().Get("Content-Length") != "54" || head.Header().Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Errorf("headers of a HEAD: %v", head.Header())
	}
}

func TestABodyOverTheLimitIsRefused(t *testing.T) {
	rt := testRouter()
	rt.MaxBody(3)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/_body", strings.NewReader(`{"a":1}`))
	r.Header.Set("Content-Type", "application/json")
	rt.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestABodySentAsGzipIsUnpacked(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"a":"` + strings.Repeat("a", 100) + `"}`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	headers := []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}
	if got := do("POST", "/_body", packed.String(), headers...); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `{"a":"aaa`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := do("POST", "/_body", `{"a":1}`, headers...); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "failed to read the request body") {
		t.Errorf("what is no gzip: %d %s", got.Code, got.Body)
	}
	rt := testRouter()
	rt.MaxBody(100)
	r := httptest.NewRequest("POST", "/_body", &packed)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	answer := httptest.NewRecorder()
	if rt.ServeHTTP(answer, r); answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("small as it comes, too large as it is: %d %s", answer.Code, answer.Body)
	}
}

func TestMatchTellsWhatIsOurs(t *testing.T) {
	rt := testRouter()
	for path, want := range map[string]bool{"/_plugins/_ism/policies/x": true, "/_plugins/_ism/nope": false, "/a/b/c": false} {
		if got := rt.Match(path); got != want {
			t.Errorf("Match(%s) = %v", path, got)
		}
	}
}
