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

// oldAndNew is a setting of the plugin that has its name of OpenDistro too.
func oldAndNew(name string, kind setting.Kind, def string) setting.Definition {
	return setting.Definition{Key: clusterPrefix + name, Fallback: oldClusterPrefix + name, Kind: kind, Default: def}
}

func atLeast(d setting.Definition, low string) setting.Definition {
	d.Min = low
	return d
}

func within(d setting.Definition, low, high string) setting.Definition {
	d.Min, d.Max = low, high
	return d
}

// newOnly is a setting of the plugin without an older name.
func newOnly(name string, kind setting.Kind, def string) setting.Definition {
	return setting.Definition{Key: clusterPrefix + name, Kind: kind, Default: def}
}

// ofJobs is a setting of the job scheduler.
func ofJobs(name string, kind setting.Kind, def string) setting.Definition {
	return setting.Definition{Key: jobPrefix + name, Fallback: oldJobPrefix + name, Kind: kind, Default: def}
}

// ofIndex is a setting of an index.
func ofIndex(name string, kind setting.Kind, def string) setting.Definition {
	return setting.Definition{Key: indexPrefix + name, Fallback: oldIndexPrefix + name, Index: true, Kind: kind, Default: def}
}

// Settings are the settings of the ISM plugin and of those it leans on, with the plugin's defaults and bounds.
func Settings() []setting.Definition {
	restricted := oldAndNew("restricted_index_pattern", setting.Text, defaultRestricted)
	restricted.Check = checkPattern
	return []setting.Definition{
		oldAndNew("enabled", setting.Bool, "true"),
		atLeast(oldAndNew("job_interval", setting.Int, "5"), "1"),
		within(newOnly("jitter", setting.Double, "0.6"), "0.0", "1.0"),
		oldAndNew("allow_list", setting.List, strings.Join(ActionTypes, ",")),
		newOnly("action_validation.enabled", setting.Bool, "false"),
		newOnly("allow_running_on_red_cluster", setting.Bool, "false"),
		restricted,
		oldAndNew("snapshot.deny_list", setting.List, ""),
		atLeast(oldAndNew("coordinator.sweep_period", setting.Duration, "10m"), "5m"),
		newOnly("coordinator.sweep_skip_period", setting.Duration, "5m"),
		atLeast(oldAndNew("coordinator.backoff_millis", setting.Duration, "50ms"), "0ms"),
		atLeast(oldAndNew("coordinator.backoff_count", setting.Int, "2"), "0"),
		oldAndNew("history.enabled", setting.Bool, "true"),
		atLeast(oldAndNew("history.max_docs", setting.Long, "2500000"), "0"),
		atLeast(oldAndNew("history.max_age", setting.Duration, "24h"), "0ms"),
		atLeast(oldAndNew("history.rollover_check_period", setting.Duration, "8h"), "0ms"),
		atLeast(oldAndNew("history.rollover_retention_period", setting.Duration, "30d"), "0ms"),
		oldAndNew("history.number_of_shards", setting.Int, "1"),
		oldAndNew("history.number_of_replicas", setting.Int, "1"),
		// of 2.x only; accepted and without effect
		oldAndNew("metadata_service.enabled", setting.Bool, "true"),
		oldAndNew("metadata_migration.status", setting.Int, "0"),
		atLeast(oldAndNew("template_migration.control", setting.Long, "0"), "-2"),
		ofIndex("policy_id", setting.Text, ""),
		ofIndex("rollover_alias", setting.Text, ""),
		ofIndex("rollover_skip", setting.Bool, "false"),
		ofIndex("auto_manage", setting.Bool, "true"),
		within(ofJobs("jitter_limit", setting.Double, "0.6"), "0.0", "0.95"),
		ofJobs("sweeper.period", setting.Duration, "5m"),
		ofJobs("sweeper.page_size", setting.Int, "100"),
		ofJobs("sweeper.backoff_millis", setting.Duration, "50ms"),
		ofJobs("retry_count", setting.Int, "3"),
		ofJobs("request_timeout", setting.Duration, "10s"),
		{Key: jobPrefix + "history.enabled", Kind: setting.Bool, Default: "false"},
		{Key: "plugins.transform.circuit_breaker.enabled", Kind: setting.Bool, Default: "true"},
		within(setting.Definition{Key: "plugins.transform.circuit_breaker.jvm.threshold", Kind: setting.Int, Default: "85"}, "0", "100"),
		{Key: "plugins.index_management.filter_by_backend_roles", Kind: setting.Bool, Default: "false"},
		// ours: whether a failed index is tried again when what it lacked is there
		{Key: "steward.ism.watch.enabled", Kind: setting.Bool, Default: "true"},
	}
}

func checkPattern(value string) error {
	_, err := regex.Whole(value)
	return err
}
