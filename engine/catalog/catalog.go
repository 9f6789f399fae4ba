// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/wire/setting"
)

// Options are what a catalog is opened with.
type Options struct {
	// Path is the file, "catalog.db" in the data directory.
	Path string
	// Clock gives creation dates, ages and date-math names; nil means the machine's.
	Clock clock.Clock
	// Shards keeps the documents; nil means that nothing is kept (tests).
	Shards Shards
	// Settings are further index and cluster settings, those of plugins.
	Settings []setting.Definition
	// Config are the node's settings: cluster settings among them are start values, below persistent ones.
	Config map[string]string
	// NodeVersion is the version that new indices record; "" means 3.4.0.
	NodeVersion string
	// Logger gets what cannot be told to a caller; nil means slog's default.
	Logger *slog.Logger
}

// Catalog is the metadata and its changes. It is safe for concurrent use.
type Catalog struct {
	db     *bolt.DB
	clock  clock.Clock
	shards Shards
	logger *slog.Logger
	env    *environment

	state atomic.Pointer[State]
	// change is held while a change is under way; one at a time.
	change sync.Mutex

	// filled are indices whose shards are being filled, by name, before they show.
	filling sync.Mutex
	filled  map[string]*Index
}

// environment is what does not change while the catalog is open.
type environment struct {
	index, cluster *setting.Registry
	config         setting.Values
	version        string
}

// Open opens or makes a catalog. The file is locked while it is open; a second opening fails after a second.
func Open(o Options) (*Catalog, error) {
	env, err := newEnvironment(o)
	if err != nil {
		return nil, err
	}
	db, err := bolt.Open(o.Path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("open catalog %s: %w", o.Path, err)
	}
	c := &Catalog{db: db, clock: o.Clock, shards: o.Shards, logger: o.Logger, env: env}
	if c.clock == nil {
		c.clock = clock.Real{}
	}
	if c.shards == nil {
		c.shards = noShards{}
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	state, err := load(db, env)
	if err != nil {
		return nil, fmt.Errorf("catalog %s: %w", o.Path, joinClose(err, db))
	}
	c.state.Store(state)
	return c, nil
}

// Close releases the file. No change may be under way afterwards.
func (c *Catalog) Close() error {
	c.change.Lock()
	defer c.change.Unlock()
	return c.db.Close()
}

// State is the metadata as of now.
func (c *Catalog) State() *State { return c.state.Load() }

// update makes one change: fn writes to a draft of the next state, which becomes durable and then visible. If fn fails
// or changes nothing, nothing is written.
func (c *Catalog) update(ctx context.Context, fn func(next *State) error) error {
	c.change.Lock()
	defer c.change.Unlock()
	return c.updateLocked(ctx, fn)
}

func (c *Catalog) updateLocked(ctx context.Context, fn func(next *State) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	before := c.state.Load()
	next := before.clone()
	if err := fn(next); err != nil {
		return err
	}
	if same(before, next) {
		return nil
	}
	next.Version++
	next.UUID = newUUID()
	next.indexAliases()
	if err := store(c.db, before, next); err != nil {
		return fmt.Errorf("write the catalog: %w", err)
	}
	c.state.Store(next)
	c.tellShards(before, next)
	return nil
}

// tellShards tells the shards of indices whose mapping or settings a change has changed.
func (c *Catalog) tellShards(before, after *State) {
	for name, index := range after.Indices {
		old := before.Indices[name]
		if old != nil && old != index && old.UUID == index.UUID &&
			(old.Mapping != index.Mapping || old.SettingsVersion != index.SettingsVersion) {
			c.shards.Change(old, index)
		}
	}
}

// same reports whether a draft still equals what it was made from.
func same(a, b *State) bool {
	return sameMap(a.Indices, b.Indices) && sameMap(a.DataStreams, b.DataStreams) &&
		sameMap(a.ComponentTemplates, b.ComponentTemplates) && sameMap(a.IndexTemplates, b.IndexTemplates) &&
		sameMap(a.LegacyTemplates, b.LegacyTemplates) && sameMap(a.Persistent, b.Persistent) &&
		sameMap(a.Transient, b.Transient) && reflect.DeepEqual(a.Documents, b.Documents)
}

func sameMap[M ~map[string]V, V comparable](a, b M) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if other, ok := b[k]; !ok || other != v {
			return false
		}
	}
	return true
}

// newUUID is 16 random bytes as 22 url-safe characters, as OpenSearch writes uuids.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// noShards is for a catalog without documents.
type noShards struct{}

func (noShards) Create(context.Context, *Index) error        { return nil }
func (noShards) Resize(_ context.Context, _, _ *Index) error { return nil }
func (noShards) Delete(context.Context, *Index) error        { return nil }
func (noShards) Open(context.Context, *Index) error          { return nil }
func (noShards) Close(context.Context, *Index) error         { return nil }
func (noShards) Change(_, _ *Index)                          {}
func (noShards) Stats(context.Context, *Index) (ShardStats, error) {
	return ShardStats{}, nil
}
