// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/machine"
	"github.com/opensteward/steward/engine/rest/table"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

var (
	nodeColumns = []table.Column{
		{Name: "id", Alias: "id,nodeId", Help: "unique node id", Extra: true},
		{Name: "pid", Alias: "p", Help: "process id", Extra: true},
		{Name: "ip", Alias: "i", Help: "ip address"},
		{Name: "port", Alias: "po", Help: "bound transport port", Extra: true},
		{Name: "http_address", Alias: "http", Help: "bound http address", Extra: true},
		{Name: "version", Alias: "v", Help: "os version", Extra: true},
		{Name: "type", Alias: "t", Help: "os distribution type", Extra: true},
		{Name: "jdk", Alias: "j", Help: "jdk version", Extra: true},
		{Name: "disk.total", Alias: "dt,diskTotal", Help: "total disk space", Right: true, Extra: true},
		{Name: "disk.used", Alias: "du,diskUsed", Help: "used disk space", Right: true, Extra: true},
		{Name: "disk.avail", Alias: "d,da,disk,diskAvail", Help: "available disk space", Right: true, Extra: true},
		{Name: "disk.used_percent", Alias: "dup,diskUsedPercent", Help: "used disk space percentage", Right: true, Extra: true},
		{Name: "heap.current", Alias: "hc,heapCurrent", Help: "used heap", Right: true, Extra: true},
		{Name: "heap.percent", Alias: "hp,heapPercent", Help: "used heap ratio", Right: true},
		{Name: "heap.max", Alias: "hm,heapMax", Help: "max configured heap", Right: true, Extra: true},
		{Name: "ram.current", Alias: "rc,ramCurrent", Help: "used machine memory", Right: true, Extra: true},
		{Name: "ram.percent", Alias: "rp,ramPercent", Help: "used machine memory ratio", Right: true},
		{Name: "ram.max", Alias: "rm,ramMax", Help: "total machine memory", Right: true, Extra: true},
		{Name: "file_desc.current", Alias: "fdc,fileDescriptorCurrent", Help: "used file descriptors", Right: true, Extra: true},
		{Name: "file_desc.percent", Alias: "fdp,fileDescriptorPercent", Help: "used file descriptor ratio", Right: true, Extra: true},
		{Name: "file_desc.max", Alias: "fdm,fileDescriptorMax", Help: "max file descriptors", Right: true, Extra: true},
		{Name: "cpu", Alias: "cpu", Help: "recent cpu usage", Right: true},
		{Name: "load_1m", Alias: "l", Help: "1m load avg", Right: true},
		{Name: "load_5m", Alias: "l", Help: "5m load avg", Right: true},
		{Name: "load_15m", Alias: "l", Help: "15m load avg", Right: true},
		{Name: "uptime", Alias: "u", Help: "node uptime", Right: true, Extra: true},
		{Name: "node.role", Alias: "r,role,nodeRole", Help: "m:master eligible node, d:data node, i:ingest node, -:coordinating node only"},
		{Name: "node.roles", Alias: "rs,all roles", Help: "-:coordinating node only"},
		{Name: "cluster_manager", Alias: "cm,m,master", Help: "*:current cluster manager"},
		{Name: "name", Alias: "n", Help: "node name"},
	}
	managerColumns = []table.Column{
		{Name: "id", Help: "node id"},
		{Name: "host", Alias: "h", Help: "host name"},
		{Name: "ip", Help: "ip address "},
		{Name: "node", Alias: "n", Help: "node name"},
	}
	attributeColumns = []table.Column{
		{Name: "node", Alias: "name", Help: "node name"},
		{Name: "id", Alias: "id,nodeId", Help: "unique node id", Extra: true},
		{Name: "pid", Alias: "p", Help: "process id", Extra: true},
		{Name: "host", Alias: "h", Help: "host name"},
		{Name: "ip", Alias: "i", Help: "ip address"},
		{Name: "port", Alias: "po", Help: "bound transport port", Extra: true},
		{Name: "attr", Alias: "attr.name", Help: "attribute description"},
		{Name: "value", Alias: "attr.value", Help: "attribute value"},
	}
	pluginColumns = []table.Column{
		{Name: "id", Help: "unique node id", Extra: true},
		{Name: "name", Alias: "n", Help: "node name"},
		{Name: "component", Alias: "c", Help: "component"},
		{Name: "version", Alias: "v", Help: "component version"},
		{Name: "description", Alias: "d", Help: "plugin details", Extra: true},
	}
	allocationColumns = []table.Column{
		{Name: "shards", Alias: "s", Help: "number of shards on node", Right: true},
		{Name: "disk.indices", Alias: "di,diskIndices", Help: "disk used by OpenSearch indices", Right: true},
		{Name: "disk.used", Alias: "du,diskUsed", Help: "disk used (total, not just OpenSearch)", Right: true},
		{Name: "disk.avail", Alias: "da,diskAvail", Help: "disk available", Right: true},
		{Name: "disk.total", Alias: "dt,diskTotal", Help: "total capacity of all volumes", Right: true},
		{Name: "disk.percent", Alias: "dp,diskPercent", Help: "percent disk used", Right: true},
		{Name: "host", Alias: "h", Help: "host of node"},
		{Name: "ip", Help: "ip of node"},
		{Name: "node", Alias: "n", Help: "name of node"},
	}
	poolColumns = []table.Column{
		{Name: "node_name", Alias: "nn", Help: "node name"},
		{Name: "node_id", Alias: "id", Help: "persistent node id", Extra: true},
		{Name: "ephemeral_node_id", Alias: "eid", Help: "ephemeral node id", Extra: true},
		{Name: "pid", Alias: "p", Help: "process id", Extra: true},
		{Name: "host", Alias: "h", Help: "host name", Extra: true},
		{Name: "ip", Alias: "i", Help: "ip address", Extra: true},
		{Name: "port", Alias: "po", Help: "bound transport port", Extra: true},
		{Name: "name", Alias: "n", Help: "thread pool name"},
		{Name: "type", Alias: "t", Help: "thread pool type", Extra: true},
		{Name: "active", Alias: "a", Help: "number of active threads", Right: true},
		{Name: "queue", Alias: "q", Help: "number of tasks currently in queue", Right: true},
		{Name: "rejected", Alias: "r", Help: "number of rejected tasks", Right: true},
	}
)

// id is the node's id, short unless ?full_id asks for all of it.
func nodeID(full bool) string {
	if full || len(query.NodeID) < 4 {
		return query.NodeID
	}
	return query.NodeID[:4]
}

func (s *Server) catNodes(r *rest.Request) (table.Filler, error) {
	full := r.Bool("full_id", false)
	return fill(r, func(t *table.Table) {
		m := machine.Read(s.Dir)
		used := m.MemTotal - m.MemFree
		t.Add(nodeID(full), os.Getpid(), s.host(), transportPort, s.httpAddress(), s.Version, buildType, runtime.Version(),
			table.Bytes(m.DiskTotal), table.Bytes(m.DiskTotal-m.DiskAvailable), table.Bytes(m.DiskAvailable), fmt.Sprintf("%.2f", 100*ratio(m.DiskTotal-m.DiskAvailable, m.DiskTotal)),
			table.Bytes(m.HeapUsed), machine.Percent(m.HeapUsed, m.HeapMax()), table.Bytes(m.HeapMax()), table.Bytes(used), machine.Percent(used, m.MemTotal), table.Bytes(m.MemTotal),
			m.OpenFiles, machine.Percent(m.OpenFiles, m.MaxFiles), m.MaxFiles, m.CPUPercent(),
			fmt.Sprintf("%.2f", m.Load[0]), fmt.Sprintf("%.2f", m.Load[1]), fmt.Sprintf("%.2f", m.Load[2]), table.Duration(m.Uptime),
			roleLetters(), strings.Join(nodeRoles, ","), "*", s.nodeName())
	})
}

// ratio is part of whole, 0 of nothing.
func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// roleLetters abbreviates the node's roles.
func roleLetters() string {
	letters := map[string]string{"cluster_manager": "m", "data": "d", "ingest": "i", "remote_cluster_client": "r"}
	var out []string
	for _, role := range nodeRoles {
		out = append(out, letters[role])
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func (s *Server) catManager(r *rest.Request) (table.Filler, error) {
	return fill(r, func(t *table.Table) { t.Add(query.NodeID, s.host(), s.host(), s.nodeName()) })
}

func (s *Server) catAttributes(r *rest.Request) (table.Filler, error) {
	return fill(r, func(t *table.Table) {
		for _, a := range s.attributePairs() {
			t.Add(s.nodeName(), nodeID(false), os.Getpid(), s.host(), s.host(), transportPort, a[0], a[1])
		}
	})
}

func (s *Server) catPlugins(r *rest.Request) (table.Filler, error) {
	return fill(r, func(t *table.Table) {
		for _, p := range s.Plugins {
			t.Add(query.NodeID, s.nodeName(), p.Component, p.Version, p.Description)
		}
	})
}

func (s *Server) catAllocation(r *rest.Request) (table.Filler, error) {
	nodes := r.List("nodes")
	return fillOrFail(r, func(t *table.Table) error {
		indices := s.Catalog.State().SortedIndices()
		figures, err := s.indexTotals(openIndices(indices))
		if err != nil {
			return err
		}
		h, m := healthOf(indices), machine.Read(s.Dir)
		if len(nodes) == 0 || s.isNode(nodes) {
			used := m.DiskTotal - m.DiskAvailable
			t.Add(h.primaries, table.Bytes(sum(figures).Size), table.Bytes(used), table.Bytes(m.DiskAvailable), table.Bytes(m.DiskTotal), machine.Percent(used, m.DiskTotal),
				s.host(), s.host(), s.nodeName())
		}
		if h.unassigned > 0 {
			t.Add(h.unassigned, nil, nil, nil, nil, nil, nil, nil, "UNASSIGNED")
		}
		return nil
	})
}

// pools are the names that OpenSearch's thread pools have for what this engine does, with the actions of tasks that
// would run in them. A request has a goroutine of its own: nothing queues, and nothing is rejected.
var pools = []struct {
	name, kind string
	actions    []string
}{
	{"force_merge", "fixed", []string{"indices:admin/forcemerge*"}},
	{"management", "scaling", []string{"cluster:*"}},
	{"search", "fixed", []string{"indices:data/read/*"}},
	{"write", "fixed", []string{"indices:data/write/*"}},
}

func (s *Server) catThreadPool(r *rest.Request) (table.Filler, error) {
	names := r.List("thread_pools")
	return fill(r, func(t *table.Table) {
		for _, p := range pools {
			if len(names) == 0 || wire.MatchAny(names, p.name) {
				t.Add(s.nodeName(), query.NodeID, ephemeralID, os.Getpid(), s.host(), s.host(), transportPort, p.name, p.kind,
					len(s.tasks.List(p.actions)), 0, 0)
			}
		}
	})
}
