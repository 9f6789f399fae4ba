// SPDX-License-Identifier: Apache-2.0

// Package steward is the whole program as a library: index state management for OpenSearch, served in front of an
// embedded engine or of a real cluster.
//
//	s, err := steward.New(steward.Options{Listen: "127.0.0.1:0", Data: dir})
//	if err != nil { ... }
//	if err := s.Start(ctx); err != nil { ... }
//	defer s.Stop(context.Background())
//	http.Get(s.URL() + "/_plugins/_ism/explain")
//
// [New] checks the options, [Steward.Start] opens everything, [Steward.Stop] drains and closes it in reverse order,
// and [Steward.Run] does both around a context. One value is one process before a cluster: it can be started once.
package steward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/gateway"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/notify"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/wire/setting"
)

// DrainTimeout is how long [Steward.Run] lets requests under way finish.
const DrainTimeout = 30 * time.Second

// Steward is the assembled program. Its methods are safe for concurrent use.
type Steward struct {
	o   Options
	log *slog.Logger

	mu      sync.Mutex
	begun   bool
	moving  sync.Mutex // held while a virtual clock is moved
	closers []closer   // in the order of opening
	url     string
	// listening is host:port of the listener.
	listening string
	// keepTime stores where a virtual clock is about to move to.
	keepTime func(at time.Time) error
	handler  http.Handler
	manager  *manager.Manager
	// keyring encrypts secrets at rest; nil in front of a cluster for which no key was given.
	keyring   *secret.Keyring
	workflows *provision.Service
	sender    *notify.Sender
	// nativeNotifications says whether the cluster has the notifications plugin; nil for never.
	nativeNotifications func() bool
	jobs                *rollup.Runner
	// nativeJobs says whether the cluster has rollups and transforms itself; nil for never.
	nativeJobs func() bool
	searches   *rollup.Searches
	serving    *gateway.Server
}

// closer ends one part of the program.
type closer struct {
	name  string
	close func(ctx context.Context) error
}

// New checks the options and returns a program that is not running yet. Nothing is opened.
func New(o Options) (*Steward, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	return &Steward{o: o, log: o.Logger}, nil
}

// URL is where the program answers, "" before Start.
func (s *Steward) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Handler answers what the listener answers; nil before Start.
func (s *Steward) Handler() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handler
}

// Data is the data directory of the embedded engine, "" in front of a cluster.
func (s *Steward) Data() string { return s.o.Data }

// Behind names what requests are passed on to: "the embedded engine", or the cluster's URLs without credentials.
func (s *Steward) Behind() string { return s.o.behind() }

// Start opens the store or the way to the cluster, starts the reconciler and listens. When it returns nil the program
// answers requests. ctx bounds the starting alone. If it fails, everything is closed again.
func (s *Steward) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return errors.New("steward was started before")
	}
	s.begun = true
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.closeAll(ctx))
	}
	return nil
}

func (s *Steward) start(ctx context.Context) error {
	// The address first: whoever asks for one that is taken shall not wait for a store to open.
	listener, err := gateway.Listen(ctx, gateway.ListenOptions{
		Address: s.o.Listen, Certificate: s.o.TLSCertificate, Key: s.o.TLSKey,
	})
	if err != nil {
		return err
	}
	s.onClose("listener", func(context.Context) error { return ignoreClosed(listener.Close()) })
	s.listening = listener.Addr().String()
	if s.keyring, err = s.o.keys(); err != nil {
		return err
	}
	back, err := s.open()
	if err != nil {
		return err
	}
	if s.o.Transport != nil {
		back.transport = s.o.Transport(back.transport)
	}
	client := opensearch.NewClient(back.transport)
	s.openNotifications(client)
	s.openJobs(back, client)
	_, virtual := s.o.Clock.(*clock.Virtual) // whoever moves it sees to it that nothing changes but through us
	s.manager = manager.New(manager.Options{
		Client: client, Clock: s.o.Clock, Lease: back.lease, Registry: settings, NodeSettings: s.startValues(),
		OnlyWriteAlias: !s.o.embedded(), Watched: virtual, Notifier: s.sender, Jobs: s.jobsChanged, Pace: s.o.pace(), Logger: s.log,
	})
	s.manager.Wake() // a virtual clock stands until the first sweep is done
	s.background("reconciler", s.manager.Run)
	s.jobs.Wake()
	s.background("jobs", s.jobs.Run)
	s.openWorkflows(back, client)
	s.handler = s.front(back, client)
	s.url = s.address(listener)
	s.serving = gateway.Serve(listener, s.handler, s.log)
	s.onClose("gateway", s.serving.Stop)
	return nil
}

// front puts our APIs before the cluster.
func (s *Steward) front(back backend, client *opensearch.Client) http.Handler {
	status := s.statusAPI()
	o := gateway.Options{
		APIs:    []gateway.API{s.ismAPI(client), s.flowAPI(client), s.notifyAPI(client), s.rollupAPI(client), {Match: status.Match, Handler: status}},
		Backend: s.searches, Changing: s.manager.Changing, MaxBody: back.maxBody, Logger: s.log,
	}
	if !s.o.embedded() {
		o.Access = gateway.NewAccess(client)
	}
	return gateway.New(o)
}

// startValues are the settings of the plugins that the program was started with.
func (s *Steward) startValues() setting.Values {
	values := setting.Values{}
	for name, value := range s.o.Settings {
		if _, declared := settings.Lookup(name); declared {
			values[name] = value
		}
	}
	return values
}

// version is what OpenSearch's version the program reports.
func (s *Steward) version() string {
	if v := s.o.Settings["version.number"]; v != "" {
		return v
	}
	return DefaultVersion
}

func (s *Steward) address(l net.Listener) string {
	scheme := "http"
	if s.o.TLSCertificate != "" {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}

// Stop takes no new requests, waits for those under way until ctx is done, ends the reconciler and closes the store.
// Stopping a program that does not run does nothing.
func (s *Steward) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeAll(ctx)
}

func (s *Steward) closeAll(ctx context.Context) error {
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		if err := c.close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close the %s: %w", c.name, err))
		}
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *Steward) onClose(name string, fn func(ctx context.Context) error) {
	s.closers = append(s.closers, closer{name, fn})
}

// restartAfter is the pause before background work that panicked begins again.
const restartAfter = time.Second

// endWithin is how long background work is waited for at least when the program closes, also where requests have used up the
// time: what it works with is closed after it.
const endWithin = 5 * time.Second

// background runs fn until the program closes, which waits for it. Should it panic, it begins again.
func (s *Steward) background(name string, fn func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for fault.Guard(s.log, name, func() error { fn(ctx); return nil }) != nil {
			select {
			case <-time.After(restartAfter):
			case <-ctx.Done():
				return
			}
		}
	}()
	s.onClose(name, func(ctx context.Context) error {
		cancel()
		grace := time.NewTimer(endWithin)
		defer grace.Stop()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
		}
		select {
		case <-done:
			return nil
		case <-grace.C:
			return ctx.Err()
		}
	})
}

// Run starts the program, calls ready, and stops it when ctx is done or serving fails.
func (s *Steward) Run(ctx context.Context, ready func()) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	ready()
	var failed error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case err := <-s.serving.Done():
		failed = fmt.Errorf("serve: %w", err)
	}
	draining, cancel := context.WithTimeout(context.Background(), DrainTimeout)
	defer cancel()
	return errors.Join(failed, s.Stop(draining))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
