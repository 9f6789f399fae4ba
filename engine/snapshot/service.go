// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"sync"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/documents"
)

// atOnce is how many shards are copied at once, over all snapshots, and how many a restore fills at once.
const atOnce = 2

// Options of a service.
type Options struct {
	Catalog *catalog.Catalog
	Docs    *documents.Store
	// Clock gives the times that snapshots show.
	Clock  clock.Clock
	Logger *slog.Logger
	// Version is that of OpenSearch which snapshots say they were taken with.
	Version string
	// Roots are the absolute directories that repositories may be in (path.repo).
	Roots []string
}

// Service takes snapshots and brings them back. It is safe for concurrent use.
type Service struct {
	o     Options
	slots chan struct{}

	// all is the context of all work; end ends it and group waits for it.
	all   context.Context
	end   context.CancelFunc
	group sync.WaitGroup

	// naming is held while the name of a snapshot is taken, or passes from the catalog to its repository.
	naming sync.Mutex

	mu       sync.Mutex
	dirs     map[string]*directory // by path
	running  map[string]*running   // by key
	restores map[*Origin]bool
	origins  map[string]*Origin // by uuid of the restored index
}

// New returns a service, and goes on with the snapshots that were being taken when the process ended.
func New(o Options) *Service {
	s := &Service{
		o: o, slots: make(chan struct{}, atOnce),
		dirs: map[string]*directory{}, running: map[string]*running{}, restores: map[*Origin]bool{}, origins: map[string]*Origin{},
	}
	s.all, s.end = context.WithCancel(context.Background())
	for _, one := range o.Catalog.State().SnapshotsInProgress() {
		s.start(one)
	}
	return s
}

// Close ends all work and waits for it. What is being taken goes on when a service is made again.
func (s *Service) Close() {
	s.end()
	s.group.Wait()
}

// newUUID is 16 random bytes as 22 url-safe characters, as OpenSearch writes uuids.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
