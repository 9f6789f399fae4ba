// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) snapshotStatus(r *rest.Request) (rest.Action, error) {
	repository, names, indices := r.Path("repository"), r.List("snapshot"), r.List("index")
	ignore := r.Bool("ignore_unavailable", false)
	r.ManagerTimeout()
	if len(indices) > 0 && len(names) > 1 {
		return nil, fault.Validation("index list filter is supported only when a single 'snapshot' is passed, but found 'snapshot' param = [[" +
			strings.Join(names, ", ") + "]]")
	}
	if len(names) == 1 && names[0] == "_all" {
		names = nil
	}
	return func(context.Context) (*rest.Response, error) {
		list, err := s.Snapshots.Statuses(repository, names, ignore)
		if err != nil {
			return nil, err
		}
		out := []wire.Object{}
		for _, one := range list {
			if err := one.Keep(indices, ignore); err != nil {
				return nil, err
			}
			out = append(out, statusJSON(one))
		}
		return rest.OK(wire.Obj("snapshots", out)), nil
	}, nil
}

// statusJSON is the status of a snapshot.
func statusJSON(st *snapshot.Status) wire.Object {
	state := string(st.State)
	if st.State == snapshot.InProgress {
		state = "STARTED"
	}
	indices := wire.Object{}
	for _, index := range st.IndexNames() {
		var own []snapshot.ShardStatus
		shards := wire.Object{}
		for _, one := range st.Shards {
			if one.Index == index {
				own = append(own, one)
				shards.Add(strconv.Itoa(one.Number), shardStatusJSON(&one))
			}
		}
		if len(own) > 0 {
			indices.Add(index, wire.Obj("shards_stats", stagesJSON(own), "stats", statsJSON(own), "shards", shards))
		}
	}
	return wire.Obj("snapshot", st.Name, "repository", st.Repository, "uuid", st.UUID, "state", state, "include_global_state", st.Global,
		"shards_stats", stagesJSON(st.Shards), "stats", statsJSON(st.Shards), "indices", indices)
}

func shardStatusJSON(one *snapshot.ShardStatus) wire.Object {
	o := wire.Obj("stage", one.Stage, "stats", statsJSON([]snapshot.ShardStatus{*one}))
	o.AddIf(one.Stage == "STARTED", "node", query.NodeID)
	o.AddIf(one.Reason != "", "reason", one.Reason)
	return o
}

// stagesJSON counts shards by stage.
func stagesJSON(shards []snapshot.ShardStatus) wire.Object {
	n := map[string]int{}
	for _, one := range shards {
		n[one.Stage]++
	}
	return wire.Obj("initializing", n["INIT"], "started", n["STARTED"], "finalizing", 0, "done", n["DONE"], "failed", n["FAILURE"], "total", len(shards))
}

// statsJSON adds up files, bytes and times.
func statsJSON(shards []snapshot.ShardStatus) wire.Object {
	var added, files int
	var addedBytes, size, start, end int64
	for _, one := range shards {
		added, files = added+one.Added, files+one.Files
		addedBytes, size = addedBytes+one.AddedBytes, size+one.Bytes
		if one.StartMillis > 0 && (start == 0 || one.StartMillis < start) {
			start = one.StartMillis
		}
		end = max(end, one.StartMillis+one.TookMillis)
	}
	return wire.Obj("incremental", wire.Obj("file_count", added, "size_in_bytes", addedBytes),
		"total", wire.Obj("file_count", files, "size_in_bytes", size), "start_time_in_millis", start, "time_in_millis", max(end-start, 0))
}
