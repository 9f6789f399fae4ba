// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"encoding/json"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

// probeEvery is how often a manager looks for what changed behind its back.
const probeEvery = time.Second

// Options configure a [Manager].
type Options struct {
	Client *opensearch.Client
	// Clock gives the time of decisions and due instants; nil means the machine's.
	Clock clock.Clock
	// Lease is the right to act; nil means always held.
	Lease lease.Lease
	// Registry declares the plugin's settings; NodeSettings are those the program was started with.
	Registry     *setting.Registry
	NodeSettings setting.Values
	// OnlyWriteAlias makes an index without a rollover_alias setting roll over the only alias it is the write index of:
	// for clusters that cannot store the setting.
	OnlyWriteAlias bool
	// Watched promises that every change of the cluster is followed by a Wake. An index's numbers are then read again
	// after a Wake only, which lets a virtual clock jump from one due instant to the next.
	Watched bool
	// Notifier delivers the messages of policies; nil means that there is none.
	Notifier action.Notifier
	// Jobs is told that a rollup or transform job may have been written; nil if nobody asks.
	Jobs func()
	// Pace is Due unless given.
	Pace   Pace
	Logger *slog.Logger
}

// Manager is the reconciler. Its methods are safe for concurrent use.
type Manager struct {
	opts Options
	log  *slog.Logger

	// mu is held during a sweep and guards everything below it.
	mu        sync.Mutex
	docs      *documents
	inventory *inventory
	settings  settings
	queue     queue
	turns     turns
	fence     int64     // the lease under which the caches were loaded; 0: not loaded
	enrolAll  bool      // every unmanaged index is to be looked at, not only new ones
	enrolAt   time.Time // at native pace, when every unmanaged index is to be looked at; zero: nothing waits for it
	reenable  bool      // jobs that were disabled with the plugin are to be enabled again
	red       bool
	reds      int  // sweeps in a row that found the cluster red
	gone      bool // some entry's index may be gone
	missed    missed
	added     []string // uuids of indices that templates may claim: new ones, and those whose jobs were deleted
	status    Status
	shown     atomic.Pointer[Status] // what Status shows; it has its own protection
	// repositories are those of snapshots when blocked indices were looked at last.
	repositories map[string]json.RawMessage
	history      history

	steps   *steps
	notices *notices
	// stepClient is that of steps, which have limits of their own.
	stepClient *opensearch.Client

	wake chan struct{} // something was changed through us
	done chan struct{} // a step has reported
	// held is the hold on the clock of whoever called Wake, until a sweep has served it.
	heldMu sync.Mutex
	held   func()
	woken  bool
	// known are writes that need no reading; see Wrote.
	known []int64
	// ended are jobs that indices may wait for; see JobEnded.
	ended []string
	// litter is how many documents and indices have gone through since memory was given back. It is Run's own.
	litter int
}

// Summary counts what a sweep did.
type Summary struct {
	Standby  bool // the lease is held by somebody else; nothing was done
	Enrolled int
	Forgot   int
	Moves    int // documents written because of a policy
	Steps    int // effects started
	Finished int // effects whose result was stored
	Read     int // jobs and metadata read, because they are new or somebody else wrote them
	Listed   int // indices whose details were read
	More     bool
}

// busy is how many documents and indices went through the sweep's hands.
func (s Summary) busy() int { return s.Enrolled + s.Forgot + s.Moves + s.Finished + s.Read + s.Listed }

// New returns a manager that has read nothing yet.
func New(o Options) *Manager {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Lease == nil {
		o.Lease = lease.Always{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	stepClient := o.Client
	o.Client = stepClient.Within(opensearch.AnswerWithin)
	m := &Manager{
		opts: o, stepClient: stepClient, log: o.Logger, docs: newDocuments(), inventory: newInventory(), history: newHistory(),
		steps: newSteps(o.Logger), notices: newNotices(), wake: make(chan struct{}, 1), done: make(chan struct{}, 1),
	}
	m.shown.Store(&Status{})
	return m
}

// Wake makes a running manager look at the cluster at once: something was changed through us. Until that is done it
// holds the clock.
func (m *Manager) Wake() {
	m.heldMu.Lock()
	m.woken = true
	if m.held == nil {
		m.held = m.opts.Clock.Hold()
	}
	m.heldMu.Unlock()
	signal(m.wake)
}

// Changing holds the clock while something is being changed through us; changed calls Wake and lets it go.
func (m *Manager) Changing() (changed func()) {
	release := m.opts.Clock.Hold()
	return func() {
		m.Wake()
		release()
	}
}

// reported makes Run sweep: a step is done.
func (m *Manager) reported() { signal(m.done) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // a sweep is due already
	}
}

// takeWake returns the release of the clock held for Wake, and whether there was one.
func (m *Manager) takeWake() (release func(), woken bool) {
	m.heldMu.Lock()
	defer m.heldMu.Unlock()
	release, woken = m.held, m.woken
	m.held, m.woken = nil, false
	if release == nil {
		release = nothing
	}
	return release, woken
}

// Run sweeps whenever something is due, changed or reported, until ctx is done. Then it waits for the steps that are
// under way, whose calls are cancelled with ctx; what they did is looked at again by whoever comes next. A caller with
// a virtual clock calls Wake before it starts Run, so that the clock stands until the first sweep is done.
func (m *Manager) Run(ctx context.Context) {
	defer m.stop()
	fired := nothing
	failures := 0 // sweeps in a row
	for ctx.Err() == nil {
		began := time.Now()
		alarm, err := m.pass(ctx)
		fired()
		next := probeEvery
		if err != nil {
			next = retryAfter(failures)
			failures++
		} else {
			failures = 0
		}
		fired = m.await(ctx, alarm, next, restAfter(time.Since(began)))
	}
	fired()
}

// retryAfter is the pause after n failed sweeps and one more: from 20 ms, doubling, to that between two probes.
func retryAfter(n int) time.Duration { return min(20*time.Millisecond<<min(n, 10), probeEvery) }

// restAfter is how long calls of Wake are left unserved after a sweep: nine times what it took, so that a client that
// changes something all the time takes a tenth of a core at most, and no longer than half a second.
func restAfter(took time.Duration) time.Duration { return min(9*took, 500*time.Millisecond) }

func nothing() {}

// await returns when the next sweep is due, after next at the latest. fired lets the clock go on after it: it never goes
// while no alarm is set.
func (m *Manager) await(ctx context.Context, alarm *clock.Alarm, next, rest time.Duration) (fired func()) {
	defer alarm.Stop()
	resting := time.NewTimer(rest)
	defer resting.Stop()
	probe := time.NewTimer(next)
	defer probe.Stop()
	var wake <-chan struct{} // nil while resting
	for {
		select {
		case <-resting.C:
			wake = m.wake
		case fired = <-alarm.C:
			return fired
		case <-wake:
			return m.opts.Clock.Hold()
		case <-m.done:
			return m.opts.Clock.Hold()
		case <-probe.C:
			return m.opts.Clock.Hold()
		case <-ctx.Done():
			return nothing
		}
	}
}

// stop waits for the steps under way and lets the clock go.
func (m *Manager) stop() {
	m.steps.wait()
	for _, r := range m.steps.take() {
		r.release()
	}
	for _, l := range m.notices.takeLate() {
		l.release()
	}
	release, _ := m.takeWake()
	release()
}

// pass sweeps until nothing more is ready and returns the alarm for what is due next. The clock is held until that
// is set.
func (m *Manager) pass(ctx context.Context) (*clock.Alarm, error) {
	defer m.opts.Clock.Hold()()
	release, woken := m.takeWake()
	defer release()
	if woken {
		m.readNumbersAgain()
	}
	for {
		sum, err := m.Sweep(ctx, m.opts.Clock.Now())
		if err != nil && ctx.Err() == nil {
			m.log.Warn("sweep", "err", err)
		}
		m.tidy(sum)
		if err != nil || !sum.More {
			return m.alarm(), err
		}
	}
}

// tidyAfter is after how many documents and indices the memory that they took is worth being given back.
const tidyAfter = 10_000

// tidy gives memory back to the system in the first sweep without work after very many documents have gone through:
// what a change of a hundred thousand indices has used would stay with the process for long, since one that waits
// allocates next to nothing and so collects nothing. It takes about 0.1 s of processor time with as many indices.
func (m *Manager) tidy(sum Summary) {
	if busy := sum.busy(); busy > 0 {
		m.litter += busy
	} else if m.litter >= tidyAfter {
		m.litter = 0
		debug.FreeOSMemory()
	}
}

// sooner is the earlier of two instants, of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// alarm is set to the next due instant. While sweeps fail there is none: the next one comes by itself.
func (m *Manager) alarm() *clock.Alarm {
	m.mu.Lock()
	next, failing := sooner(sooner(m.queue.next(), m.history.upkeep.due), m.enrolAt), m.status.LastError != "" || !m.status.Leading
	m.mu.Unlock()
	if next.IsZero() || failing {
		return &clock.Alarm{Stop: nothing}
	}
	return m.opts.Clock.Alarm(next)
}
