// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

const nestedMapping = `{"properties":{"r":{"type":"nested","properties":{"id":{"type":"keyword"},"type":{"type":"keyword"},"n":{"type":"long"},
	"text":{"type":"text"}}},"id":{"type":"keyword"}}}`

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
		{"two conditions that one object meets", `{"bool":{"must":[{"term":{"r.id":"b"}},{"term":{"r.type":"pipeline"}}]}}`, []string{"1"}},
		{"two conditions that two objects meet", `{"bool":{"must":[{"term":{"r.id":"a"}},{"term":{"r.type":"pipeline"}}]}}`, nil},
		{"what an object is not", `{"bool":{"must_not":[{"term":{"r.type":"index"}}]}}`, []string{"1"}},
		{"all words of one text", `{"match":{"r.text":{"query":"red fox","operator":"and"}}}`, []string{"1"}},
		{"words of two texts", `{"match":{"r.text":{"query":"red hen","operator":"and"}}}`, nil},
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
		{"the objects themselves", `{"path":"r","query":{"nested":{"path":"r","query":{"match_all":{}}}}}`, "within one on the same objects"},
		{"their sequence number", `{"path":"r","query":{"term":{"_seq_no":1}}}`, "[_seq_no] within [nested]"},
		{"no such path", `{"path":"id","query":{"match_all":{}}}`, "[nested] failed to find nested object under path [id]"},
		{"no query", `{"path":"r"}`, "[nested] requires 'query' field"},
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

// pair is a nested object of the model: two values, "" for none.
type pair struct{ a, b string }

func (p pair) source() string {
	var members []string
	if p.a != "" {
		members = append(members, fmt.Sprintf(`"a":%q`, p.a))
	}
	if p.b != "" {
		members = append(members, fmt.Sprintf(`"b":%q`, p.b))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// condition is a query on a pair, and what it says of one.
type condition struct {
	query string
	holds func(pair) bool
}

func drawCondition(t *rapid.T, depth int) condition {
	value := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "value")
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case kind == 0:
		return condition{fmt.Sprintf(`{"term":{"r.a":%q}}`, value), func(p pair) bool { return p.a == value }}
	case kind == 1:
		return condition{fmt.Sprintf(`{"terms":{"r.b":[%q]}}`, value), func(p pair) bool { return p.b == value }}
	case kind == 2 || depth == 0:
		return condition{`{"exists":{"field":"r.a"}}`, func(p pair) bool { return p.a != "" }}
	default:
		clause := []string{"must", "should", "must_not"}[kind-3]
		one, two := drawCondition(t, depth-1), drawCondition(t, depth-1)
		holds := map[string]func(pair) bool{
			"must":     func(p pair) bool { return one.holds(p) && two.holds(p) },
			"should":   func(p pair) bool { return one.holds(p) || two.holds(p) },
			"must_not": func(p pair) bool { return !one.holds(p) && !two.holds(p) },
		}[clause]
		return condition{fmt.Sprintf(`{"bool":{%q:[%s,%s]}}`, clause, one.query, two.query), holds}
	}
}

func TestNestedQueriesAnswerForEachObjectThroughChangesAndMerges(t *testing.T) {
	target := newTarget(t, "a", `{"properties":{"r":{"type":"nested","properties":{"a":{"type":"keyword"},"b":{"type":"keyword"}}}}}`)
	s := target.Shards[0].(*shard.Shard)
	docs := map[string][]pair{}
	values := rapid.SampledFrom([]string{"", "x", "y"})
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(rt, "changes") {
			op := shard.Operation{Op: shard.OpIndex, ID: fmt.Sprint(rapid.IntRange(1, 6).Draw(rt, "id"))}
			if delete(docs, op.ID); rapid.IntRange(0, 4).Draw(rt, "delete") == 0 {
				op.Op = shard.OpDelete
			} else {
				pairs := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) pair { return pair{values.Draw(rt, "a"), values.Draw(rt, "b")} }), 0, 3).Draw(rt, "objects")
				var sources []string
				for _, p := range pairs {
					sources = append(sources, p.source())
				}
				docs[op.ID], op.Source = pairs, []byte(`{"r":[`+strings.Join(sources, ",")+`]}`)
			}
			if _, err := s.Apply(context.Background(), []shard.Operation{op}); err != nil {
				rt.Fatal(err)
			}
		}
		refresh := s.Refresh
		if rapid.IntRange(0, 3).Draw(rt, "merge") == 0 {
			refresh = func() error { return s.ForceMerge(context.Background(), 1, rapid.Bool().Draw(rt, "expunge")) }
		}
		if err := refresh(); err != nil {
			rt.Fatal(err)
		}
		c, outside := drawCondition(rt, 2), rapid.SampledFrom([]string{"must", "must_not"}).Draw(rt, "outside")
		var want []string
		for _, id := range slices.Sorted(maps.Keys(docs)) {
			if slices.ContainsFunc(docs[id], c.holds) == (outside == "must") {
				want = append(want, id)
			}
		}
		body := fmt.Sprintf(`{"sort":["_id"],"query":{"bool":{%q:{"nested":{"path":"r","query":%s}}}}}`, outside, c.query)
		if got, _, err := run(t, body, target); err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%s: %v, %v, want %v of %v", body, got, err, want, docs)
		}
	})
}
