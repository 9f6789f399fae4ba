// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"strings"

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
	{"indexing", "indexing", func(t totals, human bool) wire.Object {
		o := wire.Obj("index_total", t.Indexed, "index_current", 0, "delete_total", t.DeletedOps, "delete_current", 0, "is_throttled", false)
		return append(o, zeros(human, "throttle_time_in_millis")...)
	}},
	{"get", "get", func(t totals, _ bool) wire.Object { return wire.Obj("total", t.Gets, "current", 0) }},
	{"search", "search", nothing("open_contexts", "scroll_total", "scroll_time_in_millis", "scroll_current", "point_in_time_total",
		"point_in_time_time_in_millis", "point_in_time_current", "suggest_total", "suggest_time_in_millis", "suggest_current")},
	{"merge", "merges", func(t totals, _ bool) wire.Object { return wire.Obj("current", 0, "total", t.Merges) }},
	{"refresh", "refresh", func(t totals, _ bool) wire.Object {
		return wire.Obj("total", t.Refreshes, "external_total", t.Refreshes, "listeners", 0)
	}},
	{"flush", "flush", func(t totals, _ bool) wire.Object { return wire.Obj("total", t.Flushes, "periodic", 0) }},
	{"warmer", "warmer", nothing("current", "total", "total_time_in_millis")},
	{"query_cache", "query_cache", nothing("memory_size_in_bytes", "total_count", "hit_count", "miss_count", "cache_size", "cache_count", "evictions")},
	{"fielddata", "fielddata", nothing("memory_size_in_bytes", "evictions")},
	{"completion", "completion", nothing("size_in_bytes")},
	{"segments", "segments", segmentsSection},
	{"translog", "translog", func(t totals, _ bool) wire.Object {
		return wire.Obj("operations", t.Uncommitted, "uncommitted_operations", t.Uncommitted)
	}},
	{"request_cache", "request_cache", nothing("memory_size_in_bytes", "evictions", "hit_count", "miss_count")},
	{"recovery", "recovery", nothing("current_as_source", "current_as_target", "throttle_time_in_millis")},
}

// nothing is a section of things that the engine never has.
func nothing(names ...string) func(totals, bool) wire.Object {
	return func(_ totals, human bool) wire.Object { return zeros(human, names...) }
}

// zeros are members that are 0; sizes and times, told by their names, are also shown as texts if human.
func zeros(human bool, names ...string) wire.Object {
	o := wire.Object{}
	for _, name := range names {
		if size, ok := strings.CutSuffix(name, "_in_bytes"); ok && human {
			o.Add(size, "0b")
		}
		if time, ok := strings.CutSuffix(name, "_in_millis"); ok && human {
			o.Add(time, "0s")
		}
		o.Add(name, 0)
	}
	return o
}

// segmentsSection shows no memory: segments are read where they lie on disk.
func segmentsSection(t totals, human bool) wire.Object {
	o := append(wire.Obj("count", t.Segments), zeros(human, "memory_in_bytes", "terms_memory_in_bytes", "stored_fields_memory_in_bytes",
		"term_vectors_memory_in_bytes", "norms_memory_in_bytes", "points_memory_in_bytes", "doc_values_memory_in_bytes")...)
	return append(o, wire.Obj("max_unsafe_auto_id_timestamp", -1, "file_sizes", wire.Object{})...)
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
