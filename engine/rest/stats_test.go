// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
)

func TestAMetricShowsItsSection(t *testing.T) {
	s := tables(t)
	for metric, section := range map[string]string{
		"docs": "docs", "store": "store", "indexing": "indexing", "get": "get", "search": "search", "merge": "merges", "flush": "flush",
		"refresh": "refresh", "warmer": "warmer", "query_cache": "query_cache", "fielddata": "fielddata", "completion": "completion",
		"segments": "segments", "translog": "translog", "request_cache": "request_cache", "recovery": "recovery",
	} {
		t.Run(metric, func(t *testing.T) {
			for path, member := range map[string]string{
				"/_stats/" + metric:               "_all.primaries",
				"/big/_stats/" + metric:           "indices.big.total",
				"/_nodes/stats/indices/" + metric: "nodes.steward-embedded-node1.indices",
			} {
				sections, _ := s.at(path, member).(map[string]any)
				if diff := cmp.Diff([]string{section}, slices.Sorted(maps.Keys(sections))); diff != "" {
					t.Errorf("%s of %s (-want +got)\n%s", member, path, diff)
				}
			}
		})
	}
}

func TestStatisticsCountWhatWasDone(t *testing.T) {
	s := start(t, engine.Options{})
	s.do("PUT", "/logs", `{"settings":{"number_of_shards":1,"number_of_replicas":0,"refresh_interval":"-1"}}`)
	for _, id := range []string{"1", "2", "3"} {
		s.do("PUT", "/logs/_doc/"+id, `{"n":1}`)
	}
	s.do("DELETE", "/logs/_doc/3", "")
	s.do("GET", "/logs/_doc/1", "")
	count := func(path, member string) any { return s.at(path, "indices.logs.primaries."+member) }
	if got := count("/logs/_stats", "translog.operations"); got != 4.0 {
		t.Errorf("%v operations are to be replayed, want 4", got)
	}
	s.do("POST", "/logs/_flush", "")
	s.do("POST", "/logs/_refresh", "")
	for member, want := range map[string]float64{
		"docs.count": 2, "indexing.index_total": 3, "indexing.delete_total": 1, "get.total": 1, "flush.total": 1, "translog.operations": 0,
	} {
		if got := count("/logs/_stats", member); got != want {
			t.Errorf("%s is %v, want %v", member, got, want)
		}
	}
	for path, want := range map[string]string{
		"/_cat/indices/logs?h=dc,iito,idto,gto,ft":   "2 3 1 1 1\n",
		"/_cat/shards/logs?h=d,iito,idto,gto,ft,sqm": "2 3 1 1 1 3\n",
		"/_cat/count/logs?h=count":                   "2\n",
	} {
		if got := s.text(path); got != want {
			t.Errorf("GET %s is %q, want %q", path, got, want)
		}
	}
}

func TestDocumentsAreTheSameNumberWhereverTheyAreCounted(t *testing.T) {
	s := tables(t)
	for path, member := range map[string]string{
		"/_stats/docs":               "_all.total.docs.count",
		"/_stats/docs?level=cluster": "_all.primaries.docs.count",
		"/_nodes/stats/indices/docs": "nodes.steward-embedded-node1.indices.docs.count",
		"/_cluster/stats":            "indices.docs.count",
		"/_count":                    "count",
	} {
		if got := s.at(path, member); got != 3.0 {
			t.Errorf("%s of %s is %v, want 3", member, path, got)
		}
	}
}
