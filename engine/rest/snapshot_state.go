// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/wire"
)

// customs are the parts of the cluster state that tell of snapshots under way.
func (v *stateView) customs() wire.Object {
	taking, restoring := []wire.Object{}, []wire.Object{}
	for _, one := range v.server.Snapshots.Current("") {
		taking = append(taking, takingJSON(one))
	}
	for _, one := range v.server.Snapshots.Restores() {
		shards := []wire.Object{}
		for _, index := range one.Indices {
			for n := range index.Shards() {
				shards = append(shards, wire.Obj("index", indexID(index.Name, index.UUID), "shard", n, "state", "INIT"))
			}
		}
		restoring = append(restoring, wire.Obj("snapshot", one.Snapshot, "repository", one.Repository, "state", "STARTED",
			"indices", one.Names(), "shards", shards))
	}
	return wire.Obj("snapshots", wire.Obj("snapshots", taking), "restore", wire.Obj("snapshots", restoring),
		"snapshot_deletions", wire.Obj("snapshot_deletions", []wire.Object{}), "repository_cleanup", wire.Obj("repository_cleanup", []wire.Object{}))
}

// repositories are the registered ones. They have no generations; OpenSearch's numbers for unknown ones stand there.
func (v *stateView) repositories() wire.Object {
	out := wire.Object{}
	for _, one := range snapshot.Registered(v.state) {
		out.Add(one.Name, append(repositoryJSON(one), wire.Obj("generation", -2, "pending_generation", -1)...))
	}
	return out
}

func indexID(name, uuid string) wire.Object { return wire.Obj("index_name", name, "index_uuid", uuid) }

// shardStates are the names that the cluster state has for stages.
var shardStates = map[string]string{"DONE": "SUCCESS", "FAILURE": "FAILED"}

// takingJSON is a snapshot that is being taken.
func takingJSON(st *snapshot.Status) wire.Object {
	indices, shards := []wire.Object{}, []wire.Object{}
	for _, index := range st.IndexNames() {
		indices = append(indices, wire.Obj("name", index, "id", index, "shard_path_type", 0))
	}
	for _, one := range st.Shards {
		state := shardStates[one.Stage]
		if state == "" {
			state = "INIT"
		}
		shards = append(shards, wire.Obj("index", indexID(one.Index, one.IndexUUID), "shard", one.Number, "state", state, "node", query.NodeID))
	}
	return wire.Obj("repository", st.Repository, "snapshot", st.Name, "uuid", st.UUID, "include_global_state", st.Global, "partial", st.Partial,
		"state", "STARTED", "indices", indices, "start_time_millis", st.Start, "repository_state_id", -1, "shards", shards,
		"data_streams", orEmpty(st.Streams))
}
