// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"strings"
	"time"

	"github.com/opensteward/steward/opensearch"
)

// fullEvery is how often, at most, the settings of all indices are read again while the cluster changes. What is new
// or due is read by name at once.
const fullEvery = 30 * time.Second

// The index settings that matter here. The plugin reads the newer name, and the older one where that is blank.
const (
	settingPrefix       = "index.plugins.index_state_management."
	legacySettingPrefix = "index.opendistro.index_state_management."
)

// indexState is what is kept of one index; a cluster may have a hundred thousand of them.
type indexState struct {
	name, uuid    string
	created       time.Time
	open, hidden  bool
	dataStream    string
	aliases       map[string]opensearch.Alias // nil if none
	rolloverAlias string
	rolloverSkip  bool
	autoManage    bool
	// read is the cluster's version when settings were read.
	read int64
}

func newIndexState(info opensearch.IndexInfo, version int64) *indexState {
	setting := func(name string) string {
		if v := info.Settings[settingPrefix+name]; strings.TrimSpace(v) != "" {
			return v
		}
		return info.Settings[legacySettingPrefix+name]
	}
	s := &indexState{
		name: info.Name, uuid: info.UUID, created: info.Created,
		open: info.Open, hidden: info.Hidden, dataStream: info.DataStream,
		rolloverAlias: strings.TrimSpace(setting("rollover_alias")),
		rolloverSkip:  setting("rollover_skip") == "true",
		autoManage:    setting("auto_manage") != "false",
		read:          version,
	}
	if len(info.Aliases) > 0 {
		s.aliases = info.Aliases
	}
	return s
}

// target is what a rollover of the index rolls over: its data stream, else the alias its setting names, else, where no
// setting could be stored, the only alias it is the write index of.
func (s *indexState) target() string {
	if s.dataStream != "" {
		return s.dataStream
	}
	if s.rolloverAlias != "" {
		return s.rolloverAlias
	}
	return ""
}

// aliasUse is how an alias is spread over indices.
type aliasUse struct {
	indices int
	flagged bool // some index is marked as its write index
}

// inventory is what is known of the cluster's indices. It is a cache of the cluster's metadata at version mark.
type inventory struct {
	mark    opensearch.Mark
	known   bool // false until the first reading
	byName  map[string]*indexState
	byUUID  map[string]*indexState
	aliases map[string]aliasUse
	fullAt  time.Time // real time of the last full reading
}

func newInventory() *inventory {
	return &inventory{byName: map[string]*indexState{}, byUUID: map[string]*indexState{}}
}

// follow brings the inventory up to mark, if the cluster's metadata changed since, and returns the uuids of indices
// that are new in it.
func (v *inventory) follow(ctx context.Context, c *opensearch.Client, mark opensearch.Mark, now time.Time) (added []string, err error) {
	if v.known && mark == v.mark {
		return nil, nil
	}
	listed, err := c.IndexNames(ctx)
	if err != nil {
		return nil, err
	}
	var names []string // nil: all
	full := !v.known || now.Sub(v.fullAt) >= fullEvery
	if !full {
		names = []string{}
		for name := range listed {
			if v.byName[name] == nil {
				names = append(names, name)
			}
		}
	}
	infos := map[string]opensearch.IndexInfo{}
	if full || len(names) > 0 {
		if infos, err = c.Indices(ctx, names); err != nil {
			return nil, err
		}
	}
	added = v.apply(listed, infos, mark)
	if full {
		v.fullAt = now
	}
	v.mark, v.known = mark, true
	return added, nil
}

// apply takes over a listing and the details that were read with it.
func (v *inventory) apply(listed map[string]map[string]opensearch.Alias, infos map[string]opensearch.IndexInfo, mark opensearch.Mark) (added []string) {
	for name, s := range v.byName {
		if _, ok := listed[name]; !ok {
			v.remove(s)
		}
	}
	for _, info := range infos {
		if v.put(info, mark.Version) {
			added = append(added, info.UUID)
		}
	}
	v.aliases = map[string]aliasUse{}
	for name, aliases := range listed {
		if s := v.byName[name]; s != nil {
			s.aliases = nil
			if len(aliases) > 0 {
				s.aliases = aliases
			}
		}
		for alias, a := range aliases {
			use := v.aliases[alias]
			use.indices++
			use.flagged = use.flagged || a.Write != nil && *a.Write
			v.aliases[alias] = use
		}
	}
	return added
}

// put stores the details of one index and reports whether its uuid is new.
func (v *inventory) put(info opensearch.IndexInfo, version int64) (added bool) {
	if old := v.byName[info.Name]; old != nil && old.uuid != info.UUID {
		v.remove(old)
	}
	_, known := v.byUUID[info.UUID]
	s := newIndexState(info, version)
	v.byName[s.name], v.byUUID[s.uuid] = s, s
	return !known
}

func (v *inventory) remove(s *indexState) {
	delete(v.byName, s.name)
	if v.byUUID[s.uuid] == s {
		delete(v.byUUID, s.uuid)
	}
}

// reread reads the details of the named indices again, whatever is known of them.
func (v *inventory) reread(ctx context.Context, c *opensearch.Client, names []string) error {
	if len(names) == 0 {
		return nil
	}
	infos, err := c.Indices(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, ok := infos[name]
		if !ok {
			if s := v.byName[name]; s != nil {
				v.remove(s)
			}
			continue
		}
		v.put(info, v.mark.Version)
	}
	return nil
}

// isWriteIndex reports whether the index is the alias's write index, or its only index while none is marked.
func (v *inventory) isWriteIndex(s *indexState, alias string) bool {
	a, ok := s.aliases[alias]
	if !ok {
		return false
	}
	if a.Write != nil {
		return *a.Write
	}
	use := v.aliases[alias]
	return !use.flagged && use.indices <= 1
}
