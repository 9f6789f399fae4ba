// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"strings"
	"time"

	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/wire"
)

// section is one part of statistics: the metric that asks for it and the name that it is shown by.
type section struct {
	metric, name string
	members      func(t totals, human bool) wire.Object
}

// sections are in the order of answers. What is always 0 here is of caches and the like that the engine does not have.
var sections = []section{
	{"docs", "docs", func(t totals, _ bool) wire.Object { return wire.Obj("count", t.Docs, "deleted", t.Deleted) }},
	{"store", "store", storeSection},
	{"indexing", "indexing", indexingSection},
	{"get", "get", getSection},
	{"search", "search", searchSection},
	{"merge", "merges", mergesSection},
	{"refresh", "refresh", refreshSection},
	{"flush", "flush", func(t totals, human bool) wire.Object {
		done := t.Work.Done[shard.Flushing]
		return timed(wire.Obj("total", done.Count, "periodic", 0), "total_time", done, human)
	}},
	{"warmer", "warmer", nothing("current", "total", "total_time_in_millis")},
	{"query_cache", "query_cache", nothing("memory_size_in_bytes", "total_count", "hit_count", "miss_count", "cache_size", "cache_count", "evictions")},
	{"fielddata", "fielddata", nothing("memory_size_in_bytes", "evictions")},
	{"completion", "completion", nothing("size_in_bytes")},
	{"segments", "segments", segmentsSection},
	{"translog", "translog", translogSection},
	{"request_cache", "request_cache", nothing("memory_size_in_bytes", "evictions", "hit_count", "miss_count")},
	{"recovery", "recovery", nothing("current_as_source", "current_as_target", "throttle_time_in_millis")},
}

// timed adds how long work took, under a name without its unit; as text, too, if human.
func timed(o wire.Object, name string, done shard.Done, human bool) wire.Object {
	o.AddIf(human, name, wire.HumanDuration(done.Time.Truncate(time.Millisecond)))
	o.Add(name+"_in_millis", done.Time.Milliseconds())
	return o
}

func indexingSection(t totals, human bool) wire.Object {
	indexed, deleted := t.Work.Done[shard.Indexing], t.Work.Done[shard.Deleting]
	o := timed(wire.Obj("index_total", indexed.Count), "index_time", indexed, human)
	o = append(o, wire.Obj("index_current", indexed.Current, "index_failed", t.Work.Failed, "delete_total", deleted.Count)...)
	o = timed(o, "delete_time", deleted, human)
	o = append(o, wire.Obj("delete_current", deleted.Current, "noop_update_total", t.Work.Noops, "is_throttled", false)...)
	return append(o, zeros(human, "throttle_time_in_millis")...)
}

func getSection(t totals, human bool) wire.Object {
	all, found, missed := t.Work.Gets(), t.Work.Done[shard.Finding], t.Work.Done[shard.Missing]
	o := wire.Obj("total", all.Count)
	o.Add("getTime", wire.HumanDuration(all.Time.Truncate(time.Millisecond)))
	o = timed(o, "time", all, human)
	o.Add("exists_total", found.Count)
	o = timed(o, "exists_time", found, human)
	o.Add("missing_total", missed.Count)
	o = timed(o, "missing_time", missed, human)
	o.Add("current", all.Current)
	return o
}

func searchSection(t totals, human bool) wire.Object {
	query, fetch := t.Work.Done[shard.Querying], t.Work.Done[shard.Fetching]
	o := timed(wire.Obj("open_contexts", 0, "query_total", query.Count), "query_time", query, human)
	o = append(o, wire.Obj("query_current", query.Current, "fetch_total", fetch.Count)...)
	o = timed(o, "fetch_time", fetch, human)
	o.Add("fetch_current", fetch.Current)
	return append(o, zeros(human, "scroll_total", "scroll_time_in_millis", "scroll_current", "point_in_time_total",
		"point_in_time_time_in_millis", "point_in_time_current", "suggest_total", "suggest_time_in_millis", "suggest_current")...)
}

// mergesSection is of merges that were asked for.
func mergesSection(t totals, human bool) wire.Object {
	done := t.Work.Done[shard.Merging]
	o := append(wire.Obj("current", done.Current), zeros(human, "current_docs", "current_size_in_bytes")...)
	o = timed(append(o, wire.Obj("total", done.Count)...), "total_time", done, human)
	o.Add("total_docs", t.Work.MergedDocs)
	o.AddIf(human, "total_size", wire.HumanBytes(t.Work.MergedBytes))
	o.Add("total_size_in_bytes", t.Work.MergedBytes)
	return append(o, zeros(human, "total_stopped_time_in_millis", "total_throttled_time_in_millis", "total_auto_throttle_in_bytes")...)
}

func refreshSection(t totals, human bool) wire.Object {
	done := t.Work.Done[shard.Refreshing]
	o := timed(wire.Obj("total", done.Count), "total_time", done, human)
	o = timed(append(o, wire.Obj("external_total", done.Count)...), "external_total_time", done, human)
	o.Add("listeners", 0)
	return o
}

// translogSection has no bytes and no age: the documents are their own log.
func translogSection(t totals, human bool) wire.Object {
	o := append(wire.Obj("operations", t.Uncommitted), zeros(human, "size_in_bytes")...)
	o.Add("uncommitted_operations", t.Uncommitted)
	o = append(o, zeros(human, "uncommitted_size_in_bytes")...)
	o.Add("earliest_last_modified_age", 0)
	return o
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
		"term_vectors_memory_in_bytes", "norms_memory_in_bytes", "points_memory_in_bytes", "doc_values_memory_in_bytes",
		"index_writer_memory_in_bytes", "version_map_memory_in_bytes")...)
	o.AddIf(human, "fixed_bit_set", "0b")
	return append(o, wire.Obj("fixed_bit_set_memory_in_bytes", 0, "max_unsafe_auto_id_timestamp", -1, "file_sizes", wire.Object{})...)
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
