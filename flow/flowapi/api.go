// SPDX-License-Identifier: Apache-2.0

// Package flowapi answers /_plugins/_flow_framework as the Flow Framework plugin does.
//
// Handlers read a request, call one function of package provision, and shape the answer; they keep nothing. Errors have
// the plugin's form {"error":"..."}, but where the server itself refuses a request before the plugin sees it, and where
// a search fails. What the plugin does not have is reached by parameters of its own (dry_run, resume, on_failure, steps)
// and by POST .../_cancel.
package flowapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/rest"
)

const (
	prefix    = "/_plugins/_flow_framework"
	workflows = prefix + "/workflow"
	one       = workflows + "/{workflow_id}"
)

// Options are what the handlers work with.
type Options struct {
	Client  *opensearch.Client
	Service *provision.Service
	// UseCase makes the template of a built-in use case from its defaults and the parameters in body, which may be nil.
	UseCase func(name string, body []byte) (template []byte, err error)
	// Version is OpenSearch's, for deprecation warnings.
	Version string
	Logger  *slog.Logger
}

// API is the handler of all routes. It is safe for concurrent use.
type API struct {
	o       Options
	client  *opensearch.Client
	service *provision.Service
	router  *rest.Router
}

// New returns the handler.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.UseCase == nil {
		o.UseCase = unknownUseCase
	}
	a := &API{o: o, client: o.Client, service: o.Service, router: rest.NewRouter(o.Version)}
	a.router.Logger(o.Logger)
	for _, r := range a.routes() {
		a.router.Handle(r.method, r.path, a.enabled(r.handler))
	}
	a.router.Handle(http.MethodPost, workflows, a.create)
	a.router.Handle(http.MethodPut, one, a.create)
	return a
}

type route struct {
	method, path string
	handler      rest.Handler
}

// routes are in the order of the API reference; creating and updating, which check by themselves whether the API is
// switched on, are not among them.
func (a *API) routes() []route {
	return []route{
		{http.MethodGet, one, a.get},
		{http.MethodDelete, one, a.remove},
		{http.MethodPost, one + "/_provision", a.provision},
		{http.MethodPost, one + "/_deprovision", a.deprovision},
		{http.MethodPost, one + "/_cancel", a.cancel},
		{http.MethodGet, one + "/_status", a.status},
		{http.MethodGet, workflows + "/_steps", a.steps},
		{http.MethodGet, workflows + "/_search", a.searchTemplates},
		{http.MethodPost, workflows + "/_search", a.searchTemplates},
		{http.MethodGet, workflows + "/state/_search", a.searchStates},
		{http.MethodPost, workflows + "/state/_search", a.searchStates},
	}
}

// Match reports whether a path is ours, whatever the method.
func (a *API) Match(path string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

// ServeHTTP answers.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// enabled lets requests through while the API is switched on.
func (a *API) enabled(next rest.Handler) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		err := a.checkEnabled(r.HTTP.Context(), "This API is disabled. To enable it, update the setting [plugins.flow_framework.enabled] to true.")
		if err != nil {
			return nil, err
		}
		return next(r)
	}
}

func (a *API) checkEnabled(ctx context.Context, refusal string) error {
	on, err := a.service.Enabled(ctx)
	if err == nil && !on {
		err = flow.Errorf(http.StatusForbidden, "%s", refusal)
	}
	return err
}

// unknownUseCase is the answer where no use case is built in.
func unknownUseCase(name string, _ []byte) ([]byte, error) {
	return nil, flow.Errorf(http.StatusBadRequest, "Unable to find substitution ready file for use case: %s", name)
}

// worded gives an error that has no words of this API the plugin's general ones, and leaves its status.
func worded(err error, text string) error {
	if err == nil || flow.IsOwn(err) {
		return err
	}
	e := flow.Errorf(fault.Of(err).Status, "%s", text)
	e.Err = err
	return e
}

// unworded are the general words of all handlers but that of the status.
const unworded = "Failed to get workflow."
