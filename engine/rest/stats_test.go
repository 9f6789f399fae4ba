// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"maps"
	"slices"
	"strings"
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
	s.call("GET", "/logs/_doc/none", "")
	s.call("PUT", "/logs/_create/1", `{"n":2}`)
	s.do("POST", "/logs/_update/1", `{"doc":{"n":1}}`)
	count := func(path, member string) any { return s.at(path, "indices.logs.primaries."+member) }
	if got := count("/logs/_stats", "translog.operations"); got != 4.0 {
		t.Errorf("%v operations are to be replayed, want 4", got)
	}
	s.do("POST", "/logs/_flush", "")
	s.do("POST", "/logs/_refresh", "")
	s.do("GET", "/logs/_search", "")
	s.do("GET", "/logs/_search?size=0", "")
	s.do("POST", "/logs/_forcemerge", "")
	for member, want := range map[string]float64{
		"docs.count": 2, "indexing.index_total": 3, "indexing.delete_total": 1, "indexing.index_failed": 1, "indexing.noop_update_total": 1,
		"indexing.index_current": 0, "get.total": 3, "get.exists_total": 2, "get.missing_total": 1, "search.query_total": 2, "search.query_current": 0,
		"search.fetch_total": 1, "merges.total": 1, "merges.current": 0, "flush.total": 1, "refresh.total": 2, "translog.operations": 0,
	} {
		if got := count("/logs/_stats", member); got != want {
			t.Errorf("%s is %v, want %v", member, got, want)
		}
	}
	for path, want := range map[string]string{
		"/_cat/indices/logs?h=dc,iito,idto,gto,ft":   "2 3 1 3 1\n",
		"/_cat/shards/logs?h=d,iito,idto,gto,ft,sqm": "2 3 1 3 1 3\n",
		"/_cat/count/logs?h=count":                   "2\n",
	} {
		if got := s.text(path); got != want {
			t.Errorf("GET %s is %q, want %q", path, got, want)
		}
	}
}

// Clients with types of their own fail where a member is missing that OpenSearch always sends.
func TestStatisticsHaveTheMembersThatClientsCountOn(t *testing.T) {
	s := tables(t)
	sections, _ := s.at("/_stats", "_all.primaries").(map[string]any)
	for section, names := range map[string]string{
		"indexing": "index_total index_time_in_millis index_current index_failed delete_total delete_time_in_millis delete_current " +
			"noop_update_total is_throttled throttle_time_in_millis",
		"get": "total time_in_millis exists_total exists_time_in_millis missing_total missing_time_in_millis current",
		"search": "open_contexts query_total query_time_in_millis query_current fetch_total fetch_time_in_millis fetch_current scroll_total " +
			"scroll_time_in_millis scroll_current suggest_total suggest_time_in_millis suggest_current",
		"merges": "current current_docs current_size_in_bytes total total_time_in_millis total_docs total_size_in_bytes " +
			"total_stopped_time_in_millis total_throttled_time_in_millis total_auto_throttle_in_bytes",
		"refresh":  "total total_time_in_millis external_total external_total_time_in_millis listeners",
		"flush":    "total periodic total_time_in_millis",
		"translog": "operations size_in_bytes uncommitted_operations uncommitted_size_in_bytes earliest_last_modified_age",
		"segments": "count memory_in_bytes index_writer_memory_in_bytes version_map_memory_in_bytes fixed_bit_set_memory_in_bytes max_unsafe_auto_id_timestamp",
	} {
		members, _ := sections[section].(map[string]any)
		for _, name := range strings.Fields(names) {
			if _, ok := members[name]; !ok {
				t.Errorf("%s has no %s", section, name)
			}
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
