// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"maps"
	"regexp"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/regex"
	"github.com/opensteward/steward/wire/setting"
)

// The cluster settings that matter here.
const (
	pluginPrefix       = "plugins.index_state_management."
	settingEnabled     = pluginPrefix + "enabled"
	settingJobInterval = pluginPrefix + "job_interval"
	settingJitter      = pluginPrefix + "jitter"
	settingAllowList   = pluginPrefix + "allow_list"
	settingAllowOnRed  = pluginPrefix + "allow_running_on_red_cluster"
	settingRestricted  = pluginPrefix + "restricted_index_pattern"
	settingDenied      = pluginPrefix + "snapshot.deny_list"
	settingValidate    = pluginPrefix + "action_validation.enabled"
	settingBreaker     = "plugins.transform.circuit_breaker.enabled"
	settingHeapLimit   = "plugins.transform.circuit_breaker.jvm.threshold"
	settingSweepPeriod = pluginPrefix + "coordinator.sweep_period"
	settingJitterLimit = "plugins.jobscheduler.jitter_limit"
	settingWatch       = "steward.ism.watch.enabled"
)

// settings are the cluster settings as a sweep sees them.
type settings struct {
	values setting.Values // nil before the first reading
	config ism.Config
	jitter float64
	// jitterLimit bounds the jitter of jobs at native pace.
	jitterLimit float64
	// sweepPeriod is how long, at native pace, an index waits that was there before the policy that claims it.
	sweepPeriod time.Duration
	watch       bool // blocked indices are tried again
	restricted  *regexp.Regexp
}

// Settings reads the plugin's settings as they stand in the cluster: what is set there goes before what the program
// was started with.
func (m *Manager) Settings(ctx context.Context) (setting.View, error) {
	values, err := m.opts.Client.ClusterSettings(ctx)
	if err != nil {
		return setting.View{}, err
	}
	all := setting.Values{}
	maps.Copy(all, m.opts.NodeSettings)
	maps.Copy(all, values)
	return setting.View{Registry: m.opts.Registry, Values: all}, nil
}

func (m *Manager) readSettings(ctx context.Context) error {
	view, err := m.Settings(ctx)
	if err != nil {
		return err
	}
	was := m.settings
	if was.values != nil && maps.Equal(view.Values, was.values) {
		return nil
	}
	m.settings = m.viewSettings(view)
	m.settingsChanged(was)
	return nil
}

func (m *Manager) viewSettings(v setting.View) settings {
	s := settings{
		values: v.Values,
		config: ism.Config{
			Enabled:     v.Bool(settingEnabled),
			AllowList:   v.List(settingAllowList),
			JobInterval: int(v.Int(settingJobInterval)),
			AllowOnRed:  v.Bool(settingAllowOnRed),

			DeniedRepositories: v.List(settingDenied),

			Validate:  v.Bool(settingValidate),
			HeapLimit: heapLimit(v),
			Native:    m.native(),
		},
		jitter: v.Double(settingJitter), jitterLimit: v.Double(settingJitterLimit), watch: v.Bool(settingWatch),
		sweepPeriod: v.Duration(settingSweepPeriod),
	}
	var err error
	if s.restricted, err = regex.Whole(v.Text(settingRestricted)); err != nil {
		// It is checked where it is set; one that came another way keeps everything out rather than letting it in.
		m.log.Warn("restricted_index_pattern is not a regular expression; no index is attached by template", "err", err)
	}
	return s
}

// heapLimit is the percentage of its memory that no node may exceed; 0 if the circuit breaker is off.
func heapLimit(v setting.View) int {
	if !v.Bool(settingBreaker) {
		return 0
	}
	return int(v.Int(settingHeapLimit))
}

// settingsChanged wakes what the settings decide about.
func (m *Manager) settingsChanged(was settings) {
	m.enrolAll = true
	if was.values == nil {
		return
	}
	for _, e := range m.docs.entries {
		m.ready(e)
	}
	m.reenable = m.reenable || m.settings.config.Enabled && !was.config.Enabled
}
