// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"strconv"

	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

// limitsOf are the limits that an index's settings give its mapping.
func limitsOf(settings setting.Values) mapping.Limits {
	l := mapping.DefaultLimits
	for name, limit := range map[string]*int{
		"total_fields": &l.TotalFields, "depth": &l.Depth, "nested_fields": &l.NestedFields, "nested_objects": &l.NestedObjects,
	} {
		if n, err := strconv.Atoi(settings["index.mapping."+name+".limit"]); err == nil {
			*limit = n
		}
	}
	return l
}

// PutMapping merges body into the mapping of every index that the expressions mean. writeIndexOnly takes the write
// index alone of an alias or data stream. It changes all of them or none.
func (c *Catalog) PutMapping(ctx context.Context, expressions []string, o wire.IndexOptions, writeIndexOnly bool, body []byte) error {
	return c.update(ctx, func(next *State) error {
		indices, err := c.targetsOf(next, expressions, o, writeIndexOnly)
		if err != nil {
			return err
		}
		if err := next.Block(MetadataWrite, indices...); err != nil {
			return err
		}
		for _, index := range indices {
			if err := next.growMapping(index, body); err != nil {
				return err
			}
		}
		return nil
	})
}

// targetsOf resolves expressions, or to each one's write index.
func (c *Catalog) targetsOf(s *State, expressions []string, o wire.IndexOptions, writeIndexOnly bool) ([]*Index, error) {
	now := c.clock.Now()
	if !writeIndexOnly {
		return s.Resolve(expressions, o, now)
	}
	var out []*Index
	for _, e := range expressions {
		index, err := s.writeIndex(e, now)
		if err != nil {
			return nil, err
		}
		if index == nil {
			return nil, fault.IndexNotFound(e, "index_or_alias")
		}
		out = append(out, index)
	}
	return out, nil
}

// GrowMapping merges body, the fields that a document brought, into the mapping of the index with this uuid, and
// returns the index as it is then. An index that is gone is the 404 index_not_found_exception.
func (c *Catalog) GrowMapping(ctx context.Context, uuid string, body []byte) (*Index, error) {
	var grown *Index
	err := c.update(ctx, func(next *State) error {
		index := next.IndexByUUID(uuid)
		if index == nil {
			return fault.IndexNotFound(uuid, "index_uuid")
		}
		err := next.growMapping(index, body)
		grown = next.Indices[index.Name]
		return err
	})
	return grown, err
}

// growMapping merges into one index of a draft.
func (s *State) growMapping(index *Index, body []byte) error {
	merged, err := index.Mapping.Merge(body)
	if err != nil {
		return err
	}
	was, err := wire.Marshal(index.Mapping)
	if err != nil {
		return err
	}
	is, err := wire.Marshal(merged)
	if err != nil || string(was) == string(is) {
		return err
	}
	draft := s.edit(index.Name)
	draft.Mapping = merged
	draft.MappingVersion++
	return nil
}
