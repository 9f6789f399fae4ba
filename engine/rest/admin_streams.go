// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
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
	timeouts(r)
	return change(func(ctx context.Context) error { return s.Catalog.CreateDataStream(ctx, name) }), nil
}

func (s *Server) deleteDataStreams(r *rest.Request) (rest.Action, error) {
	names := r.List("name")
	timeouts(r)
	return change(func(ctx context.Context) error { return s.Catalog.DeleteDataStreams(ctx, names) }), nil
}

func (s *Server) getDataStreams(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	timeouts(r)
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

// dataStreamStats tells of each data stream how large it is and when its latest document is of.
func (s *Server) dataStreamStats(r *rest.Request) (rest.Action, error) {
	r.Ignore("name")
	human := r.Human()
	return func(ctx context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		names, missing := named(r, state.DataStreams)
		if missing != "" {
			return nil, fault.IndexNotFound(missing, "index_or_alias")
		}
		list := []wire.Object{}
		indices, shards, total := 0, 0, int64(0)
		for _, name := range names {
			stream := state.DataStreams[name]
			size := int64(0)
			for _, i := range stream.Indices {
				st, err := s.Docs.Stats(ctx, state.Indices[i])
				if err != nil {
					return nil, err
				}
				size += st.Bytes
				indices++
				shards += state.Indices[i].Shards()
			}
			latest, err := s.latest(ctx, stream)
			if err != nil {
				return nil, err
			}
			total += size
			o := wire.Obj("data_stream", name, "backing_indices", len(stream.Indices))
			o.AddIf(human, "store_size", wire.HumanBytes(size))
			list = append(list, append(o, wire.Obj("store_size_bytes", size, "maximum_timestamp", latest)...))
		}
		answer := wire.Obj("_shards", shardsOf(shards), "data_stream_count", len(names), "backing_indices", indices)
		answer.AddIf(human, "total_store_size", wire.HumanBytes(total))
		return rest.OK(append(answer, wire.Obj("total_store_size_bytes", total, "data_streams", list)...)), nil
	}, nil
}

func shardsOf(n int) wire.Object { return wire.Obj("total", n, "successful", n, "failed", 0) }

// latest is the greatest timestamp of a data stream's documents in epoch milliseconds, 0 if it has none.
func (s *Server) latest(ctx context.Context, stream *catalog.DataStream) (int64, error) {
	req := query.NewRequest()
	req.Size, req.Source.Off = 1, true
	req.Sort = []query.Sort{query.NewSort(stream.TimestampField, "desc")}
	o := searchOptions
	o.IgnoreUnavailable = true // backing indices that are closed
	targets, release, err := s.targets([]string{stream.Name}, o, nil)
	if err != nil {
		return 0, err
	}
	defer release()
	res, err := query.Execute(ctx, targets, req, s.Clock.Now())
	if err != nil || len(res.Hits) == 0 {
		return 0, err
	}
	ms, _ := res.Hits[0].Sort[0].(int64)
	return ms, nil
}
