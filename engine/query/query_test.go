// SPDX-License-Identifier: Apache-2.0

package query

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// newTarget makes a one-shard index of documents, with ids 1, 2, 3 ...
func newTarget(t *testing.T, name, mappingBody string, docs ...string) Target {
	t.Helper()
	m, err := mapping.Empty().Merge([]byte(mappingBody))
	if err != nil {
		t.Fatal(err)
	}
	var ops []shard.Operation
	for i, source := range docs {
		id := fmt.Sprint(i + 1)
		grown, err := m.Check(id, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if grown != nil {
			m = grown
		}
		ops = append(ops, shard.Operation{Op: shard.OpIndex, ID: id, Source: []byte(source)})
	}
	s, err := shard.Create(filepath.Join(t.TempDir(), name), shard.Options{Index: name, Indexer: m})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Apply(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(); err != nil {
		t.Fatal(err)
	}
	return Target{Index: name, UUID: "u", Mapping: m, Shards: []Shard{s}}
}

// run runs a body and returns the ids of the page.
func run(t *testing.T, body string, targets ...Target) ([]string, *Response, error) {
	t.Helper()
	r := NewRequest()
	if err := r.ParseRequest([]byte(body)); err != nil {
		return nil, nil, err
	}
	res, err := Execute(context.Background(), targets, r, now)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	for _, h := range res.Hits {
		ids = append(ids, h.ID)
	}
	return ids, res, nil
}

func library(t *testing.T) Target {
	return newTarget(t, "books", `{"properties":{"title":{"type":"text","fields":{"raw":{"type":"keyword"}}},"tag":{"type":"keyword"},"pages":{"type":"long"},"price":{"type":"double"},"out":{"type":"date"},"lent":{"type":"boolean"},"ip":{"type":"ip"},"by":{"properties":{"name":{"type":"keyword"}}}}}`,
		`{"title":"The quick brown fox","tag":["a","b"],"pages":100,"price":9.5,"out":"2026-11-20","lent":true,"ip":"10.0.0.1","by":{"name":"Ann"}}`,
		`{"title":"The lazy dog","tag":"b","pages":9007199254740993,"price":20,"out":"2026-11-21T08:00:00Z","lent":false,"ip":"10.0.1.1"}`,
		`{"title":"A brown dog","tag":"Cc.d","pages":9007199254740992,"out":"2025-01-31"}`,
		`{"title":"Nothing","pages":-5,"price":-1.25}`,
	)
}

func TestQueriesFindDocuments(t *testing.T) {
	books := library(t)
	for _, c := range []struct{ name, query, want string }{
		{"match_all", `{"match_all":{}}`, "1 2 3 4"},
		{"match_none", `{"match_none":{}}`, ""},
		{"ids", `{"ids":{"values":["3","1","nope"]}}`, "1 3"},
		{"a term", `{"term":{"tag":"b"}}`, "1 2"},
		{"a term in long form", `{"term":{"tag":{"value":"cc.D","case_insensitive":true}}}`, "3"},
		{"a term of a boolean", `{"term":{"lent":false}}`, "2"},
		{"a term of an exact long", `{"term":{"pages":9007199254740993}}`, "2"},
		{"a term of a double", `{"term":{"price":9.5}}`, "1"},
		{"a term of a date", `{"term":{"out":"2026-11-20"}}`, "1"},
		{"a term of an unknown field", `{"term":{"nope":1}}`, ""},
		{"a term of _id", `{"term":{"_id":"2"}}`, "2"},
		{"a term of _index", `{"term":{"_index":"books"}}`, "1 2 3 4"},
		{"a term of an address block", `{"term":{"ip":"10.0.0.0/24"}}`, "1"},
		{"terms", `{"terms":{"tag":["a","Cc.d"]}}`, "1 3"},
		{"a range of longs beyond 2^53", `{"range":{"pages":{"gt":9007199254740992}}}`, "2"},
		{"a range of small longs", `{"range":{"pages":{"gte":-5,"lt":100.5}}}`, "1 4"},
		{"a range of longs below a large bound", `{"range":{"pages":{"lte":9007199254740992}}}`, "1 3 4"},
		{"a range of doubles", `{"range":{"price":{"gte":-1.25,"lte":9.5}}}`, "1 4"},
		{"a range of dates by date maths", `{"range":{"out":{"gte":"now-1d/d"}}}`, "1 2"},
		{"a range that rounds up", `{"range":{"out":{"lte":"2026-11-20"}}}`, "1 3"},
		{"a range that rounds up an open end", `{"range":{"out":{"gt":"2026-11-20"}}}`, "2"},
		{"a range in a format", `{"range":{"out":{"lt":"01.02.2025","format":"dd.MM.yyyy"}}}`, "3"},
		{"a range of keywords", `{"range":{"tag":{"gte":"a","lt":"b"}}}`, "1"},
		{"a range of addresses", `{"range":{"ip":{"gt":"10.0.0.1","lte":"10.0.1.1"}}}`, "2"},
		{"a range of sequence numbers", `{"range":{"_seq_no":{"gt":1}}}`, "3 4"},
		{"exists", `{"exists":{"field":"price"}}`, "1 2 4"},
		{"exists of an object", `{"exists":{"field":"by"}}`, "1"},
		{"prefix", `{"prefix":{"tag":"C"}}`, "3"},
		{"wildcard", `{"wildcard":{"tag":{"value":"?c.*"}}}`, "3"},
		{"wildcard does not read . as any", `{"wildcard":{"tag":"Cc?d"}}`, "3"},
		{"wildcard without case", `{"wildcard":{"tag":{"value":"cC.d","case_insensitive":true}}}`, "3"},
		{"regexp", `{"regexp":{"tag":"[ab]"}}`, "1 2"},
		{"match", `{"match":{"title":"quick DOG"}}`, "1 2 3"},
		{"match of all words", `{"match":{"title":{"query":"brown dog","operator":"and"}}}`, "3"},
		{"match of at least two words", `{"match":{"title":{"query":"the brown dog","minimum_should_match":2}}}`, "1 2 3"},
		{"match with a typo", `{"match":{"title":{"query":"quikc","fuzziness":"AUTO"}}}`, "1"},
		{"stop words are words", `{"match":{"title":"the"}}`, "1 2"},
		{"match_phrase", `{"match_phrase":{"title":"brown fox"}}`, "1"},
		{"match_phrase in another order", `{"match_phrase":{"title":"fox brown"}}`, ""},
		{"match of a keyword", `{"match":{"title.raw":"Nothing"}}`, "4"},
		{"multi_match", `{"multi_match":{"query":"b","fields":["title","tag^2"]}}`, "1 2"},
		{"bool", `{"bool":{"must":{"match":{"title":"brown"}},"must_not":[{"term":{"tag":"a"}}]}}`, "3"},
		{"bool with filter and optional clauses", `{"bool":{"filter":[{"exists":{"field":"tag"}}],"should":[{"term":{"tag":"a"}}]}}`, "1 2 3"},
		{"bool with only optional clauses", `{"bool":{"should":[{"term":{"tag":"a"}},{"term":{"tag":"Cc.d"}}]}}`, "1 3"},
		{"bool with a minimum", `{"bool":{"should":[{"term":{"tag":"a"}},{"term":{"tag":"b"}}],"minimum_should_match":"100%"}}`, "1"},
		{"bool with only exclusions", `{"bool":{"must_not":{"term":{"tag":"b"}}}}`, "3 4"},
		{"empty bool", `{"bool":{}}`, "1 2 3 4"},
		{"constant_score", `{"constant_score":{"filter":{"term":{"tag":"b"}}}}`, "1 2"},
		{"dis_max", `{"dis_max":{"queries":[{"term":{"tag":"a"}},{"term":{"pages":-5}}]}}`, "1 4"},
		{"query_string: a field", `{"query_string":{"query":"tag:b"}}`, "1 2"},
		{"query_string: wildcards on a keyword", `{"query_string":{"query":"*c.*","default_field":"tag"}}`, "3"},
		{"query_string: wildcards on a text have the case of its terms", `{"query_string":{"query":"*ROW*","default_field":"title"}}`, "1 3"},
		{"a wildcard on a text has the case that is given", `{"wildcard":{"title":"*ROW*"}}`, ""},
		{"query_string: everything", `{"query_string":{"query":"*","default_field":"tag","default_operator":"AND"}}`, "1 2 3"},
		{"query_string: operators", `{"query_string":{"query":"brown AND NOT tag:a"}}`, "3"},
		{"query_string: OR binds over the default", `{"query_string":{"query":"quick OR lazy","default_operator":"AND","default_field":"title"}}`, "1 2"},
		{"query_string: default AND", `{"query_string":{"query":"brown dog","default_operator":"AND","default_field":"title"}}`, "3"},
		{"query_string: exclusion", `{"query_string":{"query":"*o* -dog","default_field":"title"}}`, "1 4"},
		{"query_string: a phrase", `{"query_string":{"query":"title:\"lazy dog\""}}`, "2"},
		{"query_string: a range", `{"query_string":{"query":"pages:[-10 TO 100}"}}`, "4"},
		{"query_string: a comparison", `{"query_string":{"query":"pages:>=100"}}`, "1 2 3"},
		{"query_string: a group", `{"query_string":{"query":"tag:(a OR Cc.d)"}}`, "1 3"},
		{"query_string: _exists_", `{"query_string":{"query":"_exists_:lent"}}`, "1 2"},
		{"query_string: all fields", `{"query_string":{"query":"Ann"}}`, "1"},
		{"simple_query_string", `{"simple_query_string":{"query":"quick","fields":["title"]}}`, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, res, err := run(t, `{"sort":["_doc"],"query":`+c.query+`}`, books)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(ids)
			if got := strings.Join(ids, " "); got != c.want || int(res.Total) != len(ids) {
				t.Errorf("found %q (%d), want %q", got, res.Total, c.want)
			}
		})
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	books := library(t)
	for _, c := range []struct{ name, body, typ, reason string }{
		{"an unknown query", `{"query":{"x":{}}}`, "parsing_exception", "unknown query [x]"},
		{"a query this engine lacks", `{"query":{"percolate":{}}}`, "illegal_argument_exception", "the query [percolate] is not supported by the embedded engine"},
		{"an empty query", `{"query":{}}`, "illegal_argument_exception", "query malformed, empty clause found at [1:10]"},
		{"a query that is no object", `{"query":[]}`, "parsing_exception", "[_na] query malformed, must start with start_object"},
		{"two queries", `{"query":{"match_all":{},"match_none":{}}}`, "parsing_exception", "malformed query, expected [END_OBJECT] but found [FIELD_NAME]"},
		{"an unknown member", `{"query":{"bool":{"muss":[]}}}`, "parsing_exception", "[bool] query does not support [muss]"},
		{"two fields", `{"query":{"term":{"a":1,"b":2}}}`, "parsing_exception", "[term] query doesn't support multiple fields, found [a] and [b]"},
		{"an array for a term", `{"query":{"term":{"a":[1]}}}`, "parsing_exception", "[term] query does not support array of values"},
		{"an unknown request member", `{"colour":1}`, "parsing_exception", "Unknown key for a VALUE_NUMBER in [colour]."},
		{"aggregations", `{"aggs":{"a":{"terms":{"field":"tag"}}}}`, "illegal_argument_exception", "[aggs] of a search is not supported by the embedded engine"},
		{"a negative size", `{"size":-1}`, "illegal_argument_exception", "[size] parameter cannot be negative, found [-1]"},
		{"too large a window", `{"from":9999,"size":10}`, "search_phase_execution_exception", "all shards failed"},
		{"an unknown sort field", `{"sort":["nope"]}`, "search_phase_execution_exception", "all shards failed"},
		{"a sort on text", `{"sort":["title"]}`, "search_phase_execution_exception", "all shards failed"},
		{"a bad sort order", `{"sort":[{"tag":"sideways"}]}`, "illegal_argument_exception", "No enum constant org.opensearch.search.sort.SortOrder.SIDEWAYS"},
		{"search_after without sort", `{"search_after":[1]}`, "search_phase_execution_exception", "all shards failed"},
		{"search_after of another length", `{"sort":["tag"],"search_after":["a",1]}`, "search_phase_execution_exception", "all shards failed"},
		{"a bad number in a term", `{"query":{"term":{"pages":"many"}}}`, "search_phase_execution_exception", "all shards failed"},
		{"a bad date in a range", `{"query":{"range":{"out":{"gte":"soon"}}}}`, "search_phase_execution_exception", "all shards failed"},
		{"a bad query string", `{"query":{"query_string":{"query":"(a"}}}`, "search_phase_execution_exception", "all shards failed"},
		{"too deep", `{"query":` + strings.Repeat(`{"bool":{"must":`, 30) + `{"match_all":{}}` + strings.Repeat(`}}`, 30) + `}`, "parsing_exception", "nested depth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := run(t, c.body, books)
			if f := fault.Of(err); err == nil || f.Type != c.typ || !strings.Contains(f.Reason, c.reason) || f.Status != 400 {
				t.Errorf("%v, want %s: %s", err, c.typ, c.reason)
			}
		})
	}
}

func TestAnUnknownSortFieldIsWordedAsByTheServer(t *testing.T) {
	_, _, err := run(t, `{"sort":["nope"]}`, library(t))
	_, _, body := fault.Body(err)
	q := `{"type":"query_shard_exception","reason":"No mapping found for [nope] in order to sort on","index":"books","index_uuid":"u"}`
	want := `{"error":{"root_cause":[` + q + `],"type":"search_phase_execution_exception","reason":"all shards failed","phase":"query","grouped":true,"failed_shards":[{"shard":0,"index":"books","node":"` + NodeID + `","reason":` + q + `}]},"status":400}`
	if string(body) != want {
		t.Errorf("%s\nwant %s", body, want)
	}
}

func TestSortsAndPages(t *testing.T) {
	books := library(t)
	other := newTarget(t, "more", `{"properties":{"tag":{"type":"keyword"},"pages":{"type":"long"},"out":{"type":"date"},"price":{"type":"double"}}}`, `{"tag":"aa","pages":7}`)
	for _, c := range []struct{ name, body, want, sort string }{
		{"longs beyond 2^53", `{"sort":[{"pages":"desc"}],"size":2}`, "2 3", "[[9007199254740993],[9007199254740992]]"},
		{"longs ascending", `{"sort":["pages"],"size":3}`, "4 1 1", "[[-5],[7],[100]]"},
		{"missing last", `{"sort":[{"price":"asc"}],"size":9}`, "4 1 2 3 1", `[[-1.25],[9.5],[20],["Infinity"],["Infinity"]]`},
		{"missing first", `{"sort":[{"price":{"order":"asc","missing":"_first"}}],"size":1}`, "3", `[["-Infinity"]]`},
		{"a value for missing", `{"sort":[{"price":{"missing":10}}],"size":3}`, "4 1 3", `[[-1.25],[9.5],[10]]`},
		{"the least of several values", `{"sort":["tag"],"size":3}`, "3 1 1", `[["Cc.d"],["a"],["aa"]]`},
		{"the greatest of several values", `{"sort":[{"tag":"desc"}],"size":2}`, "1 2", `[["b"],["b"]]`},
		{"dates", `{"sort":[{"out":{"order":"desc","format":"yyyy-MM-dd"}}],"size":2}`, "2 1", `[["2026-11-21"],["2026-11-20"]]`},
		{"two keys", `{"sort":[{"tag":"desc"},{"pages":"desc"}],"size":2}`, "2 1", `[["b",9007199254740993],["b",100]]`},
		{"search_after", `{"sort":["pages"],"search_after":[100],"size":2}`, "3 2", `[[9007199254740992],[9007199254740993]]`},
		{"from", `{"sort":["pages"],"from":1,"size":2}`, "1 1", `[[7],[100]]`},
		{"an unmapped field", `{"sort":[{"nope":{"unmapped_type":"long"}},{"pages":"asc"}],"size":1}`, "4", `[[9223372036854775807,-5]]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ids, res, err := run(t, c.body, books, other)
			if err != nil {
				t.Fatal(err)
			}
			var sorts [][]any
			for _, h := range res.Hits {
				sorts = append(sorts, h.Sort)
			}
			got, err := json.Marshal(sorts)
			if err != nil || strings.Join(ids, " ") != c.want || string(got) != c.sort {
				t.Errorf("%s %s, want %s %s", strings.Join(ids, " "), got, c.want, c.sort)
			}
		})
	}
}

func TestWhatAHitShows(t *testing.T) {
	books := library(t)
	for _, c := range []struct{ name, body, want string }{
		{"a plain hit", `{"query":{"ids":{"values":["4"]}}}`, `{"_index":"books","_id":"4","_score":1.0,"_source":{"title":"Nothing","pages":-5,"price":-1.25}}`},
		{"no source", `{"query":{"ids":{"values":["4"]}},"_source":false}`, `{"_index":"books","_id":"4","_score":1.0}`},
		{"a part of the source", `{"query":{"ids":{"values":["4"]}},"_source":["p*"]}`, `{"_index":"books","_id":"4","_score":1.0,"_source":{"pages":-5,"price":-1.25}}`},
		{"without a part", `{"query":{"ids":{"values":["1"]}},"_source":{"includes":["by","title"],"excludes":["by.name"]}}`, `{"_index":"books","_id":"1","_score":1.0,"_source":{"title":"The quick brown fox","by":{}}}`},
		{"versions", `{"query":{"ids":{"values":["4"]}},"_source":false,"version":true,"seq_no_primary_term":true}`, `{"_index":"books","_id":"4","_version":1,"_seq_no":3,"_primary_term":1,"_score":1.0}`},
		{"a sorted hit", `{"query":{"ids":{"values":["4"]}},"_source":false,"sort":["pages"]}`, `{"_index":"books","_id":"4","_score":null,"sort":[-5]}`},
		{"a filtered hit", `{"query":{"bool":{"filter":{"ids":{"values":["4"]}}}},"_source":false}`, `{"_index":"books","_id":"4","_score":0.0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, res, err := run(t, c.body, books)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(res.hit(&res.Hits[0]))
			if err != nil || string(got) != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTotalsAreTrackedAsAsked(t *testing.T) {
	books := library(t)
	for body, want := range map[string]string{
		`{"size":0}`:                                    `{"total":{"value":4,"relation":"eq"},"max_score":null,"hits":[]}`,
		`{"size":0,"track_total_hits":2}`:               `{"total":{"value":2,"relation":"gte"},"max_score":null,"hits":[]}`,
		`{"size":0,"track_total_hits":false}`:           `{"max_score":null,"hits":[]}`,
		`{"size":0,"track_total_hits":true}`:            `{"total":{"value":4,"relation":"eq"},"max_score":null,"hits":[]}`,
		`{"size":0,"post_filter":{"term":{"tag":"a"}}}`: `{"total":{"value":1,"relation":"eq"},"max_score":null,"hits":[]}`,
	} {
		_, res, err := run(t, body, books)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(res.JSON(""))
		if err != nil || !strings.Contains(string(got), `"hits":`+want) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

func TestAnAliasFilterLimitsAnIndex(t *testing.T) {
	books := library(t)
	var err error
	if books.Filter, err = Parse([]byte(`{"term":{"tag":"b"}}`)); err != nil {
		t.Fatal(err)
	}
	if ids, _, err := run(t, `{"query":{"match":{"title":"brown"}}}`, books); err != nil || strings.Join(ids, " ") != "1" {
		t.Errorf("%v, %v", ids, err)
	}
	if n, _, err := Count(context.Background(), []Target{books}, nil, now); n != 2 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
}

func TestRangesOfLongsAreWhatComparingThemGives(t *testing.T) {
	numbers := []int64{-1 << 63, -1<<53 - 1, -1 << 53, -7, 0, 7, 1 << 53, 1<<53 + 1, 1<<63 - 1}
	var docs []string
	for _, n := range numbers {
		docs = append(docs, fmt.Sprintf(`{"n":%d}`, n))
	}
	target := newTarget(t, "numbers", `{"properties":{"n":{"type":"long"}}}`, docs...)
	number := rapid.OneOf(rapid.SampledFrom(numbers), rapid.Int64())
	rapid.Check(t, func(rt *rapid.T) {
		low, high := number.Draw(rt, "low"), number.Draw(rt, "high")
		ids, _, err := run(t, fmt.Sprintf(`{"size":20,"sort":["n"],"query":{"range":{"n":{"gte":%d,"lt":%d}}}}`, low, high), target)
		if err != nil {
			rt.Fatal(err)
		}
		var want []string
		for i, n := range numbers {
			if n >= low && n < high {
				want = append(want, fmt.Sprint(i+1))
			}
		}
		if strings.Join(ids, " ") != strings.Join(want, " ") {
			rt.Fatalf("from %d below %d: %v, want %v", low, high, ids, want)
		}
	})
}
