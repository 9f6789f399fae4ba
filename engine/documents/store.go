// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/document"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/mapping"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// idleAfter is how long an unused shard stays open.
const idleAfter = 5 * time.Minute

const defaultMaxBehind = 20_000

// Options of a store.
type Options struct {
	// Dir holds a directory for each index, named by its uuid.
	Dir    string
	Logger *slog.Logger
	// Now is the time of deletions; nil means time.Now.
	Now func() time.Time
	// AtOnce makes what is written visible to the next who looks, unless the index is never to be refreshed: where time
	// stands still no refresh interval ever passes.
	AtOnce bool
	// MaxBehind is how many writes a shard's searches may be behind before writers wait for a refresh; 0 means 20,000, which are
	// some seconds of refreshing. What is written at once may come on top.
	MaxBehind int
	// OpenFile opens document files; nil means os.OpenFile.
	OpenFile func(name string, flag int, perm os.FileMode) (*os.File, error)
}

// Store keeps the shards of all indices. It is safe for concurrent use.
type Store struct {
	o      Options
	grower Grower

	mu      sync.Mutex
	indices map[string]*group // by uuid
	closed  bool
	reaper  *time.Timer
	open    openShards
}

// group is the shards of one index.
type group struct {
	uuid, name string
	slots      []*slot
	// mapping is the current one; refreshes index by it.
	mu       sync.RWMutex
	mapping  *mapping.Mapping
	interval time.Duration // of refreshes; negative for none
	timer    *time.Timer   // the scheduled refresh, under mu
	gone     bool          // deleted or closed, under mu
	// life is done when gone is set.
	life context.Context
	end  context.CancelFunc
}

// slot is the place of one shard.
type slot struct {
	group  *group
	number int
	dir    string

	mu    sync.Mutex
	shard *shard.Shard // nil while it is not open
	users int
	idle  *sync.Cond // tells that users has become 0
	used  time.Time
	stats *shard.Stats // of a shard that is not open, as it was when it was closed

	open  *openShards
	place *list.Element // under open.mu
}

// New returns a store. Nothing is opened yet.
func New(o Options) *Store {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBehind == 0 {
		o.MaxBehind = defaultMaxBehind
	}
	return &Store{o: o, indices: map[string]*group{}}
}

// Use sets who grows mappings. It is called once, before the first write.
func (s *Store) Use(g Grower) { s.grower = g }

// Document and HasNested are those of the index's mapping at the time: the shards' indexer.
func (g *group) Document(id, routing string, seqNo int64, source []byte) (*document.Document, error) {
	return g.current().Document(id, routing, seqNo, source)
}

// HasNested reports whether documents may have nested objects.
func (g *group) HasNested() bool { return g.current().HasNested() }

func (g *group) current() *mapping.Mapping {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.mapping
}

// group is the shards of an index, known from now on.
func (s *Store) group(index *catalog.Index) (*group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the store is closed")
	}
	if g := s.indices[index.UUID]; g != nil {
		return g, nil
	}
	g := &group{uuid: index.UUID, name: index.Name, mapping: index.Mapping, interval: refreshInterval(index)}
	g.life, g.end = context.WithCancel(context.Background())
	for n := range index.Shards() {
		sl := &slot{group: g, number: n, open: &s.open, dir: filepath.Join(s.o.Dir, index.UUID, strconv.Itoa(n))}
		sl.idle = sync.NewCond(&sl.mu)
		g.slots = append(g.slots, sl)
	}
	s.indices[index.UUID] = g
	return g, nil
}

func (s *Store) shardOptions(sl *slot) shard.Options {
	return shard.Options{
		Index: sl.group.name, UUID: sl.group.uuid, Number: sl.number, Indexer: sl.group, Now: s.o.Now, OpenFile: s.o.OpenFile,
	}
}

// acquire opens a shard, unless it is open, and holds it until release is called.
func (s *Store) acquire(sl *slot) (sh *shard.Shard, release func(), err error) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.group.mu.RLock()
	gone := sl.group.gone
	sl.group.mu.RUnlock()
	if gone {
		return nil, nil, fault.IndexNotFound(sl.group.name, "index_or_alias")
	}
	if sl.shard == nil {
		opened, err := s.openShard(sl)
		if err != nil {
			e := fault.New(503, "no_shard_available_action_exception", "[%s][%d] cannot be opened: %s", sl.group.name, sl.number, err)
			e.Err = err
			return nil, nil, e
		}
		sl.shard = opened
		s.watchIdle()
	}
	sl.users++
	s.closeBeyond(sl.open.touch(sl))
	return sl.shard, sync.OnceFunc(func() {
		sl.mu.Lock()
		defer sl.mu.Unlock()
		sl.users--
		sl.used = time.Now()
		if sl.users == 0 {
			sl.idle.Broadcast()
		}
	}), nil
}

// closeBeyond closes shards that are open beyond the limit, but for those in use and those that wait for a refresh.
func (s *Store) closeBeyond(list []*slot) {
	for _, sl := range list {
		if !sl.mu.TryLock() {
			continue // somebody is about to use it
		}
		if sl.users == 0 && sl.shard != nil && !sl.shard.Dirty() {
			if err := sl.close(); err != nil {
				s.o.Logger.Error("close shard", "index", sl.group.name, "shard", sl.number, "err", err)
			}
		}
		sl.mu.Unlock()
	}
}

// openShard opens a shard and shows searches what was written before it was closed, or before the process ended.
func (s *Store) openShard(sl *slot) (*shard.Shard, error) {
	sh, err := shard.Open(sl.dir, s.shardOptions(sl))
	if err != nil {
		return nil, err
	}
	if sh.Dirty() {
		if err := sh.Refresh(); err != nil {
			return nil, errors.Join(err, sh.Close())
		}
	}
	return sh, nil
}

// watchIdle makes sure that idle shards are looked for while some are open.
func (s *Store) watchIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reaper == nil && !s.closed {
		s.reaper = time.AfterFunc(idleAfter, func() {
			_ = fault.Guard(s.o.Logger, "closing of idle shards", func() error { s.closeIdle(); return nil })
		})
	}
}

// closeIdle closes the shards that nobody has used for a while and that have nothing to refresh.
func (s *Store) closeIdle() {
	s.mu.Lock()
	s.reaper = nil
	groups := make([]*group, 0, len(s.indices))
	for _, g := range s.indices {
		groups = append(groups, g)
	}
	s.mu.Unlock()
	open := false
	for _, g := range groups {
		for _, sl := range g.slots {
			open = sl.closeIfIdle(s.o.Logger) || open
		}
	}
	if open {
		s.watchIdle()
	}
}

// closeIfIdle reports whether the shard is still open.
func (sl *slot) closeIfIdle(log *slog.Logger) bool {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.shard == nil {
		return false
	}
	if sl.users > 0 || sl.shard.Dirty() || time.Since(sl.used) < idleAfter {
		return true
	}
	if err := sl.close(); err != nil {
		log.Error("close shard", "index", sl.group.name, "shard", sl.number, "err", err)
	}
	return false
}

// close is called with the slot locked.
func (sl *slot) close() error {
	if sl.shard == nil {
		return nil
	}
	if st, err := sl.shard.Stats(); err == nil {
		sl.stats = &st
	}
	err := sl.shard.Close()
	sl.shard = nil
	sl.open.remove(sl)
	return err
}

// Shutdown refreshes nothing and closes everything; what was acknowledged is stored.
func (s *Store) Shutdown() error {
	s.mu.Lock()
	s.closed = true
	groups := s.indices
	s.indices = map[string]*group{}
	if s.reaper != nil {
		s.reaper.Stop()
	}
	s.mu.Unlock()
	var err error
	for _, g := range groups {
		err = errors.Join(err, g.shut())
	}
	return err
}

// shut ends the use of an index's shards: nobody gets them any more, and it waits for those who have them.
func (g *group) shut() error {
	g.mu.Lock()
	g.gone = true
	g.end()
	if g.timer != nil {
		g.timer.Stop()
	}
	g.mu.Unlock()
	var err error
	for _, sl := range g.slots {
		sl.mu.Lock()
		for sl.users > 0 {
			sl.idle.Wait()
		}
		err = errors.Join(err, sl.close())
		sl.mu.Unlock()
	}
	return err
}

// ---- what the catalog asks for

// Create makes the empty shards of an index.
func (s *Store) Create(_ context.Context, index *catalog.Index) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	for _, sl := range g.slots {
		sh, err := shard.Create(sl.dir, s.shardOptions(sl))
		if err != nil {
			return errors.Join(err, s.drop(index))
		}
		sl.mu.Lock()
		sl.shard, sl.used = sh, time.Now()
		beyond := sl.open.touch(sl)
		sl.mu.Unlock()
		s.closeBeyond(beyond)
	}
	s.watchIdle()
	return nil
}

// Delete removes the shards of an index.
func (s *Store) Delete(_ context.Context, index *catalog.Index) error { return s.drop(index) }

func (s *Store) drop(index *catalog.Index) error {
	err := s.forget(index)
	return errors.Join(err, os.RemoveAll(filepath.Join(s.o.Dir, index.UUID)))
}

// forget closes the shards of an index and no longer knows them.
func (s *Store) forget(index *catalog.Index) error {
	s.mu.Lock()
	g := s.indices[index.UUID]
	delete(s.indices, index.UUID)
	s.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.shut()
}

// Open looks whether the shards of an index that was closed can be used again.
func (s *Store) Open(_ context.Context, index *catalog.Index) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	for _, sl := range g.slots {
		_, release, err := s.acquire(sl)
		if err != nil {
			return err
		}
		release()
	}
	return nil
}

// Close releases the shards of an index.
func (s *Store) Close(_ context.Context, index *catalog.Index) error { return s.forget(index) }

// Change takes over mapping and settings.
func (s *Store) Change(_, after *catalog.Index) {
	s.mu.Lock()
	g := s.indices[after.UUID]
	s.mu.Unlock()
	if g == nil {
		return
	}
	g.mu.Lock()
	g.mapping, g.interval = after.Mapping, refreshInterval(after)
	g.mu.Unlock()
	if s.dirty(g) {
		s.schedule(g)
	}
}

// Stats counts an index's documents and bytes.
func (s *Store) Stats(_ context.Context, index *catalog.Index) (catalog.ShardStats, error) {
	list, err := s.ShardStats(index)
	var out catalog.ShardStats
	for _, st := range list {
		out.Docs, out.Bytes = out.Docs+st.Docs, out.Bytes+st.Size
	}
	return out, err
}

// ShardStats are the numbers of each shard of an index, in order. A shard that is not open is not opened for them if
// they are known.
func (s *Store) ShardStats(index *catalog.Index) ([]shard.Stats, error) {
	g, err := s.group(index)
	if err != nil {
		return nil, err
	}
	s.look(g)
	out := make([]shard.Stats, len(g.slots))
	for i, sl := range g.slots {
		sl.mu.Lock()
		known := sl.stats
		if sl.shard != nil {
			known = nil
		}
		sl.mu.Unlock()
		if known != nil {
			out[i] = *known
			continue
		}
		if err := s.with(sl, func(sh *shard.Shard) (err error) {
			out[i], err = sh.Stats()
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// with calls fn with an open shard.
func (s *Store) with(sl *slot, fn func(*shard.Shard) error) error {
	sh, release, err := s.acquire(sl)
	if err != nil {
		return err
	}
	defer release()
	return fn(sh)
}

// each calls fn for every shard of an index.
func (s *Store) each(index *catalog.Index, fn func(*shard.Shard) error) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	for _, sl := range g.slots {
		if err := s.with(sl, fn); err != nil {
			return err
		}
	}
	return nil
}

// Orphans removes the directories of indices that are not known, left by a creation that was cut short or by a deletion
// that was not finished.
func (s *Store) Orphans(known func(uuid string) bool) error {
	entries, err := os.ReadDir(s.o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if known(e.Name()) {
			continue
		}
		s.o.Logger.Info("remove what is left of an index", "uuid", e.Name())
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.o.Dir, e.Name())))
	}
	return err
}

// Check walks through all shards of an index that is not open, and reports every inconsistency as a sentence.
func Check(dir string, index *catalog.Index) (findings []string) {
	for n := range index.Shards() {
		for _, f := range shard.Check(filepath.Join(dir, index.UUID, strconv.Itoa(n))) {
			findings = append(findings, fmt.Sprintf("index [%s] shard %d: %s", index.Name, n, f))
		}
	}
	return findings
}
