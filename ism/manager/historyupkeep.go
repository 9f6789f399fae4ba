// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"net/http"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// upkeepFloor is how often the history's indices are looked at, at most, whatever rollover_check_period says.
const upkeepFloor = time.Second

// upkeep is when the history's indices are to be looked at next: not before the check period has passed since the last
// look, and not before one of them can have become old or large enough, so that an idle history is left alone.
type upkeep struct {
	due time.Time // zero: when something is written

	last   time.Time // when they were looked at
	write  time.Time // when the write index was created; zero if there is none
	docs   int64     // in it
	oldest time.Time // when the oldest other index was created; zero if there is none
}

// created takes in that there is a new write index, the first.
func (u *upkeep) created(now time.Time, h historySettings) {
	u.write, u.docs = now, 0
	u.plan(h)
}

// plan sets the next look.
func (u *upkeep) plan(h historySettings) {
	var possible time.Time
	soonest := func(at time.Time) {
		if possible.IsZero() || at.Before(possible) {
			possible = at
		}
	}
	switch {
	case u.write.IsZero():
	case !h.enabled:
		soonest(u.write.Add(h.retention + time.Millisecond))
	case u.docs >= max(h.maxDocs, 1):
		soonest(u.last)
	case u.docs > 0:
		soonest(u.write.Add(h.maxAge))
	}
	if !u.oldest.IsZero() {
		soonest(u.oldest.Add(h.retention + time.Millisecond))
	}
	if floor := u.last.Add(max(h.check, upkeepFloor)); !possible.IsZero() && possible.Before(floor) {
		possible = floor
	}
	u.due = possible
}

// maintainHistory rolls the write index over and deletes what is too old, when that is due. It never fails a sweep.
func (s *sweep) maintainHistory(ctx context.Context) {
	h := &s.history
	if u := &h.upkeep; u.due.IsZero() || u.due.After(s.now) {
		return
	}
	if err := s.tendHistory(ctx); err != nil {
		s.log.Warn("history is not rolled over", "err", err)
		h.upkeep.due = s.now.Add(time.Minute)
		return
	}
	h.upkeep.last = s.now
	h.upkeep.plan(h.settings)
}

func (s *sweep) tendHistory(ctx context.Context) error {
	infos, err := s.opts.Client.Indices(ctx, []string{historyAll})
	if err != nil {
		return err
	}
	u := &s.history.upkeep
	u.write, u.docs, u.oldest = time.Time{}, 0, time.Time{}
	for name, info := range infos {
		if _, ok := info.Aliases[historyAlias]; !ok || !s.history.settings.enabled {
			continue
		}
		delete(infos, name)
		if err := s.rolloverHistory(ctx, info); err != nil {
			return err
		}
	}
	return s.expireHistory(ctx, infos)
}

// rolloverHistory starts another write index if this one is old or large enough. One that is empty is kept.
func (s *sweep) rolloverHistory(ctx context.Context, info opensearch.IndexInfo) error {
	h := &s.history
	if err := s.opts.Client.Refresh(ctx, info.Name); err != nil {
		return err
	}
	stats, err := s.opts.Client.Stats(ctx, []string{info.Name})
	if err != nil {
		return err
	}
	u := &h.upkeep
	u.write, u.docs = info.Created, stats[info.Name].Docs
	if u.docs == 0 || u.docs < h.settings.maxDocs && s.now.Sub(info.Created) < h.settings.maxAge {
		return nil
	}
	body := h.settings.body()
	body.Add("conditions", wire.Obj("max_docs", h.settings.maxDocs, "max_age", h.settings.maxAgeText))
	call := opensearch.Call{Method: http.MethodPost, Path: opensearch.Path(historyAlias, "_rollover"), Body: body}
	var done opensearch.RolledOver
	if err := s.opts.Client.Do(ctx, call, &done); err != nil {
		return err
	}
	if done.RolledOver {
		s.log.Info("history rolled over", "from", done.OldIndex, "to", done.NewIndex)
		u.oldest, u.write, u.docs = info.Created, s.now, 0
	}
	return nil
}

// expireHistory deletes the indices that are older than the retention period.
func (s *sweep) expireHistory(ctx context.Context, infos map[string]opensearch.IndexInfo) error {
	h := &s.history
	for name, info := range infos {
		if s.now.Sub(info.Created) <= h.settings.retention {
			if u := &h.upkeep; u.oldest.IsZero() || info.Created.Before(u.oldest) {
				u.oldest = info.Created
			}
			continue
		}
		if _, err := s.opts.Client.DeleteIndex(ctx, name); err != nil && !fault.HasStatus(err, http.StatusNotFound) {
			return err
		}
		if _, ok := info.Aliases[historyAlias]; ok {
			h.open = false
		}
		s.log.Info("history deleted by age", "index", name)
	}
	return nil
}
