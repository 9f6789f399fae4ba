// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// DeleteIndices deletes the indices that expressions mean. An alias is refused by name and passed over by patterns; the
// write index of a data stream is refused.
func (c *Catalog) DeleteIndices(ctx context.Context, expressions []string, o wire.IndexOptions) error {
	if len(expressions) == 0 {
		return fault.Validation("index / indices is missing")
	}
	c.change.Lock()
	defer c.change.Unlock()
	var gone []*Index
	err := c.updateLocked(ctx, func(next *State) error {
		if err := next.requireNames(expressions); err != nil {
			return err
		}
		r := resolver{state: next, o: o, now: c.clock.Now(), refuseAliases: true}
		indices, err := r.indices(expressions)
		if err != nil {
			return err
		}
		if err := next.Block(Delete, indices...); err != nil {
			return err
		}
		gone = indices
		return next.removeIndices(indices)
	})
	if err == nil {
		c.deleteShards(ctx, gone)
	}
	return err
}

// requireNames refuses wildcards where action.destructive_requires_name wants names.
func (s *State) requireNames(expressions []string) error {
	if s.ClusterSetting("action.destructive_requires_name") != "true" {
		return nil
	}
	for _, e := range orAll(expressions) {
		if e == "_all" || wire.IsPattern(e) {
			return fault.Illegal("Wildcard expressions or all indices are not allowed")
		}
	}
	return nil
}

// removeIndices takes indices out of a draft, and out of the data streams they back.
func (s *State) removeIndices(indices []*Index) error {
	if err := s.refuseSnapshotted("delete", indices); err != nil {
		return err
	}
	for _, index := range indices {
		if stream := s.DataStreams[index.DataStream]; stream != nil {
			if stream.WriteIndex() == index.Name {
				return fault.Illegal("index [%s] is the write index for data stream [%s] and cannot be deleted", index.Name, stream.Name)
			}
			next := *stream
			next.Indices = slices.DeleteFunc(slices.Clone(stream.Indices), func(n string) bool { return n == index.Name })
			s.DataStreams[stream.Name] = &next
		}
		delete(s.Indices, index.Name)
	}
	s.indexAliases()
	return nil
}

// deleteShards removes the shards of indices that are gone.
func (c *Catalog) deleteShards(ctx context.Context, gone []*Index) {
	for _, index := range gone {
		if err := c.shards.Delete(context.WithoutCancel(ctx), index); err != nil {
			c.logger.Error("delete shards", "index", index.Name, "uuid", index.UUID, "err", err)
		}
	}
}

// OpenIndices opens what is closed among the indices that expressions mean, and returns those.
func (c *Catalog) OpenIndices(ctx context.Context, expressions []string, o wire.IndexOptions) ([]*Index, error) {
	if len(expressions) == 0 {
		return nil, fault.Validation("index is missing")
	}
	var opened []*Index
	err := c.update(ctx, func(next *State) error {
		if err := next.requireNames(expressions); err != nil {
			return err
		}
		indices, err := next.Resolve(expressions, o, c.clock.Now())
		if err != nil {
			return err
		}
		if err := next.Block(MetadataWrite, indices...); err != nil {
			return err
		}
		for _, index := range indices {
			if !index.Closed {
				continue
			}
			if err := next.checkShardLimit(index.Settings); err != nil {
				return err
			}
			draft := next.edit(index.Name)
			draft.Closed = false
			delete(draft.Settings, "index.verified_before_close")
			draft.SettingsVersion++
			if err := c.shards.Open(ctx, draft); err != nil {
				return err
			}
			opened = append(opened, draft)
		}
		return nil
	})
	return opened, err
}

// CloseIndices closes what is open among the indices that expressions mean, and returns those.
func (c *Catalog) CloseIndices(ctx context.Context, expressions []string, o wire.IndexOptions) ([]*Index, error) {
	if len(expressions) == 0 {
		return nil, fault.Validation("index is missing")
	}
	c.change.Lock()
	defer c.change.Unlock()
	var closed []*Index
	err := c.updateLocked(ctx, func(next *State) error {
		open, err := next.closable(expressions, o, c.clock.Now())
		for _, index := range open {
			draft := next.edit(index.Name)
			draft.Closed = true
			draft.Settings["index.verified_before_close"] = "true"
			draft.SettingsVersion++
			closed = append(closed, draft)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, index := range closed {
		if err := c.shards.Close(context.WithoutCancel(ctx), index); err != nil {
			c.logger.Error("close shards", "index", index.Name, "uuid", index.UUID, "err", err)
		}
	}
	return closed, nil
}

// closable are the open ones of the indices that expressions mean, if all of them may be closed.
func (s *State) closable(expressions []string, o wire.IndexOptions, now time.Time) ([]*Index, error) {
	if s.ClusterSetting("cluster.indices.close.enable") == "false" {
		return nil, fault.IllegalState("closing indices is disabled - set [cluster.indices.close.enable: true] to enable it. NOTE: closed indices still consume a significant amount of diskspace")
	}
	if err := s.requireNames(expressions); err != nil {
		return nil, err
	}
	r := resolver{state: s, o: o, now: now}
	indices, err := r.indices(expressions)
	if err != nil {
		return nil, err
	}
	if err := s.Block(MetadataWrite, indices...); err != nil {
		return nil, err
	}
	if err := s.refuseWriteIndices(indices); err != nil {
		return nil, err
	}
	open := slices.DeleteFunc(slices.Clone(indices), func(i *Index) bool { return i.Closed })
	if err := s.refuseSnapshotted("close", open); err != nil {
		return nil, err
	}
	return open, nil
}

// refuseWriteIndices refuses to close what data streams write to.
func (s *State) refuseWriteIndices(indices []*Index) error {
	var names []string
	for _, index := range indices {
		if stream := s.DataStreams[index.DataStream]; stream != nil && stream.WriteIndex() == index.Name {
			names = append(names, index.Name)
		}
	}
	if len(names) > 0 {
		return fault.Illegal("cannot close the following data stream write indices [%s]", strings.Join(names, ","))
	}
	return nil
}

// blockNames are the blocks that a request can add.
var blockNames = map[string]string{
	"read_only": "index.blocks.read_only", "read": "index.blocks.read",
	"write": "index.blocks.write", "metadata": "index.blocks.metadata",
}

// AddBlock adds a block ("write", "read", "read_only", "metadata") to indices and returns those that had not had it.
func (c *Catalog) AddBlock(ctx context.Context, name string, expressions []string, o wire.IndexOptions) ([]*Index, error) {
	key, known := blockNames[name]
	switch {
	case name == "read_only_allow_delete":
		return nil, fault.Validation("read_only_allow_delete block is for internal use only")
	case name == "search_only":
		return nil, fault.Unsupported("the block [search_only]")
	case !known:
		return nil, fault.Illegal("No block found with name %s", name)
	}
	var blocked []*Index
	err := c.update(ctx, func(next *State) error {
		if err := next.requireNames(expressions); err != nil {
			return err
		}
		indices, err := next.Resolve(expressions, o, c.clock.Now())
		if err != nil {
			return err
		}
		if err := next.mayAddBlock(name, indices); err != nil {
			return err
		}
		for _, index := range indices {
			if index.Settings[key] == "true" {
				continue
			}
			draft := next.edit(index.Name)
			draft.Settings[key] = "true"
			draft.SettingsVersion++
			blocked = append(blocked, draft)
		}
		return nil
	})
	return blocked, err
}

// mayAddBlock refuses to block what is blocked already, but by one that forbids changes of metadata itself.
func (s *State) mayAddBlock(name string, indices []*Index) error {
	if (name == "read_only" || name == "metadata") && len(s.clusterBlocks(MetadataWrite)) == 0 {
		return nil
	}
	return s.Block(MetadataWrite, indices...)
}
