// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"github.com/opensteward/steward/wire"
)

// section is one part of statistics: the metric that asks for it and the name that it is shown by.
type section struct {
	metric, name string
	members      func(t totals, human bool) wire.Object
}

// sections are in the order of answers. Times, and counts of searches and of failures, are not measured: the members
// that would show them are left out. What is 0 here is of caches and the like that the engine does not have.
var sections = []section{
	{"docs", "docs", func(t totals, _ bool) wire.Object { return wire.Obj("count", t.Docs, "deleted", t.Deleted) }},
	{"store", "store", storeSection},
	{"indexing", "indexing", func(t totals, _ bool) wire.Object {
		return wire.Obj("index_total", t.Indexed, "index_current", 0, "delete_total", t.DeletedOps, "delete_current", 0, "is_throttled", false,
			"throttle_time_in_millis", 0)
	}},
	{"get", "get", func(t totals, _ bool) wire.Object { return wire.Obj("total", t.Gets, "current", 0) }},
	{"search", "search", func(totals, bool) wire.Object {
		return wire.Obj("open_contexts", 0, "scroll_total", 0, "scroll_time_in_millis", 0, "scroll_current", 0, "point_in_time_total", 0,
			"point_in_time_time_in_millis", 0, "point_in_time_current", 0, "suggest_total", 0, "suggest_time_in_millis", 0, "suggest_current", 0)
	}},
	{"merge", "merges", func(t totals, _ bool) wire.Object { return wire.Obj("current", 0, "total", t.Merges) }},
	{"refresh", "refresh", func(t totals, _ bool) wire.Object {
		return wire.Obj("total", t.Refreshes, "external_total", t.Refreshes, "listeners", 0)
	}},
	{"flush", "flush", func(t totals, _ bool) wire.Object { return wire.Obj("total", t.Flushes, "periodic", 0) }},
	{"warmer", "warmer", func(totals, bool) wire.Object { return wire.Obj("current", 0, "total", 0, "total_time_in_millis", 0) }},
	{"query_cache", "query_cache", func(totals, bool) wire.Object {
		return wire.Obj("memory_size_in_bytes", 0, "total_count", 0, "hit_count", 0, "miss_count", 0, "cache_size", 0, "cache_count", 0, "evictions", 0)
	}},
	{"fielddata", "fielddata", func(totals, bool) wire.Object { return wire.Obj("memory_size_in_bytes", 0, "evictions", 0) }},
	{"completion", "completion", func(totals, bool) wire.Object { return wire.Obj("size_in_bytes", 0) }},
	{"segments", "segments", func(t totals, _ bool) wire.Object {
		return wire.Obj("count", t.Segments, "max_unsafe_auto_id_timestamp", -1, "file_sizes", wire.Object{})
	}},
	{"translog", "translog", func(t totals, _ bool) wire.Object {
		return wire.Obj("operations", t.Uncommitted, "uncommitted_operations", t.Uncommitted)
	}},
	{"request_cache", "request_cache", func(totals, bool) wire.Object {
		return wire.Obj("memory_size_in_bytes", 0, "evictions", 0, "hit_count", 0, "miss_count", 0)
	}},
	{"recovery", "recovery", func(totals, bool) wire.Object {
		return wire.Obj("current_as_source", 0, "current_as_target", 0, "throttle_time_in_millis", 0)
	}},
}

func storeSection(t totals, human bool) wire.Object {
	if human {
		return wire.Obj("size", wire.HumanBytes(t.Size), "size_in_bytes", t.Size, "reserved", "0b", "reserved_in_bytes", 0)
	}
	return wire.Obj("size_in_bytes", t.Size, "reserved_in_bytes", 0)
}

// json shows the sections of some metrics, none meaning all.
func (t totals) json(metrics []string, human bool) wire.Object {
	o := wire.Object{}
	for _, sec := range sections {
		if wantsMetric(metrics, sec.metric) {
			o.Add(sec.name, sec.members(t, human))
		}
	}
	return o
}
