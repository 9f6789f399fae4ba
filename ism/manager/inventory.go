// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// fullEvery is how often, at most, the settings of all indices are read again while the cluster changes. What is new
// or due is read by name at once.
const fullEvery = 30 * time.Second

// The prefixes of the plugin's index settings.
const (
	settingPrefix       = "index.plugins.index_state_management."
	legacySettingPrefix = "index.opendistro.index_state_management."
)

// indexState is what is kept of one index; a cluster may have a hundred thousand of them.
type indexState struct {
	name, uuid string
	createdAt  int64 // epoch milliseconds; 0 if unknown
	// read is the cluster's version when settings were read.
	read          int64
	dataStream    string
	rolloverAlias string
	aliases       map[string]opensearch.Alias // nil if none
	open, hidden  bool
	rolloverSkip  bool
	autoManage    bool
}

// created is when the index was created; the zero time if that is not known.
func (s *indexState) created() time.Time {
	if s.createdAt == 0 {
		return time.Time{}
	}
	return time.UnixMilli(s.createdAt).UTC()
}

// IndexSetting is one of the plugin's settings of an index: under its newer name and, where that is blank, under the older
// one.
func IndexSetting(info opensearch.IndexInfo, name string) string {
	if v := info.Settings[settingPrefix+name]; strings.TrimSpace(v) != "" {
		return v
	}
	return info.Settings[legacySettingPrefix+name]
}

func newIndexState(info opensearch.IndexInfo, version int64) *indexState {
	s := &indexState{
		name: info.Name, uuid: info.UUID,
		open: info.Open, hidden: info.Hidden, dataStream: info.DataStream,
		rolloverAlias: strings.TrimSpace(IndexSetting(info, "rollover_alias")),
		rolloverSkip:  IndexSetting(info, "rollover_skip") == "true",
		autoManage:    IndexSetting(info, "auto_manage") != "false",
		read:          version,
	}
	if !info.Created.IsZero() {
		s.createdAt = info.Created.UnixMilli()
	}
	if len(info.Aliases) > 0 {
		s.aliases = info.Aliases
	}
	return s
}

// aliasUse is how an alias is spread over indices: how many have it, and how many of these are marked as its write index.
type aliasUse struct{ indices, marked int }

// aliasUses is how aliases are spread, by name.
type aliasUses map[string]aliasUse

// count adds an index with these aliases n times: 1, or -1 for one that has them no more.
func (u aliasUses) count(aliases map[string]opensearch.Alias, n int) {
	for name, a := range aliases {
		use := u[name]
		use.indices += n
		if a.Write != nil && *a.Write {
			use.marked += n
		}
		if use == (aliasUse{}) {
			delete(u, name)
		} else {
			u[name] = use
		}
	}
}

// usesOf is how aliases are spread over the indices of a listing.
func usesOf(listed map[string]map[string]opensearch.Alias) aliasUses {
	uses := aliasUses{}
	for _, aliases := range listed {
		uses.count(aliases, 1)
	}
	return uses
}

// inventory is what is known of the cluster's indices. It is a cache of the cluster's metadata at version mark.
type inventory struct {
	mark    opensearch.Mark
	known   bool // false until the first reading
	byName  map[string]*indexState
	byUUID  map[string]*indexState
	aliases aliasUses
	fullAt  time.Time // real time of the last full reading
	partly  bool      // the cluster has changed since, and only names and what was new were read
	// unreadable are indices whose metadata a block hides. What was known of them stays, and nothing is decided.
	unreadable []string
}

func newInventory() *inventory {
	return &inventory{byName: map[string]*indexState{}, byUUID: map[string]*indexState{}, aliases: aliasUses{}}
}

// found is what following the cluster's metadata found out.
type found struct {
	added   []string // uuids of indices that are new
	changed []string // uuids of indices whose aliases or settings are others than before
	full    bool     // all indices were read, not only new ones
}

// outdated reports whether a full reading is due although the cluster stands still now.
func (v *inventory) outdated(now time.Time) bool {
	return !v.known || v.partly && now.Sub(v.fullAt) >= fullEvery
}

// follow brings the inventory up to mark. now is real time: reading is machinery.
func (v *inventory) follow(ctx context.Context, c *opensearch.Client, mark opensearch.Mark, now time.Time) (found, error) {
	before := v.unreadable
	listed, uuids, err := v.list(ctx, c)
	if err != nil {
		return found{}, err
	}
	f := found{full: !v.known || now.Sub(v.fullAt) >= fullEvery}
	var states []*indexState
	if f.full {
		states, err = readStates(ctx, c, mark, v.all(uuids))
		v.fullAt = now
	} else if names := v.unknown(uuids); len(names) > 0 {
		states, err = readStates(ctx, c, mark, names)
	}
	if err != nil {
		return found{}, err
	}
	v.mark, v.known, v.partly = mark, true, !f.full
	v.apply(listed, states, &f)
	for _, name := range before {
		if s := v.byName[name]; s != nil && !slices.Contains(v.unreadable, name) {
			f.changed = append(f.changed, s.uuid)
		}
	}
	return f, nil
}

// list reads names, aliases and uuids of all indices that can be read.
func (v *inventory) list(ctx context.Context, c *opensearch.Client) (
	listed map[string]map[string]opensearch.Alias, uuids map[string]string, err error,
) {
	v.unreadable = nil
	for range 2 {
		if listed, err = c.IndexNames(ctx, v.unreadable...); err == nil {
			uuids, err = c.IndexUUIDs(ctx, v.unreadable...)
		}
		if !fault.Is(err, "cluster_block_exception") {
			return listed, uuids, err
		}
		unreadable, lookErr := c.Unreadable(ctx)
		if lookErr != nil {
			return nil, nil, lookErr
		}
		v.unreadable = unreadable
	}
	return nil, nil, err
}

// all are the names that mean all indices that can be read.
func (v *inventory) all(uuids map[string]string) []string {
	if len(v.unreadable) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(uuids))
}

// readStates reads the details of indices, of all if names is nil.
func readStates(ctx context.Context, c *opensearch.Client, mark opensearch.Mark, names []string) (states []*indexState, err error) {
	err = c.EachIndex(ctx, names, func(info opensearch.IndexInfo) { states = append(states, newIndexState(info, mark.Version)) })
	return states, err
}

// unknown are the names of indices that are new, or others than before of the same name.
func (v *inventory) unknown(uuids map[string]string) []string {
	var names []string
	for name, uuid := range uuids {
		if s := v.byName[name]; s == nil || s.uuid != uuid {
			names = append(names, name)
		}
	}
	return names
}

// apply takes over a listing and the details that were read with it.
func (v *inventory) apply(listed map[string]map[string]opensearch.Alias, states []*indexState, f *found) {
	for name, s := range v.byName {
		if _, ok := listed[name]; !ok && !slices.Contains(v.unreadable, name) {
			v.remove(s)
		}
	}
	for _, s := range states {
		v.put(s, f)
	}
	for name, aliases := range listed {
		if s := v.byName[name]; s != nil && !sameAliases(s.aliases, aliases) {
			s.aliases = aliases
			f.changed = append(f.changed, s.uuid)
		}
	}
	v.aliases = usesOf(listed)
}

// has reports whether the index of an entry exists, as far as can be seen.
func (v *inventory) has(e *entry) bool {
	return v.byUUID[e.uuid] != nil || slices.Contains(v.unreadable, e.name())
}

// sameAliases compares names and write flags, which is what decisions look at.
func sameAliases(a, b map[string]opensearch.Alias) bool {
	return maps.EqualFunc(a, b, func(x, y opensearch.Alias) bool {
		return (x.Write == nil) == (y.Write == nil) && (x.Write == nil || *x.Write == *y.Write)
	})
}

// put stores the details of one index, which may be newer than the last listing: how its aliases are spread follows.
func (v *inventory) put(s *indexState, f *found) {
	old := v.byUUID[s.uuid]
	if was := v.byName[s.name]; was != nil && was.uuid != s.uuid {
		v.remove(was)
	}
	if was := v.byName[s.name]; was != nil {
		v.aliases.count(was.aliases, -1)
	}
	v.aliases.count(s.aliases, 1)
	v.byName[s.name], v.byUUID[s.uuid] = s, s
	switch {
	case old == nil:
		f.added = append(f.added, s.uuid)
	case !old.same(s):
		f.changed = append(f.changed, s.uuid)
	}
}

// same reports whether decisions would see no difference.
func (s *indexState) same(t *indexState) bool {
	return s.name == t.name && s.open == t.open && s.dataStream == t.dataStream && s.rolloverAlias == t.rolloverAlias &&
		s.rolloverSkip == t.rolloverSkip && s.autoManage == t.autoManage && sameAliases(s.aliases, t.aliases)
}

func (v *inventory) remove(s *indexState) {
	v.aliases.count(s.aliases, -1)
	delete(v.byName, s.name)
	if v.byUUID[s.uuid] == s {
		delete(v.byUUID, s.uuid)
	}
}

// manyNames is from how many names on all indices are read instead of the named ones, which takes one request.
const manyNames = 250

// reread reads the details of the named indices again, whatever is known of them.
func (v *inventory) reread(ctx context.Context, c *opensearch.Client, names []string) (found, error) {
	var f found
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(v.unreadable, name) })
	if len(names) == 0 {
		return f, nil
	}
	ask := names
	if len(names) > manyNames && len(v.unreadable) == 0 {
		ask = nil
	}
	states, err := readStates(ctx, c, v.mark, ask)
	if err != nil {
		return f, err
	}
	byName := make(map[string]*indexState, len(states))
	for _, s := range states {
		byName[s.name] = s
	}
	for _, name := range names {
		if s := byName[name]; s != nil {
			v.put(s, &f)
		} else if s := v.byName[name]; s != nil {
			v.remove(s)
		}
	}
	return f, nil
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
	return use.marked == 0 && use.indices <= 1
}

// target is what a rollover of the index rolls over: its data stream, else the alias its setting names, else, if
// asked for, the only alias it is marked as the write index of; "" if none.
func (v *inventory) target(s *indexState, onlyWriteAlias bool) string {
	switch {
	case s.dataStream != "":
		return s.dataStream
	case s.rolloverAlias != "" || !onlyWriteAlias:
		return s.rolloverAlias
	}
	target := ""
	for alias, a := range s.aliases {
		if a.Write != nil && *a.Write {
			if target != "" {
				return "" // there is a choice, and it is not ours
			}
			target = alias
		}
	}
	return target
}
