// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
)

func TestSearchesThatWouldBeRewrittenAreRefused(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	searches := rollup.NewSearches(w.transport, func() bool { return w.native })
	client := opensearch.NewClient(searches)
	search := func(path, body string) string {
		err := client.Do(t.Context(), opensearch.Call{Method: http.MethodPost, Path: w.own(path), Body: []byte(body)}, nil)
		if err == nil {
			return "passed on"
		}
		return w.plain(fault.Of(err).Reason)
	}
	const aggregation = `{"size":0,"aggs":{"n":{"sum":{"field":"n"}}}}`
	const refused = "searches that aggregate over the rollup index [PREFIX-out] are not rewritten for its fields: this is not supported"
	w.create("PREFIX-out", `{"settings":{"index.plugins.rollup_index":true}}`)
	if got := search("/PREFIX-out/_search", aggregation); got == refused {
		t.Errorf("before there is a job: %s", got)
	}
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", hourly)
	searches.Changed()
	for _, c := range []struct {
		name, path, body string
		refused          bool
	}{
		{"an aggregation", "/PREFIX-out/_search", aggregation, true},
		{"an aggregation over several indices", "/PREFIX-src,PREFIX-out/_search", aggregation, true},
		{"an aggregation over another index", "/PREFIX-src/_search", aggregation, false},
		{"no aggregation", "/PREFIX-out/_search", `{"size":10,"aggs":{}}`, false},
		{"a count", "/PREFIX-out/_count", `{"query":{"match_all":{}}}`, false},
	} {
		if got := search(c.path, c.body); strings.HasPrefix(got, "searches that aggregate") != c.refused {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	w.native = true
	if got := search("/PREFIX-out/_search", aggregation); got == refused {
		t.Errorf("the plugin rewrites searches: %s", got)
	}
	w.native = false
}
