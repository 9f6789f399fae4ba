// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

const (
	// targetsFor is how long the targets of rollup jobs count as known, unless jobs are changed through us.
	targetsFor = time.Minute
	// targetsRetry is how long nobody asks again after the cluster did not tell them.
	targetsRetry = time.Second
)

// Searches is a transport that refuses searches which the plugin would rewrite: those that aggregate over a target of a
// rollup job. Without the rewriting they would find nothing and not say so. Every other request goes on.
type Searches struct {
	next    http.RoundTripper
	client  *opensearch.Client
	native  func() bool
	targets *opensearch.Kept[[]string]
}

// NewSearches returns the transport before next. native says whether the cluster has the plugin, which rewrites
// searches itself; nil means never.
func NewSearches(next http.RoundTripper, native func() bool) *Searches {
	if native == nil {
		native = never
	}
	s := &Searches{next: next, client: opensearch.NewClient(next), native: native}
	s.targets = opensearch.Keep(targetsFor, targetsRetry, s.known)
	return s
}

// Changed says that jobs were changed.
func (s *Searches) Changed() { s.targets.Forget() }

// RoundTrip refuses, or passes on.
func (s *Searches) RoundTrip(r *http.Request) (*http.Response, error) {
	names := searched(r)
	if len(names) == 0 || r.Body == nil || r.Body == http.NoBody || s.native() {
		return s.next.RoundTrip(r)
	}
	targets, _ := s.targets.Get(r.Context()) // while the cluster does not answer the last ones count
	at := slices.IndexFunc(names, func(name string) bool { return slices.Contains(targets, name) })
	if at < 0 {
		return s.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if aggregates(body) {
		return opensearch.FaultResponse(r, fault.Illegal("searches that aggregate over the rollup index [%s] are not rewritten for its fields: this is not supported", names[at])), nil
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.next.RoundTrip(r)
}

// searched are the names in the path of a search: /a,b/_search.
func searched(r *http.Request) []string {
	expression, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if !ok || strings.TrimSuffix(rest, "/") != "_search" {
		return nil
	}
	names, err := url.PathUnescape(expression)
	if err != nil {
		return nil
	}
	return strings.Split(names, ",")
}

// aggregates reports whether a search body has aggregations.
func aggregates(body []byte) bool {
	var search map[string]json.RawMessage
	if json.Unmarshal(body, &search) != nil {
		return false
	}
	for _, name := range []string{"aggs", "aggregations"} {
		if text := string(bytes.TrimSpace(search[name])); text != "" && text != "{}" && text != "null" {
			return true
		}
	}
	return false
}

// known reads the targets of all rollup jobs.
func (s *Searches) known(ctx context.Context) (targets []string, err error) {
	err = s.client.Scan(ctx, ConfigIndex, wire.Obj("exists", wire.Obj("field", Rollup.Name)), func(doc opensearch.Document) error {
		if j, err := readJob(Rollup, doc); err == nil {
			targets = append(targets, j.Target)
		}
		return nil
	})
	if fault.Is(err, "index_not_found_exception") {
		return nil, nil
	}
	return targets, err
}
