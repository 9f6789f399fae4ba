// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// PutSettings changes settings of all indices that expressions mean, or of none. preserve keeps what an index has set.
func (c *Catalog) PutSettings(ctx context.Context, expressions []string, o wire.IndexOptions, change SettingsChange, preserve bool) error {
	if len(change.Set) == 0 && len(change.Reset) == 0 {
		return fault.Validation("no settings to update")
	}
	return c.update(ctx, func(next *State) error {
		indices, err := next.Resolve(expressions, o, c.clock.Now())
		if err != nil {
			return err
		}
		if err := next.mayPutSettings(indices, change); err != nil {
			return err
		}
		if err := next.env.checkUpdate(indices, change); err != nil {
			return err
		}
		for _, index := range indices {
			if err := next.putSettings(index, change, preserve); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayPutSettings refuses changes of blocked indices, but for one setting alone that lifts a block of metadata.
func (s *State) mayPutSettings(indices []*Index, change SettingsChange) error {
	if err := s.clusterBlock(MetadataWrite, ""); err != nil {
		return err
	}
	keys := append(slices.Collect(maps.Keys(change.Set)), change.Reset...)
	if len(keys) == 1 && slices.Contains(liftable, keys[0]) {
		return nil
	}
	return s.Block(MetadataWrite, indices...)
}

// liftable are the blocks that forbid changes of settings, and that can be changed all the same.
var liftable = []string{"index.blocks.metadata", "index.blocks.read_only", "index.blocks.read_only_allow_delete"}

// checkUpdate refuses unknown settings, bad values and what cannot be changed now.
func (e *environment) checkUpdate(indices []*Index, change SettingsChange) error {
	if err := e.checkIndexSettings(change); err != nil {
		return err
	}
	var fixed []string
	names := slices.Collect(maps.Keys(change.Set))
	for _, key := range change.Reset {
		if !wire.IsPattern(key) {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	for _, key := range names {
		d, _ := e.index.Lookup(key)
		switch scopeOf(d) {
		case private:
			return fault.New(400, "settings_exception", "can not update private setting [%s]; this setting is managed by OpenSearch", key)
		case static, final:
			fixed = append(fixed, key)
		}
	}
	if len(fixed) == 0 {
		return nil
	}
	var open []string
	for _, index := range indices {
		if !index.Closed {
			open = append(open, fmt.Sprintf("[%s/%s]", index.Name, index.UUID))
		}
	}
	if len(open) > 0 {
		return fault.Illegal("Can't update non dynamic settings [[%s]] for open indices [%s]", strings.Join(fixed, ", "), strings.Join(open, ", "))
	}
	for _, key := range fixed {
		if d, _ := e.index.Lookup(key); scopeOf(d) == final && len(indices) > 0 {
			return fault.New(400, "settings_exception", "final %s setting [%s], not updateable", indices[0].Name, key)
		}
	}
	return nil
}

func (s *State) putSettings(index *Index, change SettingsChange, preserve bool) error {
	settings := maps.Clone(index.Settings)
	for _, pattern := range change.Reset {
		for key := range settings {
			d, _ := s.env.index.Lookup(key)
			if wire.Match(pattern, key) && scopeOf(d) != private && scopeOf(d) != final {
				delete(settings, key)
			}
		}
	}
	for key, value := range change.Set {
		if _, has := settings[key]; has && preserve {
			continue
		}
		settings[key] = value
	}
	if _, ok := settings["index.number_of_replicas"]; !ok {
		settings["index.number_of_replicas"] = "1"
	}
	expand(settings)
	if maps.Equal(settings, index.Settings) {
		return nil
	}
	if err := s.checkMoreReplicas(index, settings); err != nil {
		return err
	}
	draft := s.edit(index.Name)
	draft.Settings = settings
	draft.SettingsVersion++
	draft.Mapping = draft.Mapping.WithLimits(limitsOf(settings))
	return nil
}

// checkMoreReplicas applies cluster.max_shards_per_node to what an index grows by.
func (s *State) checkMoreReplicas(index *Index, settings setting.Values) error {
	after := &Index{Settings: settings}
	if index.Closed || after.Replicas() <= index.Replicas() {
		return nil
	}
	more := setting.Values{
		"index.number_of_shards":   fmt.Sprint(index.Shards()),
		"index.number_of_replicas": fmt.Sprint(after.Replicas() - index.Replicas() - 1),
	}
	return s.checkShardLimit(more)
}
