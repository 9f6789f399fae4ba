// SPDX-License-Identifier: Apache-2.0

package test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

func TestRefreshingSearchAnalyzers(t *testing.T) {
	p := Program(t)
	one, two, closed := p.Name("-1"), p.Name("-2"), p.Name("-closed")
	for _, name := range []string{one, two, closed} {
		p.Must("PUT", "/"+name, wire.Obj("settings", wire.Obj("number_of_shards", 2, "number_of_replicas", 1)), nil)
	}
	p.Must("POST", "/"+closed+"/_close", nil, nil)
	none := `"refreshed_analyzers":[]`
	for _, c := range []struct{ name, method, path, want string }{
		{"of two indices", "POST", "/_plugins/_refresh_search_analyzers/" + one + "," + two, `200 {"_shards":{"total":8,"successful":4,"failed":0},` +
			`"successful_refresh_details":[{"index":"` + one + `",` + none + `},{"index":"` + two + `",` + none + `}]}`},
		{"named by a parameter", "POST", "/_plugins/_refresh_search_analyzers?index=" + one + "&reload_cached_resources=true", `200 {"_shards":{"total":4,"successful":2,"failed":0},` +
			`"successful_refresh_details":[{"index":"` + one + `",` + none + `}]}`},
		{"by the older path", "POST", "/_opendistro/_refresh_search_analyzers/" + one, `200 {"_shards":{"total":4,"successful":2,"failed":0},` +
			`"successful_refresh_details":[{"index":"` + one + `",` + none + `}]}`},
		{"by a pattern that means none", "POST", "/_plugins/_refresh_search_analyzers/" + p.Name("-none*"), `200 {"_shards":{"total":0,"successful":0,"failed":0},` +
			`"successful_refresh_details":[]}`},
		{"without an index", "POST", "/_plugins/_refresh_search_analyzers", `400 {"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"Missing indices"}]`},
		{"of a missing index", "POST", "/_plugins/_refresh_search_analyzers/" + p.Name("-missing"), `404 {"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [` + p.Name("-missing") + `]"`},
		{"of a closed index", "POST", "/_plugins/_refresh_search_analyzers/" + closed, `400 {"error":{"root_cause":[{"type":"index_closed_exception","reason":"closed"`},
		{"with a value that is none", "POST", "/_plugins/_refresh_search_analyzers/" + one + "?reload_cached_resources=perhaps", `400 {"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"Failed to parse value [perhaps] as only [true] or [false] are allowed."`},
		{"with an unknown parameter", "POST", "/_plugins/_refresh_search_analyzers/" + one + "?x=1", `400 {"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"request [/_plugins/_refresh_search_analyzers/` + one + `] contains unrecognized parameter: [x]"`},
		{"with another method", "GET", "/_plugins/_refresh_search_analyzers/" + one, `405 {"error":"Incorrect HTTP method for uri`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := p.Call(c.method, c.path, nil)
			want, text, _ := strings.Cut(c.want, " ")
			if got := string(body); want != strconv.Itoa(status) || !strings.HasPrefix(got, text) {
				t.Errorf("%d %s\nwant %s", status, got, c.want)
			}
		})
	}
}

func TestAnalyzersThatCannotBeReadAgainAreNotSaidToHaveBeen(t *testing.T) {
	if !OnCluster() {
		t.Skip("the embedded engine has no filter that can be read again")
	}
	p := Program(t)
	name := p.Name("-1")
	p.Must("PUT", "/"+name, []byte(`{"settings":{"analysis":{
		"filter":{"s":{"type":"synonym","synonyms":["a => b"],"updateable":true}},
		"analyzer":{"x":{"tokenizer":"standard","filter":["s"]}}}},
		"mappings":{"properties":{"t":{"type":"text","analyzer":"standard","search_analyzer":"x"}}}}`), nil)
	status, body := p.Call("POST", "/_plugins/_refresh_search_analyzers/"+name, nil)
	if status != 400 || !strings.Contains(string(body), "is not supported by a cluster without the index management plugin") {
		t.Errorf("%d %s", status, body)
	}
}
