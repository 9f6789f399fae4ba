// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/wire/setting"
)

// Options are what a service works with.
type Options struct {
	Client *opensearch.Client
	// Own reaches what this program serves itself; nil where there is nothing.
	Own *opensearch.Client
	// Clock gives the times that documents get, and the delays of templates.
	Clock clock.Clock
	// Lease is held by the one process that provisions.
	Lease lease.Lease
	// Keys encrypt what is secret; nil refuses it.
	Keys *secret.Keyring
	// Settings reads the settings as they stand in the cluster.
	Settings func(ctx context.Context) (setting.View, error)
	// Parallel is how many steps call the cluster at the same time, of all workflows together; 0 means 32.
	Parallel int
	// Alone is true if no other process works on the same documents: what is to be done is then looked for only once.
	Alone  bool
	Logger *slog.Logger
}

// defaultParallel bounds the calls that all workflows make at the same time. Nodes that wait for others, and delays, do
// not count, so that no number of workflows can lock each other out.
const defaultParallel = 32

// recordFor is how long after the end steps under way may still record what they made.
const recordFor = 5 * time.Second

// Service keeps workflows. It is safe for concurrent use.
type Service struct {
	o      Options
	client *opensearch.Client // for documents; steps have the one of o
	log    *slog.Logger
	slots  chan struct{}

	// ctx ends when no step may begin any more.
	ctx  context.Context
	stop context.CancelFunc
	// recording ends later: what has been made is to be recorded.
	recording    context.Context
	endRecording context.CancelFunc
	all          sync.WaitGroup
	locks        locks
	soon         chan struct{}
	mu           sync.Mutex
	active       map[string]*execution
	// unbegun is since when a state has said PROVISIONING without a run. It belongs to Run.
	unbegun map[string]time.Time
	// marks are the highest sequence numbers of runs and states at the last look, by shard. They belong to Run.
	marks map[string]int64
	// rotated is true when everything is sealed with the key that encrypts now. It belongs to Run.
	rotated bool
}

// New returns a service that has read nothing yet.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Lease == nil {
		o.Lease = lease.Always{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Parallel == 0 {
		o.Parallel = defaultParallel
	}
	s := &Service{
		o: o, client: o.Client.Within(opensearch.AnswerWithin), log: o.Logger, slots: make(chan struct{}, o.Parallel), active: map[string]*execution{},
		soon: make(chan struct{}, 1),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.recording, s.endRecording = context.WithCancel(context.Background())
	context.AfterFunc(s.ctx, func() { time.AfterFunc(recordFor, s.endRecording) })
	return s
}

// lookEvery is how often a process that is not alone looks for what others have asked for. With the two probes a second
// of the reconciler, the lease and the pool of connections that makes less than three requests a second at rest.
const lookEvery = 3 * time.Second

// Run finishes what was begun by a process that is gone, and what others have asked for, until ctx is done. Then it
// lets the steps under way end, starts none any more, and returns; what is left is finished after the next start.
func (s *Service) Run(ctx context.Context) {
	release := s.o.Clock.Hold()
	defer func() {
		release()
		s.stop()
		s.all.Wait()
	}()
	for {
		err := fault.Guard(s.log, "unfinished workflows", func() error { return s.recover(ctx) })
		release()
		if err != nil && ctx.Err() == nil {
			s.log.Warn("cannot look for unfinished workflows", "err", err)
		}
		if err == nil && s.o.Alone {
			select {
			case <-s.soon:
				s.marks = nil
			case <-ctx.Done():
				return
			}
		}
		if pauseFor(ctx, lookEvery) != nil {
			return
		}
	}
}

// lookSoon has Run look again for what is unfinished.
func (s *Service) lookSoon() {
	select {
	case s.soon <- struct{}{}:
	default: // it will anyway
	}
}

// now is the instant that documents get, in epoch milliseconds.
func (s *Service) now() int64 { return s.o.Clock.Now().UnixMilli() }

// The plugin's settings.
const (
	settingEnabled        = "plugins.flow_framework.enabled"
	settingMaxWorkflows   = "plugins.flow_framework.max_workflows"
	settingMaxSteps       = "plugins.flow_framework.max_workflow_steps"
	settingRequestTimeout = "plugins.flow_framework.request_timeout"
	settingTaskRetry      = "plugins.flow_framework.task_request_retry_duration"
)

// Enabled reports whether the API is switched on.
func (s *Service) Enabled(ctx context.Context) (bool, error) {
	v, err := s.o.Settings(ctx)
	if err != nil {
		return false, err
	}
	return v.Bool(settingEnabled), nil
}

// RequestTimeout bounds searches and each step that takes a resource away.
func (s *Service) RequestTimeout(ctx context.Context) (time.Duration, error) {
	v, err := s.o.Settings(ctx)
	if err != nil {
		return 0, err
	}
	return v.Duration(settingRequestTimeout), nil
}

// plan orders and checks a template's workflow for provisioning. workflowID is "" before there is one.
func (s *Service) plan(ctx context.Context, workflowID string, w *flow.Workflow) ([]flow.Planned, error) {
	plan, err := s.ordered(ctx, workflowID, w)
	if err != nil {
		return nil, err
	}
	return plan, s.checked(ctx, plan)
}

// ordered orders a workflow's nodes.
func (s *Service) ordered(ctx context.Context, workflowID string, w *flow.Workflow) ([]flow.Planned, error) {
	v, err := s.o.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return w.Plan(workflowID, flow.Limits{MaxSteps: int(v.Int(settingMaxSteps))})
}

// checked checks what a plan's nodes need.
func (s *Service) checked(ctx context.Context, plan []flow.Planned) error {
	plugins, err := s.plugins(ctx, plan)
	if err != nil {
		return err
	}
	return flow.Validate(plan, plugins)
}

// plugins are the names of the cluster's plugins, if a plan needs any.
func (s *Service) plugins(ctx context.Context, plan []flow.Planned) (names []string, err error) {
	if !slices.ContainsFunc(plan, func(p flow.Planned) bool { return len(p.Type.Plugins) > 0 }) {
		return nil, nil
	}
	return s.client.Plugins(ctx, nil)
}

// own makes an error one of this API: what is not worded yet gets the API's words, and keeps its status.
func own(err error, format string, args ...any) error {
	if err == nil || flow.IsOwn(err) {
		return err
	}
	return flowError(err, fault.Of(err).Status, format, args...)
}
