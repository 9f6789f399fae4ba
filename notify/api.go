// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

const (
	prefix   = "/_plugins/_notifications"
	testPath = prefix + "/feature/test/{config_id}"
)

// Options are what the handlers work with.
type Options struct {
	Client *opensearch.Client
	// Clock gives the times that documents get; nil means the machine's.
	Clock clock.Clock
	// Sender delivers test messages.
	Sender *Sender
	// Native says whether the cluster has the plugin itself, and all requests are to be passed on; nil means never.
	Native func() bool
	// Version is OpenSearch's, for deprecation warnings.
	Version string
	Logger  *slog.Logger
}

// API is the handler of all routes. It is safe for concurrent use.
type API struct {
	o      Options
	store  *store
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
	if o.Native == nil {
		o.Native = func() bool { return false }
	}
	a := &API{o: o, store: &store{o.Client}, router: rest.NewRouter(o.Version)}
	a.router.Logger(o.Logger)
	const configs, one = prefix + "/configs", prefix + "/configs/{config_id}"
	a.router.Handle(http.MethodPost, configs, a.create)
	a.router.Handle(http.MethodPut, one, a.update)
	for _, path := range []string{one, configs} {
		a.router.Handle(http.MethodDelete, path, a.remove)
		a.router.Handle(http.MethodGet, path, a.get)
	}
	a.router.Handle(http.MethodGet, prefix+"/features", a.features)
	a.router.Handle(http.MethodGet, prefix+"/channels", a.channels)
	a.router.Handle(http.MethodPost, testPath, a.test)
	a.router.Handle(http.MethodGet, testPath, func(r *rest.Request) (rest.Action, error) {
		r.Warn("[GET " + testPath + "] is deprecated! Use [POST " + testPath + "] instead.")
		return a.test(r)
	})
	return a
}

// Match reports whether a path is ours, whatever the method.
func (a *API) Match(path string) bool {
	return (path == prefix || strings.HasPrefix(path, prefix+"/")) && !a.o.Native()
}

// ServeHTTP answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }
