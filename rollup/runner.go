// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/setting"
)

const (
	// atOnce is how many jobs run at once.
	atOnce = 4
	// leaseCheck is how often (real time) a process that does not lead looks whether it does now.
	leaseCheck = time.Second
	// firstRetry and lastRetry are how long a job waits that could not run because of the cluster.
	firstRetry, lastRetry = time.Second, time.Minute
)

// Lease is the right to act; see package lease.
type Lease interface {
	Held() (fence int64, held bool)
}

// Options configure a [Runner].
type Options struct {
	Client *opensearch.Client
	// Clock gives the time of schedules and of what is stored; nil means the machine's.
	Clock clock.Clock
	Lease Lease
	// Settings are the plugins' settings as they stand in the cluster; nil means their defaults.
	Settings func(ctx context.Context) (setting.View, error)
	// Native says whether the cluster has the plugin itself, which then runs the jobs; nil means never.
	Native func() bool
	// Paced makes a job wait for the next time of its schedule, as the plugin's scheduler does, instead of running it as soon
	// as it is there.
	Paced bool
	// Wrote is told the sequence number of each write to the config index, for whoever follows it; nil if nobody does.
	Wrote func(seqNo int64)
	// Ended is told the id of each job that ended, well or not; nil if nobody waits.
	Ended  func(id string)
	Logger *slog.Logger
}

// Runner runs jobs when they are due, while the lease is held. Its methods are safe for concurrent use.
type Runner struct {
	client   *opensearch.Client
	store    *store
	clock    clock.Clock
	lease    Lease
	native   func() bool
	paced    bool
	ended    func(id string)
	settings func(ctx context.Context) (setting.View, error)
	log      *slog.Logger
	// prepare is held while a target index is made or changed: two jobs may have the same.
	prepare sync.Mutex

	wake chan struct{}
	done chan finished
	// held is the hold on the clock of whoever called Wake, until the jobs have been read.
	mu   sync.Mutex
	held func()
}

// entry is one enabled job.
type entry struct {
	kind      *Kind
	id        string
	version   opensearch.Version
	enabledAt int64
	due       time.Time // zero: never
	running   bool
	started   opensearch.Version // the version that runs
	tries     int                // failures in a row that are the cluster's
}

// finished is the end of a run.
type finished struct {
	key     string
	job     *Job
	err     error
	release func()
}

// New returns a runner that does nothing until Run.
func New(o Options) *Runner {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Settings == nil {
		registry := setting.NewRegistry(Settings()...)
		o.Settings = func(context.Context) (setting.View, error) { return setting.View{Registry: registry}, nil }
	}
	if o.Native == nil {
		o.Native = never
	}
	if o.Ended == nil {
		o.Ended = func(string) {}
	}
	return &Runner{
		client: o.Client, store: &store{client: o.Client.Within(opensearch.AnswerWithin), wrote: o.Wrote}, clock: o.Clock, lease: o.Lease, native: o.Native, paced: o.Paced, ended: o.Ended,
		settings: o.Settings, log: o.Logger, wake: make(chan struct{}, 1), done: make(chan finished),
	}
}

// Wake says that jobs may have changed. A virtual clock stands until they have been looked at.
func (r *Runner) Wake() {
	r.mu.Lock()
	if r.held == nil {
		r.held = r.clock.Hold()
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// takeHold takes the hold of whoever called Wake.
func (r *Runner) takeHold() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	release, r.held = r.held, nil
	if release == nil {
		return func() {}
	}
	return release
}

// Run runs due jobs until ctx is done, and waits for those under way.
func (r *Runner) Run(ctx context.Context) {
	l := &loop{Runner: r, entries: map[string]*entry{}, reload: true}
	defer l.drain()
	for ctx.Err() == nil {
		alarm := l.pass(ctx)
		select {
		case <-ctx.Done():
		case <-r.wake:
			l.reload = true
		case release := <-alarm.C:
			l.hold(release)
		case f := <-r.done:
			l.finished(f)
		case <-l.tick():
		}
		l.hold(l.clock.Hold()) // without an alarm the clock would pass over what is due next
		alarm.Stop()
	}
}

// loop is the state of Run.
type loop struct {
	*Runner
	entries map[string]*entry
	reload  bool
	leading bool
	failing bool
	running int
	// holds keep the clock where it is until the next pass has set its alarm.
	holds []func()
}

func (l *loop) hold(release func()) { l.holds = append(l.holds, release) }

// let releases what was held.
func (l *loop) let() {
	for _, release := range l.holds {
		release()
	}
	l.holds = nil
}

// tick comes while there is something to look at that nobody announces: the lease, and a cluster that did not answer.
func (l *loop) tick() <-chan time.Time {
	if l.leading && !l.failing {
		return nil
	}
	return time.After(leaseCheck)
}

// pass starts what is due and sets the alarm for what comes next.
func (l *loop) pass(ctx context.Context) *clock.Alarm {
	l.hold(l.takeHold())
	defer l.let()
	_, held := l.lease.Held()
	held = held && !l.native()
	if held && !l.leading {
		l.reload = true
	}
	if l.leading = held; !held {
		l.forget()
		return &clock.Alarm{Stop: func() {}}
	}
	if l.reload {
		err := fault.Guard(l.log, "reading jobs", func() error { return l.load(ctx) })
		l.failing = err != nil
		l.reload = l.failing
		if err != nil && ctx.Err() == nil {
			l.log.Warn("read jobs", "err", err)
		}
	}
	l.start(ctx)
	return l.alarm()
}

// forget drops everything but what is still running.
func (l *loop) forget() {
	for key, e := range l.entries {
		if !e.running {
			delete(l.entries, key)
		}
	}
}

// enabled finds the jobs that are to run.
var enabled = wire.Obj("bool", wire.Obj("minimum_should_match", 1, "should", []any{
	wire.Obj("term", wire.Obj("rollup.enabled", true)), wire.Obj("term", wire.Obj("transform.enabled", true)),
}))

// load reads all enabled jobs.
func (l *loop) load(ctx context.Context) error {
	if err := l.store.client.Refresh(ctx, ConfigIndex); err != nil {
		return err
	}
	seen := map[string]bool{}
	err := l.store.client.Scan(ctx, ConfigIndex, enabled, func(doc opensearch.Document) error {
		for _, k := range []*Kind{Rollup, Transform} {
			j, err := readJob(k, doc)
			if err != nil {
				if !errors.Is(err, errOther) {
					l.log.Warn("a job cannot be read", "kind", k.Name, "id", doc.ID, "err", err)
				}
				continue
			}
			key := k.Name + "/" + j.ID
			seen[key] = true
			l.see(ctx, key, j)
		}
		return nil
	})
	if err != nil && !fault.Is(err, "index_not_found_exception") {
		return err
	}
	for key, e := range l.entries {
		if !seen[key] && !e.running {
			delete(l.entries, key)
		}
	}
	return nil
}

// see takes in an enabled job. One that is new, or was enabled anew, is due at once if its schedule is an interval that
// has begun; a cron schedule is caught up with if it fired since the job last did something. A paced one has no more than
// its schedule, from when it was enabled on, which for a job that a policy has made is a moment ahead.
func (l *loop) see(ctx context.Context, key string, j *Job) {
	e := l.entries[key]
	if e == nil {
		e = &entry{kind: j.Kind, id: j.ID}
		l.entries[key] = e
	}
	if e.version == j.Version {
		return
	}
	e.version = j.Version
	if l.paced {
		e.due = j.Schedule.Next(later(l.clock.Now(), time.UnixMilli(value(j.EnabledAt))))
		return
	}
	if e.enabledAt == value(j.EnabledAt) && !e.due.IsZero() {
		e.due = earlier(e.due, j.Schedule.Next(l.clock.Now()))
		return
	}
	e.enabledAt = value(j.EnabledAt)
	if i := j.Schedule.Interval; i != nil {
		e.due = j.Schedule.Next(time.UnixMilli(value(i.Start) - 1))
		if now := l.clock.Now(); e.due.Before(now) {
			e.due = now
		}
		return
	}
	since := e.enabledAt
	if p, err := l.store.progress(ctx, j); err == nil && p != nil {
		since = max(since, p.Updated)
	}
	e.due = j.Schedule.Next(time.UnixMilli(since))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// start runs what is due, as far as there is room.
func (l *loop) start(ctx context.Context) {
	now := l.clock.Now()
	for key, e := range l.entries {
		if l.running >= atOnce {
			return
		}
		if e.running || e.due.IsZero() || e.due.After(now) {
			continue
		}
		e.running, e.started = true, e.version
		l.running++
		release := l.clock.Hold()
		go func() {
			var job *Job
			err := fault.Guard(l.log, e.kind.Name, func() (err error) {
				job, err = l.runJob(ctx, e.kind, e.id)
				return err
			})
			l.done <- finished{key, job, err, release}
		}()
	}
}

// finished puts a job back with its next due instant.
func (l *loop) finished(f finished) {
	l.hold(f.release)
	l.running--
	e := l.entries[f.key]
	e.running = false
	now := l.clock.Now()
	switch {
	case f.err == nil && (f.job == nil || !f.job.Enabled):
		delete(l.entries, f.key)
		l.ended(e.id)
	case f.err == nil:
		if e.version != e.started {
			l.reload = true // somebody changed it meanwhile
		}
		e.tries, e.version = 0, f.job.Version
		e.due = f.job.Schedule.Next(now)
	case errors.Is(f.err, errChanged), errors.Is(f.err, errStandby):
		delete(l.entries, f.key)
		l.reload = true
	default:
		wait := min(firstRetry<<min(e.tries, 10), lastRetry)
		e.tries++
		e.due = now.Add(wait)
		if !errors.Is(f.err, context.Canceled) {
			l.log.Warn("a job waits for the cluster", "kind", e.kind.Name, "id", e.id, "for", wait, "err", f.err)
		}
	}
}

// alarm is set to the next due instant. Nothing is awaited while all runners are busy.
func (l *loop) alarm() *clock.Alarm {
	var next time.Time
	for _, e := range l.entries {
		if !e.running && !e.due.IsZero() && (next.IsZero() || e.due.Before(next)) {
			next = e.due
		}
	}
	if next.IsZero() || l.running >= atOnce {
		return &clock.Alarm{Stop: func() {}}
	}
	return l.clock.Alarm(next)
}

// drain waits for the jobs under way, whose context is done.
func (l *loop) drain() {
	l.let()
	l.takeHold()()
	for ; l.running > 0; l.running-- {
		(<-l.done).release()
	}
}

// limits are the settings of a run, by kind.
func (r *Runner) limits(ctx context.Context, k *Kind) (limits, error) {
	view, err := r.settings(ctx)
	if err != nil {
		return limits{}, err
	}
	if k == Transform {
		return limits{view.Duration(transformPrefixed + "index.backoff_millis"), int(view.Int(transformPrefixed + "index.backoff_count"))}, nil
	}
	return limits{view.Duration(rollupPrefixed + "ingest.backoff_millis"), int(view.Int(rollupPrefixed + "ingest.backoff_count"))}, nil
}
