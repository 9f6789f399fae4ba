// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// segments lists the segments that searches see.
func (s *Server) segments(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(statsOptions)
	r.IgnoreBools("verbose")
	human := r.Human()
	return func(context.Context) (*rest.Response, error) {
		indices, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		list := wire.Object{}
		err = s.each(indices, func(index *catalog.Index) error {
			shards, err := s.Docs.Segments(index)
			if err == nil {
				list.Add(index.Name, wire.Obj("shards", segmentsOf(shards, human)))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("_shards", copies(indices), "indices", list)), nil
	}, nil
}

func segmentsOf(shards [][]shard.Segment, human bool) wire.Object {
	out := wire.Object{}
	for n, segments := range shards {
		byName := wire.Object{}
		for _, g := range segments {
			one := wire.Obj("generation", g.Generation, "num_docs", g.Docs, "deleted_docs", g.Deleted)
			one.AddIf(human, "size", wire.HumanBytes(g.Size))
			one.Add("size_in_bytes", g.Size)
			one.AddIf(human, "memory", wire.HumanBytes(0))
			one.Add("memory_in_bytes", 0)
			one.Add("committed", true)
			one.Add("search", true)
			one.Add("version", luceneVersion)
			one.Add("compound", false)
			one.Add("attributes", wire.Object{})
			byName.Add(g.Name, one)
		}
		out.Add(strconv.Itoa(n), []wire.Object{wire.Obj(
			"routing", wire.Obj("state", "STARTED", "primary", true, "node", query.NodeID),
			"num_committed_segments", len(segments), "num_search_segments", len(segments), "segments", byName)})
	}
	return out
}

// recovery tells how each primary came to its node: made empty, or found on disk. Both are over when they are seen.
func (s *Server) recovery(r *rest.Request) (rest.Action, error) {
	expressions := r.List("index")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true})
	active := r.Bool("active_only", false)
	r.IgnoreBools("detailed")
	return func(context.Context) (*rest.Response, error) {
		indices, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		out := wire.Object{}
		for _, index := range indices {
			if active {
				break
			}
			var shards []wire.Object
			for n := range index.Shards() {
				shards = append(shards, s.recoveryOf(index, n))
			}
			out.Add(index.Name, wire.Obj("shards", shards))
		}
		return rest.OK(out), nil
	}, nil
}

// recoverySource is where primaries were recovered from and the share of its files: "existing_store" for an index that is
// closed or was there when this server began, "local_shards" and "snapshot" for one that was resized or restored since, else
// "empty_store".
func (s *Server) recoverySource(index *catalog.Index) (source, percent string) {
	if index.Closed || s.found[index.UUID] {
		return "existing_store", "100.0%"
	}
	if s.Snapshots.Origin(index.UUID) != nil {
		return "snapshot", "100.0%"
	}
	if index.Resized() {
		return "local_shards", "100.0%"
	}
	return "empty_store", "0.0%"
}

func (s *Server) recoveryOf(index *catalog.Index, n int) wire.Object {
	at := index.Created().UnixMilli()
	source, percent := s.recoverySource(index)
	return wire.Obj("id", n, "type", strings.ToUpper(source), "stage", "DONE", "primary", true,
		"start_time_in_millis", at, "stop_time_in_millis", at, "total_time_in_millis", 0, "source", wire.Object{},
		"target", wire.Obj("id", query.NodeID, "host", s.host(), "transport_address", s.transportAddress(), "ip", s.host(), "name", s.nodeName()),
		"index", wire.Obj("size", wire.Obj("total_in_bytes", 0, "reused_in_bytes", 0, "recovered_in_bytes", 0, "percent", percent),
			"files", wire.Obj("total", 0, "reused", 0, "recovered", 0, "percent", percent), "total_time_in_millis", 0,
			"source_throttle_time_in_millis", 0, "target_throttle_time_in_millis", 0),
		"translog", wire.Obj("recovered", 0, "total", 0, "percent", "100.0%", "total_on_start", 0, "total_time_in_millis", 0),
		"verify_index", wire.Obj("check_index_time_in_millis", 0, "total_time_in_millis", 0))
}
