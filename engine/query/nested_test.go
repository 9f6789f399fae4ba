// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
)

const nestedMapping = `{"properties":{"r":{"type":"nested","properties":{"id":{"type":"keyword"},"type":{"type":"keyword"},"n":{"type":"long"},
	"text":{"type":"text"}}},"in":{"type":"nested","include_in_root":true,"properties":{"id":{"type":"keyword"}}},"id":{"type":"keyword"}}}`

func nestedTarget(t *testing.T) Target {
	return newTarget(t, "a", nestedMapping,
		`{"id":"x","r":[{"id":"a","type":"index","n":1,"text":"red fox"},{"id":"b","type":"pipeline","n":5}]}`,
		`{"id":"a","r":{"id":"c","type":"index","text":"blue hen"}}`,
		`{"id":"z"}`)
}

func TestNestedQueriesFindDocumentsByTheirObjects(t *testing.T) {
	target := nestedTarget(t)
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"a term", `{"term":{"r.id":"b"}}`, []string{"1"}},
		{"terms", `{"terms":{"r.id":["a","c"]}}`, []string{"1", "2"}},
		{"a word of a text", `{"match":{"r.text":"fox hen"}}`, []string{"1", "2"}},
		{"a range", `{"range":{"r.n":{"gt":3}}}`, []string{"1"}},
		{"a value at all", `{"exists":{"field":"r.n"}}`, []string{"1"}},
		{"an object at all", `{"match_all":{}}`, []string{"1", "2"}},
		{"an object at all, for a higher score", `{"match_all":{"boost":2}}`, []string{"1", "2"}},
		{"an object at all, within another query", `{"bool":{"must":[{"match_all":{}}]}}`, []string{"1", "2"}},
		{"an object at all, without a condition", `{"bool":{}}`, []string{"1", "2"}},
		{"one of several", `{"bool":{"should":[{"term":{"r.id":"b"}},{"term":{"r.id":"c"}}]}}`, []string{"1", "2"}},
		{"a filter", `{"bool":{"filter":[{"term":{"r.type":"pipeline"}}]}}`, []string{"1"}},
		{"a field of the document", `{"term":{"id":"z"}}`, nil},
	} {
		got, _, err := run(t, `{"sort":["_doc"],"query":{"nested":{"path":"r","score_mode":"max","query":`+c.query+`}}}`, target)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if got, _, err := run(t, `{"query":{"term":{"r.id":"b"}}}`, target); err != nil || len(got) > 0 {
		t.Errorf("without a nested query the objects are not the document's: %v, %v", got, err)
	}
	if got, _, err := run(t, `{"query":{"bool":{"must_not":{"nested":{"path":"r","query":{"term":{"r.id":"a"}}}},"filter":{"term":{"id":"a"}}}}}`, target); err != nil || !slices.Equal(got, []string{"2"}) {
		t.Errorf("within another query: %v, %v", got, err)
	}
	if got, _, err := run(t, `{"query":{"nested":{"path":"no","ignore_unmapped":true,"query":{"match_all":{}}}}}`, target); err != nil || len(got) > 0 {
		t.Errorf("a path that is not mapped, ignored: %v, %v", got, err)
	}
}

func TestNestedQueriesThatAreRefused(t *testing.T) {
	target := nestedTarget(t)
	for _, c := range []struct{ name, query, want string }{
		{"several conditions on one object", `{"path":"r","query":{"bool":{"must":[{"term":{"r.id":"a"}},{"term":{"r.type":"pipeline"}}]}}}`, "several conditions on one object"},
		{"what an object is not", `{"path":"r","query":{"bool":{"must_not":[{"term":{"r.id":"a"}}]}}}`, "several conditions on one object"},
		{"all words of a text", `{"path":"r","query":{"match":{"r.text":{"query":"red hen","operator":"and"}}}}`, "several conditions on one object"},
		{"objects of their parent", `{"path":"in","query":{"match_all":{}}}`, "included in their parents"},
		{"no such path", `{"path":"id","query":{"match_all":{}}}`, "[nested] failed to find nested object under path [id]"},
		{"no query", `{"path":"r"}`, "[nested] requires either 'query' or 'filter' field"},
		{"no path", `{"query":{"match_all":{}}}`, "[nested] requires 'path' field"},
		{"an unknown score mode", `{"path":"r","score_mode":"most","query":{"match_all":{}}}`, "No score mode for child query [most] found"},
		{"inner hits", `{"path":"r","inner_hits":{},"query":{"match_all":{}}}`, "[inner_hits]"},
		{"an unknown member", `{"path":"r","x":1}`, "[nested] query does not support [x]"},
	} {
		_, _, err := run(t, `{"query":{"nested":`+c.query+`}}`, target)
		reasons := ""
		for _, f := range append(fault.Of(err).Roots, fault.Of(err)) {
			reasons += f.Reason + "; "
		}
		if err == nil || !strings.Contains(reasons, c.want) {
			t.Errorf("%s: %s, want %q", c.name, reasons, c.want)
		}
	}
}
