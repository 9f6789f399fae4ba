// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) dataStreamRoutes(rt *rest.Router) {
	rt.Handle("PUT", "/_data_stream/{name}", s.createDataStream)
	rt.Handle("GET", "/_data_stream", s.getDataStreams)
	rt.Handle("GET", "/_data_stream/{name}", s.getDataStreams)
	rt.Handle("DELETE", "/_data_stream/{name}", s.deleteDataStreams)
	rt.Handle("GET", "/_data_stream/_stats", s.dataStreamStats)
	rt.Handle("GET", "/_data_stream/{name}/_stats", s.dataStreamStats)
}

func (s *Server) createDataStream(r *rest.Request) (rest.Action, error) {
	name := r.Path("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.CreateDataStream(ctx, name) }), nil
}

func (s *Server) deleteDataStreams(r *rest.Request) (rest.Action, error) {
	names := r.List("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return change(func(ctx context.Context) error { return s.Catalog.DeleteDataStreams(ctx, names) }), nil
}

func (s *Server) getDataStreams(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	if err := timeouts(r); err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.DataStreams)
		if missing != "" {
			return nil, fault.IndexNotFound(missing, "index_or_alias")
		}
		list := []wire.Object{}
		for _, name := range names {
			d := state.DataStreams[name]
			backing := []wire.Object{}
			status := "GREEN"
			for _, i := range d.Indices {
				index := state.Indices[i]
				backing = append(backing, wire.Obj("index_name", i, "index_uuid", index.UUID))
				if index.Replicas() > 0 {
					status = "YELLOW"
				}
			}
			o := wire.Obj("name", name, "timestamp_field", wire.Obj("name", d.TimestampField), "indices", backing,
				"generation", d.Generation, "status", status)
			o.AddIf(state.TemplateName(name) != "", "template", state.TemplateName(name))
			list = append(list, o)
		}
		return rest.OK(wire.Obj("data_streams", list)), nil
	}, nil
}

func (s *Server) dataStreamStats(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	return func(ctx context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.DataStreams)
		if missing != "" {
			return nil, fault.IndexNotFound(missing, "index_or_alias")
		}
		list := []wire.Object{}
		indices, shards, total := 0, 0, int64(0)
		for _, name := range names {
			size := int64(0)
			for _, i := range state.DataStreams[name].Indices {
				st, err := s.Docs.Stats(ctx, state.Indices[i])
				if err != nil {
					return nil, err
				}
				size += st.Bytes
				indices++
				shards += state.Indices[i].Shards()
			}
			total += size
			list = append(list, wire.Obj("data_stream", name, "backing_indices", len(state.DataStreams[name].Indices), "store_size_bytes", size, "maximum_timestamp", 0))
		}
		return rest.OK(wire.Obj("_shards", wire.Obj("total", shards, "successful", shards, "failed", 0),
			"data_stream_count", len(names), "backing_indices", indices, "total_store_size_bytes", total, "data_streams", list)), nil
	}, nil
}
