// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// ResizeKind says what becomes of the number of shards.
type ResizeKind string

// The kinds.
const (
	Shrink ResizeKind = "shrink" // a factor of it
	Split  ResizeKind = "split"  // a multiple of it
	Clone  ResizeKind = "clone"  // the same
)

// Resize is a request for an index with the documents of another and another number of shards.
type Resize struct {
	Kind ResizeKind
	// Source is the name of the index whose documents are taken, Target that of the new one. Neither may be an expression.
	Source, Target string
	// Settings are laid over those of the source. A reset one is not taken from it.
	Settings SettingsChange
	Aliases  map[string]Alias
	// MaxShardSize is how many bytes a shard of a shrunken index may have, for a request that does not say how many
	// shards it wants; 0 means one shard, whatever its size.
	MaxShardSize int64
	// ActiveShards is as in [NewIndex].
	ActiveShards int
	// Node is the id of the node that has all shards.
	Node string
}

// Resize makes an index and fills its shards with the documents of another, on which writes must be blocked. The new
// index shows when it is complete; until then its name is taken, but by no index. Other changes go on meanwhile. One
// that is cut short leaves nothing but shards of a uuid that the catalog does not know; see [Shards].
func (c *Catalog) Resize(ctx context.Context, r Resize) (*Index, error) {
	shards, err := c.resizeShards(ctx, &r)
	if err != nil {
		return nil, err
	}
	p := &resizePlan{Resize: r, shards: shards, created: c.clock.Now().UnixMilli(), uuid: newUUID()}
	source, target, err := p.make(c.State().clone())
	if err != nil {
		return nil, err
	}
	release, err := c.claim(target)
	if err != nil {
		return nil, err
	}
	defer release()
	err = c.shards.Resize(ctx, source, target)
	if err == nil {
		err = c.update(ctx, func(next *State) error {
			if now := next.Indices[source.Name]; now == nil || now.UUID != source.UUID {
				return fault.IndexNotFound(source.Name, "index_or_alias")
			}
			_, _, err := p.make(next)
			if err == nil {
				next.Indices[target.Name] = target // as it was filled, whatever became of the source meanwhile
			}
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, c.shards.Delete(context.WithoutCancel(ctx), target))
	}
	return target, nil
}

// claim takes the name of an index that is being filled, until release is called.
func (c *Catalog) claim(target *Index) (release func(), err error) {
	c.filling.Lock()
	defer c.filling.Unlock()
	if other := c.filled[target.Name]; other != nil {
		return nil, alreadyExists(other)
	}
	if c.filled == nil {
		c.filled = map[string]*Index{}
	}
	c.filled[target.Name] = target
	return func() {
		c.filling.Lock()
		defer c.filling.Unlock()
		delete(c.filled, target.Name)
	}, nil
}

// resizeShards is how many shards the new index gets. It looks whether the source can be read at all, because the size
// of its shards may matter.
func (c *Catalog) resizeShards(ctx context.Context, r *Resize) (int, error) {
	s := c.State()
	if err := s.clusterBlock(MetadataWrite, r.Target); err != nil {
		return 0, err
	}
	source, err := s.resizeSource(r)
	if err != nil {
		return 0, err
	}
	const key = "index.number_of_shards"
	text, given := r.Settings.Set[key]
	switch {
	case given:
		d, _ := s.env.index.Lookup(key)
		if err := d.Validate(text); err != nil {
			return 0, err
		}
		return strconv.Atoi(text)
	case r.Kind == Clone:
		return source.Shards(), nil
	case r.MaxShardSize == 0:
		return 1, nil
	}
	stats, err := c.shards.Stats(ctx, source)
	return fittingShards(source.Shards(), stats.Bytes, r.MaxShardSize), err
}

// resizeSource is the index to resize, if its documents can be read and its settings copied.
func (s *State) resizeSource(r *Resize) (*Index, error) {
	source := s.Indices[r.Source]
	if source == nil {
		return nil, fault.IndexNotFound(r.Source, "index_or_alias")
	}
	if source.Closed {
		return nil, closedError(source)
	}
	if err := s.Block(MetadataRead, source); err != nil {
		return nil, err
	}
	const block = "index.blocks.read_only"
	if source.Settings[block] == "true" && !r.names(block) {
		return nil, fault.Illegal("target index [%s] will be blocked by [index.blocks.read_only=true] which is copied from the source index [%s], this will disable metadata writes and cause the shards to be unassigned", r.Target, r.Source)
	}
	return source, nil
}

// names reports whether the request says something about a setting.
func (r *Resize) names(key string) bool {
	_, set := r.Settings.Set[key]
	return set || slices.ContainsFunc(r.Settings.Reset, func(pattern string) bool { return wire.Match(pattern, key) })
}

// fittingShards is the least factor of a number of shards with which no shard is larger than it may be, if all are of
// one size; all of them if there is none.
func fittingShards(shards int, bytes, largest int64) int {
	least := max(1, (bytes+largest-1)/largest)
	for n := int(min(least, int64(shards))); n < shards; n++ {
		if shards%n == 0 {
			return n
		}
	}
	return shards
}

// resizePlan is a resize with all that is decided before it begins.
type resizePlan struct {
	Resize
	shards  int
	created int64 // epoch milliseconds
	uuid    string
}

// make adds the new index to a draft, which may be thrown away. The order of the checks is OpenSearch's.
func (p *resizePlan) make(next *State) (source, target *Index, err error) {
	if source, err = next.resizeSource(&p.Resize); err != nil {
		return nil, nil, err
	}
	if err := p.checkShards(source); err != nil {
		return nil, nil, err
	}
	if err := p.checkGiven(source); err != nil {
		return nil, nil, err
	}
	if err := next.env.checkIndexSettings(p.Settings); err != nil {
		return nil, nil, err
	}
	if err := wire.CheckIndexName(p.Target); err != nil {
		return nil, nil, err
	}
	if err := next.checkTaken(p.Target); err != nil {
		return nil, nil, err
	}
	if err := refusePrivate(p.Settings); err != nil {
		return nil, nil, err
	}
	settings := p.settings(next, source)
	if err := next.checkShardLimit(settings); err != nil {
		return nil, nil, err
	}
	if err := next.checkResizable(source, p.Kind); err != nil {
		return nil, nil, err
	}
	target, err = p.index(source, settings)
	if err != nil {
		return nil, nil, err
	}
	return source, target, p.add(next, target)
}

// checkShards refuses a number of shards that the kind of resize cannot make.
func (p *resizePlan) checkShards(source *Index) error {
	from, to := source.Shards(), p.shards
	switch {
	case p.Kind == Clone && from != to:
		return fault.Illegal("the number of target shards (%d) must be the same as the number of source shards (%d)", to, from)
	case p.Kind == Shrink && from < to:
		return fault.Illegal("the number of target shards [%d] must be less that the number of source shards [%d]", to, from)
	case from < to && to%from != 0:
		return fault.Illegal("the number of source shards [%d] must be a factor of [%d]", from, to)
	case from%to != 0 && from > to:
		return fault.Illegal("the number of source shards [%d] must be a multiple of [%d]", from, to)
	case p.Kind == Split && from > to:
		return fault.Illegal("the number of source shards [%d] must be less that the number of target shards [%d]", from, to)
	case p.Kind == Split && from > 1 && source.RoutingShards%to != 0:
		return fault.IllegalState("the number of routing shards [%d] must be a multiple of the target shards [%d]", source.RoutingShards, to)
	}
	return nil
}

// checkGiven refuses settings that a new index may have and a resized one may not.
func (p *resizePlan) checkGiven(source *Index) error {
	const slots = "index.number_of_routing_shards"
	switch {
	case p.names(slots) && (p.Kind != Split || source.Shards() > 1):
		return fault.Illegal("cannot provide index.number_of_routing_shards on resize")
	case p.Settings.Set["index.soft_deletes.enabled"] == "false":
		return fault.Illegal("Can't disable [index.soft_deletes.enabled] setting on resize")
	case p.names("index.replication.type"):
		return fault.Illegal("cannot provide [index.replication.type] setting on resize")
	}
	return nil
}

// checkResizable refuses an index that can still be written to.
func (s *State) checkResizable(source *Index, kind ResizeKind) error {
	if d := s.DataStreams[source.DataStream]; d != nil && d.WriteIndex() == source.Name {
		return fault.Illegal("cannot resize the write index [%s] for data stream [%s]", source.Name, d.Name)
	}
	if len(source.blocks(Write)) == 0 && len(s.clusterBlocks(Write)) == 0 {
		return fault.IllegalState(`index %s must block write operations to resize index. use "index.blocks.write=true"`, source.Name)
	}
	if kind == Shrink && source.Shards() == 1 {
		return fault.Illegal("can't shrink an index with only one shard")
	}
	return nil
}

// The settings by which a resized index tells what it was made of, and where its shards had to be.
const (
	resizeSourceName = "index.resize.source.name"
	resizeSourceUUID = "index.resize.source.uuid"
	initialRecovery  = "index.routing.allocation.initial_recovery._id"
)

// Resized reports whether the index was made of another one.
func (i *Index) Resized() bool { return i.Settings[resizeSourceUUID] != "" }

// notCopied are the settings that belong to one index, beside those that its request gives.
var notCopied = map[string]bool{
	"index.creation_date": true, "index.number_of_replicas": true, "index.number_of_routing_shards": true,
	"index.number_of_shards": true, "index.provided_name": true, "index.uuid": true, "index.verified_before_close": true,
	resizeSourceName: true, resizeSourceUUID: true, initialRecovery: true,
}

// settings are those of the source under those of the request, and what the server says of the new index.
func (p *resizePlan) settings(s *State, source *Index) setting.Values {
	settings := setting.Values{
		"index.creation_date":      strconv.FormatInt(p.created, 10),
		"index.number_of_replicas": s.ClusterSetting("cluster.default_number_of_replicas"),
	}
	for key, value := range source.Settings {
		if !notCopied[key] && !p.names(key) {
			settings[key] = value
		}
	}
	maps.Copy(settings, p.Settings.Set)
	settings["index.number_of_shards"] = strconv.Itoa(p.shards)
	settings["index.provided_name"], settings["index.uuid"] = p.Target, p.uuid
	settings["index.routing_partition_size"] = "1"
	settings[resizeSourceName], settings[resizeSourceUUID] = source.Name, source.UUID
	settings[initialRecovery] = setting.Null
	if p.Kind == Shrink {
		settings[initialRecovery] = p.Node
	}
	if _, upgraded := settings["index.version.upgraded"]; !upgraded {
		settings["index.version.upgraded"] = settings["index.version.created"]
	}
	expand(settings)
	return settings
}

// index is the new index without its aliases.
func (p *resizePlan) index(source *Index, settings setting.Values) (*Index, error) {
	slots := source.RoutingShards
	if source.Shards() == 1 {
		var err error // one shard can be split into any number: nothing depends yet on how ids are hashed
		if slots, err = routingShards(settings, p.shards); err != nil {
			return nil, err
		}
	}
	return &Index{
		Name: p.Target, UUID: p.uuid, Settings: settings, Mapping: source.Mapping.WithLimits(limitsOf(settings)),
		Rollovers: map[string]RolloverInfo{}, Version: 1, MappingVersion: 1, SettingsVersion: 1, AliasesVersion: 1,
		RoutingShards: slots,
	}, nil
}

// add puts the new index into the draft.
func (p *resizePlan) add(next *State, target *Index) (err error) {
	if err := target.checkActive(p.ActiveShards); err != nil {
		return err
	}
	if target.Aliases, err = next.newAliases(target, p.Aliases, &origin{bare: true}); err != nil {
		return err
	}
	if next.DataStreams[target.Name] != nil {
		return fault.IllegalState("index, alias, and data stream names need to be unique, but the following duplicates were found [data stream [%s] conflicts with index]", target.Name)
	}
	if err := next.checkNotBacking(target.Name); err != nil {
		return err
	}
	next.Indices[target.Name] = target
	next.indexAliases()
	return next.checkAliases(slices.Sorted(maps.Keys(target.Aliases)))
}
