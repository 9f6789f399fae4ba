// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// parseSnapshot reads the body of a snapshot. Unknown members are passed over, as OpenSearch does.
func parseSnapshot(body []byte) (snapshot.Request, error) {
	out := snapshot.Request{Global: true}
	b := snapshotBody{options: snapshot.DefaultOptions}
	if body == nil {
		out.Options = b.options
		return out, nil
	}
	err := wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		if known, err := b.member(p, name); known {
			return err
		}
		switch name {
		case "partial":
			out.Partial, err = flagOf(p, "partial")
		case "include_global_state":
			out.Global, err = flagOf(p, "include_global_state")
		case "metadata":
			switch p.Token() {
			case wire.StartObject:
				out.Metadata, err = p.Raw()
			case wire.Null:
			default:
				err = fault.Illegal("malformed metadata, should be an object")
			}
		default:
			err = p.Skip()
		}
		return err
	})
	out.Indices, out.Options = b.indices, b.options
	return out, err
}

// readSnapshotCall reads what the calls that take a snapshot and that restore one have in common: the body, and whether the
// client waits for the end.
func readSnapshotCall[T any](r *rest.Request, parse func(body []byte) (T, error)) (request T, wait bool, err error) {
	wait = r.Bool("wait_for_completion", false)
	r.ManagerTimeout()
	body, err := r.Body()
	if err == nil {
		request, err = parse(body)
	}
	return request, wait, err
}

func (s *Server) createSnapshot(r *rest.Request) (rest.Action, error) {
	request, wait, err := readSnapshotCall(r, parseSnapshot)
	if err != nil {
		return nil, err
	}
	request.Repository, request.Name = r.Path("repository"), r.Path("snapshot")
	human := r.Human()
	return func(ctx context.Context) (*rest.Response, error) {
		taking, err := s.Snapshots.Create(ctx, request)
		if err != nil {
			return nil, err
		}
		if !wait {
			return rest.OK(wire.Obj("accepted", true)), nil
		}
		info, err := taking.Wait(ctx)
		if err != nil {
			return nil, err
		}
		answer := rest.OK(wire.Obj("snapshot", snapshotJSON(info, human)))
		if info.Shards > 0 && len(info.Failures) == info.Shards {
			answer.Status = http.StatusInternalServerError
		}
		return answer, nil
	}, nil
}

// snapshotJSON is a snapshot with all there is to say of it.
func snapshotJSON(info *snapshot.Info, human bool) wire.Object {
	o := wire.Obj("snapshot", info.Name, "uuid", info.UUID, "version_id", json.Number(catalog.VersionID(info.Version)), "version", info.Version,
		"remote_store_index_shallow_copy", false, "indices", info.IndexNames(), "data_streams", orEmpty(info.Streams),
		"include_global_state", info.Global)
	o.AddIf(info.Metadata != nil, "metadata", info.Metadata)
	o.Add("state", info.State)
	failures := []wire.Object{}
	for _, f := range info.Failures {
		failures = append(failures, wire.Obj("index", f.Index, "index_uuid", f.UUID, "shard_id", f.Shard, "reason", f.Reason, "status", "INTERNAL_SERVER_ERROR"))
	}
	failed, total := len(info.Failures), info.Shards
	if info.State == snapshot.InProgress {
		total = 0 // not known before it is taken
	}
	took := max(info.End-info.Start, 0)
	o = append(o, wire.Obj("start_time", instant(time.UnixMilli(info.Start)), "start_time_in_millis", info.Start, "end_time", instant(time.UnixMilli(info.End)),
		"end_time_in_millis", info.End)...)
	o.AddIf(human, "duration", wire.HumanDuration(time.Duration(took)*time.Millisecond))
	return append(o, wire.Obj("duration_in_millis", took, "failures", failures,
		"shards", wire.Obj("total", total, "failed", failed, "successful", total-failed))...)
}

func (s *Server) getSnapshots(r *rest.Request) (rest.Action, error) {
	repository, names := r.Path("repository"), r.List("snapshot")
	ignore, verbose, human := r.Bool("ignore_unavailable", false), r.Bool("verbose", true), r.Human()
	r.ManagerTimeout()
	return func(context.Context) (*rest.Response, error) {
		list, err := s.Snapshots.Get(repository, names, ignore)
		if err != nil {
			return nil, err
		}
		if !verbose { // it does without times then
			slices.SortFunc(list, func(a, b *snapshot.Info) int { return strings.Compare(a.Name, b.Name) })
		}
		out := []wire.Object{}
		for _, info := range list {
			if verbose {
				out = append(out, snapshotJSON(info, human))
				continue
			}
			out = append(out, wire.Obj("snapshot", info.Name, "uuid", info.UUID, "indices", info.IndexNames(), "data_streams", []string{}, "state", info.State))
		}
		return rest.OK(wire.Obj("snapshots", out)), nil
	}, nil
}

func (s *Server) deleteSnapshots(r *rest.Request) (rest.Action, error) {
	repository, names := r.Path("repository"), r.List("snapshot")
	r.ManagerTimeout()
	return change(func(ctx context.Context) error { return s.Snapshots.Delete(ctx, repository, names) }), nil
}

func (s *Server) cloneSnapshot(r *rest.Request) (rest.Action, error) {
	repository, source, target := r.Path("repository"), r.Path("snapshot"), r.Path("target")
	r.ManagerTimeout()
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	b := snapshotBody{options: snapshot.DefaultOptions}
	err = wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if known, err := b.member(p, name); known {
			return err
		}
		return p.Skip()
	})
	if err != nil {
		return nil, err
	}
	if len(b.indices) == 0 {
		return nil, fault.Validation("indices patterns are empty")
	}
	return change(func(ctx context.Context) error { return s.Snapshots.Clone(ctx, repository, source, target, b.indices) }), nil
}
