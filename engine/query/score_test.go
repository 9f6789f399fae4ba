// SPDX-License-Identifier: Apache-2.0

package query

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestScoresAreThoseOfTheServer(t *testing.T) {
	target := newTarget(t, "scores", `{"properties":{"t":{"type":"text"},"k":{"type":"keyword"},"n":{"type":"long"}}}`,
		`{"t":"brown fox","k":"a","n":1}`, `{"t":"brown brown dog","k":"b","n":2}`, `{"k":"a","n":3}`)
	for _, c := range []struct {
		name, query string
		want        []float64 // of documents 1, 2 and 3; -1 for no match
	}{
		{"match_all", `{"match_all":{}}`, []float64{1, 1, 1}},
		{"match_all with a boost", `{"match_all":{"boost":2.5}}`, []float64{2.5, 2.5, 2.5}},
		{"a keyword", `{"term":{"k":"a"}}`, []float64{1, -1, 1}},
		{"a number", `{"term":{"n":2}}`, []float64{-1, 1, -1}},
		{"terms", `{"terms":{"k":["a","b"]}}`, []float64{1, 1, 1}},
		{"a range with a boost", `{"range":{"n":{"gte":2,"boost":3}}}`, []float64{-1, 3, 3}},
		{"clauses add up", `{"bool":{"must":[{"match_all":{}},{"range":{"n":{"gte":1,"boost":3}}}],"should":{"term":{"n":{"value":3,"boost":0.5}}}}}`, []float64{4, 4, 4.5}},
		{"filters do not score", `{"bool":{"filter":{"match_all":{}},"must_not":{"term":{"n":1}}}}`, []float64{-1, 0, 0}},
		{"exclusions do not score", `{"bool":{"must_not":{"term":{"n":1}}}}`, []float64{-1, 0, 0}},
		{"an empty bool", `{"bool":{}}`, []float64{1, 1, 1}},
		{"constant_score", `{"constant_score":{"filter":{"term":{"k":"a"}},"boost":7}}`, []float64{7, -1, 7}},
		{"the best of several", `{"dis_max":{"tie_breaker":0.5,"queries":[{"term":{"n":{"value":3,"boost":4}}},{"range":{"n":{"gte":2,"boost":2}}}]}}`, []float64{-1, 2, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, res, err := run(t, `{"query":`+c.query+`}`, target)
			if err != nil {
				t.Fatal(err)
			}
			got := []float64{-1, -1, -1}
			for _, h := range res.Hits {
				got[h.ID[0]-'1'] = float64(*h.Score)
			}
			if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
				t.Errorf("scores %v, want %v", got, c.want)
			}
		})
	}
}

func TestMoreOfAWordInAShorterTextScoresHigher(t *testing.T) {
	target := newTarget(t, "texts", `{"properties":{"t":{"type":"text"}}}`,
		`{"t":"one fox among very many other words here"}`, `{"t":"fox fox"}`, `{"t":"a fox"}`, `{"t":"nothing"}`)
	if ids, _, err := run(t, `{"query":{"match":{"t":"fox"}}}`, target); err != nil || strings.Join(ids, " ") != "2 3 1" {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestPhrasesStayWithinOneValue(t *testing.T) {
	target := newTarget(t, "texts", `{"properties":{"t":{"type":"text"}}}`, `{"t":["brown x","a fox"]}`, `{"t":["x","brown fox"]}`, `{"t":["brown","fox"]}`)
	if ids, _, err := run(t, `{"query":{"match_phrase":{"t":"brown fox"}}}`, target); err != nil || strings.Join(ids, " ") != "2" {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestScoresAreShownWhenTheyAreAskedFor(t *testing.T) {
	books := library(t)
	_, res, err := run(t, `{"sort":["pages"],"track_scores":true,"query":{"match_all":{"boost":2}}}`, books)
	if err != nil || *res.Hits[0].Score != 2 || *res.MaxScore != 2 {
		t.Errorf("%+v, %v", res, err)
	}
	ids, res, err := run(t, `{"sort":["pages"],"min_score":2,"query":{"bool":{"should":[{"match_all":{}},{"term":{"lent":true}},{"term":{"pages":-5}}]}}}`, books)
	if err != nil || strings.Join(ids, " ") != "4" && strings.Join(ids, " ") != "4 1" || res.Hits[0].Score != nil {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestEqualHitsStandInTheOrderInWhichTheyCame(t *testing.T) {
	var docs, want []string
	for i := range 40 {
		docs = append(docs, `{"a":1}`)
		want = append(want, fmt.Sprint(i+1))
	}
	target := newTarget(t, "equal", `{}`, docs...)
	for _, body := range []string{`{"size":40}`, `{"size":40,"sort":["a"]}`, `{"size":40,"sort":["_doc"]}`} {
		ids, _, err := run(t, body, target)
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s: %v, %v", body, ids, err)
		}
	}
	_, first, err := run(t, `{"size":15,"sort":["_doc"]}`, target)
	if err != nil {
		t.Fatal(err)
	}
	ids, _, err := run(t, fmt.Sprintf(`{"size":40,"sort":["_doc"],"search_after":[%v]}`, first.Hits[14].Sort[0]), target)
	if err != nil || !slices.Equal(ids, want[15:]) {
		t.Errorf("after the first page: %v, %v", ids, err)
	}
}

func TestUnsignedLongsAreExact(t *testing.T) {
	target := newTarget(t, "unsigned", `{"properties":{"u":{"type":"unsigned_long"}}}`,
		`{"u":18446744073709551615}`, `{"u":9223372036854775808}`, `{"u":0}`, `{"u":"9223372036854775809"}`)
	for _, c := range []struct{ body, want, sort string }{
		{`{"sort":[{"u":"desc"}]}`, "1 4 2 3", "18446744073709551615"},
		{`{"sort":["u"],"search_after":[9223372036854775808]}`, "4 1", "9223372036854775809"},
		{`{"sort":["u"],"query":{"range":{"u":{"gt":9223372036854775808}}}}`, "4 1", "9223372036854775809"},
		{`{"sort":["u"],"query":{"range":{"u":{"gte":-3.5,"lt":0.5}}}}`, "3", "0"},
		{`{"sort":["u"],"query":{"term":{"u":9223372036854775809}}}`, "4", "9223372036854775809"},
	} {
		ids, res, err := run(t, c.body, target)
		if err != nil || strings.Join(ids, " ") != c.want || fmt.Sprint(res.Hits[0].Sort[0]) != c.sort {
			t.Errorf("%s: %v, %v", c.body, ids, err)
		}
	}
}

// naive is a query as a predicate over a document's number.
type naive struct {
	body string
	is   func(n int) bool
}

// queries draws a query and its meaning over documents whose field n is their number.
func queries(rt *rapid.T, depth int) naive {
	kind := rapid.IntRange(0, 5).Draw(rt, "kind")
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0:
		k := rapid.IntRange(-1, 30).Draw(rt, "k")
		return naive{fmt.Sprintf(`{"term":{"n":%d}}`, k), func(n int) bool { return n == k }}
	case 1:
		k := rapid.IntRange(2, 5).Draw(rt, "k")
		return naive{fmt.Sprintf(`{"term":{"mod%d":"0"}}`, k), func(n int) bool { return n%k == 0 }}
	case 2:
		low, high := rapid.IntRange(-1, 30).Draw(rt, "low"), rapid.IntRange(-1, 30).Draw(rt, "high")
		return naive{fmt.Sprintf(`{"range":{"n":{"gte":%d,"lt":%d}}}`, low, high), func(n int) bool { return n >= low && n < high }}
	case 3:
		return naive{`{"term":{"nowhere":1}}`, func(int) bool { return false }}
	}
	return combinations(rt, depth)
}

func combinations(rt *rapid.T, depth int) naive {
	part := func(name string) []naive {
		out := make([]naive, rapid.IntRange(0, 2).Draw(rt, name))
		for i := range out {
			out[i] = queries(rt, depth-1)
		}
		return out
	}
	bodies := func(list []naive) string {
		var out []string
		for _, q := range list {
			out = append(out, q.body)
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	must, filter, should, not := part("must"), part("filter"), part("should"), part("must_not")
	least := rapid.IntRange(0, 2).Draw(rt, "least")
	body := fmt.Sprintf(`{"bool":{"must":%s,"filter":%s,"should":%s,"must_not":%s,"minimum_should_match":%d}}`,
		bodies(must), bodies(filter), bodies(should), bodies(not), least)
	return naive{body, func(n int) bool {
		for _, q := range slices.Concat(must, filter) {
			if !q.is(n) {
				return false
			}
		}
		if slices.ContainsFunc(not, func(q naive) bool { return q.is(n) }) {
			return false
		}
		matched := 0
		for _, q := range should {
			if q.is(n) {
				matched++
			}
		}
		need := least
		if len(should) > 0 && len(must)+len(filter) == 0 {
			need = max(need, 1)
		}
		if len(must)+len(filter)+len(should)+len(not) == 0 {
			need = 0
		}
		return matched >= need
	}}
}

func TestCombinedQueriesFindWhatEvaluatingThemFinds(t *testing.T) {
	var docs []string
	for n := range 30 {
		docs = append(docs, fmt.Sprintf(`{"n":%d,"mod2":"%d","mod3":"%d","mod4":"%d","mod5":"%d"}`, n, n%2, n%3, n%4, n%5))
	}
	target := newTarget(t, "numbers", `{"dynamic_templates":[{"k":{"match":"mod*","mapping":{"type":"keyword"}}}]}`, docs...)
	rapid.Check(t, func(rt *rapid.T) {
		q := queries(rt, 3)
		var want []string
		for n := range 30 {
			if q.is(n) {
				want = append(want, fmt.Sprint(n+1))
			}
		}
		for _, sort := range []string{`["_doc"]`, `[]`} { // without and with scores
			ids, res, err := run(t, `{"size":50,"sort":`+sort+`,"query":`+q.body+`}`, target)
			if err != nil {
				rt.Fatal(err)
			}
			if int(res.Total) != len(want) {
				rt.Fatalf("%s: found %v, want %v", q.body, ids, want)
			}
			if sort != `[]` && !slices.Equal(ids, want) {
				rt.Fatalf("%s: found %v, want %v", q.body, ids, want)
			}
		}
	})
}
