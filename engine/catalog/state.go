// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/wire/setting"
)

// State is the metadata at one version. It and all that it holds is never written to.
type State struct {
	// Version grows by one with every change.
	Version int64
	// UUID is new with every change (state_uuid).
	UUID string
	// ClusterUUID is given once, when the catalog is made.
	ClusterUUID string

	Indices            map[string]*Index
	DataStreams        map[string]*DataStream
	ComponentTemplates map[string]*ComponentTemplate
	IndexTemplates     map[string]*IndexTemplate
	LegacyTemplates    map[string]*LegacyTemplate
	// Persistent and Transient are the cluster settings that were set. Transient ones are gone after a restart.
	Persistent, Transient setting.Values
	// Documents are further named metadata (ingest pipelines, repositories, ...) by kind and name.
	Documents map[Kind]map[string]json.RawMessage

	// names finds aliases; see names.go.
	aliases map[string][]*Index
	// registries, and the settings that the node was started with.
	env *environment
}

// Kind names one sort of [State.Documents].
type Kind string

// The kinds of documents.
const (
	IngestPipelines Kind = "ingest"
	SearchPipelines Kind = "search_pipeline"
	Repositories    Kind = "repositories"
	Snapshots       Kind = "snapshots"
	StoredScripts   Kind = "stored_scripts"
)

// Index is the metadata of one index.
type Index struct {
	Name string
	UUID string // 22 url-safe base64 characters
	// Settings are flat, with the "index." prefix, those that the server sets itself included.
	Settings setting.Values
	Mapping  *mapping.Mapping
	Aliases  map[string]Alias
	Closed   bool
	// DataStream is the name of the data stream it backs, or "".
	DataStream string
	// Rollovers tells of each alias or data stream which this index was rolled over for.
	Rollovers map[string]RolloverInfo
	// Version grows with every change of the index; the other three with changes of their part.
	Version, MappingVersion, SettingsVersion, AliasesVersion int64
	// RoutingShards is the number of slots that document ids are hashed to; a multiple of the number of shards.
	RoutingShards int
}

// RolloverInfo is one rollover of an index.
type RolloverInfo struct {
	Time time.Time
	// Met are the conditions that were met, by name, with their thresholds as JSON.
	Met map[string]json.RawMessage
}

// Created is when the index was created.
func (i *Index) Created() time.Time {
	ms, _ := strconv.ParseInt(i.Settings["index.creation_date"], 10, 64)
	return time.UnixMilli(ms).UTC()
}

// Shards is the number of primary shards.
func (i *Index) Shards() int { return i.number("index.number_of_shards", 1) }

// Replicas is the number of copies of each shard that the index asks for.
func (i *Index) Replicas() int { return i.number("index.number_of_replicas", 1) }

func (i *Index) number(key string, def int) int {
	if n, err := strconv.Atoi(i.Settings[key]); err == nil {
		return n
	}
	return def
}

// Hidden reports whether wildcards pass the index over unless they ask for hidden ones.
func (i *Index) Hidden() bool { return i.Settings["index.hidden"] == "true" }

// providedName is the name that the index was created by, date maths unresolved.
func (i *Index) providedName() string { return i.Settings["index.provided_name"] }

// SortedIndices are all indices by name.
func (s *State) SortedIndices() []*Index {
	out := make([]*Index, 0, len(s.Indices))
	for _, name := range slices.Sorted(maps.Keys(s.Indices)) {
		out = append(out, s.Indices[name])
	}
	return out
}

// IndexByUUID finds an index by its uuid; nil if there is none.
func (s *State) IndexByUUID(uuid string) *Index {
	for _, i := range s.Indices {
		if i.UUID == uuid {
			return i
		}
	}
	return nil
}

// AliasIndices are the indices behind an alias, by name; nil if there is no such alias.
func (s *State) AliasIndices(alias string) []*Index { return s.aliases[alias] }

// indexAliases fills the map from alias to indices.
func (s *State) indexAliases() {
	s.aliases = map[string][]*Index{}
	for _, i := range s.Indices {
		for alias := range i.Aliases {
			s.aliases[alias] = append(s.aliases[alias], i)
		}
	}
	for _, list := range s.aliases {
		slices.SortFunc(list, byName)
	}
}

func byName(a, b *Index) int {
	switch {
	case a.Name < b.Name:
		return -1
	case a.Name > b.Name:
		return 1
	}
	return 0
}

// clone is a draft of the next state: its maps may be written to, what they hold may not.
func (s *State) clone() *State {
	next := *s
	next.Indices = maps.Clone(s.Indices)
	next.DataStreams = maps.Clone(s.DataStreams)
	next.ComponentTemplates = maps.Clone(s.ComponentTemplates)
	next.IndexTemplates = maps.Clone(s.IndexTemplates)
	next.LegacyTemplates = maps.Clone(s.LegacyTemplates)
	next.Persistent = maps.Clone(s.Persistent)
	next.Transient = maps.Clone(s.Transient)
	next.Documents = make(map[Kind]map[string]json.RawMessage, len(s.Documents))
	for kind, docs := range s.Documents {
		next.Documents[kind] = maps.Clone(docs)
	}
	return &next
}

// edit puts a copy of an index into the draft and returns it. The copy's maps may be written to.
func (s *State) edit(name string) *Index {
	next := *s.Indices[name]
	next.Settings = maps.Clone(next.Settings)
	next.Aliases = maps.Clone(next.Aliases)
	next.Rollovers = maps.Clone(next.Rollovers)
	next.Version++
	s.Indices[name] = &next
	return &next
}
