// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) statsRoutes(rt *rest.Router) {
	for _, index := range []string{"", "/{index}"} {
		rt.Handle("GET", index+"/_stats", s.indexStats)
		rt.Handle("GET", index+"/_stats/{metric}", s.indexStats)
		rt.Handle("GET", index+"/_segments", s.segments)
		rt.Handle("GET", index+"/_recovery", s.recovery)
	}
}

// statsOptions are the defaults of statistics: open indices, and an error for a closed one that is named.
var statsOptions = wire.IndexOptions{Open: true, AllowNoIndices: true, ForbidClosed: true}

// indexMetrics are the metrics of an index's statistics.
var indexMetrics = []string{
	"docs", "store", "indexing", "get", "search", "merge", "flush", "refresh", "warmer", "query_cache", "fielddata",
	"completion", "segments", "translog", "request_cache", "recovery",
}

// indexFigures are the numbers of an index's primary shards.
type indexFigures struct {
	index  *catalog.Index
	shards []shard.Stats
}

// totals are sums over shards.
type totals struct{ shard.Stats }

func (t *totals) add(st shard.Stats) {
	t.Docs, t.Deleted, t.Live = t.Docs+st.Docs, t.Deleted+st.Deleted, t.Live+st.Live
	t.Size, t.Segments, t.Uncommitted = t.Size+st.Size, t.Segments+st.Segments, t.Uncommitted+st.Uncommitted
	t.Work.Add(st.Work)
}

func (f indexFigures) totals() (t totals) {
	for _, st := range f.shards {
		t.add(st)
	}
	return t
}

func sum(list []indexFigures) (t totals) {
	for _, f := range list {
		for _, st := range f.shards {
			t.add(st)
		}
	}
	return t
}

// indexTotals reads the numbers of indices.
func (s *Server) indexTotals(list []*catalog.Index) ([]indexFigures, error) {
	out := make([]indexFigures, 0, len(list))
	err := s.each(list, func(index *catalog.Index) error {
		shards, err := s.Docs.ShardStats(index)
		if err == nil {
			out = append(out, indexFigures{index, shards})
		}
		return err
	})
	return out, err
}

// each looks at the shards of indices. Those that are deleted or closed meanwhile are left out.
func (s *Server) each(list []*catalog.Index, look func(*catalog.Index) error) error {
	for _, index := range list {
		for {
			err := look(index)
			if err == nil {
				break
			}
			now := s.Catalog.State().IndexByUUID(index.UUID)
			if now == nil || now.Closed && !index.Closed {
				break
			}
			if !fault.Is(err, "index_not_found_exception") {
				return err
			}
			index = now // its shards were closed, and are open again
		}
	}
	return nil
}

// readStatsOptions reads index options and forbid_closed_indices.
func readStatsOptions(r *rest.Request) wire.IndexOptions {
	o := r.IndexOptions(statsOptions)
	o.ForbidClosed = r.Bool("forbid_closed_indices", true)
	return o
}

func (s *Server) indexStats(r *rest.Request) (rest.Action, error) {
	expressions, metrics := r.List("index"), r.List("metric")
	if err := checkMetrics(r, metrics, indexMetrics); err != nil {
		return nil, err
	}
	o := readStatsOptions(r)
	level := r.Param("level", "indices")
	if level != "cluster" && level != "indices" && level != "shards" {
		return nil, fault.Illegal("level parameter must be one of [cluster] or [indices] or [shards] but was [%s]", level)
	}
	ignoreDetails(r, metrics)
	r.Ignore("groups")
	if wantsMetric(metrics, "segments") {
		r.Ignore("include_unloaded_segments")
	}
	human := r.Human()
	return func(context.Context) (*rest.Response, error) {
		indices, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		figures, err := s.indexTotals(indices)
		if err != nil {
			return nil, err
		}
		all := wire.Object{}
		if len(figures) > 0 {
			all = sum(figures).json(metrics, human)
		}
		body := wire.Obj("_shards", copies(indices), "_all", wire.Obj("primaries", all, "total", all))
		if level != "cluster" {
			list := wire.Object{}
			for _, f := range figures {
				list.Add(f.index.Name, s.oneIndexStats(f, metrics, level == "shards", human))
			}
			body.Add("indices", list)
		}
		return rest.OK(body), nil
	}, nil
}

// ignoreDetails accepts the parameters that would add details to the metrics that are asked for.
func ignoreDetails(r *rest.Request, metrics []string) {
	if wantsMetric(metrics, "completion") || wantsMetric(metrics, "fielddata") {
		r.Ignore("fields", "fielddata_fields", "completion_fields")
	}
	if wantsMetric(metrics, "segments") {
		r.Ignore("include_segment_file_sizes")
	}
}

// wantsMetric reports whether a metric is asked for; none means all.
func wantsMetric(metrics []string, metric string) bool {
	return len(metrics) == 0 || slices.Contains(metrics, "_all") || slices.Contains(metrics, metric)
}

// copies counts the copies of shards that indices ask for, and those that there are.
func copies(indices []*catalog.Index) wire.Object {
	total, successful := 0, 0
	for _, i := range indices {
		total += i.Shards() * (1 + i.Replicas())
		successful += i.Shards()
	}
	return wire.Obj("total", total, "successful", successful, "failed", 0)
}

func (s *Server) oneIndexStats(f indexFigures, metrics []string, shards, human bool) wire.Object {
	sections := f.totals().json(metrics, human)
	o := wire.Obj("uuid", f.index.UUID, "primaries", sections, "total", sections)
	if !shards {
		return o
	}
	list := wire.Object{}
	for n, st := range f.shards {
		list.Add(strconv.Itoa(n), []wire.Object{s.shardStats(f.index, n, st, metrics, human)})
	}
	o.Add("shards", list)
	return o
}

func (s *Server) shardStats(index *catalog.Index, n int, st shard.Stats, metrics []string, human bool) wire.Object {
	o := wire.Obj("routing", wire.Obj("state", "STARTED", "primary", true, "node", query.NodeID, "relocating_node", nil))
	o = append(o, totals{st}.json(metrics, human)...)
	number := strconv.Itoa(n)
	searched := strconv.FormatInt(st.MaxSeqNo-st.Uncommitted, 10)
	o.Add("commit", wire.Obj("id", stableID("commit", index.UUID, number, searched), "generation", st.Work.Done[shard.Flushing].Count+1,
		"user_data", wire.Obj("history_uuid", stableID("history", index.UUID, number), "local_checkpoint", searched, "max_seq_no", searched),
		"num_docs", st.Docs))
	o.Add("seq_no", wire.Obj("max_seq_no", st.MaxSeqNo, "local_checkpoint", st.MaxSeqNo, "global_checkpoint", st.MaxSeqNo))
	o.Add("retention_leases", wire.Obj("primary_term", 1, "version", 0, "leases", []any{}))
	o.Add("shard_path", wire.Obj("state_path", s.Dir, "data_path", s.Dir, "is_custom_data_path", false))
	return o
}

// checkMetrics refuses metrics that do not exist, and _all among others.
func checkMetrics(r *rest.Request, metrics, known []string) error {
	if slices.Contains(metrics, "_all") && len(metrics) > 1 {
		return fault.Illegal("request [%s] contains _all and individual metrics [%s]", r.HTTP.URL.EscapedPath(), strings.Join(metrics, ","))
	}
	if !allMetrics(metrics, known) {
		return unknownMetrics(r, "metric", metrics, known)
	}
	return nil
}

// unknownMetrics is the 400 that names the metrics which do not exist.
func unknownMetrics(r *rest.Request, kind string, given, known []string) error {
	var unknown []string
	for _, m := range given {
		if !slices.Contains(known, m) && (m != "_all" || len(given) > 1) {
			unknown = append(unknown, m)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 1 {
		kind += "s"
	}
	for i, m := range unknown {
		unknown[i] = "[" + m + "]" + wire.DidYouMean(" -> ", wire.Similar(m, known, wire.NameSimilarity))
	}
	return fault.Illegal("request [%s] contains unrecognized %s: %s", r.HTTP.URL.EscapedPath(), kind, strings.Join(unknown, ", "))
}
