// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
)

// DefaultDuration is how long a lease lasts without being renewed, and so how long nobody acts after a leader died.
// It is renewed three times as often.
const DefaultDuration = 6 * time.Second

// documentID is the lease document's id in [Index].
const documentID = "lease"

// Options configure an [Elector].
type Options struct {
	Client *opensearch.Client
	// Holder names this process in the document; it must be unique among all processes that ever ran.
	Holder string
	// Duration is how long a lease lasts unless renewed; 0 means [DefaultDuration]. Followers wait for the duration
	// that stands in the document.
	Duration time.Duration
	Logger   *slog.Logger
}

// Elector campaigns for the lease, keeps it while it can, and is a [Lease]. Its methods are safe for concurrent use;
// only one goroutine may call Run.
type Elector struct {
	opts Options

	mu    sync.Mutex
	fence int64
	until time.Time // monotonic; the lease is held before it

	// What Run last saw of the document.
	seen   opensearch.Version
	record record
	since  time.Time // when seen was first seen, monotonic
	known  bool      // false until a document was read
}

// record is the document.
type record struct {
	Holder string `json:"holder"`
	Fence  int64  `json:"fence"`
	// Duration is in milliseconds.
	Duration int64 `json:"duration_ms"`
	// Released is true once its holder has given the lease up.
	Released bool `json:"released"`
}

func (r record) duration() time.Duration { return time.Duration(r.Duration) * time.Millisecond }

// NewElector returns an elector that holds nothing yet.
func NewElector(o Options) *Elector {
	if o.Duration == 0 {
		o.Duration = DefaultDuration
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Elector{opts: o}
}

// Held reports whether the lease is held at this instant.
func (e *Elector) Held() (int64, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fence, time.Now().Before(e.until)
}

// Leader is the holder named in the document as it was last read, "" before that.
func (e *Elector) Leader() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.record.Holder
}

// Run campaigns, and renews what it won, until ctx is done. Then it gives the lease up, so that a follower need not
// wait. A cluster that cannot be reached is tried again until it can.
func (e *Elector) Run(ctx context.Context) {
	for {
		if err := e.Step(ctx); err != nil && ctx.Err() == nil {
			e.opts.Logger.Warn("lease", "err", err)
		}
		select {
		case <-time.After(e.opts.Duration / 3):
		case <-ctx.Done():
			e.resign(context.WithoutCancel(ctx))
			return
		}
	}
}

// Step does one round: renew a lease that is held, else look, and take one that is free.
func (e *Elector) Step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Duration)
	defer cancel()
	if _, held := e.Held(); held {
		return e.renew(ctx)
	}
	return e.campaign(ctx)
}

// renew writes the document again. Somebody else's document, or none, means that the lease is lost.
func (e *Elector) renew(ctx context.Context) error {
	err := e.write(ctx, e.current(), e.seen)
	if fault.HasStatus(err, http.StatusConflict) || fault.HasStatus(err, http.StatusNotFound) {
		e.drop()
		return e.campaign(ctx)
	}
	return err
}

func (e *Elector) current() record {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.record
}

// campaign reads the document and takes the lease if nobody holds it.
func (e *Elector) campaign(ctx context.Context) error {
	doc, err := Read(ctx, e.opts.Client, documentID)
	switch {
	case fault.Is(err, "index_not_found_exception"), err == nil && !doc.Found:
		return e.begin(ctx)
	case err != nil:
		return err
	}
	if err := e.observe(doc); err != nil {
		return err
	}
	if !e.free() {
		return nil
	}
	return e.take(ctx, doc.Version, e.current().Fence+1)
}

// begin takes the lease where there is no document: nobody has led before, or somebody has deleted it. A leader that was
// seen has its time even so: it may not have noticed yet.
func (e *Elector) begin(ctx context.Context) error {
	if !e.free() {
		return nil
	}
	// Also where there is an index: it may be one that a late renewal has just created without its mapping.
	if err := EnsureIndex(ctx, e.opts.Client); err != nil {
		return err
	}
	return e.take(ctx, opensearch.Version{}, e.current().Fence+1)
}

// observe notes the document and, if it changed, when.
func (e *Elector) observe(doc opensearch.Document) error {
	var body struct {
		Lease record `json:"lease"`
	}
	if err := json.Unmarshal(doc.Source, &body); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.record = body.Lease
	if !e.known || e.seen != doc.Version {
		e.known, e.seen, e.since = true, doc.Version, time.Now()
	}
	return nil
}

// free reports whether the lease in the document was given up, is our own (a write whose answer was lost), or has
// stood still for its duration and an eighth, which allows for clocks that run unequally fast.
func (e *Elector) free() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.record.duration()
	return e.record.Released || e.record.Holder == e.opts.Holder || time.Since(e.since) > d+d/8
}

func (e *Elector) take(ctx context.Context, was opensearch.Version, fence int64) error {
	r := record{Holder: e.opts.Holder, Fence: fence, Duration: e.opts.Duration.Milliseconds()}
	err := e.write(ctx, r, was)
	if fault.HasStatus(err, http.StatusConflict) {
		return nil // somebody was faster
	}
	if err == nil {
		e.opts.Logger.Info("lease won", "fence", fence)
	}
	return err
}

// write stores r if the document is still at version was (zero: does not exist), and holds the lease from the
// instant the request was sent.
func (e *Elector) write(ctx context.Context, r record, was opensearch.Version) error {
	w := opensearch.Write{
		Op: opensearch.OpIndex, Index: Index, ID: documentID, If: was,
		Source: map[string]any{"lease": r},
	}
	if was == (opensearch.Version{}) {
		w.Op = opensearch.OpCreate
	}
	sent := time.Now()
	done, err := e.opts.Client.Write(ctx, w, "")
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known, e.seen, e.since, e.record = true, done.Version, sent, r
	e.fence, e.until = r.Fence, sent.Add(e.opts.Duration)
	if r.Released {
		e.until = time.Time{}
	}
	return nil
}

func (e *Elector) drop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = time.Time{}
}

// resign gives a held lease up: first here, so that nothing acts any more, then in the document.
func (e *Elector) resign(ctx context.Context) {
	if _, held := e.Held(); !held {
		return
	}
	e.drop()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r := e.current()
	r.Released = true
	err := e.write(ctx, r, e.seen)
	if fault.HasStatus(err, http.StatusConflict) {
		err = e.release(ctx, r)
	}
	if err != nil {
		e.opts.Logger.Warn("lease not given up; it runs out by itself", "err", err)
	}
}

// release gives the lease up over a renewal of its own whose answer was lost. A document that is another's stays.
func (e *Elector) release(ctx context.Context, r record) error {
	doc, err := Read(ctx, e.opts.Client, documentID)
	if err != nil || !doc.Found {
		return err
	}
	if err := e.observe(doc); err != nil {
		return err
	}
	if now := e.current(); now.Holder != r.Holder || now.Fence != r.Fence {
		return nil
	}
	return e.write(ctx, r, doc.Version)
}
