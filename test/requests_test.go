// SPDX-License-Identifier: Apache-2.0

package test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// get sends a GET with one header.
func (r *Running) get(path, header, value string) (status int, answer string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.URL()+path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set(header, value)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestAPolicyIsReadOnlyInTheVersionThatIsAskedFor(t *testing.T) {
	p := Program(t)
	path := "/_plugins/_ism/policies/" + p.Name("p")
	p.Must("PUT", path, ended(p), nil)
	for _, c := range []struct {
		version string
		status  int
		want    string
	}{
		{"1", 200, `"_version":1`},
		{"7", 409, `]: version conflict, current version [1] is different than the one provided [7]","index":".opendistro-ism-config","shard":"0","index_uuid":"`},
		{"x", 400, `"type":"number_format_exception","reason":"For input string: \"x\""`},
	} {
		if status, answer := p.get(path, "If-Match", c.version); status != c.status || !strings.Contains(answer, c.want) || strings.Contains(answer, "_na_") {
			t.Errorf("%s: %d %s", c.version, status, answer)
		}
	}
}

func TestAQueryThatMeansNothingFailsAsAnySearchDoes(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Name("p"), ended(p), nil)
	for _, path := range []string{"/_plugins/_ism/policies", "/_plugins/_ism/explain"} {
		status, answer := p.Call("GET", path+"?queryString=((", nil)
		if status != 400 || !strings.Contains(string(answer), `"root_cause":[{"type":"query_shard_exception","reason":"Failed to parse query [((]"`) ||
			!strings.Contains(string(answer), `"type":"search_phase_execution_exception","reason":"all shards failed"`) {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
}

func TestAPolicyMayHaveComments(t *testing.T) {
	p := Program(t)
	path := "/_plugins/_ism/policies/" + p.Name("p")
	p.Must("PUT", path, []byte("\ufeff{\"policy\": { // of the shop\n"+`"description": "see http://shop/*", "default_state": "s", /* the only one */ "states": [{"name": "s"}]}}`), nil)
	if status, answer := p.Call("GET", path, nil); status != 200 || !strings.Contains(string(answer), `"description":"see http://shop/*"`) {
		t.Errorf("%d %s", status, answer)
	}
}
