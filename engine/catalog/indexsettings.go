// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

// maxShards is OpenSearch's limit of number_of_shards.
const maxShards = 1024

// indexSettings are OpenSearch's index settings that this engine knows, with OpenSearch's defaults and bounds. Those
// that tune Lucene, the translog, caches or the spread over nodes are kept and shown; with one node and another store
// they have nothing to tune. Those that would change what a client gets, and cannot here, are refused by name.
var indexSettings = []row{
	{key: "index.number_of_shards", kind: setting.Int, def: "1", low: "1", high: strconv.Itoa(maxShards), scope: final},
	{key: "index.number_of_routing_shards", kind: setting.Int, def: "1", low: "1", scope: static},
	{key: "index.routing_partition_size", kind: setting.Int, def: "1", low: "1", scope: final, check: only("1")},
	{key: "index.replication.type", def: "DOCUMENT", scope: final, check: checkReplication},
	{key: "index.soft_deletes.enabled", kind: setting.Bool, def: "true", scope: final},
	{key: "index.sort.field", kind: setting.List, scope: final, check: only("")},
	{key: "index.sort.order", kind: setting.List, scope: final, check: only("")},
	{key: "index.sort.mode", kind: setting.List, scope: final, check: only("")},
	{key: "index.sort.missing", kind: setting.List, scope: final, check: only("")},

	{key: "index.number_of_replicas", kind: setting.Int, def: "1", low: "0"},
	{key: "index.number_of_search_replicas", kind: setting.Int, def: "0", low: "0", check: only("0")},
	{key: "index.auto_expand_replicas", def: "false", check: checkExpand},
	{key: "index.refresh_interval", kind: setting.Duration, def: "1s", low: "-1"},
	{key: "index.hidden", kind: setting.Bool, def: "false"},
	{key: "index.priority", kind: setting.Int, def: "1", low: "0"},
	{key: "index.blocks.read_only", kind: setting.Bool, def: "false"},
	{key: "index.blocks.read_only_allow_delete", kind: setting.Bool, def: "false"},
	{key: "index.blocks.read", kind: setting.Bool, def: "false"},
	{key: "index.blocks.write", kind: setting.Bool, def: "false"},
	{key: "index.blocks.metadata", kind: setting.Bool, def: "false"},

	{key: "index.max_result_window", kind: setting.Int, def: "10000", low: "1"},
	{key: "index.max_inner_result_window", kind: setting.Int, def: "100", low: "1"},
	{key: "index.max_rescore_window", kind: setting.Int, def: "10000", low: "1"},
	{key: "index.max_docvalue_fields_search", kind: setting.Int, def: "100", low: "0"},
	{key: "index.max_script_fields", kind: setting.Int, def: "32", low: "0"},
	{key: "index.max_terms_count", kind: setting.Int, def: "65536", low: "1"},
	{key: "index.max_regex_length", kind: setting.Int, def: "1000", low: "1"},
	{key: "index.max_ngram_diff", kind: setting.Int, def: "1", low: "0"},
	{key: "index.max_shingle_diff", kind: setting.Int, def: "3", low: "0"},
	{key: "index.max_slices_per_scroll", kind: setting.Int, def: "1024", low: "1"},
	{key: "index.max_slices_per_pit", kind: setting.Int, def: "1024", low: "1"},
	{key: "index.max_refresh_listeners", kind: setting.Int, def: "1000", low: "0"},
	{key: "index.analyze.max_token_count", kind: setting.Int, def: "10000", low: "1"},
	{key: "index.highlight.max_analyzed_offset", kind: setting.Int, def: "1000000", low: "1"},
	{key: "index.query.default_field", kind: setting.List, def: "*"},
	{key: "index.query_string.lenient", kind: setting.Bool, def: "false", scope: static},
	{key: "index.query.parse.allow_unmapped_fields", kind: setting.Bool, def: "true", scope: static},
	{key: "index.queries.cache.enabled", kind: setting.Bool, def: "true", scope: static},
	{key: "index.requests.cache.enable", kind: setting.Bool, def: "true"},

	{key: "index.mapping.total_fields.limit", kind: setting.Long, def: "1000", low: "0"},
	{key: "index.mapping.depth.limit", kind: setting.Long, def: "20", low: "1"},
	{key: "index.mapping.nested_fields.limit", kind: setting.Long, def: "50", low: "0"},
	{key: "index.mapping.nested_objects.limit", kind: setting.Long, def: "10000", low: "0"},
	{key: "index.mapping.field_name_length.limit", kind: setting.Long, def: "50000", low: "1"},
	{key: "index.mapping.coerce", kind: setting.Bool, def: "false", scope: static, check: only("false")},
	{key: "index.mapping.ignore_malformed", kind: setting.Bool, def: "false", scope: static, check: only("false")},
	{key: "index.analysis.*", scope: static, check: only()},
	{key: "index.similarity.*", scope: static, check: only()},

	{key: "index.knn", kind: setting.Bool, def: "false", scope: final},
	{key: "index.knn.algo_param.ef_search", kind: setting.Int, def: "100", low: "2"},
	{key: "index.knn.advanced.approximate_threshold", kind: setting.Int, def: "15000", low: "-1"},

	{key: "index.default_pipeline", def: "_none"},
	{key: "index.final_pipeline", def: "_none"},
	{key: "index.search.default_pipeline", def: "_none"},

	{key: "index.routing.allocation.require.*"},
	{key: "index.routing.allocation.include.*"},
	{key: "index.routing.allocation.exclude.*"},
	{key: "index.routing.allocation.initial_recovery.*", scope: private},
	{key: "index.routing.allocation.enable", def: "all", check: oneOf("Illegal allocation.enable value [%s]", "all", "primaries", "new_primaries", "none")},
	{key: "index.routing.allocation.total_shards_per_node", kind: setting.Int, def: "-1", low: "-1"},
	{key: "index.routing.rebalance.enable", def: "all", check: oneOf("Illegal rebalance.enable value [%s]", "all", "primaries", "replicas", "none")},
	{key: "index.allocation.max_retries", kind: setting.Int, def: "5", low: "0"},
	{key: "index.unassigned.node_left.delayed_timeout", kind: setting.Duration, def: "1m"},
	{key: "index.write.wait_for_active_shards", def: "1", check: checkActiveShards},

	{key: "index.codec", def: "default", scope: static, check: checkCodec},
	{key: "index.store.type", scope: static, check: only("", "fs", "niofs", "mmapfs", "hybridfs")},
	{key: "index.store.stats_refresh_interval", kind: setting.Duration, def: "10s", scope: static},
	{key: "index.shard.check_on_startup", def: "false", scope: static},
	{key: "index.gc_deletes", kind: setting.Duration, def: "60s", low: "-1"},
	{key: "index.translog.durability", def: "REQUEST", check: oneOf("No enum constant org.opensearch.index.translog.Translog.Durability.%s", "request", "async")},
	{key: "index.translog.sync_interval", kind: setting.Duration, def: "5s", low: "100ms"},
	{key: "index.translog.flush_threshold_size", kind: setting.Size, def: "512mb"},
	{key: "index.translog.generation_threshold_size", kind: setting.Size, def: "64mb"},
	{key: "index.translog.retention.age", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.translog.retention.size", kind: setting.Size, def: "-1", low: "-1"},
	{key: "index.soft_deletes.retention.operations", kind: setting.Long, def: "0", low: "0"},
	{key: "index.soft_deletes.retention_lease.period", kind: setting.Duration, def: "12h"},
	{key: "index.merge.policy", def: "default", check: only("default")},
	{key: "index.merge.policy.deletes_pct_allowed", kind: setting.Double, def: "20.0", low: "5.0", high: "50.0"},
	{key: "index.merge.policy.expunge_deletes_allowed", kind: setting.Double, def: "10.0", low: "0.0"},
	{key: "index.merge.policy.floor_segment", kind: setting.Size, def: "16mb"},
	{key: "index.merge.policy.max_merge_at_once", kind: setting.Int, def: "30", low: "2"},
	{key: "index.merge.policy.max_merged_segment", kind: setting.Size, def: "5gb"},
	{key: "index.merge.policy.reclaim_deletes_weight", kind: setting.Double, def: "2.0"},
	{key: "index.merge.policy.segments_per_tier", kind: setting.Double, def: "10.0", low: "2.0"},
	{key: "index.merge.scheduler.auto_throttle", kind: setting.Bool, def: "true"},
	{key: "index.merge.scheduler.max_merge_count", kind: setting.Int, def: "6", low: "1"},
	{key: "index.merge.scheduler.max_thread_count", kind: setting.Int, def: "1", low: "1"},
	{key: "index.search.idle.after", kind: setting.Duration, def: "30s"},
	{key: "index.search.slowlog.level", def: "TRACE"},
	{key: "index.search.slowlog.threshold.query.warn", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.query.info", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.query.debug", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.query.trace", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.fetch.warn", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.fetch.info", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.fetch.debug", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.slowlog.threshold.fetch.trace", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.indexing.slowlog.level", def: "TRACE"},
	{key: "index.indexing.slowlog.reformat", kind: setting.Bool, def: "true"},
	{key: "index.indexing.slowlog.source", def: "1000"},
	{key: "index.indexing.slowlog.threshold.index.warn", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.indexing.slowlog.threshold.index.info", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.indexing.slowlog.threshold.index.debug", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.indexing.slowlog.threshold.index.trace", kind: setting.Duration, def: "-1", low: "-1"},
	{key: "index.search.concurrent_segment_search.enabled", kind: setting.Bool, def: "false"},
	{key: "index.search.throttled", kind: setting.Bool, def: "false", scope: private},

	{key: "index.creation_date", kind: setting.Long, def: "-1", low: "-1", scope: final},
	{key: "index.uuid", scope: private},
	{key: "index.version.created", scope: private},
	{key: "index.version.upgraded", scope: private},
	{key: "index.provided_name", scope: private},
	{key: "index.verified_before_close", kind: setting.Bool, def: "false", scope: private},
	{key: "index.resize.source.name", scope: private},
	{key: "index.resize.source.uuid", scope: private},
}

func checkReplication(key, value string) error {
	switch value {
	case "DOCUMENT":
		return nil
	case "SEGMENT":
		return fault.Unsupported("[" + key + ": SEGMENT]")
	}
	return fault.Illegal("Could not parse ReplicationStrategy for [%s]", value)
}

func checkCodec(_, value string) error {
	switch value {
	case "default", "lz4", "best_compression", "zlib", "zstd", "zstd_no_dict":
		return nil
	}
	return fault.Illegal("unknown value for [index.codec] must be one of [default, lz4, best_compression, zlib] but was: %s", value)
}

// checkExpand reads "false", "0-5" or "0-all".
func checkExpand(key, value string) error {
	if value == "false" {
		return nil
	}
	at := strings.IndexByte(value, '-')
	if at < 0 {
		return fault.Illegal("failed to parse [%s] from value: [%s] at index -1", key, value)
	}
	wrong := value[:at]
	low, err := strconv.Atoi(wrong)
	if err == nil && value[at+1:] != "all" {
		wrong = value[at+1:]
		high, bad := strconv.Atoi(wrong)
		if err = bad; err == nil && low > high {
			return fault.Illegal("[%s] minReplicas must be =< maxReplicas but wasn't %d > %d", key, low, high)
		}
	}
	if err != nil {
		e := fault.Illegal("failed to parse [%s] from value: [%s] at index %d", key, value, at)
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", wrong)
		return e
	}
	return nil
}

func checkActiveShards(_, value string) error {
	_, err := ParseActiveShards(value)
	return err
}

// AllShards is "all" as a number of active shards.
const AllShards = -1

// ParseActiveShards reads a wait_for_active_shards: a number, "all", or "" for the default, one.
func ParseActiveShards(text string) (int, error) {
	switch text {
	case "":
		return 1, nil
	case "all":
		return AllShards, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		e := fault.Illegal("cannot parse ActiveShardCount[%s]", text)
		e.CausedBy = fault.New(400, "number_format_exception", "For input string: \"%s\"", text)
		return 0, e
	}
	if n < 0 {
		return 0, fault.Illegal("shard count cannot be a negative value")
	}
	return n, nil
}

// expand sets the number of replicas where it follows the number of nodes, which is one.
func expand(settings setting.Values) {
	low, _, ok := strings.Cut(settings["index.auto_expand_replicas"], "-")
	if n, err := strconv.Atoi(low); ok && err == nil {
		settings["index.number_of_replicas"] = strconv.Itoa(max(n, 0))
	}
}

// routingShards is the number of hash slots of a new index, as OpenSearch chooses it so that the index can be split.
func routingShards(settings setting.Values, shards int) (int, error) {
	text, given := settings["index.number_of_routing_shards"]
	if !given {
		const most = 1024
		slots := shards
		for slots*2 <= most {
			slots *= 2
		}
		return slots, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fault.Illegal("Failed to parse value [%s] for setting [index.number_of_routing_shards]", text)
	case n < shards:
		return 0, fault.Illegal("index.number_of_routing_shards [%d] must be >= index.number_of_shards [%d]", n, shards)
	case n%shards != 0:
		return 0, fault.Illegal("the number of source shards [%d] must be a factor of [%d]", shards, n)
	}
	return n, nil
}

// VersionID is OpenSearch's number for a version: 3.4.0 is 137257827.
func VersionID(version string) string {
	parts := append(strings.SplitN(version, ".", 3), "0", "0")
	n := 99 // a release, not a preview
	for i, size := range []int{1_000_000, 10_000, 100} {
		digits, _, _ := strings.Cut(parts[i], "-")
		v, err := strconv.Atoi(digits)
		if err != nil {
			v = 0
		}
		n += v * size
	}
	const mask = 1 << 27 // tells OpenSearch's numbers from those of its ancestor
	return strconv.Itoa(n ^ mask)
}

// VersionOf is the version behind OpenSearch's number for it.
func VersionOf(id string) string {
	n, err := strconv.Atoi(id)
	if err != nil {
		return id
	}
	n ^= 1 << 27
	return strconv.Itoa(n/1_000_000) + "." + strconv.Itoa(n/10_000%100) + "." + strconv.Itoa(n/100%100)
}
