// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/setting"
)

const settingPrefix = "plugins.flow_framework."

// RestCallSetting lists what rest_call may send: methods and paths, "PUT /logs-*/_settings"; * stands for any text. It is
// not one of the plugin's, and empty by default.
const RestCallSetting = settingPrefix + "rest_call_allow_list"

// Settings are the settings of the Flow Framework plugin, with its defaults and bounds. Those that are not dynamic can
// only be given at start; the sizes of thread pools have no effect here, as there are none.
func Settings() []setting.Definition {
	dynamic := func(name string, kind setting.Kind, def, low, high string) setting.Definition {
		return setting.Definition{Key: settingPrefix + name, Kind: kind, Default: def, Min: low, Max: high}
	}
	fixed := func(name string, kind setting.Kind, def, low, high string) setting.Definition {
		d := dynamic(name, kind, def, low, high)
		d.Final = true
		return d
	}
	return []setting.Definition{
		dynamic("enabled", setting.Bool, "true", "", ""),
		dynamic("max_workflows", setting.Int, "1000", "0", "10000"),
		dynamic("max_workflow_steps", setting.Int, "50", "1", "500"),
		dynamic("request_timeout", setting.Duration, "10s", "0ms", ""),
		dynamic("task_request_retry_duration", setting.Duration, "5s", "0ms", ""),
		dynamic("rest_call_allow_list", setting.List, "", "", ""),
		dynamic("filter_by_backend_roles", setting.Bool, "false", "", ""),
		dynamic("max_active_provisions_per_tenant", setting.Int, "2", "1", "40"),
		dynamic("max_active_deprovisions_per_tenant", setting.Int, "1", "1", "40"),
		absent(fixed("multi_tenancy_enabled", setting.Bool, "false", "", "")),
		fixed("workflow_thread_pool_size", setting.Int, "4", "1", "400"),
		fixed("provision_thread_pool_size", setting.Int, "8", "1", "800"),
		fixed("deprovision_thread_pool_size", setting.Int, "4", "1", "400"),
		absent(fixed("remote_metadata_type", setting.Text, "", "", "")),
		absent(fixed("remote_metadata_endpoint", setting.Text, "", "", "")),
		absent(fixed("remote_metadata_region", setting.Text, "", "", "")),
		absent(fixed("remote_metadata_service_name", setting.Text, "", "", "")),
	}
}

// absent makes a setting of something that is not here one that keeps its default.
func absent(d setting.Definition) setting.Definition {
	d.Check = func(value string) error {
		if value != d.Default {
			return fault.Illegal("[%s] is not supported: tenants and a store of metadata outside of the cluster are not here", d.Key)
		}
		return nil
	}
	return d
}
