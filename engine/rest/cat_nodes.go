// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

var (
	nodeColumns = []column{
		{name: "id", alias: "id,nodeId", help: "unique node id", extra: true},
		{name: "pid", alias: "p", help: "process id", extra: true},
		{name: "ip", alias: "i", help: "ip address"},
		{name: "port", alias: "po", help: "bound transport port", extra: true},
		{name: "http_address", alias: "http", help: "bound http address", extra: true},
		{name: "version", alias: "v", help: "os version", extra: true},
		{name: "type", alias: "t", help: "os distribution type", extra: true},
		{name: "jdk", alias: "j", help: "jdk version", extra: true},
		{name: "disk.total", alias: "dt,diskTotal", help: "total disk space", right: true, extra: true},
		{name: "disk.used", alias: "du,diskUsed", help: "used disk space", right: true, extra: true},
		{name: "disk.avail", alias: "d,da,disk,diskAvail", help: "available disk space", right: true, extra: true},
		{name: "disk.used_percent", alias: "dup,diskUsedPercent", help: "used disk space percentage", right: true, extra: true},
		{name: "heap.current", alias: "hc,heapCurrent", help: "used heap", right: true, extra: true},
		{name: "heap.percent", alias: "hp,heapPercent", help: "used heap ratio", right: true},
		{name: "heap.max", alias: "hm,heapMax", help: "max configured heap", right: true, extra: true},
		{name: "ram.current", alias: "rc,ramCurrent", help: "used machine memory", right: true, extra: true},
		{name: "ram.percent", alias: "rp,ramPercent", help: "used machine memory ratio", right: true},
		{name: "ram.max", alias: "rm,ramMax", help: "total machine memory", right: true, extra: true},
		{name: "file_desc.current", alias: "fdc,fileDescriptorCurrent", help: "used file descriptors", right: true, extra: true},
		{name: "file_desc.percent", alias: "fdp,fileDescriptorPercent", help: "used file descriptor ratio", right: true, extra: true},
		{name: "file_desc.max", alias: "fdm,fileDescriptorMax", help: "max file descriptors", right: true, extra: true},
		{name: "cpu", alias: "cpu", help: "recent cpu usage", right: true},
		{name: "load_1m", alias: "l", help: "1m load avg", right: true},
		{name: "load_5m", alias: "l", help: "5m load avg", right: true},
		{name: "load_15m", alias: "l", help: "15m load avg", right: true},
		{name: "uptime", alias: "u", help: "node uptime", right: true, extra: true},
		{name: "node.role", alias: "r,role,nodeRole", help: "m:master eligible node, d:data node, i:ingest node, -:coordinating node only"},
		{name: "node.roles", alias: "rs,all roles", help: "-:coordinating node only"},
		{name: "cluster_manager", alias: "cm,m,master", help: "*:current cluster manager"},
		{name: "name", alias: "n", help: "node name"},
	}
	managerColumns = []column{
		{name: "id", help: "node id"},
		{name: "host", alias: "h", help: "host name"},
		{name: "ip", help: "ip address "},
		{name: "node", alias: "n", help: "node name"},
	}
	attributeColumns = []column{
		{name: "node", alias: "name", help: "node name"},
		{name: "id", alias: "id,nodeId", help: "unique node id", extra: true},
		{name: "pid", alias: "p", help: "process id", extra: true},
		{name: "host", alias: "h", help: "host name"},
		{name: "ip", alias: "i", help: "ip address"},
		{name: "port", alias: "po", help: "bound transport port", extra: true},
		{name: "attr", alias: "attr.name", help: "attribute description"},
		{name: "value", alias: "attr.value", help: "attribute value"},
	}
	pluginColumns = []column{
		{name: "id", help: "unique node id", extra: true},
		{name: "name", alias: "n", help: "node name"},
		{name: "component", alias: "c", help: "component"},
		{name: "version", alias: "v", help: "component version"},
		{name: "description", alias: "d", help: "plugin details", extra: true},
	}
	allocationColumns = []column{
		{name: "shards", alias: "s", help: "number of shards on node", right: true},
		{name: "disk.indices", alias: "di,diskIndices", help: "disk used by OpenSearch indices", right: true},
		{name: "disk.used", alias: "du,diskUsed", help: "disk used (total, not just OpenSearch)", right: true},
		{name: "disk.avail", alias: "da,diskAvail", help: "disk available", right: true},
		{name: "disk.total", alias: "dt,diskTotal", help: "total capacity of all volumes", right: true},
		{name: "disk.percent", alias: "dp,diskPercent", help: "percent disk used", right: true},
		{name: "host", alias: "h", help: "host of node"},
		{name: "ip", help: "ip of node"},
		{name: "node", alias: "n", help: "name of node"},
	}
	poolColumns = []column{
		{name: "node_name", alias: "nn", help: "node name"},
		{name: "node_id", alias: "id", help: "persistent node id", extra: true},
		{name: "ephemeral_node_id", alias: "eid", help: "ephemeral node id", extra: true},
		{name: "pid", alias: "p", help: "process id", extra: true},
		{name: "host", alias: "h", help: "host name", extra: true},
		{name: "ip", alias: "i", help: "ip address", extra: true},
		{name: "port", alias: "po", help: "bound transport port", extra: true},
		{name: "name", alias: "n", help: "thread pool name"},
		{name: "type", alias: "t", help: "thread pool type", extra: true},
		{name: "active", alias: "a", help: "number of active threads", right: true},
		{name: "queue", alias: "q", help: "number of tasks currently in queue", right: true},
		{name: "rejected", alias: "r", help: "number of rejected tasks", right: true},
	}
)

// id is the node's id, short unless ?full_id asks for all of it.
func nodeID(full bool) string {
	if full || len(query.NodeID) < 4 {
		return query.NodeID
	}
	return query.NodeID[:4]
}

func (s *Server) catNodes(r *rest.Request) (filler, error) {
	full := r.Bool("full_id", false)
	return fill(r, func(t *table) {
		m := readMachine(s.Dir)
		used := m.memTotal - m.memFree
		t.add(nodeID(full), os.Getpid(), s.host(), transportPort, s.httpAddress(), s.Version, buildType, runtime.Version(),
			byteCell(m.diskTotal), byteCell(m.diskTotal-m.diskAvailable), byteCell(m.diskAvailable), fmt.Sprintf("%.2f", 100*ratio(m.diskTotal-m.diskAvailable, m.diskTotal)),
			byteCell(m.heapUsed), percent(m.heapUsed, m.heapMax()), byteCell(m.heapMax()), byteCell(used), percent(used, m.memTotal), byteCell(m.memTotal),
			m.openFiles, percent(m.openFiles, m.maxFiles), m.maxFiles, m.cpuPercent(),
			fmt.Sprintf("%.2f", m.load[0]), fmt.Sprintf("%.2f", m.load[1]), fmt.Sprintf("%.2f", m.load[2]), timeCell(m.uptime),
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

func (s *Server) catManager(r *rest.Request) (filler, error) {
	return fill(r, func(t *table) { t.add(query.NodeID, s.host(), s.host(), s.nodeName()) })
}

func (s *Server) catAttributes(r *rest.Request) (filler, error) {
	return fill(r, func(t *table) {
		for _, a := range s.attributePairs() {
			t.add(s.nodeName(), nodeID(false), os.Getpid(), s.host(), s.host(), transportPort, a[0], a[1])
		}
	})
}

func (s *Server) catPlugins(r *rest.Request) (filler, error) {
	return fill(r, func(t *table) {
		for _, p := range s.Plugins {
			t.add(query.NodeID, s.nodeName(), p.Component, p.Version, p.Description)
		}
	})
}

func (s *Server) catAllocation(r *rest.Request) (filler, error) {
	nodes := r.List("nodes")
	return fillOrFail(r, func(t *table) error {
		indices := s.Catalog.State().SortedIndices()
		figures, err := s.indexTotals(openIndices(indices))
		if err != nil {
			return err
		}
		h, m := healthOf(indices), readMachine(s.Dir)
		if len(nodes) == 0 || s.isNode(nodes) {
			used := m.diskTotal - m.diskAvailable
			t.add(h.primaries, byteCell(sum(figures).Size), byteCell(used), byteCell(m.diskAvailable), byteCell(m.diskTotal), percent(used, m.diskTotal),
				s.host(), s.host(), s.nodeName())
		}
		if h.unassigned > 0 {
			t.add(h.unassigned, nil, nil, nil, nil, nil, nil, nil, "UNASSIGNED")
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

func (s *Server) catThreadPool(r *rest.Request) (filler, error) {
	names := r.List("thread_pools")
	return fill(r, func(t *table) {
		for _, p := range pools {
			if len(names) == 0 || wire.MatchAny(names, p.name) {
				t.add(s.nodeName(), query.NodeID, ephemeralID, os.Getpid(), s.host(), s.host(), transportPort, p.name, p.kind,
					len(s.tasks.list(p.actions)), 0, 0)
			}
		}
	})
}
