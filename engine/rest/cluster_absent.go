// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/rest/table"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// absentRoutes are the APIs about what one node never has: indices of other clusters' making, nodes that leave, segments
// that are copied. Their answers are those of an OpenSearch that has none either.
func (s *Server) absentRoutes(rt *rest.Router) {
	rt.Handle("GET", "/_dangling", func(*rest.Request) (rest.Action, error) {
		return rest.Now(rest.OK(wire.Obj("_nodes", shardsOf(1), "cluster_name", s.clusterName(), "dangling_indices", []wire.Object{}))), nil
	})
	for _, method := range []string{"POST", "DELETE"} {
		rt.Handle(method, "/_dangling/{index_uuid}", noDangling)
	}
	rt.Handle("GET", "/_cluster/decommission/awareness/{attribute}/_status", func(r *rest.Request) (rest.Action, error) {
		r.Ignore("attribute")
		return rest.Now(rest.OK(wire.Object{})), nil
	})
	rt.Handle("DELETE", "/_cluster/decommission/awareness", func(*rest.Request) (rest.Action, error) {
		return change(func(context.Context) error { return nil }), nil
	})
}

func noDangling(r *rest.Request) (rest.Action, error) {
	uuid := r.Path("index_uuid")
	r.IgnoreBools("accept_data_loss")
	timeouts(r)
	return func(context.Context) (*rest.Response, error) {
		return nil, fault.Illegal("No dangling index found for UUID [%s]", uuid)
	}, nil
}

var replicationColumns = []table.Column{
	{Name: "shardId", Alias: "s", Help: " shard Id"},
	{Name: "target_node", Alias: "tnode", Help: "target node name"},
	{Name: "target_host", Alias: "thost", Help: "target host"},
	{Name: "checkpoints_behind", Alias: "cpb", Help: "checkpoints behind primary"},
	{Name: "bytes_behind", Alias: "bb", Help: "bytes behind primary"},
	{Name: "current_lag", Alias: "clag", Help: "ongoing time elapsed waiting for replica to catch up to primary"},
	{Name: "last_completed_lag", Alias: "lcl", Help: "time taken for replica to catch up to latest primary refresh"},
	{Name: "rejected_requests", Alias: "rr", Help: "count of rejected requests for the replication group"},
}

// catReplication lists the copies to which segments are copied: none.
func (s *Server) catReplication(r *rest.Request) (table.Filler, error) {
	expressions := r.List("index")
	o := r.IndexOptions(wire.IndexOptions{Open: true, AllowNoIndices: true})
	r.IgnoreBools("active_only", "detailed")
	r.Ignore("shards")
	return func(context.Context, *table.Table) error {
		_, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		return err
	}, nil
}
