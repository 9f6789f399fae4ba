// SPDX-License-Identifier: Apache-2.0

// Package ismapi answers /_plugins/_ism, and the older prefix /_opendistro/_ism, as the ISM plugin does.
//
// Handlers read a request, call the cluster or a function of package ism, and shape the answer; they keep nothing. What
// they store are the plugin's own documents, under the version that was read. After every change they wake the
// reconciler, which makes the moves; no handler makes any.
package ismapi

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// The prefixes of the routes: today's and the one before.
const (
	prefix    = "/_plugins/_ism"
	oldPrefix = "/_opendistro/_ism"
)

// Options are what the handlers work with.
type Options struct {
	Client  *opensearch.Client
	Manager *manager.Manager
	// Clock gives the times that documents get.
	Clock    clock.Clock
	Registry *setting.Registry
	// Version is OpenSearch's, for deprecation warnings.
	Version string
	Logger  *slog.Logger
}

// API is the handler of all routes. It is safe for concurrent use.
type API struct {
	o      Options
	client *opensearch.Client
	router *rest.Router
}

// New returns the handler.
func New(o Options) *API {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{o: o, client: o.Client, router: rest.NewRouter(o.Version)}
	a.router.Logger(o.Logger)
	for _, r := range a.routes() {
		for _, path := range r.paths {
			a.router.Handle(r.method, prefix+path, r.handler)
			a.router.Deprecated(r.method, oldPrefix+path, prefix+path, r.handler)
		}
	}
	for _, path := range []string{"", "/{index}"} {
		a.router.Handle(http.MethodPost, analyzersPath+path, a.refreshAnalyzers)
		a.router.Deprecated(http.MethodPost, oldAnalyzersPath+path, analyzersPath+path, a.refreshAnalyzers)
	}
	a.router.Handle(http.MethodGet, attachmentsPath, a.attachments)
	a.router.Handle(http.MethodPost, attachmentsPath+"/reconcile", a.reconcile)
	return a
}

type route struct {
	method  string
	paths   []string
	handler rest.Handler
}

// routes are in the order of the API reference.
func (a *API) routes() []route {
	policy := []string{"/policies/{policyID}", "/policies"}
	managed := func(name string) []string { return []string{"/" + name + "/{index}", "/" + name} }
	return []route{
		{http.MethodPut, policy, a.putPolicy},
		{http.MethodGet, policy, a.getPolicies},
		{http.MethodHead, policy[:1], a.getPolicies},
		{http.MethodDelete, policy[:1], a.deletePolicy},
		{http.MethodPost, managed("add"), a.add},
		{http.MethodPost, managed("remove"), a.remove},
		{http.MethodPost, managed("change_policy"), a.changePolicy},
		{http.MethodPost, managed("retry"), a.retry},
		{http.MethodGet, managed("explain"), a.explain},
		{http.MethodPost, managed("explain"), a.explainFiltered},
		{http.MethodPost, []string{"/simulate"}, a.simulate},
	}
}

// prefixes begin the paths that are ours.
var prefixes = []string{prefix, oldPrefix, analyzersPath, oldAnalyzersPath, attachmentsPath}

// Match reports whether a path is ours, whatever the method.
func (a *API) Match(path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

// ServeHTTP answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// changed tells the reconciler that documents have changed.
func (a *API) changed() { a.o.Manager.Wake() }

// noConfigIndex turns the cluster's error about the missing config index into the plugin's: nobody named that index.
func noConfigIndex(err error) error {
	if fault.Is(err, "index_not_found_exception") {
		return fault.IndexNotFound(manager.ConfigIndex, "index_expression")
	}
	return err
}

// settings are the plugin's settings now.
func (a *API) settings(ctx context.Context) (setting.View, error) { return a.o.Manager.Settings(ctx) }
