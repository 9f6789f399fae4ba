// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/opensteward/steward/engine/snapshot"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/rest"
)

var (
	repositoryColumns = []column{
		{name: "id", alias: "id,repoId", help: "unique repository id"},
		{name: "type", alias: "t,type", help: "repository type", right: true},
	}
	snapshotColumns = []column{
		{name: "id", alias: "id,snapshot", help: "unique snapshot"},
		{name: "status", alias: "s,status", help: "snapshot name", right: true},
		{name: "start_epoch", alias: "ste,startEpoch", help: "start time in seconds since 1970-01-01 00:00:00"},
		{name: "start_time", alias: "sti,startTime", help: "start time in HH:MM:SS"},
		{name: "end_epoch", alias: "ete,endEpoch", help: "end time in seconds since 1970-01-01 00:00:00"},
		{name: "end_time", alias: "eti,endTime", help: "end time in HH:MM:SS"},
		{name: "duration", alias: "dur,duration", help: "duration", right: true},
		{name: "indices", alias: "i,indices", help: "number of indices", right: true},
		{name: "successful_shards", alias: "ss,successful_shards", help: "number of successful shards", right: true},
		{name: "failed_shards", alias: "fs,failed_shards", help: "number of failed shards", right: true},
		{name: "total_shards", alias: "ts,total_shards", help: "number of total shards", right: true},
		{name: "reason", alias: "r,reason", help: "reason for failures", extra: true},
	}
)

func (s *Server) catRepositories(r *rest.Request) (filler, error) {
	r.Ignore("local")
	r.ManagerTimeout()
	return func(_ context.Context, t *table) error {
		list, err := s.Snapshots.Repositories(nil)
		for _, one := range list {
			t.add(one.Name, one.Type)
		}
		return err
	}, nil
}

func (s *Server) catSnapshots(r *rest.Request) (filler, error) {
	repository := r.Path("repository")
	ignore := r.Bool("ignore_unavailable", false)
	r.ManagerTimeout()
	if repository == "" && !r.Bool("help", false) {
		return nil, fault.Validation("repository is missing")
	}
	return func(_ context.Context, t *table) error {
		list, err := s.Snapshots.Get(repository, []string{"_all"}, ignore)
		for _, info := range list {
			t.add(s.snapshotRow(info)...)
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
		timeCell(took), len(info.Indices), total - failed, failed, total, nil,
	}
}
