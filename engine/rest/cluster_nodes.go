// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/ingest"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/machine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

func (s *Server) nodeRoutes(rt *rest.Router) {
	rt.Handle("GET", "/_nodes", s.nodesInfo)
	rt.Handle("GET", "/_nodes/{nodeId}", s.nodesInfo)
	rt.Handle("GET", "/_nodes/{nodeId}/{metrics}", s.nodesInfo)
	for _, node := range []string{"", "/{nodeId}"} {
		for _, metric := range []string{"", "/{metric}", "/{metric}/{index_metric}"} {
			rt.Handle("GET", "/_nodes"+node+"/stats"+metric, s.nodesStats)
		}
		rt.Handle("GET", "/_nodes"+node+"/hot_threads", refuseHotThreads)
		rt.Handle("GET", "/_nodes"+node+"/usage", refuseUsage)
		rt.Handle("POST", "/_nodes"+node+"/reload_secure_settings", refuseReload)
	}
}

func refuseHotThreads(*rest.Request) (rest.Action, error) {
	return nil, fault.Unsupported("the nodes hot threads API")
}

func refuseUsage(*rest.Request) (rest.Action, error) {
	return nil, fault.Unsupported("the nodes usage API")
}

func refuseReload(*rest.Request) (rest.Action, error) {
	return nil, fault.Unsupported("the nodes reload secure settings API")
}

// infoMetrics are the parts of a node's description.
var infoMetrics = []string{"settings", "os", "process", "jvm", "thread_pool", "transport", "http", "plugins", "ingest", "aggregations", "indices", "search_pipelines"}

// allMetrics reports whether every name is a metric of the list, or "_all".
func allMetrics(names, metrics []string) bool {
	for _, n := range names {
		if n != "_all" && !slices.Contains(metrics, n) {
			return false
		}
	}
	return true
}

// nodesInfo describes the node. One path segment is a list of metrics if all its names are metrics, else of nodes.
func (s *Server) nodesInfo(r *rest.Request) (rest.Action, error) {
	nodes, metrics := r.List("nodeId"), r.List("metrics")
	if metrics == nil && nodes != nil && allMetrics(nodes, infoMetrics) {
		nodes, metrics = nil, nodes
	}
	flat := r.Bool("flat_settings", false)
	r.Ignore("timeout")
	wants := func(metric string) bool { return wantsMetric(metrics, metric) }
	return func(context.Context) (*rest.Response, error) {
		return rest.OK(s.nodesAnswer(nodes, func() wire.Object { return s.nodeInfo(wants, flat) })), nil
	}, nil
}

// nodesAnswer is the frame of answers about nodes.
func (s *Server) nodesAnswer(filters []string, node func() wire.Object) wire.Object {
	list := wire.Object{}
	if s.isNode(filters) {
		list.Add(query.NodeID, node())
	}
	return wire.Obj("_nodes", wire.Obj("total", len(list), "successful", len(list), "failed", 0), "cluster_name", s.clusterName(), "nodes", list)
}

func (s *Server) nodeInfo(wants func(string) bool, flat bool) wire.Object {
	o := wire.Obj("name", s.nodeName(), "transport_address", s.transportAddress(), "host", s.host(), "ip", s.host(), "version", s.Version,
		"build_type", buildType, "build_hash", buildHash, "roles", nodeRoles, "attributes", s.nodeAttributes())
	if wants("settings") {
		o.Add("settings", s.Catalog.State().ClusterRegistry().JSON(s.nodeSettings(), flat))
	}
	if wants("os") {
		o.Add("os", wire.Obj("refresh_interval_in_millis", 1000, "name", osName(), "pretty_name", prettyOS(), "arch", runtime.GOARCH,
			"available_processors", runtime.NumCPU(), "allocated_processors", runtime.GOMAXPROCS(0)))
	}
	o.AddIf(wants("process"), "process", wire.Obj("refresh_interval_in_millis", 1000, "id", os.Getpid(), "mlockall", false))
	if wants("jvm") {
		o.Add("jvm", s.runtimeInfo())
	}
	o.AddIf(wants("thread_pool"), "thread_pool", wire.Object{})
	o.AddIf(wants("transport"), "transport", wire.Obj("bound_address", []string{s.transportAddress()}, "publish_address", s.transportAddress(), "profiles", wire.Object{}))
	o.AddIf(wants("http"), "http", wire.Obj("bound_address", []string{s.httpAddress()}, "publish_address", s.httpAddress(), "max_content_length_in_bytes", 100<<20))
	if wants("plugins") {
		o.Add("plugins", s.pluginInfos())
		o.Add("modules", []any{})
	}
	o.AddIf(wants("ingest"), "ingest", wire.Obj("processors", processorTypes(ingest.Types())))
	o.AddIf(wants("search_pipelines"), "search_pipelines", searchProcessors())
	o.AddIf(wants("aggregations"), "aggregations", wire.Object{})
	return o
}

// nodeSettings are those that the node was started with, and those that every node of OpenSearch tells of itself: clients
// with types of their own fail without them. The log goes to standard error.
func (s *Server) nodeSettings() setting.Values {
	values := setting.Values{
		"client.type": "node", "cluster.name": s.clusterName(), "node.name": s.nodeName(), "http.type": "net/http", "transport.type": "none",
		"path.home": s.Dir, "path.logs": "/dev/stderr",
	}
	maps.Copy(values, s.Config)
	return values
}

// processorTypes are the processors of pipelines, as the API lists them.
func processorTypes(names []string) []wire.Object {
	out := make([]wire.Object, len(names))
	for i, name := range names {
		out[i] = wire.Obj("type", name)
	}
	return out
}

func searchProcessors() wire.Object {
	requests, responses, results := ingest.SearchTypes()
	return wire.Obj("request_processors", processorTypes(requests), "response_processors", processorTypes(responses),
		"phase_results_processors", processorTypes(results))
}

// runtimeInfo describes Go's runtime where OpenSearch describes the virtual machine of Java.
func (s *Server) runtimeInfo() wire.Object {
	m := machine.Read(s.Dir)
	return wire.Obj("pid", os.Getpid(), "version", runtime.Version(), "vm_name", "Go", "vm_version", runtime.Version(), "vm_vendor", runtime.Compiler,
		"bundled_jdk", false, "using_bundled_jdk", nil, "start_time_in_millis", machine.Started.UnixMilli(),
		"mem", wire.Obj("heap_init_in_bytes", 0, "heap_max_in_bytes", m.HeapMax(), "non_heap_init_in_bytes", 0, "non_heap_max_in_bytes", 0,
			"direct_max_in_bytes", 0),
		"gc_collectors", []string{"Go"}, "memory_pools", []string{"heap"}, "using_compressed_ordinary_object_pointers", "false", "input_arguments", []string{})
}

func (s *Server) pluginInfos() []wire.Object {
	out := []wire.Object{}
	for _, p := range s.Plugins {
		out = append(out, wire.Obj("name", p.Component, "version", p.Version, "opensearch_version", s.Version, "java_version", "", "description", p.Description,
			"classname", "", "custom_foldername", nil, "extended_plugins", []string{}, "has_native_controller", false))
	}
	return out
}

// attributePairs are the node.attr.* settings, name and value, by name.
func (s *Server) attributePairs() [][2]string {
	var out [][2]string
	for _, key := range sorted(s.Config) {
		if name, ok := strings.CutPrefix(key, "node.attr."); ok {
			out = append(out, [2]string{name, s.Config[key]})
		}
	}
	return out
}

// nodeAttributes are the node.attr.* settings.
func (s *Server) nodeAttributes() wire.Object {
	o := wire.Object{}
	for _, a := range s.attributePairs() {
		o.Add(a[0], a[1])
	}
	return o
}

func osName() string { return strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:] }

// prettyOS is the name of the distribution, as it says of itself.
func prettyOS() string {
	b, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return osName()
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return osName()
}

// statsMetrics are the parts of a node's statistics. Those after fs count things that the engine does not have: they
// may be asked for, and nothing is shown.
var statsMetrics = []string{
	"indices", "os", "process", "jvm", "fs", "thread_pool", "transport", "http", "breaker", "script", "discovery", "ingest",
	"adaptive_selection", "script_cache", "indexing_pressure", "shard_indexing_pressure", "search_backpressure", "cluster_manager_throttling",
	"weighted_routing", "file_cache", "task_cancellation", "search_pipeline", "resource_usage_stats", "segment_replication_backpressure",
	"repositories", "admission_control", "caches", "remote_store",
}

func (s *Server) nodesStats(r *rest.Request) (rest.Action, error) {
	nodes, metrics := r.List("nodeId"), r.List("metric")
	if err := checkMetrics(r, metrics, statsMetrics); err != nil {
		return nil, err
	}
	sections, err := nodesStatsSections(r, metrics)
	if err != nil {
		return nil, err
	}
	r.Ignore("timeout")
	wants := func(metric string) bool { return wantsMetric(metrics, metric) }
	level := r.Param("level", "node")
	if level != "node" && level != "indices" && level != "shards" {
		return nil, fault.Unsupported("[level=" + level + "] of nodes stats")
	}
	human := r.Human()
	return func(context.Context) (*rest.Response, error) {
		indices := wire.Object{}
		if wants("indices") {
			figures, err := s.indexTotals(openIndices(s.Catalog.State().SortedIndices()))
			if err != nil {
				return nil, err
			}
			indices = s.nodeIndices(figures, sections, level, human)
		}
		ingested, err := s.ingest.Stats(sorted(s.Catalog.State().Documents[catalog.IngestPipelines]))
		if err != nil {
			return nil, err
		}
		return rest.OK(s.nodesAnswer(nodes, func() wire.Object {
			node := s.nodeStats(wants, indices)
			node.AddIf(wants("ingest"), "ingest", ingested)
			return node
		})), nil
	}, nil
}

// nodeIndices are the statistics of all indices together and, by level, of each index or shard.
func (s *Server) nodeIndices(figures []indexFigures, sections []string, level string, human bool) wire.Object {
	o := sum(figures).json(sections, human)
	if level == "node" {
		return o
	}
	list := wire.Object{}
	for _, f := range figures {
		if level == "indices" {
			list.Add(f.index.Name, f.totals().json(sections, human))
			continue
		}
		shards := []wire.Object{}
		for n, st := range f.shards {
			shards = append(shards, wire.Obj(strconv.Itoa(n), s.shardStats(f.index, n, st, sections, human)))
		}
		list.Add(f.index.Name, shards)
	}
	o.Add(level, list)
	return o
}

// nodesStatsSections are the metrics of indices that a request for statistics of nodes asks for; none means all.
func nodesStatsSections(r *rest.Request, metrics []string) ([]string, error) {
	sections := r.List("index_metric")
	if !slices.Contains(metrics, "indices") && sections != nil {
		which := "indices stats not requested"
		if wantsMetric(metrics, "indices") {
			which = "all stats requested"
		}
		return nil, fault.Illegal("request [%s] contains index metrics [%s] but %s", r.HTTP.URL.EscapedPath(), r.Path("index_metric"), which)
	}
	if len(sections) > 1 && slices.Contains(sections, "_all") || !allMetrics(sections, indexMetrics) {
		return nil, unknownMetrics(r, "index metric", sections, indexMetrics)
	}
	if wantsMetric(metrics, "indices") {
		ignoreDetails(r, sections)
		if wantsMetric(sections, "search") {
			r.Ignore("groups")
		}
	}
	return sections, nil
}

func openIndices(list []*catalog.Index) []*catalog.Index {
	var out []*catalog.Index
	for _, index := range list {
		if !index.Closed {
			out = append(out, index)
		}
	}
	return out
}

func (s *Server) nodeStats(wants func(string) bool, indices wire.Object) wire.Object {
	m, now := machine.Read(s.Dir), s.Clock.Now().UnixMilli()
	o := wire.Obj("timestamp", now, "name", s.nodeName(), "transport_address", s.transportAddress(), "host", s.host(), "ip", s.transportAddress(),
		"roles", nodeRoles, "attributes", s.nodeAttributes())
	o.AddIf(wants("indices"), "indices", indices)
	o.AddIf(wants("os"), "os", osStats(&m, now))
	o.AddIf(wants("process"), "process", wire.Obj("timestamp", now, "open_file_descriptors", m.OpenFiles, "max_file_descriptors", m.MaxFiles,
		"cpu", wire.Obj("percent", m.ProcessPercent(), "total_in_millis", m.CPU.Milliseconds()), "mem", wire.Obj("total_virtual_in_bytes", m.Virtual)))
	o.AddIf(wants("jvm"), "jvm", runtimeStats(&m, now))
	o.AddIf(wants("fs"), "fs", diskStats(&m, now, s.Dir))
	return o
}

func memoryJSON(m *machine.Figures) wire.Object {
	used := m.MemTotal - m.MemFree
	return wire.Obj("total_in_bytes", m.MemTotal, "free_in_bytes", m.MemFree, "used_in_bytes", used,
		"free_percent", machine.Percent(m.MemFree, m.MemTotal), "used_percent", machine.Percent(used, m.MemTotal))
}

func diskJSON(m *machine.Figures) wire.Object {
	return wire.Obj("total_in_bytes", m.DiskTotal, "free_in_bytes", m.DiskFree, "available_in_bytes", m.DiskAvailable, "cache_reserved_in_bytes", 0)
}

func osStats(m *machine.Figures, now int64) wire.Object {
	return wire.Obj("timestamp", now,
		"cpu", wire.Obj("percent", m.CPUPercent(), "load_average", wire.Obj("1m", decimal(m.Load[0]), "5m", decimal(m.Load[1]), "15m", decimal(m.Load[2]))),
		"mem", memoryJSON(m),
		"swap", wire.Obj("total_in_bytes", m.SwapTotal, "free_in_bytes", m.SwapFree, "used_in_bytes", m.SwapTotal-m.SwapFree))
}

func runtimeStats(m *machine.Figures, now int64) wire.Object {
	return wire.Obj("timestamp", now, "uptime_in_millis", m.Uptime.Milliseconds(),
		"mem", wire.Obj("heap_used_in_bytes", m.HeapUsed, "heap_used_percent", machine.Percent(m.HeapUsed, m.HeapMax()),
			"heap_committed_in_bytes", m.HeapCommitted, "heap_max_in_bytes", m.HeapMax(), "non_heap_used_in_bytes", 0,
			"non_heap_committed_in_bytes", 0, "pools", wire.Object{}),
		"threads", wire.Obj("count", runtime.NumGoroutine(), "peak_count", runtime.NumGoroutine()),
		"gc", wire.Obj("collectors", wire.Obj("Go", wire.Obj("collection_count", m.Collections, "collection_time_in_millis", m.Collecting.Milliseconds()))),
		"buffer_pools", wire.Object{})
}

func diskStats(m *machine.Figures, now int64, dir string) wire.Object {
	sizes := diskJSON(m)
	return wire.Obj("timestamp", now, "total", sizes, "data", []wire.Object{append(wire.Obj("path", dir), sizes...)}, "io_stats", wire.Object{})
}
