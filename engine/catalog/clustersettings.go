// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// clusterSettings are the cluster settings that OpenSearch clients use.
var clusterSettings = []row{
	{key: "action.auto_create_index", def: "true", check: checkAutoCreate},
	{key: "action.destructive_requires_name", kind: setting.Bool, def: "false"},
	{key: "action.search.shard_count.limit", kind: setting.Long, low: "1"},
	{key: "cluster.blocks.read_only", kind: setting.Bool, def: "false"},
	{key: "cluster.blocks.read_only_allow_delete", kind: setting.Bool, def: "false"},
	{key: "cluster.blocks.create_index", kind: setting.Bool, def: "false"},
	{key: "cluster.max_shards_per_node", kind: setting.Int, def: "1000", low: "1"},
	{key: "cluster.metadata.*"},
	{key: "cluster.default.index.refresh_interval", kind: setting.Duration},
	{key: "cluster.default_number_of_replicas", kind: setting.Int, def: "1", low: "0"},
	{key: "cluster.info.update.interval", kind: setting.Duration, def: "30s", low: "10s"},
	{key: "cluster.indices.close.enable", kind: setting.Bool, def: "true"},
	{key: "cluster.no_cluster_manager_block", def: "metadata_write", check: checkNoManagerBlock},
	{key: "cluster.persistent_tasks.allocation.enable", def: "all", check: oneOf("Illegal allocation.enable value [%s]", "all", "none")},
	{key: "cluster.persistent_tasks.allocation.recheck_interval", kind: setting.Duration, def: "30s", low: "10s"},
	{key: "cluster.routing.allocation.enable", def: "all", check: oneOf("Illegal allocation.enable value [%s]", "all", "primaries", "new_primaries", "none")},
	{key: "cluster.routing.allocation.allow_rebalance", def: "indices_all_active", check: oneOf("Illegal value for cluster.routing.allocation.allow_rebalance: %s", "always", "indices_primaries_active", "indices_all_active")},
	{key: "cluster.routing.allocation.awareness.attributes", kind: setting.List},
	{key: "cluster.routing.allocation.awareness.balance", kind: setting.Bool, def: "false"},
	{key: "cluster.routing.allocation.awareness.force.*"},
	{key: "cluster.routing.allocation.balance.index", kind: setting.Double, def: "0.55", low: "0.0"},
	{key: "cluster.routing.allocation.balance.prefer_primary", kind: setting.Bool, def: "false"},
	{key: "cluster.routing.allocation.balance.shard", kind: setting.Double, def: "0.45", low: "0.0"},
	{key: "cluster.routing.allocation.balance.threshold", kind: setting.Double, def: "1.0", low: "0.0"},
	{key: "cluster.routing.allocation.cluster_concurrent_rebalance", kind: setting.Int, def: "2", low: "-1"},
	{key: "cluster.routing.allocation.node_concurrent_recoveries", kind: setting.Int, def: "2", low: "0"},
	{key: "cluster.routing.allocation.node_concurrent_incoming_recoveries", kind: setting.Int, def: "2", low: "0"},
	{key: "cluster.routing.allocation.node_concurrent_outgoing_recoveries", kind: setting.Int, def: "2", low: "0"},
	{key: "cluster.routing.allocation.node_initial_primaries_recoveries", kind: setting.Int, def: "4", low: "0"},
	{key: "cluster.routing.allocation.same_shard.host", kind: setting.Bool, def: "false"},
	{key: "cluster.routing.allocation.total_shards_per_node", kind: setting.Int, def: "-1", low: "-1"},
	{key: "cluster.routing.allocation.disk.threshold_enabled", kind: setting.Bool, def: "true"},
	{key: "cluster.routing.allocation.disk.watermark.low", def: "85%", check: checkWatermark},
	{key: "cluster.routing.allocation.disk.watermark.high", def: "90%", check: checkWatermark},
	{key: "cluster.routing.allocation.disk.watermark.flood_stage", def: "95%", check: checkWatermark},
	{key: "cluster.routing.allocation.require.*"},
	{key: "cluster.routing.allocation.include.*"},
	{key: "cluster.routing.allocation.exclude.*"},
	{key: "cluster.routing.rebalance.enable", def: "all", check: oneOf("Illegal rebalance.enable value [%s]", "all", "primaries", "replicas", "none")},
	{key: "cluster.routing.use_adaptive_replica_selection", kind: setting.Bool, def: "true"},
	{key: "cluster.service.slow_cluster_manager_task_logging_threshold", kind: setting.Duration, def: "10s"},
	{key: "cluster.remote_store.enabled", kind: setting.Bool, def: "false", check: only("false")},
	{key: "indices.breaker.fielddata.limit", def: "40%"},
	{key: "indices.breaker.fielddata.overhead", kind: setting.Double, def: "1.03", low: "0.0"},
	{key: "indices.breaker.request.limit", def: "60%"},
	{key: "indices.breaker.request.overhead", kind: setting.Double, def: "1.0", low: "0.0"},
	{key: "indices.breaker.total.limit", def: "95%"},
	{key: "indices.mapping.dynamic_timeout", kind: setting.Duration, def: "30s"},
	{key: "indices.recovery.chunk_size", kind: setting.Size, def: "524272b"},
	{key: "indices.recovery.internal_action_long_timeout", kind: setting.Duration, def: "1800000ms", low: "0s"},
	{key: "indices.recovery.internal_action_timeout", kind: setting.Duration, def: "15m", low: "0s"},
	{key: "indices.recovery.max_bytes_per_sec", kind: setting.Size, def: "41943040b"},
	{key: "indices.recovery.max_concurrent_file_chunks", kind: setting.Int, def: "2", low: "1", high: "5"},
	{key: "indices.recovery.max_concurrent_operations", kind: setting.Int, def: "1", low: "1", high: "4"},
	{key: "indices.recovery.recovery_activity_timeout", kind: setting.Duration, def: "1800000ms", low: "0s"},
	{key: "indices.recovery.retry_delay_network", kind: setting.Duration, def: "5s", low: "0s"},
	{key: "indices.recovery.retry_delay_state_sync", kind: setting.Duration, def: "500ms", low: "0s"},
	{key: "indices.query.bool.max_clause_count", kind: setting.Int, def: "1024", low: "1"},
	{key: "indices.id_field_data.enabled", kind: setting.Bool, def: "true"},
	{key: "logger.*", check: checkLevel},
	{key: "network.breaker.inflight_requests.limit", def: "100%"},
	{key: "network.breaker.inflight_requests.overhead", kind: setting.Double, def: "2.0", low: "0.0"},
	{key: "search.allow_expensive_queries", kind: setting.Bool, def: "true"},
	{key: "search.default_allow_partial_results", kind: setting.Bool, def: "true"},
	{key: "search.default_search_timeout", kind: setting.Duration, def: "-1"},
	{key: "search.max_buckets", kind: setting.Int, def: "65535", low: "0"},
	{key: "search.max_open_scroll_context", kind: setting.Int, def: "500", low: "0"},
	{key: "search.default_keep_alive", kind: setting.Duration, def: "5m"},
	{key: "search.max_keep_alive", kind: setting.Duration, def: "24h"},
	{key: "search.low_level_cancellation", kind: setting.Bool, def: "true"},
	{key: "script.context.*"},
	{key: "script.disable_max_compilations_rate", kind: setting.Bool, def: "false"},
	{key: "script.max_compilations_rate", def: "use-context", check: checkRate},
	{key: "script.max_size_in_bytes", kind: setting.Int, def: "65535", low: "0"},
	{key: "transport.tracer.include", kind: setting.List},
	{key: "transport.tracer.exclude", kind: setting.List, def: "internal:coordination/fault_detection/*,cluster:monitor/nodes/liveness"},
	{key: "http.tracer.include", kind: setting.List},
	{key: "http.tracer.exclude", kind: setting.List},
	{key: "snapshot.max_concurrent_operations", kind: setting.Int, def: "1000", low: "1"},
}

// nodeOnly are settings that a node is started with and that nothing changes while it runs; * stands for any text.
var nodeOnly = []string{
	"bootstrap.memory_lock", "cluster.name", "discovery.type", "http.host", "http.port", "indices.breaker.type", "indices.breaker.total.use_real_memory",
	"ingest.grok.watchdog.interval", "ingest.grok.watchdog.max_execution_time", "network.host", "node.attr.*", "node.name", "node.roles", "path.data",
	"path.logs", "path.repo", "script.allowed_contexts", "script.allowed_types", "script.cache.*", "thread_pool.*", "transport.host", "transport.port",
}

var rate = regexp.MustCompile(`^([0-9]+)/([^/]+)$`)

// checkRate reads a number per time, "75/5m", or "use-context".
func checkRate(key, value string) error {
	if value == "use-context" {
		return nil
	}
	m := rate.FindStringSubmatch(value)
	if m == nil {
		return fault.Illegal("parameter must contain a positive integer and a timevalue, i.e. 10/1m, but was [%s]", value)
	}
	_, err := wire.ParseDuration(m[2], key)
	return err
}

// checkWatermark reads a share of the disk, "85%" or "0.85", or the bytes to keep free.
func checkWatermark(key, value string) error {
	share, isPercent := strings.CutSuffix(value, "%")
	if n, err := strconv.ParseFloat(share, 64); err == nil {
		if isPercent && (n < 0 || n > 100) {
			return fault.Parse("Failed to parse value [%s] for setting [%s]", value, key)
		}
		return nil
	}
	_, err := wire.ParseBytes(value, key)
	if err == nil {
		return nil
	}
	e := fault.Illegal("%s", fault.Of(err).Reason)
	e.CausedBy = fault.Of(err)
	return e
}

func checkNoManagerBlock(_, value string) error {
	switch value {
	case "all", "write", "metadata_write":
		return nil
	}
	return fault.Illegal("invalid no-cluster-manager block [%s], must be one of [all, write, metadata_write]", value)
}
