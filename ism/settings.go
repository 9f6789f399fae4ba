// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"strings"

	"github.com/opensteward/steward/wire/regex"
	"github.com/opensteward/steward/wire/setting"
)

// The prefixes of the plugin's settings: today's and the one before.
const (
	clusterPrefix    = "plugins.index_state_management."
	oldClusterPrefix = "opendistro.index_state_management."
	indexPrefix      = "index.plugins.index_state_management."
	oldIndexPrefix   = "index.opendistro.index_state_management."
	jobPrefix        = "plugins.jobscheduler."
	oldJobPrefix     = "opendistro.jobscheduler."
)

// defaultRestricted are the names that no template attaches and no client may add (the plugin's own default).
const defaultRestricted = `\.opendistro_security|\.kibana.*|\.opendistro-ism-config`

// Settings are the settings of the ISM plugin and of those it leans on, with the plugin's defaults and bounds.
func Settings() []setting.Definition {
	both := func(name string, kind setting.Kind, def string) setting.Definition {
		return setting.Definition{Key: clusterPrefix + name, Fallback: oldClusterPrefix + name, Kind: kind, Default: def}
	}
	atLeast := func(d setting.Definition, low string) setting.Definition {
		d.Min = low
		return d
	}
	one := func(name string, kind setting.Kind, def string) setting.Definition {
		return setting.Definition{Key: clusterPrefix + name, Kind: kind, Default: def}
	}
	job := func(name string, kind setting.Kind, def string) setting.Definition {
		return setting.Definition{Key: jobPrefix + name, Fallback: oldJobPrefix + name, Kind: kind, Default: def}
	}
	index := func(name string, kind setting.Kind, def string) setting.Definition {
		return setting.Definition{Key: indexPrefix + name, Fallback: oldIndexPrefix + name, Index: true, Kind: kind, Default: def}
	}
	restricted := both("restricted_index_pattern", setting.Text, defaultRestricted)
	restricted.Check = checkPattern
	jitter := one("jitter", setting.Double, "0.6")
	jitter.Min, jitter.Max = "0.0", "1.0"
	jitterLimit := job("jitter_limit", setting.Double, "0.6")
	jitterLimit.Min, jitterLimit.Max = "0.0", "0.95"
	threshold := setting.Definition{Key: "plugins.transform.circuit_breaker.jvm.threshold", Kind: setting.Int, Default: "85", Min: "0", Max: "100"}
	return []setting.Definition{
		both("enabled", setting.Bool, "true"),
		atLeast(both("job_interval", setting.Int, "5"), "1"),
		jitter,
		both("allow_list", setting.List, strings.Join(ActionTypes, ",")),
		one("action_validation.enabled", setting.Bool, "false"),
		one("allow_running_on_red_cluster", setting.Bool, "false"),
		restricted,
		both("snapshot.deny_list", setting.List, ""),
		atLeast(both("coordinator.sweep_period", setting.Duration, "10m"), "5m"),
		one("coordinator.sweep_skip_period", setting.Duration, "5m"),
		atLeast(both("coordinator.backoff_millis", setting.Duration, "50ms"), "0ms"),
		atLeast(both("coordinator.backoff_count", setting.Int, "2"), "0"),
		both("history.enabled", setting.Bool, "true"),
		atLeast(both("history.max_docs", setting.Long, "2500000"), "0"),
		atLeast(both("history.max_age", setting.Duration, "24h"), "0ms"),
		atLeast(both("history.rollover_check_period", setting.Duration, "8h"), "0ms"),
		atLeast(both("history.rollover_retention_period", setting.Duration, "30d"), "0ms"),
		both("history.number_of_shards", setting.Int, "1"),
		both("history.number_of_replicas", setting.Int, "1"),
		// of 2.x only; accepted and without effect
		both("metadata_service.enabled", setting.Bool, "true"),
		both("metadata_migration.status", setting.Int, "0"),
		atLeast(both("template_migration.control", setting.Long, "0"), "-2"),
		index("policy_id", setting.Text, ""),
		index("rollover_alias", setting.Text, ""),
		index("rollover_skip", setting.Bool, "false"),
		index("auto_manage", setting.Bool, "true"),
		jitterLimit,
		job("sweeper.period", setting.Duration, "5m"),
		job("sweeper.page_size", setting.Int, "100"),
		job("sweeper.backoff_millis", setting.Duration, "50ms"),
		job("retry_count", setting.Int, "3"),
		job("request_timeout", setting.Duration, "10s"),
		{Key: jobPrefix + "history.enabled", Kind: setting.Bool, Default: "false"},
		{Key: "plugins.transform.circuit_breaker.enabled", Kind: setting.Bool, Default: "true"},
		threshold,
		{Key: "plugins.index_management.filter_by_backend_roles", Kind: setting.Bool, Default: "false"},
		// ours: whether a failed index is tried again when what it lacked is there
		{Key: "steward.ism.watch.enabled", Kind: setting.Bool, Default: "true"},
	}
}

func checkPattern(value string) error {
	_, err := regex.Whole(value)
	return err
}
