// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/machine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// What the build of OpenSearch 3.4.0 says of itself. Clients choose by it what they may ask for.
const (
	buildType       = "tar"
	buildHash       = "00336141f90b2456d7aa35e9052fd6baf7147423"
	buildDate       = "2025-12-15T21:42:54.481067826Z"
	luceneVersion   = "10.3.2"
	minWireVersion  = "2.19.0"
	minIndexVersion = "2.0.0"
	tagline         = "The OpenSearch Project: https://opensearch.org/"
	defaultNodeName = "steward"
	defaultCluster  = "opensearch"
	defaultHost     = "127.0.0.1"
	defaultHTTPPort = "9200"
	transportPort   = "9300"
)

// nodeRoles are the roles of the one node.
var nodeRoles = []string{"cluster_manager", "data", "ingest", "remote_cluster_client"}

func (s *Server) clusterRoutes(rt *rest.Router) {
	rt.Handle("GET", "/", s.root)
	for _, index := range []string{"", "/{index}"} {
		rt.Handle("GET", "/_cluster/health"+index, s.clusterHealth)
	}
	for _, path := range []string{"", "/{metric}", "/{metric}/{index}"} {
		rt.Handle("GET", "/_cluster/state"+path, s.clusterState)
	}
	for _, path := range []string{"", "/nodes/{nodeId}", "/{metric}/nodes/{nodeId}", "/{metric}/{index_metric}/nodes/{nodeId}"} {
		rt.Handle("GET", "/_cluster/stats"+path, s.clusterStats)
	}
	rt.Handle("GET", "/_cluster/pending_tasks", s.pendingTasks)
	rt.Handle("POST", "/_cluster/reroute", s.reroute)
	for _, method := range []string{"GET", "POST"} {
		rt.Handle(method, "/_cluster/allocation/explain", refuseAllocationExplain)
	}
	rt.Handle("GET", "/_remote/info", remoteInfo)
	s.nodeRoutes(rt)
}

// configured is a setting that the node was started with, or def.
func (s *Server) configured(key, def string) string {
	if v := s.Config[key]; v != "" {
		return v
	}
	return def
}

func (s *Server) nodeName() string    { return s.configured("node.name", defaultNodeName) }
func (s *Server) clusterName() string { return s.configured("cluster.name", defaultCluster) }
func (s *Server) host() string {
	if host, _, err := net.SplitHostPort(s.Address); err == nil && host != "" {
		return host
	}
	return defaultHost
}

// transportAddress is where a cluster's node would listen. Nothing does: there is one node.
func (s *Server) transportAddress() string { return s.host() + ":" + transportPort }

func (s *Server) httpAddress() string {
	if s.Address == "" {
		return net.JoinHostPort(s.host(), defaultHTTPPort)
	}
	return s.Address
}

// root is what a client asks first, and a person: it is indented unless the request says otherwise.
func (s *Server) root(r *rest.Request) (rest.Action, error) {
	r.PreferPretty()
	return func(context.Context) (*rest.Response, error) {
		return rest.OK(wire.Obj(
			"name", s.nodeName(), "cluster_name", s.clusterName(), "cluster_uuid", s.Catalog.State().ClusterUUID,
			"version", wire.Obj("distribution", "opensearch", "number", s.Version, "build_type", buildType,
				"build_hash", buildHash, "build_date", buildDate, "build_snapshot", false, "lucene_version", luceneVersion,
				"minimum_wire_compatibility_version", minWireVersion, "minimum_index_compatibility_version", minIndexVersion),
			"tagline", tagline)), nil
	}, nil
}

// pendingTasks are changes that wait for their turn. A change waits in the request that makes it, so none is listed.
func (s *Server) pendingTasks(r *rest.Request) (rest.Action, error) {
	r.Ignore("local")
	r.ManagerTimeout()
	return rest.Now(rest.OK(wire.Obj("tasks", []any{}))), nil
}

// remoteInfo lists other clusters that this one knows: none.
func remoteInfo(*rest.Request) (rest.Action, error) { return rest.Now(rest.OK(wire.Object{})), nil }

// reroute has nothing to do on one node; commands would move copies between nodes.
func (s *Server) reroute(r *rest.Request) (rest.Action, error) {
	explain := r.Bool("explain", false)
	r.IgnoreBools("dry_run", "retry_failed")
	r.Ignore("timeout")
	r.ManagerTimeout()
	metrics := r.List("metric")
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := refuseCommands(body); err != nil {
			return nil, err
		}
	}
	if metrics == nil {
		metrics = []string{"version", "master_node", "cluster_manager_node", "blocks", "nodes", "routing_table", "routing_nodes"}
	}
	return func(context.Context) (*rest.Response, error) {
		view := s.stateView(s.Catalog.State(), metrics)
		state := append(wire.Obj("cluster_uuid", view.state.ClusterUUID), view.members()...)
		answer := wire.Obj("acknowledged", true, "state", state)
		answer.AddIf(explain, "explanations", []wire.Object{}) // of commands
		return rest.OK(answer), nil
	}, nil
}

// refuseCommands accepts a body of reroute that holds no command.
func refuseCommands(body []byte) error {
	return wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if name != "commands" && name != "dry_run" {
			line, col := p.Position()
			return fault.Parsing(line, col, "[cluster_reroute] unknown field [%s]", name)
		}
		if name != "commands" {
			return p.Skip()
		}
		return p.Array(func() error { return fault.Unsupported("[commands] of a cluster reroute") })
	})
}

func refuseAllocationExplain(*rest.Request) (rest.Action, error) {
	return nil, fault.Unsupported("the cluster allocation explain API")
}

// ephemeralID is the id of this run of the node.
var ephemeralID = stableID("ephemeral", strconv.Itoa(os.Getpid()), machine.Started.Format(time.RFC3339Nano))

// allocationID is the id of the one copy of a shard. It lasts as long as the index.
func allocationID(index *catalog.Index, shard int) string {
	return stableID("allocation", index.UUID, strconv.Itoa(shard))
}

// stableID is 16 bytes, written as OpenSearch writes ids, that depend on nothing but the parts.
func stableID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// isNode reports whether a node filter ("_local", "_all", a name, an id, "data:true", patterns) takes in the one node.
func (s *Server) isNode(filters []string) bool {
	if len(filters) == 0 {
		return true
	}
	for _, f := range filters {
		switch f {
		case "_all", "_local", "_master", "_cluster_manager":
			return true
		}
		if role, yes, ok := strings.Cut(f, ":"); ok && yes == "true" && (slices.Contains(nodeRoles, role) || role == "master") {
			return true
		}
		if wire.Match(f, query.NodeID) || wire.Match(f, s.nodeName()) || wire.Match(f, s.host()) {
			return true
		}
	}
	return false
}
