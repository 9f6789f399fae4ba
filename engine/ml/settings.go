// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/regex"
	"github.com/opensteward/steward/wire/setting"
)

const prefix = "plugins.ml_commons."

// The settings that decide something here.
const (
	trustedEndpoints = prefix + "trusted_connector_endpoints_regex"
	trustedURL       = prefix + "trusted_url_regex"
	privateAddresses = prefix + "connector.private_ip_enabled"
	registerByURL    = prefix + "allow_registering_model_via_url"
	remoteInference  = prefix + "remote_inference.enabled"
	localModels      = prefix + "local_model.enabled"
	agentFramework   = prefix + "agent_framework_enabled"
	autoDeploy       = prefix + "model_auto_deploy.enable"
)

// defaultEndpoints are the services that ML Commons trusts.
var defaultEndpoints = []string{
	`^https://runtime\.sagemaker\..*[a-z0-9-]\.amazonaws\.com/.*$`,
	`^https://api\.sagemaker\..*[a-z0-9-]\.amazonaws\.com/.*$`,
	`^https://api\.openai\.com/.*$`,
	`^https://api\.cohere\.ai/.*$`,
	`^https://api\.deepseek\.com/.*$`,
	`^https://bedrock-runtime\..*[a-z0-9-]\.amazonaws\.com/.*$`,
	`^https://bedrock-agent-runtime\..*[a-z0-9-]\.amazonaws\.com/.*$`,
	`^https://bedrock\..*[a-z0-9-]\.amazonaws\.com/.*$`,
	`^https://textract\..*[a-z0-9-]\.amazonaws\.com$`,
	`^https://comprehend\..*[a-z0-9-]\.amazonaws\.com$`,
	`^https://rekognition(-fips)?\..*[a-z0-9-]\.amazonaws\.com$`,
}

// Settings declares the settings of ML Commons, all dynamic, with its defaults and bounds. Those about nodes, memory
// and numbers of tasks have nothing to tune on one node that runs no models; they are kept and shown.
func Settings() []setting.Definition {
	return []setting.Definition{
		{Key: trustedEndpoints, Kind: setting.List, Default: strings.Join(defaultEndpoints, ","), Check: checkPatterns},
		{Key: trustedURL, Default: `^(https?|ftp|file)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]`, Check: checkPattern},
		{Key: privateAddresses, Kind: setting.Bool, Default: "false"},
		{Key: registerByURL, Kind: setting.Bool, Default: "false"},
		{Key: remoteInference, Kind: setting.Bool, Default: "true"},
		{Key: localModels, Kind: setting.Bool, Default: "true"},
		{Key: agentFramework, Kind: setting.Bool, Default: "true"},
		{Key: autoDeploy, Kind: setting.Bool, Default: "true"},
		{Key: prefix + "rag_pipeline_feature_enabled", Kind: setting.Bool, Default: "true"},
		{Key: prefix + "memory_feature_enabled", Kind: setting.Bool, Default: "true"},

		{Key: prefix + "model_access_control_enabled", Kind: setting.Bool, Default: "false", Check: onlyFalse("model access control")},
		{Key: prefix + "connector_access_control_enabled", Kind: setting.Bool, Default: "false", Check: onlyFalse("connector access control")},
		{Key: prefix + "mcp_connector_enabled", Kind: setting.Bool, Default: "false", Check: onlyFalse("an MCP connector")},
		{Key: prefix + "allow_registering_model_via_local_file", Kind: setting.Bool, Default: "false"},

		{Key: prefix + "only_run_on_ml_node", Kind: setting.Bool, Default: "true"},
		{Key: prefix + "task_dispatch_policy", Default: "round_robin"},
		{Key: prefix + "max_model_on_node", Kind: setting.Int, Default: "10", Min: "0", Max: "10000"},
		{Key: prefix + "max_register_model_tasks_per_node", Kind: setting.Int, Default: "10", Min: "0", Max: "10"},
		{Key: prefix + "max_deploy_model_tasks_per_node", Kind: setting.Int, Default: "10", Min: "0", Max: "10"},
		{Key: prefix + "max_ml_task_per_node", Kind: setting.Int, Default: "10", Min: "0", Max: "10000"},
		{Key: prefix + "sync_up_job_interval_in_seconds", Kind: setting.Int, Default: "10", Min: "0", Max: "86400"},
		{Key: prefix + "ml_task_timeout_in_seconds", Kind: setting.Int, Default: "600", Min: "1", Max: "86400"},
		{Key: prefix + "monitoring_request_count", Kind: setting.Long, Default: "100", Min: "0", Max: "10000000"},
		{Key: prefix + "native_memory_threshold", Kind: setting.Int, Default: "90", Min: "0", Max: "100"},
		{Key: prefix + "jvm_heap_memory_threshold", Kind: setting.Int, Default: "85", Min: "0", Max: "100"},
		{Key: prefix + "disk_free_space_threshold", Kind: setting.Size, Default: "5gb"},
		{Key: prefix + "exclude_nodes._name"},
		{Key: prefix + "allow_custom_deployment_plan", Kind: setting.Bool, Default: "false"},
		{Key: prefix + "model_auto_redeploy.enable", Kind: setting.Bool, Default: "true"},
		{Key: prefix + "model_auto_redeploy.lifetime_retry_times", Kind: setting.Int, Default: "3"},
		{Key: prefix + "model_auto_redeploy_success_ratio", Kind: setting.Double, Default: "0.8", Min: "0", Max: "1"},
		{Key: prefix + "task_dispatcher.eligible_node_role.remote_model", Kind: setting.List, Default: "data,ml"},
		{Key: prefix + "task_dispatcher.eligible_node_role.local_model", Kind: setting.List, Default: "data,ml"},
	}
}

func onlyFalse(feature string) func(string) error {
	return func(value string) error {
		if value == "true" {
			return fault.Unsupported(feature)
		}
		return nil
	}
}

func checkPatterns(value string) error {
	for _, pattern := range strings.Split(value, ",") {
		if err := checkPattern(strings.TrimSpace(pattern)); err != nil {
			return err
		}
	}
	return nil
}

// checkPattern refuses what is no regular expression, or none of the engine's.
func checkPattern(pattern string) error {
	_, err := regex.Compile(pattern)
	return err
}

// setting is the value of a cluster setting.
func (s *Service) setting(key string) string { return s.o.Catalog.State().ClusterSetting(key) }

// enabled reports whether a switch is on.
func (s *Service) enabled(key string) bool { return s.setting(key) == "true" }

// trusted reports whether a connector may call a URL.
func (s *Service) trusted(url string) bool {
	for _, pattern := range s.o.Catalog.State().ClusterSettings().List(trustedEndpoints) {
		re, err := regex.Whole(pattern)
		if err == nil && re.MatchString(url) {
			return true
		}
	}
	return false
}
