// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// catAPI is one cat API: read takes its own parameters and returns what fills the table.
type catAPI struct {
	// paths are its routes; GET /_cat leaves those in unlisted out.
	paths, unlisted []string
	columns         []column
	read            func(r *rest.Request) (filler, error)
}

func (s *Server) catRoutes(rt *rest.Router) {
	listing := "=^.^=\n"
	for _, api := range s.catAPIs() {
		for _, path := range api.paths {
			rt.Handle("GET", path, api.handle)
			listing += path + "\n"
		}
		for _, path := range api.unlisted {
			rt.Handle("GET", path, api.handle)
		}
	}
	rt.Handle("GET", "/_cat", func(*rest.Request) (rest.Action, error) { return rest.Now(plain(listing)), nil })
}

func (c catAPI) handle(r *rest.Request) (rest.Action, error) {
	v, err := readCatView(r)
	if err != nil {
		return nil, err
	}
	fill, err := c.read(r)
	if err != nil {
		return nil, err
	}
	t := &table{columns: c.columns}
	if v.help {
		return rest.Now(plain(t.helpText())), nil
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := fill(ctx, t); err != nil {
			return nil, err
		}
		return v.answer(t)
	}, nil
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

// filler fills a table when the action runs.
type filler = func(ctx context.Context, t *table) error

// fill is a filler of what cannot fail; the request may tell where to look.
func fill(r *rest.Request, fn func(t *table)) (filler, error) {
	return fillOrFail(r, func(t *table) error { fn(t); return nil })
}

// fillOrFail is fill for what may fail.
func fillOrFail(r *rest.Request, fn func(t *table) error) (filler, error) {
	r.ManagerTimeout()
	r.IgnoreBools("local")
	return func(_ context.Context, t *table) error { return fn(t) }, nil
}

// catPending and catFielddata are tables of things that this engine never has.
func (s *Server) catPending(r *rest.Request) (filler, error) {
	return fill(r, func(*table) {})
}

func (s *Server) catFielddata(r *rest.Request) (filler, error) {
	r.Ignore("fields")
	return func(context.Context, *table) error { return nil }, nil
}

var (
	pendingColumns = []column{
		{name: "insertOrder", alias: "o", help: "task insertion order", right: true},
		{name: "timeInQueue", alias: "t", help: "how long task has been in queue", right: true},
		{name: "priority", alias: "p", help: "task priority"},
		{name: "source", alias: "s", help: "task source"},
	}
	fielddataColumns = []column{
		{name: "id", help: "node id"},
		{name: "host", alias: "h", help: "host name"},
		{name: "ip", help: "ip address"},
		{name: "node", alias: "n", help: "node name"},
		{name: "field", alias: "f", help: "field name"},
		{name: "size", alias: "s", help: "field data usage", right: true},
	}
	healthColumns = []column{
		{name: "epoch", alias: "t,time", help: "seconds since 1970-01-01 00:00:00"},
		{name: "timestamp", alias: "ts,hms,hhmmss", help: "time in HH:MM:SS"},
		{name: "cluster", alias: "cl", help: "cluster name"},
		{name: "status", alias: "st", help: "health status"},
		{name: "node.total", alias: "nt,nodeTotal", help: "total number of nodes", right: true},
		{name: "node.data", alias: "nd,nodeData", help: "number of nodes that can store data", right: true},
		{name: "discovered_cluster_manager", alias: "dcm,dm,discovered_master", help: "cluster manager is discovered or not", right: true},
		{name: "shards", alias: "t,sh,shards.total,shardsTotal", help: "total number of shards", right: true},
		{name: "pri", alias: "p,shards.primary,shardsPrimary", help: "number of primary shards", right: true},
		{name: "relo", alias: "r,shards.relocating,shardsRelocating", help: "number of relocating nodes", right: true},
		{name: "init", alias: "i,shards.initializing,shardsInitializing", help: "number of initializing nodes", right: true},
		{name: "unassign", alias: "u,shards.unassigned,shardsUnassigned", help: "number of unassigned shards", right: true},
		{name: "pending_tasks", alias: "pt,pendingTasks", help: "number of pending tasks", right: true},
		{name: "max_task_wait_time", alias: "mtwt,maxTaskWaitTime", help: "wait time of longest task pending", right: true},
		{name: "active_shards_percent", alias: "asp,activeShardsPercent", help: "active number of shards in percent", right: true},
	}
	countColumns = []column{
		{name: "epoch", alias: "t,time", help: "seconds since 1970-01-01 00:00:00"},
		{name: "timestamp", alias: "ts,hms,hhmmss", help: "time in HH:MM:SS"},
		{name: "count", alias: "dc,docs.count,docsCount", help: "the document count"},
	}
	aliasColumns = []column{
		{name: "alias", alias: "a", help: "alias name"},
		{name: "index", alias: "i,idx", help: "index alias points to"},
		{name: "filter", alias: "f,fi", help: "filter"},
		{name: "routing.index", alias: "ri,routingIndex", help: "index routing"},
		{name: "routing.search", alias: "rs,routingSearch", help: "search routing"},
		{name: "is_write_index", alias: "w,isWriteIndex", help: "write index"},
	}
	templateColumns = []column{
		{name: "name", alias: "n", help: "template name"},
		{name: "index_patterns", alias: "t", help: "template index patterns"},
		{name: "order", alias: "o,p", help: "template application order/priority number"},
		{name: "version", alias: "v", help: "version"},
		{name: "composed_of", alias: "c", help: "component templates comprising index template"},
	}
	taskColumns = []column{
		{name: "id", help: "id of the task with the node", extra: true},
		{name: "action", alias: "ac", help: "task action"},
		{name: "task_id", alias: "ti", help: "unique task id"},
		{name: "parent_task_id", alias: "pti", help: "parent task id"},
		{name: "type", alias: "ty", help: "task type"},
		{name: "start_time", alias: "start", help: "start time in ms"},
		{name: "timestamp", alias: "ts,hms,hhmmss", help: "start time in HH:MM:SS"},
		{name: "running_time_ns", alias: "time", help: "running time ns", extra: true},
		{name: "running_time", alias: "time", help: "running time"},
		{name: "node_id", alias: "ni", help: "unique node id", extra: true},
		{name: "ip", alias: "i", help: "ip address"},
		{name: "port", alias: "po", help: "bound transport port", extra: true},
		{name: "node", alias: "n", help: "node name"},
		{name: "version", alias: "v", help: "es version", extra: true},
		{name: "x_opaque_id", alias: "x", help: "X-Opaque-ID header", extra: true},
	}
	// taskDescription is a column only of ?detailed.
	taskDescription = column{name: "description", alias: "desc", help: "task action"}
)

func (s *Server) catHealth(*rest.Request) (filler, error) {
	return func(_ context.Context, t *table) error {
		h := healthOf(s.Catalog.State().SortedIndices())
		now := s.Clock.Now().UTC()
		t.add(now.Unix(), now.Format(time.TimeOnly), s.clusterName(), h.status(), 1, 1, "true", h.primaries, h.primaries, 0, 0, h.unassigned, 0, "-",
			fmt.Sprintf("%.1f%%", h.percent()))
		return nil
	}, nil
}

// catCount counts what a search of the indices would find.
func (s *Server) catCount(r *rest.Request) (filler, error) {
	req, err := readCount(r, searchOptions)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, t *table) error {
		n, _, err := s.countMatches(ctx, req)
		now := s.Clock.Now().UTC()
		t.add(now.Unix(), now.Format(time.TimeOnly), n)
		return err
	}, nil
}

func (s *Server) catAliases(r *rest.Request) (filler, error) {
	names := r.List("alias")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true})
	r.IgnoreBools("local")
	return func(_ context.Context, t *table) error {
		indices, err := s.Catalog.State().Resolve(nil, o, s.Clock.Now())
		if err != nil {
			return err
		}
		for _, i := range indices {
			for _, name := range aliasNames(i) {
				if asked(names, name) {
					t.addAlias(name, i)
				}
			}
		}
		slices.SortStableFunc(t.rows, func(a, b []any) int { return compareCells(a[0], b[0]) })
		return nil
	}, nil
}

func (t *table) addAlias(name string, i *catalog.Index) {
	a := i.Aliases[name]
	text := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	filter, write := "-", "-"
	if a.Filter != nil {
		filter = "*"
	}
	if a.IsWrite != nil {
		write = strconv.FormatBool(*a.IsWrite)
	}
	t.add(name, i.Name, filter, text(a.IndexRouting), text(a.SearchRouting), write)
}

func (s *Server) catTemplates(r *rest.Request) (filler, error) {
	pattern := r.Path("name")
	wants := func(name string) bool { return pattern == "" || wire.Match(pattern, name) }
	version := func(n *int64) any {
		if n == nil {
			return nil
		}
		return *n
	}
	list := func(names []string) string { return "[" + strings.Join(names, ", ") + "]" }
	return fill(r, func(t *table) {
		state := s.Catalog.State()
		for _, name := range sorted(state.LegacyTemplates) {
			if x := state.LegacyTemplates[name]; wants(name) {
				t.add(name, list(x.Patterns), x.Order, version(x.Version), "")
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
			t.add(name, list(x.Patterns), priority, version(x.Version), list(x.ComposedOf))
		}
	})
}

func (s *Server) catTasks(r *rest.Request) (filler, error) {
	actions, nodes := r.List("actions"), append(r.List("nodes"), r.List("node_id")...)
	if r.Has("parent_task_id") {
		return nil, fault.Unsupported("parent tasks")
	}
	detailed := r.Bool("detailed", false)
	return func(ctx context.Context, t *table) error {
		if detailed {
			t.columns = append(slices.Clip(t.columns), taskDescription)
		}
		for _, one := range s.listed(ctx, r, actions, nodes) {
			running := time.Since(one.started)
			t.add(one.id, one.action, one.ID(), "-", "transport", one.started.UnixMilli(), one.started.UTC().Format(time.TimeOnly), running.Nanoseconds(),
				timeCell(running), query.NodeID, s.host(), transportPort, s.nodeName(), s.Version, one.opaqueID, one.description)
		}
		return nil
	}, nil
}
