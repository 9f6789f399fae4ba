// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/table"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

var (
	indexColumns = []table.Column{
		{Name: "health", Alias: "h", Help: "current health status"},
		{Name: "status", Alias: "s", Help: "open/close status"},
		{Name: "index", Alias: "i,idx", Help: "index name"},
		{Name: "uuid", Alias: "id,uuid", Help: "index uuid"},
		{Name: "pri", Alias: "p,shards.primary,shardsPrimary", Help: "number of primary shards", Right: true},
		{Name: "rep", Alias: "r,shards.replica,shardsReplica", Help: "number of replica shards", Right: true},
		{Name: "docs.count", Alias: "dc,docsCount", Help: "available docs", Right: true},
		{Name: "docs.deleted", Alias: "dd,docsDeleted", Help: "deleted docs", Right: true},
		{Name: "creation.date", Alias: "cd", Help: "index creation date (millisecond value)", Extra: true},
		{Name: "creation.date.string", Alias: "cds", Help: "index creation date (as string)", Extra: true},
		{Name: "store.size", Alias: "ss,storeSize", Help: "store size of primaries & replicas", Right: true},
		{Name: "pri.store.size", Help: "store size of primaries", Right: true},
		{Name: "flush.total", Alias: "ft,flushTotal", Help: "number of flushes", Right: true, Extra: true},
		{Name: "pri.flush.total", Help: "number of flushes", Right: true, Extra: true},
		{Name: "get.total", Alias: "gto,getTotal", Help: "number of get ops", Right: true, Extra: true},
		{Name: "pri.get.total", Help: "number of get ops", Right: true, Extra: true},
		{Name: "indexing.delete_total", Alias: "idto,indexingDeleteTotal", Help: "number of delete ops", Right: true, Extra: true},
		{Name: "pri.indexing.delete_total", Help: "number of delete ops", Right: true, Extra: true},
		{Name: "indexing.index_total", Alias: "iito,indexingIndexTotal", Help: "number of indexing ops", Right: true, Extra: true},
		{Name: "pri.indexing.index_total", Help: "number of indexing ops", Right: true, Extra: true},
		{Name: "merges.total", Alias: "mt,mergesTotal", Help: "number of completed merge ops", Right: true, Extra: true},
		{Name: "pri.merges.total", Help: "number of completed merge ops", Right: true, Extra: true},
		{Name: "refresh.total", Alias: "rto,refreshTotal", Help: "total refreshes", Right: true, Extra: true},
		{Name: "pri.refresh.total", Help: "total refreshes", Right: true, Extra: true},
		{Name: "segments.count", Alias: "sc,segmentsCount", Help: "number of segments", Right: true, Extra: true},
		{Name: "pri.segments.count", Help: "number of segments", Right: true, Extra: true},
	}
	shardColumns = []table.Column{
		{Name: "index", Alias: "i,idx", Help: "index name"},
		{Name: "shard", Alias: "s,sh", Help: "shard name"},
		{Name: "prirep", Alias: "p,pr,primaryOrReplica", Help: "primary or replica"},
		{Name: "state", Alias: "st", Help: "shard state"},
		{Name: "docs", Alias: "d,dc", Help: "number of docs in shard", Right: true},
		{Name: "store", Alias: "sto", Help: "store size of shard (how much disk it uses)", Right: true},
		{Name: "ip", Help: "ip of node where it lives"},
		{Name: "id", Help: "unique id of node where it lives", Extra: true},
		{Name: "node", Alias: "n", Help: "name of node where it lives"},
		{Name: "unassigned.reason", Alias: "ur", Help: "reason shard is unassigned", Extra: true},
		{Name: "unassigned.at", Alias: "ua", Help: "time shard became unassigned (UTC)", Extra: true},
		{Name: "unassigned.for", Alias: "uf", Help: "time has been unassigned", Right: true, Extra: true},
		{Name: "recoverysource.type", Alias: "rs", Help: "recovery source type", Extra: true},
		{Name: "flush.total", Alias: "ft,flushTotal", Help: "number of flushes", Right: true, Extra: true},
		{Name: "get.total", Alias: "gto,getTotal", Help: "number of get ops", Right: true, Extra: true},
		{Name: "indexing.delete_total", Alias: "idto,indexingDeleteTotal", Help: "number of delete ops", Right: true, Extra: true},
		{Name: "indexing.index_total", Alias: "iito,indexingIndexTotal", Help: "number of indexing ops", Right: true, Extra: true},
		{Name: "merges.total", Alias: "mt,mergesTotal", Help: "number of completed merge ops", Right: true, Extra: true},
		{Name: "refresh.total", Alias: "rto,refreshTotal", Help: "total refreshes", Right: true, Extra: true},
		{Name: "segments.count", Alias: "sc,segmentsCount", Help: "number of segments", Right: true, Extra: true},
		{Name: "seq_no.max", Alias: "sqm,maxSeqNo", Help: "max sequence number", Right: true, Extra: true},
		{Name: "seq_no.local_checkpoint", Alias: "sql,localCheckpoint", Help: "local checkpoint", Right: true, Extra: true},
		{Name: "seq_no.global_checkpoint", Alias: "sqg,globalCheckpoint", Help: "global checkpoint", Right: true, Extra: true},
		{Name: "path.data", Alias: "pd,dataPath", Help: "shard data path", Right: true, Extra: true},
		{Name: "path.state", Alias: "ps,statsPath", Help: "shard state path", Right: true, Extra: true},
		{Name: "docs.deleted", Alias: "dd,docsDeleted", Help: "number of deleted docs in shard", Right: true, Extra: true},
	}
	segmentColumns = []table.Column{
		{Name: "index", Alias: "i,idx", Help: "index name"},
		{Name: "shard", Alias: "s,sh", Help: "shard name"},
		{Name: "prirep", Alias: "p,pr,primaryOrReplica", Help: "primary or replica"},
		{Name: "ip", Help: "ip of node where it lives"},
		{Name: "id", Help: "unique id of node where it lives", Extra: true},
		{Name: "segment", Alias: "seg", Help: "segment name"},
		{Name: "generation", Alias: "g,gen", Help: "segment generation", Right: true},
		{Name: "docs.count", Alias: "dc,docsCount", Help: "number of docs in segment", Right: true},
		{Name: "docs.deleted", Alias: "dd,docsDeleted", Help: "number of deleted docs in segment", Right: true},
		{Name: "size", Alias: "si", Help: "segment size in bytes", Right: true},
		{Name: "size.memory", Alias: "sm,sizeMemory", Help: "segment memory in bytes", Right: true},
		{Name: "committed", Alias: "ic,isCommitted", Help: "is segment committed"},
		{Name: "searchable", Alias: "is,isSearchable", Help: "is segment searched"},
		{Name: "version", Alias: "v,ver", Help: "version"},
		{Name: "compound", Alias: "ico,isCompound", Help: "is segment compound"},
	}
	recoveryColumns = []table.Column{
		{Name: "index", Alias: "i,idx", Help: "index name"},
		{Name: "shard", Alias: "s,sh", Help: "shard name"},
		{Name: "start_time", Alias: "start", Help: "recovery start time", Extra: true},
		{Name: "start_time_millis", Alias: "start_millis", Help: "recovery start time in epoch milliseconds", Extra: true},
		{Name: "stop_time", Alias: "stop", Help: "recovery stop time", Extra: true},
		{Name: "stop_time_millis", Alias: "stop_millis", Help: "recovery stop time in epoch milliseconds", Extra: true},
		{Name: "time", Alias: "t,ti", Help: "recovery time"},
		{Name: "type", Alias: "ty", Help: "recovery type"},
		{Name: "stage", Alias: "st", Help: "recovery stage"},
		{Name: "source_host", Alias: "shost", Help: "source host"},
		{Name: "source_node", Alias: "snode", Help: "source node name"},
		{Name: "target_host", Alias: "thost", Help: "target host"},
		{Name: "target_node", Alias: "tnode", Help: "target node name"},
		{Name: "repository", Alias: "rep", Help: "repository"},
		{Name: "snapshot", Alias: "snap", Help: "snapshot"},
		{Name: "files", Alias: "f", Help: "number of files to recover"},
		{Name: "files_recovered", Alias: "fr", Help: "files recovered"},
		{Name: "files_percent", Alias: "fp", Help: "percent of files recovered"},
		{Name: "files_total", Alias: "tf", Help: "total number of files"},
		{Name: "bytes", Alias: "b", Help: "number of bytes to recover"},
		{Name: "bytes_recovered", Alias: "br", Help: "bytes recovered"},
		{Name: "bytes_percent", Alias: "bp", Help: "percent of bytes recovered"},
		{Name: "bytes_total", Alias: "tb", Help: "total number of bytes"},
		{Name: "translog_ops", Alias: "to", Help: "number of translog ops to recover"},
		{Name: "translog_ops_recovered", Alias: "tor", Help: "translog ops recovered"},
		{Name: "translog_ops_percent", Alias: "top", Help: "percent of translog ops recovered"},
	}
)

// resolvedRows fills a table about the indices that expressions mean.
func (s *Server) resolvedRows(expressions []string, o wire.IndexOptions, fn func(t *table.Table, list []*catalog.Index) error) func(*table.Table) error {
	return func(t *table.Table) error {
		list, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return err
		}
		return fn(t, list)
	}
}

func (s *Server) catIndices(r *rest.Request) (table.Filler, error) {
	wanted := strings.ToLower(r.Param("health", ""))
	if wanted != "" && wanted != "green" && wanted != "yellow" && wanted != "red" {
		return nil, fault.Illegal("unknown cluster health status [%s]", r.Param("health", ""))
	}
	r.IgnoreBools("pri", "include_unloaded_segments")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true})
	return fillOrFail(r, s.resolvedRows(r.List("index"), o, func(t *table.Table, list []*catalog.Index) error {
		figures, err := s.indexTotals(openIndices(list))
		if err != nil {
			return err
		}
		open := map[string]totals{}
		for _, f := range figures {
			open[f.index.UUID] = f.totals()
		}
		for _, i := range list {
			health := healthOf([]*catalog.Index{i}).status()
			if wanted != "" && wanted != health {
				continue
			}
			st, counted := open[i.UUID]
			t.Add(indexRow(i, health, st, counted)...)
		}
		return nil
	}))
}

// indexRow is an index; one that is closed, or was deleted meanwhile, has no numbers.
func indexRow(i *catalog.Index, health string, st totals, counted bool) []any {
	status := "open"
	if i.Closed {
		status = "close"
	}
	row := []any{health, status, i.Name, i.UUID, i.Shards(), i.Replicas(), nil, nil, i.Created().UnixMilli(), instant(i.Created())}
	if counted {
		row[6], row[7] = st.Docs, st.Deleted
	}
	for _, n := range append(append([]any{table.Bytes(st.Size)}, workCells(st.Work)...), st.Segments) {
		if !counted {
			n = nil
		}
		row = append(row, n, n) // there are no copies beside the primaries
	}
	return row
}

// workCells are the columns from flush.total to refresh.total.
func workCells(w shard.Work) []any {
	return []any{
		w.Done[shard.Flushing].Count, w.Gets().Count, w.Done[shard.Deleting].Count, w.Done[shard.Indexing].Count,
		w.Done[shard.Merging].Count, w.Done[shard.Refreshing].Count,
	}
}

// catShards shows numbers of those indices that statistics are of; all others appear where no index is named.
func (s *Server) catShards(r *rest.Request) (table.Filler, error) {
	expressions := r.List("index")
	return fillOrFail(r, s.resolvedRows(expressions, statsOptions, func(t *table.Table, list []*catalog.Index) error {
		figures, err := s.indexTotals(list)
		if err != nil {
			return err
		}
		counted := map[string]indexFigures{}
		for _, f := range figures {
			counted[f.index.UUID] = f
		}
		if len(expressions) == 0 {
			list = s.Catalog.State().SortedIndices()
		}
		for _, i := range list {
			s.addShards(t, i, counted[i.UUID].shards)
		}
		return nil
	}))
}

// addShards adds the copies of an index's shards. figures are those of the primaries, or nil.
func (s *Server) addShards(t *table.Table, i *catalog.Index, figures []shard.Stats) {
	reason := unassignedReason(i)
	for n := range i.Shards() {
		row := []any{i.Name, n, "p", "STARTED", nil, nil, s.host(), query.NodeID, s.nodeName(), nil, nil, nil, nil}
		if n < len(figures) {
			st := figures[n]
			row[4], row[5] = st.Docs, table.Bytes(st.Size)
			row = append(row, workCells(st.Work)...)
			row = append(row, st.Segments, st.MaxSeqNo, st.MaxSeqNo, st.MaxSeqNo, s.Dir, s.Dir, st.Deleted)
		}
		t.Add(row...)
		for range i.Replicas() {
			t.Add(i.Name, n, "r", "UNASSIGNED", nil, nil, nil, nil, nil, reason, instant(i.Created()),
				table.Duration(s.Clock.Now().Sub(i.Created())), "peer")
		}
	}
}

func (s *Server) catSegments(r *rest.Request) (table.Filler, error) {
	return fillOrFail(r, s.resolvedRows(r.List("index"), statsOptions, func(t *table.Table, list []*catalog.Index) error {
		return s.each(list, func(i *catalog.Index) error {
			shards, err := s.Docs.Segments(i)
			if err != nil {
				return err
			}
			for n, segments := range shards {
				for _, g := range segments {
					t.Add(i.Name, n, "p", s.host(), query.NodeID, g.Name, g.Generation, g.Docs, g.Deleted, table.Bytes(g.Size), 0, "true", "true", luceneVersion, "false")
				}
			}
			return nil
		})
	}))
}

// catRecovery shows how each primary came to its node; both ways there are take no time and copy nothing.
func (s *Server) catRecovery(r *rest.Request) (table.Filler, error) {
	active := r.Bool("active_only", false)
	r.IgnoreBools("detailed")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true})
	rows := s.resolvedRows(r.List("index"), o, func(t *table.Table, list []*catalog.Index) error {
		for _, i := range list {
			for n := range i.Shards() {
				if !active {
					s.addRecovery(t, i, n)
				}
			}
		}
		return nil
	})
	return func(_ context.Context, t *table.Table) error { return rows(t) }, nil
}

func (s *Server) addRecovery(t *table.Table, i *catalog.Index, n int) {
	source, percent := s.recoverySource(i)
	at := i.Created()
	repository, name := "n/a", "n/a"
	if from := s.Snapshots.Origin(i.UUID); from != nil && source == "snapshot" {
		repository, name = from.Repository, from.Snapshot
	}
	t.Add(i.Name, n, instant(at), at.UnixMilli(), instant(at), at.UnixMilli(), table.Duration(0), source, "done", "n/a", "n/a",
		s.host(), s.nodeName(), repository, name, 0, 0, percent, 0, table.Bytes(0), table.Bytes(0), percent, table.Bytes(0), 0, 0, "100.0%")
}
