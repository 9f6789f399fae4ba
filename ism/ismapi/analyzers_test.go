// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opensteward/steward/opensearch"
)

func TestRefreshingSearchAnalyzersIsLeftToAClusterThatCan(t *testing.T) {
	for _, c := range []struct {
		name, path, wantPath string
		status               int
		answer               string
	}{
		{
			"it does", "/_plugins/_refresh_search_analyzers/books,logs-*?reload_cached_resources=true",
			"/_plugins/_refresh_search_analyzers/books%2Clogs-%2A?reload_cached_resources=true", 200,
			`{"_shards":{"total":1,"successful":1,"failed":0},"successful_refresh_details":[{"index":"books","refreshed_analyzers":["a"]}]}`,
		},
		{
			"it refuses", "/_opendistro/_refresh_search_analyzers/none", "/_plugins/_refresh_search_analyzers/none", 404,
			`{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [none]"}],"type":"index_not_found_exception","reason":"no such index [none]"},"status":404}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked string
			cluster := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.RequestURI()
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			})
			api := New(Options{Client: opensearch.NewClient(opensearch.InProcess(cluster))})
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, nil))
			if asked != c.wantPath {
				t.Errorf("the cluster was asked for %s, want %s", asked, c.wantPath)
			}
			if w.Code != c.status || w.Body.String() != c.answer {
				t.Errorf("%d %s\nwant %d %s", w.Code, w.Body, c.status, c.answer)
			}
		})
	}
}
