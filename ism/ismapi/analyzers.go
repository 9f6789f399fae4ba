// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// The paths of the plugin's other route: today's and the one before.
const (
	analyzersPath    = "/_plugins/_refresh_search_analyzers"
	oldAnalyzersPath = "/_opendistro/_refresh_search_analyzers"
)

// refreshAnalyzers makes search analyzers read their synonym files again. A cluster that has the plugin does it itself.
// Without the plugin there is no way to; that matters only to indices that have analyzers which can be read again.
func (a *API) refreshAnalyzers(r *rest.Request) (rest.Action, error) {
	expression := r.Path("index")
	if expression == "" {
		return nil, fault.Illegal("Missing indices")
	}
	cached := r.Bool("reload_cached_resources", false)
	return func(ctx context.Context) (*rest.Response, error) {
		if answer, err := a.pluginRefresh(ctx, expression, cached); err != nil || answer != nil {
			return answer, err
		}
		return a.refreshedNothing(ctx, expression)
	}, nil
}

// pluginRefresh asks the cluster; nil if it does not know the route.
func (a *API) pluginRefresh(ctx context.Context, expression string, cached bool) (*rest.Response, error) {
	call := opensearch.Call{Method: http.MethodPost, Path: analyzersPath + opensearch.Path(expression)}
	if cached {
		call.Query = url.Values{"reload_cached_resources": {"true"}}
	}
	var answer json.RawMessage
	err := a.client.Do(ctx, call, &answer)
	switch {
	case opensearch.NoSuchAPI(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return rest.OK(answer), nil
}

// refreshedNothing is the answer for indices without an analyzer that could be read again.
func (a *API) refreshedNothing(ctx context.Context, expression string) (*rest.Response, error) {
	// Statistics go to the same shards, and fail for the same indices.
	var stats struct {
		Shards  json.RawMessage            `json:"_shards"`
		Indices map[string]json.RawMessage `json:"indices"`
	}
	call := opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(expression, "_stats", "docs")}
	if err := a.client.Do(ctx, call, &stats); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(stats.Indices))
	infos, err := a.client.Indices(ctx, names)
	if err != nil {
		return nil, err
	}
	details := []wire.Object{}
	for _, name := range names {
		if updateable(infos[name].Settings) {
			return nil, fault.Illegal("refreshing the search analyzers of [%s] is not supported by a cluster without the index management plugin", name)
		}
		details = append(details, wire.Obj("index", name, "refreshed_analyzers", []string{}))
	}
	return rest.OK(wire.Obj("_shards", stats.Shards, "successful_refresh_details", details)), nil
}

// updateable reports whether an index has a filter that can be read again.
func updateable(settings map[string]string) bool {
	for name, value := range settings {
		if strings.HasPrefix(name, "index.analysis.filter.") && strings.HasSuffix(name, ".updateable") && value == "true" {
			return true
		}
	}
	return false
}
