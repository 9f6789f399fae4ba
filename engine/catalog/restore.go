// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// GlobalState is what a snapshot holds of the cluster beside its indices.
type GlobalState struct {
	Settings           setting.Values                      `json:"persistent_settings,omitempty"`
	ComponentTemplates map[string]*ComponentTemplate       `json:"component_templates,omitempty"`
	IndexTemplates     map[string]*IndexTemplate           `json:"index_templates,omitempty"`
	LegacyTemplates    map[string]*LegacyTemplate          `json:"legacy_templates,omitempty"`
	Documents          map[Kind]map[string]json.RawMessage `json:"documents,omitempty"`
}

// globalKinds are the documents that belong to the cluster rather than to this node.
var globalKinds = []Kind{IngestPipelines, SearchPipelines, StoredScripts}

// Global is what a snapshot of the state holds beside indices.
func (s *State) Global() *GlobalState {
	g := &GlobalState{
		Settings: s.Persistent, ComponentTemplates: s.ComponentTemplates, IndexTemplates: s.IndexTemplates,
		LegacyTemplates: s.LegacyTemplates, Documents: map[Kind]map[string]json.RawMessage{},
	}
	for _, kind := range globalKinds {
		if len(s.Documents[kind]) > 0 {
			g.Documents[kind] = s.Documents[kind]
		}
	}
	return g
}

// useGlobal makes a draft's cluster metadata that of a snapshot: settings and documents are replaced, templates added.
func (s *State) useGlobal(g *GlobalState) {
	s.Persistent = maps.Clone(g.Settings)
	if s.Persistent == nil {
		s.Persistent = setting.Values{}
	}
	maps.Copy(s.ComponentTemplates, g.ComponentTemplates)
	maps.Copy(s.IndexTemplates, g.IndexTemplates)
	maps.Copy(s.LegacyTemplates, g.LegacyTemplates)
	for _, kind := range globalKinds {
		s.Documents[kind] = maps.Clone(g.Documents[kind])
	}
}

// Restored is an index that a snapshot brings back.
type Restored struct {
	// Saved is the index as the snapshot has it. It is not written to.
	Saved *Index
	// Name is the name that it gets.
	Name string
	// Settings are laid over the saved ones, of which those that match Dropped are left out.
	Settings setting.Values
	Dropped  []string
	// Aliases are those that it gets.
	Aliases map[string]Alias
	// Stream is the name of the data stream that it backs again, or "".
	Stream string
}

// Restore is what a snapshot brings back.
type Restore struct {
	// Source names the snapshot in errors: "repository:snapshot/uuid".
	Source  string
	Indices []Restored
	Streams []*DataStream
	// Global replaces the cluster's metadata; nil leaves it.
	Global *GlobalState
}

// Restore brings indices back. fill makes the shards of all of them, which then appear at once; a closed index of the
// same name is replaced. Until then their names are taken, and other changes go on. If it fails nothing has changed.
func (c *Catalog) Restore(ctx context.Context, r Restore, fill func(indices []*Index) error) ([]*Index, error) {
	indices := make([]*Index, len(r.Indices))
	for n, one := range r.Indices {
		indices[n] = one.index()
	}
	if _, err := r.add(c.State().clone(), indices); err != nil {
		return nil, err
	}
	release, err := c.claimAll(indices)
	if err != nil {
		return nil, err
	}
	defer release()
	var replaced []*Index
	if err = fill(indices); err == nil {
		err = c.update(ctx, func(next *State) (err error) {
			replaced, err = r.add(next, indices)
			return err
		})
	}
	if err != nil {
		for _, index := range indices {
			err = errors.Join(err, c.shards.Delete(context.WithoutCancel(ctx), index))
		}
		return nil, err
	}
	c.deleteShards(ctx, replaced)
	return indices, nil
}

// claimAll takes the names of indices, or none of them.
func (c *Catalog) claimAll(indices []*Index) (release func(), err error) {
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	for _, index := range indices {
		one, err := c.claim(index)
		if err != nil {
			release()
			return nil, err
		}
		releases = append(releases, one)
	}
	return release, nil
}

// index is an index as it comes back: with another uuid, open, and with settings changed.
func (one *Restored) index() *Index {
	next := *one.Saved
	next.Name, next.UUID, next.Closed, next.DataStream = one.Name, newUUID(), false, one.Stream
	next.Settings = setting.Values{}
	for key, value := range one.Saved.Settings {
		if !wire.MatchAny(one.Dropped, key) || fixed[key] {
			next.Settings[key] = value
		}
	}
	maps.Copy(next.Settings, one.Settings)
	next.Settings["index.uuid"] = next.UUID
	delete(next.Settings, "index.verified_before_close")
	expand(next.Settings)
	next.Mapping = one.Saved.Mapping.WithLimits(limitsOf(next.Settings))
	next.Aliases = one.Aliases
	if next.Aliases == nil {
		next.Aliases = map[string]Alias{}
	}
	next.Version, next.MappingVersion, next.SettingsVersion, next.AliasesVersion =
		next.Version+1, next.MappingVersion+1, next.SettingsVersion+1, next.AliasesVersion+1
	return &next
}

// fixed are the settings that a restore neither changes nor leaves out.
var fixed = map[string]bool{
	"index.number_of_shards": true, "index.version.created": true, "index.uuid": true, "index.creation_date": true,
	"index.history.uuid": true,
}

// CheckRestoredSettings refuses to change or leave out what belongs to an index. source names the snapshot.
func (s *State) CheckRestoredSettings(source string, change SettingsChange, dropped []string) error {
	for _, key := range slices.Sorted(maps.Keys(change.Set)) {
		if fixed[key] {
			return RestoreFault(source, "cannot modify UnmodifiableOnRestore setting [%s] on restore", key)
		}
	}
	for _, key := range dropped {
		if fixed[key] {
			return RestoreFault(source, "cannot remove UnmodifiableOnRestore setting [%s] on restore", key)
		}
		if key == "index.number_of_replicas" || key == "index.auto_expand_replicas" {
			return RestoreFault(source, "cannot remove setting [%s] on restore", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(change.Set)) {
		if d, known := s.env.index.Lookup(key); known { // one that is not stays with the index, as in OpenSearch
			if err := d.Validate(change.Set[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// RestoreFault is the error of a snapshot that cannot be restored as asked for.
func RestoreFault(source, format string, args ...any) error {
	return fault.New(http.StatusInternalServerError, "snapshot_restore_exception", "[%s] %s", source, fmt.Sprintf(format, args...))
}

// add puts what comes back into a draft, and returns the closed indices that it takes the place of.
func (r *Restore) add(next *State, indices []*Index) (replaced []*Index, err error) {
	if err := next.clusterBlock(MetadataWrite, ""); err != nil {
		return nil, err
	}
	for _, index := range indices {
		old := next.Indices[index.Name]
		if old == nil {
			err = next.checkRestoredName(index)
		} else {
			err = r.checkReplaced(old, index)
			if err == nil {
				err = next.refuseSnapshotted("replace", []*Index{old})
			}
			index.Settings["index.history.uuid"] = index.UUID
			replaced = append(replaced, old)
		}
		if err != nil {
			return nil, err
		}
		if err := next.checkShardLimit(index.Settings); err != nil {
			return nil, err
		}
		next.Indices[index.Name] = index
	}
	next.indexAliases()
	for _, stream := range r.Streams {
		next.DataStreams[stream.Name] = stream
	}
	if r.Global != nil {
		next.useGlobal(r.Global)
	}
	return replaced, next.checkRestored(indices)
}

// checkReplaced refuses to take the place of an index that is open or has other shards.
func (r *Restore) checkReplaced(old, index *Index) error {
	if !old.Closed {
		return RestoreFault(r.Source, "cannot restore index [%s] because an open index with same name already exists in the cluster. "+
			"Either close or delete the existing index or restore the index under a different name by providing a rename pattern and replacement name", index.Name)
	}
	if old.Shards() != index.Shards() {
		return RestoreFault(r.Source, "cannot restore index [%s] with [%d] shards from a snapshot of index [%s] with [%d] shards",
			index.Name, old.Shards(), r.savedName(index.Name), index.Shards())
	}
	return nil
}

// savedName is the name that an index has in the snapshot.
func (r *Restore) savedName(name string) string {
	for _, one := range r.Indices {
		if one.Name == name {
			return one.Saved.Name
		}
	}
	return name
}

// checkRestoredName refuses a bad or taken name.
func (s *State) checkRestoredName(index *Index) error {
	if err := wire.CheckIndexName(index.Name); err != nil {
		return err
	}
	if err := s.checkTaken(index.Name); err != nil {
		return err
	}
	if s.DataStreams[index.Name] != nil {
		return fault.IllegalState("index, alias, and data stream names need to be unique, but the following duplicates were found [data stream [%s] conflicts with index]", index.Name)
	}
	if index.DataStream == "" {
		return s.checkNotBacking(index.Name)
	}
	return nil
}

// checkRestored refuses aliases and data streams that do not go with what there is.
func (s *State) checkRestored(indices []*Index) error {
	var aliases []string
	for _, index := range indices {
		for alias := range index.Aliases {
			if s.Indices[alias] != nil {
				return duplicateName(alias, index, "index")
			}
			if s.DataStreams[alias] != nil {
				return duplicateName(alias, index, "data stream")
			}
			aliases = append(aliases, alias)
		}
	}
	for _, stream := range s.DataStreams {
		for _, backing := range stream.Indices {
			if i := s.Indices[backing]; i == nil || i.DataStream != stream.Name {
				return fault.IllegalState("index [%s] of data stream [%s] is missing", backing, stream.Name)
			}
		}
	}
	slices.Sort(aliases)
	return s.checkAliases(slices.Compact(aliases))
}

// BackingName is the name of a backing index under another name of its stream; any other name is only renamed itself.
func BackingName(index *Index, rename func(string) string) string {
	if rest, backing := strings.CutPrefix(index.Name, ".ds-"); backing && index.DataStream != "" {
		return ".ds-" + rename(rest)
	}
	return rename(index.Name)
}
