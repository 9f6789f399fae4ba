// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

var (
	indexColumns = []column{
		{name: "health", alias: "h", help: "current health status"},
		{name: "status", alias: "s", help: "open/close status"},
		{name: "index", alias: "i,idx", help: "index name"},
		{name: "uuid", alias: "id,uuid", help: "index uuid"},
		{name: "pri", alias: "p,shards.primary,shardsPrimary", help: "number of primary shards", right: true},
		{name: "rep", alias: "r,shards.replica,shardsReplica", help: "number of replica shards", right: true},
		{name: "docs.count", alias: "dc,docsCount", help: "available docs", right: true},
		{name: "docs.deleted", alias: "dd,docsDeleted", help: "deleted docs", right: true},
		{name: "creation.date", alias: "cd", help: "index creation date (millisecond value)", extra: true},
		{name: "creation.date.string", alias: "cds", help: "index creation date (as string)", extra: true},
		{name: "store.size", alias: "ss,storeSize", help: "store size of primaries & replicas", right: true},
		{name: "pri.store.size", help: "store size of primaries", right: true},
		{name: "flush.total", alias: "ft,flushTotal", help: "number of flushes", right: true, extra: true},
		{name: "pri.flush.total", help: "number of flushes", right: true, extra: true},
		{name: "get.total", alias: "gto,getTotal", help: "number of get ops", right: true, extra: true},
		{name: "pri.get.total", help: "number of get ops", right: true, extra: true},
		{name: "indexing.delete_total", alias: "idto,indexingDeleteTotal", help: "number of delete ops", right: true, extra: true},
		{name: "pri.indexing.delete_total", help: "number of delete ops", right: true, extra: true},
		{name: "indexing.index_total", alias: "iito,indexingIndexTotal", help: "number of indexing ops", right: true, extra: true},
		{name: "pri.indexing.index_total", help: "number of indexing ops", right: true, extra: true},
		{name: "merges.total", alias: "mt,mergesTotal", help: "number of completed merge ops", right: true, extra: true},
		{name: "pri.merges.total", help: "number of completed merge ops", right: true, extra: true},
		{name: "refresh.total", alias: "rto,refreshTotal", help: "total refreshes", right: true, extra: true},
		{name: "pri.refresh.total", help: "total refreshes", right: true, extra: true},
		{name: "segments.count", alias: "sc,segmentsCount", help: "number of segments", right: true, extra: true},
		{name: "pri.segments.count", help: "number of segments", right: true, extra: true},
	}
	shardColumns = []column{
		{name: "index", alias: "i,idx", help: "index name"},
		{name: "shard", alias: "s,sh", help: "shard name"},
		{name: "prirep", alias: "p,pr,primaryOrReplica", help: "primary or replica"},
		{name: "state", alias: "st", help: "shard state"},
		{name: "docs", alias: "d,dc", help: "number of docs in shard", right: true},
		{name: "store", alias: "sto", help: "store size of shard (how much disk it uses)", right: true},
		{name: "ip", help: "ip of node where it lives"},
		{name: "id", help: "unique id of node where it lives", extra: true},
		{name: "node", alias: "n", help: "name of node where it lives"},
		{name: "unassigned.reason", alias: "ur", help: "reason shard is unassigned", extra: true},
		{name: "unassigned.at", alias: "ua", help: "time shard became unassigned (UTC)", extra: true},
		{name: "unassigned.for", alias: "uf", help: "time has been unassigned", right: true, extra: true},
		{name: "recoverysource.type", alias: "rs", help: "recovery source type", extra: true},
		{name: "flush.total", alias: "ft,flushTotal", help: "number of flushes", right: true, extra: true},
		{name: "get.total", alias: "gto,getTotal", help: "number of get ops", right: true, extra: true},
		{name: "indexing.delete_total", alias: "idto,indexingDeleteTotal", help: "number of delete ops", right: true, extra: true},
		{name: "indexing.index_total", alias: "iito,indexingIndexTotal", help: "number of indexing ops", right: true, extra: true},
		{name: "merges.total", alias: "mt,mergesTotal", help: "number of completed merge ops", right: true, extra: true},
		{name: "refresh.total", alias: "rto,refreshTotal", help: "total refreshes", right: true, extra: true},
		{name: "segments.count", alias: "sc,segmentsCount", help: "number of segments", right: true, extra: true},
		{name: "seq_no.max", alias: "sqm,maxSeqNo", help: "max sequence number", right: true, extra: true},
		{name: "seq_no.local_checkpoint", alias: "sql,localCheckpoint", help: "local checkpoint", right: true, extra: true},
		{name: "seq_no.global_checkpoint", alias: "sqg,globalCheckpoint", help: "global checkpoint", right: true, extra: true},
		{name: "path.data", alias: "pd,dataPath", help: "shard data path", right: true, extra: true},
		{name: "path.state", alias: "ps,statsPath", help: "shard state path", right: true, extra: true},
		{name: "docs.deleted", alias: "dd,docsDeleted", help: "number of deleted docs in shard", right: true, extra: true},
	}
	segmentColumns = []column{
		{name: "index", alias: "i,idx", help: "index name"},
		{name: "shard", alias: "s,sh", help: "shard name"},
		{name: "prirep", alias: "p,pr,primaryOrReplica", help: "primary or replica"},
		{name: "ip", help: "ip of node where it lives"},
		{name: "id", help: "unique id of node where it lives", extra: true},
		{name: "segment", alias: "seg", help: "segment name"},
		{name: "generation", alias: "g,gen", help: "segment generation", right: true},
		{name: "docs.count", alias: "dc,docsCount", help: "number of docs in segment", right: true},
		{name: "docs.deleted", alias: "dd,docsDeleted", help: "number of deleted docs in segment", right: true},
		{name: "size", alias: "si", help: "segment size in bytes", right: true},
		{name: "size.memory", alias: "sm,sizeMemory", help: "segment memory in bytes", right: true},
		{name: "committed", alias: "ic,isCommitted", help: "is segment committed"},
		{name: "searchable", alias: "is,isSearchable", help: "is segment searched"},
		{name: "version", alias: "v,ver", help: "version"},
		{name: "compound", alias: "ico,isCompound", help: "is segment compound"},
	}
	recoveryColumns = []column{
		{name: "index", alias: "i,idx", help: "index name"},
		{name: "shard", alias: "s,sh", help: "shard name"},
		{name: "start_time", alias: "start", help: "recovery start time", extra: true},
		{name: "start_time_millis", alias: "start_millis", help: "recovery start time in epoch milliseconds", extra: true},
		{name: "stop_time", alias: "stop", help: "recovery stop time", extra: true},
		{name: "stop_time_millis", alias: "stop_millis", help: "recovery stop time in epoch milliseconds", extra: true},
		{name: "time", alias: "t,ti", help: "recovery time"},
		{name: "type", alias: "ty", help: "recovery type"},
		{name: "stage", alias: "st", help: "recovery stage"},
		{name: "source_host", alias: "shost", help: "source host"},
		{name: "source_node", alias: "snode", help: "source node name"},
		{name: "target_host", alias: "thost", help: "target host"},
		{name: "target_node", alias: "tnode", help: "target node name"},
		{name: "repository", alias: "rep", help: "repository"},
		{name: "snapshot", alias: "snap", help: "snapshot"},
		{name: "files", alias: "f", help: "number of files to recover"},
		{name: "files_recovered", alias: "fr", help: "files recovered"},
		{name: "files_percent", alias: "fp", help: "percent of files recovered"},
		{name: "files_total", alias: "tf", help: "total number of files"},
		{name: "bytes", alias: "b", help: "number of bytes to recover"},
		{name: "bytes_recovered", alias: "br", help: "bytes recovered"},
		{name: "bytes_percent", alias: "bp", help: "percent of bytes recovered"},
		{name: "bytes_total", alias: "tb", help: "total number of bytes"},
		{name: "translog_ops", alias: "to", help: "number of translog ops to recover"},
		{name: "translog_ops_recovered", alias: "tor", help: "translog ops recovered"},
		{name: "translog_ops_percent", alias: "top", help: "percent of translog ops recovered"},
	}
)

// resolvedRows fills a table about the indices that expressions mean.
func (s *Server) resolvedRows(expressions []string, o wire.IndexOptions, fn func(t *table, list []*catalog.Index) error) func(*table) error {
	return func(t *table) error {
		list, err := s.Catalog.State().Resolve(expressions, o, s.Clock.Now())
		if err != nil {
			return err
		}
		return fn(t, list)
	}
}

func (s *Server) catIndices(r *rest.Request) (filler, error) {
	wanted := strings.ToLower(r.Param("health", ""))
	if wanted != "" && wanted != "green" && wanted != "yellow" && wanted != "red" {
		return nil, fault.Illegal("unknown cluster health status [%s]", r.Param("health", ""))
	}
	r.IgnoreBools("pri", "include_unloaded_segments")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true})
	return fillOrFail(r, s.resolvedRows(r.List("index"), o, func(t *table, list []*catalog.Index) error {
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
			t.addIndex(i, health, st, counted)
		}
		return nil
	}))
}

// addIndex adds an index; one that is closed, or was deleted meanwhile, has no numbers.
func (t *table) addIndex(i *catalog.Index, health string, st totals, counted bool) {
	status := "open"
	if i.Closed {
		status = "close"
	}
	row := []any{health, status, i.Name, i.UUID, i.Shards(), i.Replicas(), nil, nil, i.Created().UnixMilli(), instant(i.Created())}
	if counted {
		row[6], row[7] = st.Docs, st.Deleted
	}
	for _, n := range []any{byteCell(st.Size), st.Flushes, st.Gets, st.DeletedOps, st.Indexed, st.Merges, st.Refreshes, st.Segments} {
		if !counted {
			n = nil
		}
		row = append(row, n, n) // there are no copies beside the primaries
	}
	t.rows = append(t.rows, row)
}

// catShards shows numbers of those indices that statistics are of; all others appear where no index is named.
func (s *Server) catShards(r *rest.Request) (filler, error) {
	expressions := r.List("index")
	return fillOrFail(r, s.resolvedRows(expressions, statsOptions, func(t *table, list []*catalog.Index) error {
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
func (s *Server) addShards(t *table, i *catalog.Index, figures []shard.Stats) {
	blank := func(row []any) []any { return append(row, make([]any, len(shardColumns)-len(row))...) }
	reason := unassignedReason(i)
	for n := range i.Shards() {
		row := []any{i.Name, n, "p", "STARTED", nil, nil, s.host(), query.NodeID, s.nodeName(), nil, nil, nil, nil}
		if n < len(figures) {
			st := figures[n]
			row[4], row[5] = st.Docs, byteCell(st.Size)
			row = append(row, st.Flushes, st.Gets, st.DeletedOps, st.Indexed, st.Merges, st.Refreshes, st.Segments, st.MaxSeqNo, st.MaxSeqNo, st.MaxSeqNo,
				s.Dir, s.Dir, st.Deleted)
		}
		t.rows = append(t.rows, blank(row))
		for range i.Replicas() {
			t.rows = append(t.rows, blank([]any{
				i.Name, n, "r", "UNASSIGNED", nil, nil, nil, nil, nil, reason, instant(i.Created()), timeCell(s.Clock.Now().Sub(i.Created())), "peer",
			}))
		}
	}
}

func (s *Server) catSegments(r *rest.Request) (filler, error) {
	return fillOrFail(r, s.resolvedRows(r.List("index"), statsOptions, func(t *table, list []*catalog.Index) error {
		return s.each(list, func(i *catalog.Index) error {
			shards, err := s.Docs.Segments(i)
			if err != nil {
				return err
			}
			for n, segments := range shards {
				for _, g := range segments {
					t.add(i.Name, n, "p", s.host(), query.NodeID, g.Name, g.Generation, g.Docs, g.Deleted, byteCell(g.Size), 0, "true", "true", luceneVersion, "false")
				}
			}
			return nil
		})
	}))
}

// catRecovery shows how each primary came to its node; both ways there are take no time and copy nothing.
func (s *Server) catRecovery(r *rest.Request) (filler, error) {
	active := r.Bool("active_only", false)
	r.IgnoreBools("detailed")
	o := r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, AllowNoIndices: true})
	rows := s.resolvedRows(r.List("index"), o, func(t *table, list []*catalog.Index) error {
		for _, i := range list {
			for n := range i.Shards() {
				if !active {
					s.addRecovery(t, i, n)
				}
			}
		}
		return nil
	})
	return func(_ context.Context, t *table) error { return rows(t) }, nil
}

func (s *Server) addRecovery(t *table, i *catalog.Index, n int) {
	source, percent := s.recoverySource(i)
	at := i.Created()
	repository, name := "n/a", "n/a"
	if from := s.Snapshots.Origin(i.UUID); from != nil && source == "snapshot" {
		repository, name = from.Repository, from.Snapshot
	}
	t.add(i.Name, n, instant(at), at.UnixMilli(), instant(at), at.UnixMilli(), timeCell(time.Duration(0)), source, "done", "n/a", "n/a",
		s.host(), s.nodeName(), repository, name, 0, 0, percent, 0, byteCell(0), byteCell(0), percent, byteCell(0), 0, 0, "100.0%")
}
