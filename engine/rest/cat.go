// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/table"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// catAPI is one cat API: read takes its own parameters and returns what fills the table.
type catAPI struct {
	// paths are its routes; GET /_cat leaves those in unlisted out.
	paths, unlisted []string
	columns         []table.Column
	read            func(r *rest.Request) (table.Filler, error)
}

func (s *Server) catRoutes(rt *rest.Router) {
	listing := "=^.^=\n"
	for _, api := range s.catAPIs() {
		handle := table.Handler(api.columns, api.read)
		for _, path := range api.paths {
			rt.Handle("GET", path, handle)
			listing += path + "\n"
		}
		for _, path := range api.unlisted {
			rt.Handle("GET", path, handle)
		}
	}
	rt.Handle("GET", "/_cat", func(*rest.Request) (rest.Action, error) { return rest.Now(table.Plain(listing)), nil })
}

func (s *Server) catAPIs() []catAPI {
	return []catAPI{
		{[]string{"/_cat/allocation"}, []string{"/_cat/allocation/{nodes}"}, allocationColumns, s.catAllocation},
		{[]string{"/_cat/segment_replication", "/_cat/segment_replication/{index}"}, nil, replicationColumns, s.catReplication},
		{[]string{"/_cat/shards", "/_cat/shards/{index}"}, nil, shardColumns, s.catShards},
		{[]string{"/_cat/cluster_manager"}, []string{"/_cat/master"}, managerColumns, s.catManager},
		{[]string{"/_cat/nodes"}, nil, nodeColumns, s.catNodes},
		{[]string{"/_cat/tasks"}, nil, taskColumns, s.catTasks},
		{[]string{"/_cat/indices", "/_cat/indices/{index}"}, nil, indexColumns, s.catIndices},
		{[]string{"/_cat/segments", "/_cat/segments/{index}"}, nil, segmentColumns, s.catSegments},
		{[]string{"/_cat/count", "/_cat/count/{index}"}, nil, countColumns, s.catCount},
		{[]string{"/_cat/recovery", "/_cat/recovery/{index}"}, nil, recoveryColumns, s.catRecovery},
		{[]string{"/_cat/health"}, nil, healthColumns, s.catHealth},
		{[]string{"/_cat/pending_tasks"}, nil, pendingColumns, s.catPending},
		{[]string{"/_cat/aliases", "/_cat/aliases/{alias}"}, nil, aliasColumns, s.catAliases},
		{[]string{"/_cat/thread_pool", "/_cat/thread_pool/{thread_pools}"}, nil, poolColumns, s.catThreadPool},
		{[]string{"/_cat/plugins"}, nil, pluginColumns, s.catPlugins},
		{[]string{"/_cat/fielddata", "/_cat/fielddata/{fields}"}, nil, fielddataColumns, s.catFielddata},
		{[]string{"/_cat/nodeattrs"}, nil, attributeColumns, s.catAttributes},
		{[]string{"/_cat/repositories"}, nil, repositoryColumns, s.catRepositories},
		{[]string{"/_cat/snapshots/{repository}"}, []string{"/_cat/snapshots"}, snapshotColumns, s.catSnapshots},
		{[]string{"/_cat/templates"}, []string{"/_cat/templates/{name}"}, templateColumns, s.catTemplates},
	}
}

// fill is a filler of what cannot fail; the request may tell where to look.
func fill(r *rest.Request, fn func(t *table.Table)) (table.Filler, error) {
	return fillOrFail(r, func(t *table.Table) error { fn(t); return nil })
}

// fillOrFail is fill for what may fail.
func fillOrFail(r *rest.Request, fn func(t *table.Table) error) (table.Filler, error) {
	r.ManagerTimeout()
	r.IgnoreBools("local")
	return func(_ context.Context, t *table.Table) error { return fn(t) }, nil
}

// catPending and catFielddata are tables of things that this engine never has.
func (s *Server) catPending(r *rest.Request) (table.Filler, error) {
	return fill(r, func(*table.Table) {})
}

func (s *Server) catFielddata(r *rest.Request) (table.Filler, error) {
	r.Ignore("fields")
	return func(context.Context, *table.Table) error { return nil }, nil
}

var (
	pendingColumns = []table.Column{
		{Name: "insertOrder", Alias: "o", Help: "task insertion order", Right: true},
		{Name: "timeInQueue", Alias: "t", Help: "how long task has been in queue", Right: true},
		{Name: "priority", Alias: "p", Help: "task priority"},
		{Name: "source", Alias: "s", Help: "task source"},
	}
	fielddataColumns = []table.Column{
		{Name: "id", Help: "node id"},
		{Name: "host", Alias: "h", Help: "host name"},
		{Name: "ip", Help: "ip address"},
		{Name: "node", Alias: "n", Help: "node name"},
		{Name: "field", Alias: "f", Help: "field name"},
		{Name: "size", Alias: "s", Help: "field data usage", Right: true},
	}
	healthColumns = []table.Column{
		{Name: "epoch", Alias: "t,time", Help: "seconds since 1970-01-01 00:00:00"},
		{Name: "timestamp", Alias: "ts,hms,hhmmss", Help: "time in HH:MM:SS"},
		{Name: "cluster", Alias: "cl", Help: "cluster name"},
		{Name: "status", Alias: "st", Help: "health status"},
		{Name: "node.total", Alias: "nt,nodeTotal", Help: "total number of nodes", Right: true},
		{Name: "node.data", Alias: "nd,nodeData", Help: "number of nodes that can store data", Right: true},
		{Name: "discovered_cluster_manager", Alias: "dcm,dm,discovered_master", Help: "cluster manager is discovered or not", Right: true},
		{Name: "shards", Alias: "t,sh,shards.total,shardsTotal", Help: "total number of shards", Right: true},
		{Name: "pri", Alias: "p,shards.primary,shardsPrimary", Help: "number of primary shards", Right: true},
		{Name: "relo", Alias: "r,shards.relocating,shardsRelocating", Help: "number of relocating nodes", Right: true},
		{Name: "init", Alias: "i,shards.initializing,shardsInitializing", Help: "number of initializing nodes", Right: true},
		{Name: "unassign", Alias: "u,shards.unassigned,shardsUnassigned", Help: "number of unassigned shards", Right: true},
		{Name: "pending_tasks", Alias: "pt,pendingTasks", Help: "number of pending tasks", Right: true},
		{Name: "max_task_wait_time", Alias: "mtwt,maxTaskWaitTime", Help: "wait time of longest task pending", Right: true},
		{Name: "active_shards_percent", Alias: "asp,activeShardsPercent", Help: "active number of shards in percent", Right: true},
	}
	countColumns = []table.Column{
		{Name: "epoch", Alias: "t,time", Help: "seconds since 1970-01-01 00:00:00"},
		{Name: "timestamp", Alias: "ts,hms,hhmmss", Help: "time in HH:MM:SS"},
		{Name: "count", Alias: "dc,docs.count,docsCount", Help: "the document count"},
	}
	aliasColumns = []table.Column{
		{Name: "alias", Alias: "a", Help: "alias name"},
		{Name: "index", Alias: "i,idx", Help: "index alias points to"},
		{Name: "filter", Alias: "f,fi", Help: "filter"},
		{Name: "routing.index", Alias: "ri,routingIndex", Help: "index routing"},
		{Name: "routing.search", Alias: "rs,routingSearch", Help: "search routing"},
		{Name: "is_write_index", Alias: "w,isWriteIndex", Help: "write index"},
	}
	templateColumns = []table.Column{
		{Name: "name", Alias: "n", Help: "template name"},
		{Name: "index_patterns", Alias: "t", Help: "template index patterns"},
		{Name: "order", Alias: "o,p", Help: "template application order/priority number"},
		{Name: "version", Alias: "v", Help: "version"},
		{Name: "composed_of", Alias: "c", Help: "component templates comprising index template"},
	}
	taskColumns = []table.Column{
		{Name: "id", Help: "id of the task with the node", Extra: true},
		{Name: "action", Alias: "ac", Help: "task action"},
		{Name: "task_id", Alias: "ti", Help: "unique task id"},
		{Name: "parent_task_id", Alias: "pti", Help: "parent task id"},
		{Name: "type", Alias: "ty", Help: "task type"},
		{Name: "start_time", Alias: "start", Help: "start time in ms"},
		{Name: "timestamp", Alias: "ts,hms,hhmmss", Help: "start time in HH:MM:SS"},
		{Name: "running_time_ns", Alias: "time", Help: "running time ns", Extra: true},
		{Name: "running_time", Alias: "time", Help: "running time"},
		{Name: "node_id", Alias: "ni", Help: "unique node id", Extra: true},
		{Name: "ip", Alias: "i", Help: "ip address"},
		{Name: "port", Alias: "po", Help: "bound transport port", Extra: true},
		{Name: "node", Alias: "n", Help: "node name"},
		{Name: "version", Alias: "v", Help: "es version", Extra: true},
		{Name: "x_opaque_id", Alias: "x", Help: "X-Opaque-ID header", Extra: true},
	}
	// taskDescription is a column only of ?detailed.
	taskDescription = table.Column{Name: "description", Alias: "desc", Help: "task action"}
)

func (s *Server) catHealth(*rest.Request) (table.Filler, error) {
	return func(_ context.Context, t *table.Table) error {
		h := s.healthOfAll(s.Catalog.State())
		now := s.Clock.Now().UTC()
		t.Add(now.Unix(), now.Format(time.TimeOnly), s.clusterName(), h.status(), 1, 1, "true", h.primaries, h.primaries, 0, 0, h.unassigned, 0, "-",
			fmt.Sprintf("%.1f%%", h.percent()))
		return nil
	}, nil
}

// catCount counts what a search of the indices would find.
func (s *Server) catCount(r *rest.Request) (table.Filler, error) {
	req, err := readCount(r, searchOptions)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, t *table.Table) error {
		n, _, err := s.countMatches(ctx, req)
		now := s.Clock.Now().UTC()
		t.Add(now.Unix(), now.Format(time.TimeOnly), n)
		return err
	}, nil
}

func (s *Server) catAliases(r *rest.Request) (table.Filler, error) {
	names := r.List("alias")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true})
	r.IgnoreBools("local")
	return func(_ context.Context, t *table.Table) error {
		indices, err := s.Catalog.State().Resolve(nil, o, s.Clock.Now())
		if err != nil {
			return err
		}
		behind := map[string][]*catalog.Index{}
		for _, i := range indices {
			for name := range i.Aliases {
				if asked(names, name) {
					behind[name] = append(behind[name], i)
				}
			}
		}
		for _, name := range sorted(behind) {
			for _, i := range behind[name] {
				t.Add(aliasRow(name, i)...)
			}
		}
		return nil
	}, nil
}

func aliasRow(name string, i *catalog.Index) []any {
	a, filter, write := i.Aliases[name], "-", "-"
	if a.Filter != nil {
		filter = "*"
	}
	if a.IsWrite != nil {
		write = strconv.FormatBool(*a.IsWrite)
	}
	return []any{name, i.Name, filter, cmp.Or(a.IndexRouting, "-"), cmp.Or(a.SearchRouting, "-"), write}
}

func (s *Server) catTemplates(r *rest.Request) (table.Filler, error) {
	pattern := r.Path("name")
	wants := func(name string) bool { return pattern == "" || wire.Match(pattern, name) }
	version := func(n *int64) any {
		if n == nil {
			return nil
		}
		return *n
	}
	list := func(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
	return fill(r, func(t *table.Table) {
		state := s.Catalog.State()
		for _, name := range sorted(state.LegacyTemplates) {
			if x := state.LegacyTemplates[name]; wants(name) {
				t.Add(name, list(x.Patterns), x.Order, version(x.Version), "")
			}
		}
		for _, name := range sorted(state.IndexTemplates) {
			x := state.IndexTemplates[name]
			if !wants(name) {
				continue
			}
			priority := int64(0)
			if x.Priority != nil {
				priority = *x.Priority
			}
			t.Add(name, list(x.Patterns), priority, version(x.Version), list(x.ComposedOf))
		}
	})
}

func (s *Server) catTasks(r *rest.Request) (table.Filler, error) {
	actions, nodes := r.List("actions"), append(r.List("nodes"), r.List("node_id")...)
	if r.Has("parent_task_id") {
		return nil, fault.Unsupported("parent tasks")
	}
	detailed := r.Bool("detailed", false)
	return func(ctx context.Context, t *table.Table) error {
		if detailed {
			t.Columns = append(slices.Clip(t.Columns), taskDescription)
		}
		for _, one := range s.listed(ctx, r, actions, nodes) {
			running := time.Since(one.Started)
			t.Add(one.Number, one.Action, one.ID(), "-", "transport", one.Started.UnixMilli(), one.Started.UTC().Format(time.TimeOnly), running.Nanoseconds(),
				table.Duration(running), query.NodeID, s.host(), transportPort, s.nodeName(), s.Version, one.OpaqueID, one.Description)
		}
		return nil
	}, nil
}
