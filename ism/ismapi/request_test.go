// SPDX-License-Identifier: Apache-2.0

package ismapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

// untouched is a cluster that nobody may call.
type untouched struct{ t *testing.T }

func (u untouched) RoundTrip(r *http.Request) (*http.Response, error) {
	u.t.Errorf("the cluster was called: %s %s", r.Method, r.URL)
	return nil, errors.New("not there")
}

func newAPI(rt http.RoundTripper) *ismapi.API {
	client := opensearch.NewClient(rt)
	registry := setting.NewRegistry(ism.Settings()...)
	return ismapi.New(ismapi.Options{
		Client: client, Registry: registry, Version: "3.4.0",
		Manager: manager.New(manager.Options{Client: client, Registry: registry}),
	})
}

func send(h http.Handler, method, path, body string) (status int, typ, reason string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer struct{ Error struct{ Type, Reason string } }
	_ = json.Unmarshal(w.Body.Bytes(), &answer) // a plain error has no object
	return w.Code, answer.Error.Type, answer.Error.Reason
}

func TestBadRequestsAreRefusedBeforeTheClusterIsCalled(t *testing.T) {
	const policy = `{"policy":{"description":"d","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`
	cases := []struct {
		name, method, path, body string
		status                   int
		typ, reason              string
	}{
		{"a policy without an id", "PUT", "/policies", policy, 400, "illegal_argument_exception", "Missing policy ID"},
		{"a policy without a body", "PUT", "/policies/p", "", 400, "parse_exception", "request body is required"},
		{
			"a policy that is not wrapped", "PUT", "/policies/p", `{"description":"d"}`, 400, "parsing_exception",
			"Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_STRING]",
		},
		{
			"a sequence number that is none", "PUT", "/policies/p?if_seq_no=x", policy, 400, "illegal_argument_exception",
			"Failed to parse long parameter [if_seq_no] with value [x]",
		},
		{"an unknown refresh", "PUT", "/policies/p?refresh=maybe", policy, 400, "illegal_argument_exception", "Unknown value for refresh: [maybe]."},
		{
			"an unknown parameter", "PUT", "/policies/p?foo=1", policy, 400, "illegal_argument_exception",
			"request [/_plugins/_ism/policies/p] contains unrecognized parameter: [foo]",
		},
		{
			"list parameters beside an id", "GET", "/policies/p?size=abc", "", 400, "illegal_argument_exception",
			"Failed to parse int parameter [size] with value [abc]",
		},
		{
			"an unknown order", "GET", "/policies?sortOrder=up", "", 400, "illegal_argument_exception",
			"No enum constant org.opensearch.search.sort.SortOrder.UP",
		},
		{"a negative size", "GET", "/explain?size=-1", "", 400, "illegal_argument_exception", "[size] parameter cannot be negative, found [-1]"},
		{"add without indices", "POST", "/add", `{"policy_id":"p"}`, 400, "illegal_argument_exception", "Missing indices"},
		{"add without a policy", "POST", "/add/i", "", 400, "illegal_argument_exception", "Missing policy_id"},
		{"add with a policy that is null", "POST", "/add/i", `{"policy_id":null}`, 400, "illegal_argument_exception", "Missing policy_id"},
		{"add with a list", "POST", "/add/i", `[{"policy_id":"p"}]`, 400, "illegal_argument_exception", "Missing policy_id"},
		{"add with a text", "POST", "/add/i", `"p"`, 400, "illegal_argument_exception", "Missing policy_id"},
		{"add with half a body", "POST", "/add/i", `{"policy_id":`, 400, "parse_exception", "Failed to parse content to map"},
		{
			"add with a policy that is a number", "POST", "/add/i", `{"policy_id":7}`, 500, "class_cast_exception",
			"class java.lang.Integer cannot be cast to class java.lang.String (java.lang.Integer and java.lang.String are in module java.base of loader 'bootstrap')",
		},
		{
			"add with a policy that is a list", "POST", "/add/i", `{"policy_id":["p"]}`, 500, "class_cast_exception",
			"class java.util.ArrayList cannot be cast to class java.lang.String (java.util.ArrayList and java.lang.String are in module java.base of loader 'bootstrap')",
		},
		{"nothing but commas", "POST", "/add/,,", `{"policy_id":"p"}`, 400, "illegal_argument_exception", "Missing indices"},
		{"a body before the type of index", "POST", "/add/i,j?type=cold", "", 400, "illegal_argument_exception", "Missing policy_id"},
		{
			"an unknown parameter before the type of index", "POST", "/remove/i?type=cold&foo=1", "", 400, "illegal_argument_exception",
			"request [/_plugins/_ism/remove/i] contains unrecognized parameter: [foo]",
		},
		{
			"an unknown parameter before a size", "GET", "/policies?size=-1&foo=1", "", 400, "illegal_argument_exception",
			"request [/_plugins/_ism/policies] contains unrecognized parameter: [foo]",
		},
		{"a negative from", "GET", "/policies?from=-1", "", 400, "illegal_argument_exception", "[from] parameter cannot be negative, found [-1]"},
		{"remove without indices", "POST", "/remove", "", 400, "illegal_argument_exception", "Missing indices"},
		{
			"an unknown type of index", "POST", "/remove/i?type=cold", "", 400, "illegal_argument_exception",
			"Index type [type=cold] was not recognized when trying to get index metadata",
		},
		{
			"several indices of a type", "POST", "/retry/i,j?type=cold", "", 400, "action_request_validation_exception",
			"Validation Failed: 1: Cannot retry on more than one index name/pattern when using a custom index type;",
		},
		{
			"several indices of a type to add a policy to", "POST", "/add/i,j?type=cold", `{"policy_id":"p"}`, 400, "action_request_validation_exception",
			"Validation Failed: 1: Cannot add policy to more than one index name/pattern when using a custom index type;",
		},
		{
			"several indices of a type to remove a policy from", "POST", "/remove/i,j?type=cold", "", 400, "action_request_validation_exception",
			"Validation Failed: 1: Cannot remove policy from more than one index name/pattern when using a custom index type;",
		},
		{
			"several indices of a type to change", "POST", "/change_policy/i,j?type=cold", `{"policy_id":"p"}`, 400, "action_request_validation_exception",
			"Validation Failed: 1: Cannot change policy on more than one index name/pattern when using a custom index type;",
		},
		{
			"several indices of a type to explain", "GET", "/explain/i,j?type=cold", "", 400, "action_request_validation_exception",
			"Validation Failed: 1: Cannot call explain on more than one index name/pattern when using a custom index type;",
		},
		{
			"two names of one timeout", "POST", "/retry/i?master_timeout=1s&cluster_manager_timeout=1s", "", 400, "parse_exception",
			"Please only use one of the request parameters [master_timeout, cluster_manager_timeout].",
		},
		{"a change without an index", "POST", "/change_policy", `{"policy_id":"p"}`, 400, "illegal_argument_exception", "Missing index"},
		{"a change without a body", "POST", "/change_policy/i", "", 400, "parse_exception", "request body is required"},
		{"a change to nothing", "POST", "/change_policy/i", `{}`, 400, "illegal_argument_exception", "ChangePolicy policy id is null"},
		{
			"a change with an unknown field", "POST", "/change_policy/i", `{"policy_id":"p","x":1}`, 400, "illegal_argument_exception",
			"Invalid field: [x] found in ChangePolicy.",
		},
		{
			"a change for indices without a state", "POST", "/change_policy/i", `{"policy_id":"p","include":[{}]}`, 400,
			"illegal_argument_exception", "Must include a state when using include filter",
		},
		{"a retry in a state that is no text", "POST", "/retry/i", `{"state":{}}`, 500, "class_cast_exception", "class java.util.HashMap cannot be cast to class java.lang.String (java.util.HashMap and java.lang.String are in module java.base of loader 'bootstrap')"},
		{"a filter without a body", "POST", "/explain/i", "", 400, "parse_exception", "request body is required"},
		{
			"a filter that is null", "POST", "/explain/i", `{"filter":null}`, 400, "parsing_exception",
			"Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NULL]",
		},
		{
			"a simulation of nothing", "POST", "/simulate", `{}`, 400, "action_request_validation_exception",
			"Validation Failed: 1: indices cannot be empty;2: either policy_id or policy must be provided;",
		},
		{
			"a simulation with an unknown parameter, whatever its body lacks", "POST", "/simulate?x=1", `{}`, 400, "illegal_argument_exception",
			"request [/_plugins/_ism/simulate] contains unrecognized parameter: [x]",
		},
		{
			"a simulation whose policy is null", "POST", "/simulate", `{"policy":null}`, 400, "parsing_exception",
			"Failed to parse object: expecting token of type [START_OBJECT] but found [VALUE_NULL]",
		},
		{
			"a mistake in the policy of a simulation, by its place in the body", "POST", "/simulate", `{"policy":{"description":null}}`, 500,
			"illegal_state_exception", "Can't get text on a VALUE_NULL at 1:26",
		},
		{
			"a flag that is none", "GET", "/explain/i?show_policy=maybe", "", 400, "illegal_argument_exception",
			"Failed to parse value [maybe] as only [true] or [false] are allowed.",
		},
	}
	api := newAPI(untouched{t})
	for _, prefix := range []string{"/_plugins/_ism", "/_opendistro/_ism"} {
		for _, c := range cases {
			t.Run(prefix+" "+c.name, func(t *testing.T) {
				status, typ, reason := send(api, c.method, prefix+c.path, c.body)
				want := strings.Replace(c.reason, "/_plugins/_ism", prefix, 1)
				if status != c.status || typ != c.typ || want != "" && reason != want {
					t.Errorf("%d %s: %q, want %d %s: %q", status, typ, reason, c.status, c.typ, want)
				}
			})
		}
	}
}

func TestOurPaths(t *testing.T) {
	api := newAPI(untouched{t})
	for path, want := range map[string]bool{
		"/_plugins/_ism": true, "/_plugins/_ism/explain": true, "/_opendistro/_ism/policies/p": true,
		"/_plugins/_ismx": false, "/_plugins/_rollup": false, "/": false,
	} {
		if api.Match(path) != want {
			t.Errorf("%s: ours is %v", path, !want)
		}
	}
}

func TestTheOlderNameOfTheTimeoutAndTheOlderPathsAreWarnedOf(t *testing.T) {
	api := newAPI(untouched{t})
	for _, c := range []struct{ method, path, body, want string }{
		{
			"POST", "/_plugins/_ism/retry/i?master_timeout=1s", `{"state":{}}`,
			`"Parameter [master_timeout] is deprecated and will be removed in 3.0. To support inclusive language, please use [cluster_manager_timeout] instead."`,
		},
		{
			"POST", "/_opendistro/_ism/remove/i?type=cold", "",
			`"[POST /_opendistro/_ism/remove/{index}] is deprecated! Use [POST /_plugins/_ism/remove/{index}] instead."`,
		},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json")
		api.ServeHTTP(w, r)
		if got := w.Header().Get("Warning"); !strings.HasPrefix(got, "299 OpenSearch-3.4.0-") || !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: Warning %s, want %s", c.path, got, c.want)
		}
	}
}
