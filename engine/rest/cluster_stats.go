// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"maps"
	"runtime"
	"slices"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/rest/machine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// clusterMetrics are the parts of a cluster's statistics, clusterIndexMetrics those of their part "indices".
var (
	clusterMetrics      = []string{"os", "process", "jvm", "fs", "plugins", "ingest", "network_types", "discovery_types", "packaging_types", "indices"}
	clusterIndexMetrics = []string{"shards", "docs", "store", "fielddata", "query_cache", "completion", "segments", "analysis", "mappings"}
)

// clusterStats sums up indices and nodes.
func (s *Server) clusterStats(r *rest.Request) (rest.Action, error) {
	nodes, metrics, sections := r.List("nodeId"), r.List("metric"), r.List("index_metric")
	if err := checkClusterMetrics(r, metrics, sections); err != nil {
		return nil, err
	}
	r.Ignore("timeout", "flat_settings")
	human := r.Human()
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		all, count := state.SortedIndices(), 0
		held := all[:0:0] // what the nodes asked for hold
		if s.isNode(nodes) {
			held, count = all, 1
		}
		o := wire.Obj("_nodes", wire.Obj("total", count, "successful", count, "failed", 0), "cluster_name", s.clusterName(),
			"cluster_uuid", state.ClusterUUID, "timestamp", s.Clock.Now().UnixMilli())
		o.AddIf(count > 0, "status", healthOf(all).status())
		if wantsMetric(metrics, "indices") {
			figures, err := s.indexTotals(openIndices(held))
			if err != nil {
				return nil, err
			}
			o.Add("indices", indicesSummary(all, held, figures, sections, human))
		}
		if !slices.Equal(metrics, []string{"indices"}) {
			summary, err := s.nodesSummary(count, metrics)
			if err != nil {
				return nil, err
			}
			o.Add("nodes", summary)
		}
		return rest.OK(o), nil
	}, nil
}

func checkClusterMetrics(r *rest.Request, metrics, sections []string) error {
	switch {
	case sections != nil && !wantsMetric(metrics, "indices"):
		return fault.Illegal("request [%s] contains index metrics [%s] but indices stats not requested",
			r.HTTP.URL.EscapedPath(), r.Path("index_metric"))
	case len(sections) > 1 && slices.Contains(sections, "_all"):
		return fault.Illegal("request [%s] contains _all and individual index metrics [%s]", r.HTTP.URL.EscapedPath(), r.Path("index_metric"))
	case !allMetrics(sections, clusterIndexMetrics):
		return unknownMetrics(r, "index metric", sections, clusterIndexMetrics)
	}
	return checkMetrics(r, metrics, clusterMetrics)
}

// indicesSummary counts the shards of held, the documents of figures, and the fields of all indices.
func indicesSummary(all, held []*catalog.Index, figures []indexFigures, metrics []string, human bool) wire.Object {
	o := wire.Obj("count", len(held))
	o.AddIf(wantsMetric(metrics, "shards"), "shards", shardsSummary(held))
	counted := []string{}
	for _, m := range []string{"docs", "store", "fielddata", "query_cache", "completion", "segments"} {
		if wantsMetric(metrics, m) {
			counted = append(counted, m)
		}
	}
	if len(counted) > 0 {
		o = append(o, sum(figures).json(counted, human)...)
	}
	if wantsMetric(metrics, "mappings") {
		o.Add("mappings", wire.Obj("field_types", fieldTypes(all)))
	}
	return o
}

// shardsSummary counts the shards that are there; replicas never are.
func shardsSummary(list []*catalog.Index) wire.Object {
	if len(list) == 0 {
		return wire.Object{}
	}
	total, low, high := 0, list[0].Shards(), 0
	for _, i := range list {
		total, low, high = total+i.Shards(), min(low, i.Shards()), max(high, i.Shards())
	}
	each := wire.Obj("min", low, "max", high, "avg", decimal(float64(total)/float64(len(list))))
	return wire.Obj("total", total, "primaries", total, "replication", decimal(0), "index", wire.Obj("shards", each, "primaries", each,
		"replication", wire.Obj("min", decimal(0), "max", decimal(0), "avg", decimal(0))))
}

// fieldTypes counts the types of fields, and the indices that have them.
func fieldTypes(list []*catalog.Index) []wire.Object {
	count, indices := map[string]int{}, map[string]int{}
	for _, i := range list {
		own := map[string]int{}
		countTypes(i, own)
		for kind, n := range own {
			count[kind], indices[kind] = count[kind]+n, indices[kind]+1
		}
	}
	out := []wire.Object{}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		out = append(out, wire.Obj("name", kind, "count", count[kind], "index_count", indices[kind]))
	}
	return out
}

func countTypes(index *catalog.Index, into map[string]int) {
	type field struct {
		Type       string                     `json:"type"`
		Properties map[string]json.RawMessage `json:"properties"`
		Fields     map[string]json.RawMessage `json:"fields"`
	}
	var walk func(raw []byte, root bool)
	walk = func(raw []byte, root bool) {
		var f field
		if json.Unmarshal(raw, &f) != nil {
			return
		}
		switch {
		case root:
		case f.Type == "":
			into["object"]++
		default:
			into[f.Type]++
		}
		for _, below := range []map[string]json.RawMessage{f.Properties, f.Fields} {
			for _, b := range below {
				walk(b, false)
			}
		}
	}
	raw, err := index.Mapping.MarshalJSON()
	if err == nil {
		walk(raw, true)
	}
}

// nodesSummary describes count nodes, all alike.
func (s *Server) nodesSummary(count int, metrics []string) (wire.Object, error) {
	m := machine.Read(s.Dir)
	o := wire.Obj(
		"count", wire.Obj("total", count, "cluster_manager", count, "coordinating_only", 0, "data", count, "ingest", count, "master", count,
			"remote_cluster_client", count, "search", 0, "warm", 0),
		"versions", []string{s.Version})
	for _, part := range []struct {
		metric  string
		members any
	}{
		{"os", wire.Obj("available_processors", runtime.NumCPU(), "allocated_processors", runtime.GOMAXPROCS(0),
			"names", []wire.Object{wire.Obj("name", osName(), "count", count)}, "pretty_names", []wire.Object{wire.Obj("pretty_name", prettyOS(), "count", count)},
			"mem", memoryJSON(&m))},
		{"process", wire.Obj("cpu", wire.Obj("percent", m.ProcessPercent()),
			"open_file_descriptors", wire.Obj("min", m.OpenFiles, "max", m.OpenFiles, "avg", m.OpenFiles))},
		{"jvm", wire.Obj("max_uptime_in_millis", m.Uptime.Milliseconds(),
			"mem", wire.Obj("heap_used_in_bytes", m.HeapUsed, "heap_max_in_bytes", m.HeapMax()), "threads", runtime.NumGoroutine())},
		{"fs", diskJSON(&m)},
		{"plugins", s.pluginInfos()},
		{"discovery_types", wire.Obj("single-node", count)},
		{"packaging_types", []wire.Object{wire.Obj("type", buildType, "count", count)}},
	} {
		o.AddIf(wantsMetric(metrics, part.metric), part.metric, part.members)
	}
	if !wantsMetric(metrics, "ingest") {
		return o, nil
	}
	ingested, err := s.ingest.Summary(sorted(s.Catalog.State().Documents[catalog.IngestPipelines]))
	o.Add("ingest", ingested)
	return o, err
}
