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
)

// defaultTimestamp is the timestamp field of a data stream whose template names none.
const defaultTimestamp = "@timestamp"

// DataStream is a name over a growing list of backing indices, of which the last is written to.
type DataStream struct {
	Name           string `json:"name"`
	TimestampField string `json:"timestamp_field"`
	// Indices are the names of the backing indices, oldest first.
	Indices []string `json:"indices"`
	// Generation numbers the newest backing index; it only grows.
	Generation int64 `json:"generation"`
}

// WriteIndex is the name of the backing index that writes go to.
func (d *DataStream) WriteIndex() string { return d.Indices[len(d.Indices)-1] }

// backingIndex is the name of a backing index: ".ds-logs-000001".
func backingIndex(stream string, generation int64) string {
	return fmt.Sprintf(".ds-%s-%06d", stream, generation)
}

// CreateDataStream makes a data stream with its first backing index, as the template that matches its name says.
func (c *Catalog) CreateDataStream(ctx context.Context, name string) error {
	return c.withShards(ctx, func(next *State) (*Index, error) {
		if err := next.checkStreamName(name); err != nil {
			return nil, err
		}
		template, t := next.matchTemplate(name, false)
		if t == nil {
			return nil, fault.Illegal("no matching index template found for data stream [%s]", name)
		}
		if t.DataStream == nil {
			return nil, fault.Illegal("matching index template [%s] for data stream [%s] has no data stream template", template, name)
		}
		backing := backingIndex(name, 1)
		index, err := c.build(next, backing, backing, NewIndex{},
			&origin{stream: name, template: t, timestamp: t.DataStream.TimestampField})
		if err != nil {
			return nil, err
		}
		next.DataStreams[name] = &DataStream{
			Name: name, TimestampField: t.DataStream.TimestampField, Indices: []string{backing}, Generation: 1,
		}
		return index, nil
	})
}

func (s *State) checkStreamName(name string) error {
	switch {
	case s.DataStreams[name] != nil:
		return fault.New(400, "resource_already_exists_exception", "data_stream [%s] already exists", name)
	case strings.ToLower(name) != name:
		return fault.Illegal("data_stream [%s] must be lowercase", name)
	case strings.HasPrefix(name, "."):
		return fault.Illegal("data_stream [%s] must not start with '.'", name)
	}
	if err := wire.CheckIndexName(name); err != nil {
		_, why, _ := strings.Cut(fault.Of(err).Reason, "], ")
		return fault.Illegal("data_stream [%s] %s", name, why)
	}
	if list := s.aliases[name]; list != nil {
		return duplicateName(name, list[0], "data stream")
	}
	if s.Indices[name] != nil {
		return fault.IllegalState("index, alias, and data stream names need to be unique, but the following duplicates were found [data stream [%s] conflicts with index]", name)
	}
	return nil
}

// findDataStreams are the data streams that names and patterns mean, by name; none means all. A name that is missing is
// the 404 index_not_found_exception.
func (s *State) findDataStreams(expressions []string) ([]*DataStream, error) {
	found := map[string]*DataStream{}
	if len(expressions) == 0 {
		expressions = []string{"*"}
	}
	for _, e := range expressions {
		if e == "_all" {
			e = "*"
		}
		if !wire.IsPattern(e) && s.DataStreams[e] == nil {
			return nil, fault.IndexNotFound(e, "index_or_alias")
		}
		for name, stream := range s.DataStreams {
			if wire.Match(e, name) {
				found[name] = stream
			}
		}
	}
	out := make([]*DataStream, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[name])
	}
	return out, nil
}

// TemplateName is the name of the template that a new index or data stream of this name would be made by, or "".
func (s *State) TemplateName(name string) string {
	t, _ := s.matchTemplate(name, false)
	return t
}

// DeleteDataStreams deletes data streams with their backing indices. Names that are missing are passed over.
func (c *Catalog) DeleteDataStreams(ctx context.Context, expressions []string) error {
	c.change.Lock()
	defer c.change.Unlock()
	var gone []*Index
	err := c.updateLocked(ctx, func(next *State) error {
		var known []string
		for _, e := range expressions {
			if wire.IsPattern(e) || next.DataStreams[e] != nil {
				known = append(known, e)
			}
		}
		if len(known) == 0 {
			return nil
		}
		streams, err := next.findDataStreams(known)
		if err != nil {
			return err
		}
		if err := next.refuseSnapshottedStreams(streams); err != nil {
			return err
		}
		for _, stream := range streams {
			for _, name := range stream.Indices {
				gone = append(gone, next.Indices[name])
				delete(next.Indices, name)
			}
			delete(next.DataStreams, stream.Name)
		}
		if err := next.Block(Delete, gone...); err != nil {
			return err
		}
		return next.refuseSnapshotted("delete", gone)
	})
	if err == nil {
		c.deleteShards(ctx, gone)
	}
	return err
}
