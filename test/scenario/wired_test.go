// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/ismapi"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/scenario"
	"github.com/opensteward/steward/wire/setting"
)

var registry = setting.NewRegistry(ism.Settings()...)

// wired is the reconciler and its API over a cluster.
type wired struct {
	t       *testing.T
	cluster http.RoundTripper
	manager *manager.Manager
	api     http.Handler
	clock   clock.Clock
}

// wire runs a reconciler over a cluster until the test ends.
func wire(t *testing.T, cluster http.RoundTripper, c clock.Clock) *wired {
	t.Helper()
	client := opensearch.NewClient(cluster)
	_, virtual := c.(*clock.Virtual)
	m := manager.New(manager.Options{Client: client, Registry: registry, Clock: c, Watched: virtual})
	m.Wake()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	api := ismapi.New(ismapi.Options{Client: client, Manager: m, Registry: registry, Clock: c, Version: "3.4.0"})
	return &wired{t, cluster, m, api, c}
}

// Do sends a request to whom it is for.
func (w *wired) Do(method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://cluster"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	via := w.cluster
	if strings.HasPrefix(path, "/_plugins/_ism/") {
		via = opensearch.InProcess(w.api)
	}
	res, err := via.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if method != http.MethodGet && method != http.MethodHead {
		w.manager.Wake()
	}
	return res.StatusCode, answer, err
}

// Now is the time of documents, in milliseconds.
func (w *wired) Now() time.Time { return w.clock.Now().Truncate(time.Millisecond) }

// patience is how long a wait may take that takes a moment where all is well.
const patience = 20 * time.Second

// Advance moves a virtual clock.
func (w *wired) Advance(d time.Duration) error {
	v, ok := w.clock.(*clock.Virtual)
	if !ok {
		return fmt.Errorf("nobody can wait for %s", d)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	return v.Advance(ctx, d)
}

// Eventually looks until it is so; with a virtual clock once, when everything rests.
func (w *wired) Eventually(look func() error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if v, ok := w.clock.(*clock.Virtual); ok {
		if err := v.Settle(ctx); err != nil {
			return err
		}
		return look()
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// clean removes what a scenario made, by the word that all its names begin with.
func (w *wired) clean(names string) {
	for _, path := range []string{
		"/_data_stream/" + names + "*", "/_index_template/" + names + "*", "/" + names + "*",
		"/_plugins/_ism/policies/" + names + "-policy", "/_plugins/_ism/policies/" + names + "-other",
		"/_plugins/_ism/policies/" + names + "-low", "/_plugins/_ism/policies/" + names + "-high",
		"/_plugins/_ism/policies/" + names + "-waits-for-alias",
	} {
		// Not every scenario made each of them.
		_, _, _ = w.Do(http.MethodDelete, path, nil)
	}
}

// TestScenariosBeforeARealCluster plays those scenarios that need no waiting.
func TestScenariosBeforeARealCluster(t *testing.T) {
	url := os.Getenv("STEWARD_TEST_CLUSTER")
	if url == "" {
		t.Skip("no cluster")
	}
	network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.(io.Closer).Close() })
	w := wire(t, opensearch.PluginSettings(network, registry), clock.Real{})
	eachScenario(t, func(t *testing.T, s *scenario.Scenario, names string) {
		if s.Waits() {
			t.Skip("it waits")
		}
		w.t = t
		defer w.clean(names)
		if err := s.Play(w); err != nil {
			t.Error(err)
		}
	})
}

// aName is a word that no other scenario's names begin with.
func aName() string { return "t" + strings.ToLower(rand.Text()[:10]) }
