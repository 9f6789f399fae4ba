// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/opensteward/steward/engine/rest/table"
	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/rest"
)

var (
	repositoryColumns = []table.Column{
		{Name: "id", Alias: "id,repoId", Help: "unique repository id"},
		{Name: "type", Alias: "t,type", Help: "repository type", Right: true},
	}
	snapshotColumns = []table.Column{
		{Name: "id", Alias: "id,snapshot", Help: "unique snapshot"},
		{Name: "status", Alias: "s,status", Help: "snapshot name", Right: true},
		{Name: "start_epoch", Alias: "ste,startEpoch", Help: "start time in seconds since 1970-01-01 00:00:00"},
		{Name: "start_time", Alias: "sti,startTime", Help: "start time in HH:MM:SS"},
		{Name: "end_epoch", Alias: "ete,endEpoch", Help: "end time in seconds since 1970-01-01 00:00:00"},
		{Name: "end_time", Alias: "eti,endTime", Help: "end time in HH:MM:SS"},
		{Name: "duration", Alias: "dur,duration", Help: "duration", Right: true},
		{Name: "indices", Alias: "i,indices", Help: "number of indices", Right: true},
		{Name: "successful_shards", Alias: "ss,successful_shards", Help: "number of successful shards", Right: true},
		{Name: "failed_shards", Alias: "fs,failed_shards", Help: "number of failed shards", Right: true},
		{Name: "total_shards", Alias: "ts,total_shards", Help: "number of total shards", Right: true},
		{Name: "reason", Alias: "r,reason", Help: "reason for failures", Extra: true},
	}
)

func (s *Server) catRepositories(r *rest.Request) (table.Filler, error) {
	r.Ignore("local")
	r.ManagerTimeout()
	return func(_ context.Context, t *table.Table) error {
		list, err := s.Snapshots.Repositories(nil)
		for _, one := range list {
			t.Add(one.Name, one.Type)
		}
		return err
	}, nil
}

func (s *Server) catSnapshots(r *rest.Request) (table.Filler, error) {
	repository := r.Path("repository")
	ignore := r.Bool("ignore_unavailable", false)
	r.ManagerTimeout()
	if repository == "" && !r.Bool("help", false) {
		return nil, fault.Validation("repository is missing")
	}
	return func(_ context.Context, t *table.Table) error {
		list, err := s.Snapshots.Get(repository, []string{"_all"}, ignore)
		for _, info := range list {
			t.Add(s.snapshotRow(info)...)
		}
		return err
	}, nil
}

func (s *Server) snapshotRow(info *snapshot.Info) []any {
	start, end := time.UnixMilli(info.Start).UTC(), time.UnixMilli(info.End).UTC()
	took, total := end.Sub(start), info.Shards
	if info.State == snapshot.InProgress {
		took, total = s.Clock.Now().Sub(start), 0
	}
	failed := len(info.Failures)
	return []any{
		info.Name, string(info.State), strconv.FormatInt(start.Unix(), 10), start.Format("15:04:05"), strconv.FormatInt(end.Unix(), 10), end.Format("15:04:05"),
		table.Duration(took), len(info.Indices), total - failed, failed, total, nil,
	}
}
