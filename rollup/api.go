// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

// The prefixes of the routes. Transforms have no older one.
const (
	rollupPrefix    = "/_plugins/_rollup/jobs"
	oldRollupPrefix = "/_opendistro/_rollup/jobs"
	transformPrefix = "/_plugins/_transform"
)

// APIOptions are what the handlers work with.
type APIOptions struct {
	Client *opensearch.Client
	// Clock gives the times that documents get.
	Clock clock.Clock
	// Ensure creates the config index, or brings its mapping up to date.
	Ensure func(ctx context.Context) error
	// Changed is told that jobs were changed; nil if nobody asks.
	Changed func()
	// Native says whether the cluster has the plugin itself, and all requests are to be passed on; nil means never.
	Native func() bool
	// Version is OpenSearch's, for deprecation warnings.
	Version string
	Logger  *slog.Logger
}

// API answers /_plugins/_rollup and /_plugins/_transform. It is safe for concurrent use.
type API struct {
	o      APIOptions
	store  *store
	router *rest.Router
}

// NewAPI returns the handler.
func NewAPI(o APIOptions) *API {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Native == nil {
		o.Native = never
	}
	a := &API{o: o, store: &store{client: o.Client}, router: rest.NewRouter(o.Version)}
	a.router.Logger(o.Logger)
	for _, k := range []*Kind{Rollup, Transform} {
		h := handlers{a, k}
		for _, r := range h.routes() {
			a.router.Handle(r.method, k.prefix+r.path, r.handler)
			if k == Rollup {
				a.router.Deprecated(r.method, oldRollupPrefix+r.path, k.prefix+r.path, r.handler)
			}
		}
	}
	preview := func(*rest.Request) (rest.Action, error) {
		return nil, fault.Illegal("[_preview] of a transform is not supported")
	}
	a.router.Handle(http.MethodPost, transformPrefix, preview)
	a.router.Handle(http.MethodPost, transformPrefix+"/_preview", preview)
	return a
}

type route struct {
	method, path string
	handler      rest.Handler
}

// Match reports whether a path is ours to answer, whatever the method.
func (a *API) Match(path string) bool {
	for _, prefix := range []string{rollupPrefix, oldRollupPrefix, transformPrefix} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return !a.o.Native()
		}
	}
	return false
}

// ServeHTTP answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// handlers answer for one kind.
type handlers struct {
	*API
	kind *Kind
}

func (h handlers) routes() []route {
	return []route{
		{http.MethodPut, "", h.put},
		{http.MethodPut, "/{id}", h.put},
		{http.MethodGet, "", h.get},
		{http.MethodGet, "/{id}", h.get},
		{http.MethodHead, "/{id}", h.get},
		{http.MethodDelete, "/{id}", h.delete},
		{http.MethodPost, "/{id}/_start", h.start},
		{http.MethodPost, "/{id}/_stop", h.stop},
		{http.MethodGet, "/{id}/_explain", h.explain},
	}
}

func (h handlers) now() time.Time { return h.o.Clock.Now() }

// notFound is the 404 of a job that is not there.
func (h handlers) notFound() error {
	return fault.Status(http.StatusNotFound, "%s not found", h.kind.Title)
}

// missingID is the 400 of a path without an id.
func (h handlers) missingID() error { return fault.Illegal("Missing %s ID", h.kind.Name) }

// form is the shape of an answer's jobs.
func form(r *rest.Request) Form {
	if r.Human() {
		return Human
	}
	return Shown
}

func never() bool { return false }
