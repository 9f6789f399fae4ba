// SPDX-License-Identifier: Apache-2.0

package rollup

import "github.com/opensteward/steward/wire/setting"

// The prefixes of the plugins' settings: today's and the one before.
const (
	rollupPrefixed    = "plugins.rollup."
	oldRollupPrefixed = "opendistro.rollup."
	transformPrefixed = "plugins.transform.internal."
)

// Settings are the settings of rollups and transforms, with the plugin's defaults and bounds.
func Settings() []setting.Definition {
	both := func(name string, kind setting.Kind, def, low string) setting.Definition {
		return setting.Definition{Key: rollupPrefixed + name, Fallback: oldRollupPrefixed + name, Kind: kind, Default: def, Min: low}
	}
	own := func(name string, kind setting.Kind, def, low string) setting.Definition {
		return setting.Definition{Key: transformPrefixed + name, Kind: kind, Default: def, Min: low}
	}
	return []setting.Definition{
		both("enabled", setting.Bool, "true", ""),
		both("search.enabled", setting.Bool, "true", ""),
		both("ingest.backoff_millis", setting.Duration, "1000ms", "0ms"),
		both("ingest.backoff_count", setting.Int, "5", ""),
		both("search.backoff_millis", setting.Duration, "1000ms", "0ms"),
		both("search.backoff_count", setting.Int, "5", ""),
		both("dashboards.enabled", setting.Bool, "true", ""),
		{Key: rollupPrefixed + "search.search_all_jobs", Kind: setting.Bool, Default: "false"},
		{Key: rollupPrefixed + "search.search_source_indices", Kind: setting.Bool, Default: "false"},
		own("search.backoff_count", setting.Int, "5", ""),
		own("search.backoff_millis", setting.Duration, "1000ms", "0ms"),
		own("index.backoff_count", setting.Int, "5", ""),
		own("index.backoff_millis", setting.Duration, "1000ms", "0ms"),
		{Key: rollupIndex, Fallback: oldRollupIndex, Index: true, Kind: setting.Bool, Default: "false"},
	}
}
