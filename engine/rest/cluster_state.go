// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// clusterState answers with the parts of the cluster state that are asked for. Other parts are not made: a client that
// polls version and state_uuid costs next to nothing.
func (s *Server) clusterState(r *rest.Request) (rest.Action, error) {
	metrics, expressions := r.List("metric"), r.List("index")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, Hidden: true, IgnoreUnavailable: true, AllowNoIndices: true})
	r.ManagerTimeout()
	r.Ignore("local", "flat_settings", "wait_for_timeout")
	if r.Long("wait_for_metadata_version", 0) > 0 {
		return nil, fault.Unsupported("parameter [wait_for_metadata_version]")
	}
	flat := r.Param("flat_settings", "false") != "false"
	return func(context.Context) (*rest.Response, error) {
		view := s.stateView(s.Catalog.State(), metrics)
		view.flat, view.narrowed = flat, len(expressions) > 0
		if view.needsIndices() {
			list, err := view.state.Resolve(expressions, o, s.Clock.Now())
			if err != nil {
				return nil, err
			}
			view.indices = list
		}
		body := wire.Obj("cluster_name", s.clusterName(), "cluster_uuid", view.state.ClusterUUID)
		return rest.OK(append(body, view.members()...)), nil
	}, nil
}

// stateView is the cluster state in parts.
type stateView struct {
	server  *Server
	state   *catalog.State
	metrics []string
	indices []*catalog.Index
	// narrowed says that indices were named: metadata is of them alone then.
	narrowed, flat bool
}

func (s *Server) stateView(state *catalog.State, metrics []string) *stateView {
	return &stateView{server: s, state: state, metrics: metrics, indices: state.SortedIndices()}
}

func (v *stateView) wants(metric string) bool {
	return wantsMetric(v.metrics, metric)
}

func (v *stateView) needsIndices() bool {
	return v.wants("blocks") || v.wants("metadata") || v.wants("routing_table") || v.wants("routing_nodes")
}

func (v *stateView) members() wire.Object {
	var o wire.Object
	if v.wants("version") {
		o.Add("version", v.state.Version)
		o.Add("state_uuid", v.state.UUID)
	}
	o.AddIf(v.wants("master_node"), "master_node", query.NodeID)
	o.AddIf(v.wants("cluster_manager_node"), "cluster_manager_node", query.NodeID)
	if v.wants("blocks") {
		o.Add("blocks", v.blocks())
	}
	if v.wants("nodes") {
		o.Add("nodes", wire.Obj(query.NodeID, v.server.nodeIdentity()))
	}
	if v.wants("metadata") {
		o.Add("metadata", v.metadata())
	}
	if v.wants("routing_table") {
		o.Add("routing_table", v.routingTable())
	}
	if v.wants("routing_nodes") {
		o.Add("routing_nodes", v.routingNodes())
	}
	if v.wants("customs") {
		o = append(o, v.customs()...)
	}
	return o
}

// nodeIdentity is the node as the cluster state shows it.
func (s *Server) nodeIdentity() wire.Object {
	return wire.Obj("name", s.nodeName(), "ephemeral_id", ephemeralID, "transport_address", s.transportAddress(), "attributes", s.nodeAttributes())
}

// blockRow is how the cluster state shows a block of an index.
type blockRow struct {
	setting, id, description string
	levels                   []string
}

var blockRows = []blockRow{
	{"index.blocks.read_only_allow_delete", "12", "disk usage exceeded flood-stage watermark, index has read-only-allow-delete block", []string{"write", "metadata_write"}},
	{"index.blocks.metadata", "9", "index metadata (api)", []string{"metadata_read", "metadata_write"}},
	{"index.blocks.write", "8", "index write (api)", []string{"write"}},
	{"index.blocks.read", "7", "index read (api)", []string{"read"}},
	{"index.blocks.read_only", "5", "index read-only (api)", []string{"write", "metadata_write"}},
}

func (v *stateView) blocks() wire.Object {
	byIndex := wire.Object{}
	for _, index := range v.state.SortedIndices() { // blocks are not narrowed to the indices asked for
		list := wire.Object{}
		if index.Closed {
			list.Add("4", wire.Obj("description", "index closed", "retryable", false, "levels", []string{"read", "write"}))
		}
		for _, b := range blockRows {
			list.AddIf(index.Settings[b.setting] == "true", b.id, wire.Obj("description", b.description, "retryable", false, "levels", b.levels))
		}
		byIndex.AddIf(len(list) > 0, index.Name, list)
	}
	o := wire.Object{}
	o.AddIf(len(byIndex) > 0, "indices", byIndex)
	return o
}

func (v *stateView) metadata() wire.Object {
	node := []string{query.NodeID}
	o := wire.Obj("cluster_uuid", v.state.ClusterUUID, "cluster_uuid_committed", !v.narrowed,
		"cluster_coordination", wire.Obj("term", 1, "last_committed_config", node, "last_accepted_config", node, "voting_config_exclusions", []string{}))
	indices := wire.Object{}
	for _, index := range v.indices {
		indices.Add(index.Name, v.index(index))
	}
	if v.narrowed {
		return append(o, wire.Obj("templates", wire.Object{}, "indices", indices)...)
	}
	o.AddIf(len(v.state.Persistent) > 0, "settings", v.state.ClusterRegistry().JSON(v.state.Persistent, v.flat))
	o.AddIf(len(v.state.Transient) > 0, "transient_settings", v.state.ClusterRegistry().JSON(v.state.Transient, v.flat))
	o.Add("templates", v.legacyTemplates())
	o.Add("indices", indices)
	o.AddIf(len(v.state.ComponentTemplates) > 0, "component_template", wire.Obj("component_template", shownEach(v, v.state.ComponentTemplates, componentTemplateJSON)))
	o.AddIf(len(v.state.DataStreams) > 0, "data_stream", wire.Obj("data_stream", v.dataStreams()))
	o.AddIf(len(v.state.IndexTemplates) > 0, "index_template", wire.Obj("index_template", shownEach(v, v.state.IndexTemplates, indexTemplateJSON)))
	for _, kind := range []catalog.Kind{catalog.IngestPipelines, catalog.SearchPipelines} {
		_, used := v.state.Documents[kind]
		o.AddIf(used, string(kind), wire.Obj("pipeline", v.pipelines(kind)))
	}
	if repositories := v.repositories(); len(repositories) > 0 {
		o.Add("repositories", repositories)
	}
	return o
}

func (v *stateView) pipelines(kind catalog.Kind) []wire.Object {
	out, docs := []wire.Object{}, v.state.Documents[kind]
	for _, id := range sorted(docs) {
		out = append(out, wire.Obj("id", id, "config", docs[id]))
	}
	return out
}

func (v *stateView) index(index *catalog.Index) wire.Object {
	terms, inSync := wire.Object{}, wire.Object{}
	for n := range index.Shards() {
		terms.Add(strconv.Itoa(n), 1)
		inSync.Add(strconv.Itoa(n), []string{allocationID(index, n)})
	}
	rollovers := wire.Object{}
	for _, alias := range sorted(index.Rollovers) {
		info := index.Rollovers[alias]
		met := wire.Object{}
		for _, name := range sorted(info.Met) {
			met.Add(name, info.Met[name])
		}
		rollovers.Add(alias, wire.Obj("met_conditions", met, "time", info.Time.UnixMilli()))
	}
	state := "open"
	if index.Closed {
		state = "close"
	}
	return wire.Obj(
		"version", index.Version, "mapping_version", index.MappingVersion, "settings_version", index.SettingsVersion,
		"aliases_version", index.AliasesVersion, "routing_num_shards", index.RoutingShards, "state", state,
		"settings", v.state.IndexRegistry().JSON(index.Settings, v.flat), "mappings", typedObject(index.Mapping.JSON()),
		"aliases", orEmpty(aliasNames(index)), "primary_terms", terms, "in_sync_allocations", inSync, "rollover_info", rollovers, "system", false,
		"ingestion_status", wire.Obj("is_paused", false))
}

// typedObject is the same for a mapping that is parsed.
func typedObject(mapping wire.Object) wire.Object {
	if len(mapping) == 0 {
		return mapping
	}
	return wire.Obj("_doc", mapping)
}

// typed is a mapping below its type name; nothing for an empty one.
func typed(mapping json.RawMessage) wire.Object {
	if text := bytes.TrimSpace(mapping); len(text) == 0 || string(text) == "{}" {
		return wire.Object{}
	}
	return wire.Obj("_doc", mapping)
}

func (v *stateView) routingTable() wire.Object {
	indices := wire.Object{}
	for _, index := range v.indices {
		shards := wire.Object{}
		for n := range index.Shards() {
			shards.Add(strconv.Itoa(n), append([]wire.Object{started(index, n)}, unassigned(index, n)...))
		}
		indices.Add(index.Name, wire.Obj("shards", shards))
	}
	return wire.Obj("indices", indices)
}

func (v *stateView) routingNodes() wire.Object {
	primaries, replicas := []wire.Object{}, []wire.Object{}
	for _, index := range v.indices {
		for n := range index.Shards() {
			primaries = append(primaries, started(index, n))
			replicas = append(replicas, unassigned(index, n)...)
		}
	}
	return wire.Obj("unassigned", replicas, "nodes", wire.Obj(query.NodeID, primaries))
}

// started is the primary copy of a shard.
func started(index *catalog.Index, shard int) wire.Object {
	return wire.Obj("state", "STARTED", "primary", true, "searchOnly", false, "node", query.NodeID, "relocating_node", nil, "shard", shard,
		"index", index.Name, "allocation_id", wire.Obj("id", allocationID(index, shard)))
}

// unassignedReason is what last kept replicas from a node.
func unassignedReason(index *catalog.Index) string {
	if index.Closed {
		return "INDEX_CLOSED"
	}
	return "INDEX_CREATED"
}

// unassigned are the replicas that the index asks for and that no node has.
func unassigned(index *catalog.Index, shard int) []wire.Object {
	var out []wire.Object
	for range index.Replicas() {
		out = append(out, wire.Obj("state", "UNASSIGNED", "primary", false, "searchOnly", false, "node", nil, "relocating_node", nil, "shard", shard,
			"index", index.Name, "recovery_source", wire.Obj("type", "PEER"),
			"unassigned_info", wire.Obj("reason", unassignedReason(index), "at", instant(index.Created()), "delayed", false, "allocation_status", "no_attempt")))
	}
	return out
}
