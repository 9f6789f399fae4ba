// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/wire/setting"
)

// indexRecord is an index as the file keeps it.
type indexRecord struct {
	Name          string                    `json:"name"`
	UUID          string                    `json:"uuid"`
	Settings      setting.Values            `json:"settings"`
	Mapping       json.RawMessage           `json:"mapping"`
	Aliases       map[string]Alias          `json:"aliases,omitempty"`
	Closed        bool                      `json:"closed,omitempty"`
	DataStream    string                    `json:"data_stream,omitempty"`
	Rollovers     map[string]rolloverRecord `json:"rollover_info,omitempty"`
	Version       int64                     `json:"version"`
	MappingVers   int64                     `json:"mapping_version"`
	SettingsVers  int64                     `json:"settings_version"`
	AliasesVers   int64                     `json:"aliases_version"`
	RoutingShards int                       `json:"routing_num_shards"`
}

type rolloverRecord struct {
	Time int64                      `json:"time"` // milliseconds
	Met  map[string]json.RawMessage `json:"met_conditions,omitempty"`
}

// MarshalJSON writes the record of the file.
func (i *Index) MarshalJSON() ([]byte, error) {
	mapped, err := i.Mapping.MarshalJSON()
	if err != nil {
		return nil, err
	}
	r := indexRecord{
		Name: i.Name, UUID: i.UUID, Settings: i.Settings, Mapping: mapped, Aliases: i.Aliases,
		Closed: i.Closed, DataStream: i.DataStream, Version: i.Version, MappingVers: i.MappingVersion,
		SettingsVers: i.SettingsVersion, AliasesVers: i.AliasesVersion, RoutingShards: i.RoutingShards,
	}
	if len(i.Rollovers) > 0 {
		r.Rollovers = map[string]rolloverRecord{}
		for target, info := range i.Rollovers {
			r.Rollovers[target] = rolloverRecord{info.Time.UnixMilli(), info.Met}
		}
	}
	return json.Marshal(r)
}

// UnmarshalJSON reads the record of the file.
func (i *Index) UnmarshalJSON(b []byte) error {
	var r indexRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	if r.Name == "" || len(r.UUID) != 22 || r.Settings == nil || r.RoutingShards < 1 {
		return errors.New("name, uuid, settings or routing_num_shards is missing")
	}
	m, err := mapping.ParseStored(r.Mapping, limitsOf(r.Settings))
	if err != nil {
		return fmt.Errorf("mapping: %w", err)
	}
	*i = Index{
		Name: r.Name, UUID: r.UUID, Settings: r.Settings, Mapping: m, Aliases: r.Aliases, Closed: r.Closed,
		DataStream: r.DataStream, Rollovers: map[string]RolloverInfo{}, Version: r.Version,
		MappingVersion: r.MappingVers, SettingsVersion: r.SettingsVers, AliasesVersion: r.AliasesVers,
		RoutingShards: r.RoutingShards,
	}
	if i.Aliases == nil {
		i.Aliases = map[string]Alias{}
	}
	for target, info := range r.Rollovers {
		i.Rollovers[target] = RolloverInfo{time.UnixMilli(info.Time).UTC(), info.Met}
	}
	return nil
}
