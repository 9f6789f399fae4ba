// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"context"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// defaultRefresh is OpenSearch's index.refresh_interval.
const defaultRefresh = time.Second

// refreshInterval is the index's setting; negative for none.
func refreshInterval(index *catalog.Index) time.Duration {
	text, ok := index.Settings["index.refresh_interval"]
	if !ok {
		return defaultRefresh
	}
	d, err := wire.ParseDuration(text, "index.refresh_interval")
	if err != nil {
		return defaultRefresh
	}
	return d.Value()
}

// schedule makes sure that what was written becomes visible after the refresh interval.
func (s *Store) schedule(g *group) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.o.AtOnce || g.timer != nil || g.gone || g.interval < 0 {
		return
	}
	g.timer = time.AfterFunc(max(g.interval, 10*time.Millisecond), func() { s.scheduled(g) })
}

// keepUp makes a writer wait while searches are far behind: it helps to refresh the shard. Writes are faster than
// refreshes, and a backlog without bound would make one last for minutes. An index that is never refreshed by itself is
// left alone, since somebody has asked for that.
func (s *Store) keepUp(g *group, sh *shard.Shard) error {
	g.mu.RLock()
	never := g.interval < 0
	g.mu.RUnlock()
	if never {
		return nil
	}
	return sh.CatchUp(int64(s.o.MaxBehind))
}

// look is called before searches and numbers: with AtOnce it makes visible what was written since.
func (s *Store) look(g *group) {
	g.mu.RLock()
	never := g.interval < 0
	g.mu.RUnlock()
	if s.o.AtOnce && !never {
		s.scheduled(g)
	}
}

func (s *Store) scheduled(g *group) {
	g.mu.Lock()
	g.timer = nil
	gone := g.gone
	g.mu.Unlock()
	if gone {
		return
	}
	for _, sl := range g.slots {
		sl.mu.Lock()
		open := sl.shard != nil && sl.shard.Dirty()
		sl.mu.Unlock()
		if !open {
			continue
		}
		err := fault.Guard(s.o.Logger, "refresh", func() error { return s.with(sl, (*shard.Shard).Refresh) })
		if err != nil {
			s.o.Logger.Error("refresh", "index", g.name, "shard", sl.number, "err", err)
			s.schedule(g)
		}
	}
}

// dirty reports whether some open shard has something to refresh.
func (s *Store) dirty(g *group) bool {
	for _, sl := range g.slots {
		sl.mu.Lock()
		dirty := sl.shard != nil && sl.shard.Dirty()
		sl.mu.Unlock()
		if dirty {
			return true
		}
	}
	return false
}

// Refresh makes all writes to an index visible to searches.
func (s *Store) Refresh(index *catalog.Index) error { return s.each(index, (*shard.Shard).Refresh) }

// RefreshShards makes the writes to some shards of an index visible.
func (s *Store) RefreshShards(index *catalog.Index, numbers []int) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.with(g.slots[n], (*shard.Shard).Refresh); err != nil {
			return err
		}
	}
	return nil
}

// Flush forgets old deletions. Writes are durable without it.
func (s *Store) Flush(index *catalog.Index) error { return s.each(index, (*shard.Shard).Flush) }

// ForceMerge merges every shard of an index; see [shard.Shard.ForceMerge].
func (s *Store) ForceMerge(ctx context.Context, index *catalog.Index, maxSegments int, onlyExpunge bool) error {
	return s.each(index, func(sh *shard.Shard) error { return sh.ForceMerge(ctx, maxSegments, onlyExpunge) })
}

// Segments lists the segments of each shard, in order.
func (s *Store) Segments(index *catalog.Index) (out [][]shard.Segment, err error) {
	if g, err := s.group(index); err == nil {
		s.look(g)
	}
	err = s.each(index, func(sh *shard.Shard) error {
		list, err := sh.Segments()
		out = append(out, list)
		return err
	})
	return out, err
}
