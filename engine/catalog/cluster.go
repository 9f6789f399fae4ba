// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// ClusterSetting is the value of a cluster setting: transient, else persistent, else as the node was started, else the
// default.
func (s *State) ClusterSetting(key string) string {
	if d, known := s.env.cluster.Lookup(key); known && d.Fallback == "" {
		for _, values := range []setting.Values{s.Transient, s.Persistent, s.env.config} {
			if value, set := values[key]; set {
				return value
			}
		}
		return d.Default
	}
	return s.ClusterSettings().Text(key)
}

// ClusterSettings are all cluster settings in force.
func (s *State) ClusterSettings() setting.View {
	values := maps.Clone(s.env.config)
	maps.Copy(values, s.Persistent)
	maps.Copy(values, s.Transient)
	return setting.View{Registry: s.env.cluster, Values: values}
}

// NodeSettings are the cluster settings that the node was started with.
func (s *State) NodeSettings() setting.Values { return maps.Clone(s.env.config) }

// ClusterDefaults are the settings that nobody has set, with what counts then: the value that the node was started with, else
// the default.
func (s *State) ClusterDefaults() setting.Values {
	out := maps.Clone(s.env.config)
	for _, d := range s.env.cluster.All() {
		if _, set := out[d.Key]; !set && !strings.HasSuffix(d.Key, ".*") {
			out[d.Key] = d.Default
		}
	}
	for key := range s.Persistent {
		delete(out, key)
	}
	for key := range s.Transient {
		delete(out, key)
	}
	return out
}

// IndexDefaults are the defaults of the settings that an index does not set.
func (s *State) IndexDefaults(index *Index) setting.Values {
	out := setting.Values{}
	for _, d := range s.env.index.All() {
		if _, set := index.Settings[d.Key]; !set && !strings.HasSuffix(d.Key, ".*") && scopeOf(d) != private {
			out[d.Key] = d.Default
		}
	}
	return out
}

// PutClusterSettings changes persistent and transient settings: all of them or none.
func (c *Catalog) PutClusterSettings(ctx context.Context, persistent, transient SettingsChange) error {
	if len(persistent.Set)+len(persistent.Reset)+len(transient.Set)+len(transient.Reset) == 0 {
		return fault.Validation("no settings to update")
	}
	return c.update(ctx, func(next *State) error {
		if err := next.mayPutClusterSettings(persistent, transient); err != nil {
			return err
		}
		if err := next.env.changeCluster(next.Persistent, persistent, "persistent"); err != nil {
			return err
		}
		return next.env.changeCluster(next.Transient, transient, "transient")
	})
}

// mayPutClusterSettings refuses changes while the cluster is read-only, but for those that lift the block.
func (s *State) mayPutClusterSettings(changes ...SettingsChange) error {
	for _, change := range changes {
		keys := slices.Collect(maps.Keys(change.Set))
		for _, key := range append(keys, change.Reset...) {
			if !strings.HasPrefix(key, "cluster.blocks.read_only") {
				return s.clusterBlock(MetadataWrite, "")
			}
		}
	}
	return nil
}

// changeCluster applies one change to values.
func (e *environment) changeCluster(values setting.Values, change SettingsChange, kind string) error {
	names := slices.Collect(maps.Keys(change.Set))
	for _, key := range change.Reset {
		if !wire.IsPattern(key) && values[key] == "" {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	for _, key := range names {
		d, known := e.cluster.Lookup(key)
		if !known && !wire.MatchAny(nodeOnly, key) {
			return fault.New(400, "settings_exception", "%s setting [%s], not recognized", kind, key)
		}
		if !known || d.Final {
			return fault.New(400, "settings_exception", "%s setting [%s], not dynamically updateable", kind, key)
		}
	}
	for _, key := range names {
		if value, set := change.Set[key]; set {
			d, _ := e.cluster.Lookup(key)
			if err := d.Validate(value); err != nil {
				return err
			}
		}
	}
	for _, pattern := range change.Reset {
		maps.DeleteFunc(values, func(key, _ string) bool { return wire.Match(pattern, key) })
	}
	maps.Copy(values, change.Set)
	return nil
}

// ParseClusterSettings reads one of the two objects of a cluster settings request.
func ParseClusterSettings(body []byte) (SettingsChange, error) {
	values, nulls, err := setting.Flatten(body)
	slices.Sort(nulls)
	return SettingsChange{Set: values, Reset: nulls}, err
}

// checkLevel refuses a log level that is none.
func checkLevel(_, value string) error {
	switch strings.ToUpper(value) {
	case "OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL":
		return nil
	}
	return fault.Illegal("Unknown level constant [%s].", strings.ToUpper(value))
}
