// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/test/unreliable"
	"github.com/opensteward/steward/wire/setting"
)

// world is a cluster, and the keys that all processes before it have.
type world struct {
	t      *testing.T
	direct http.RoundTripper
	client *opensearch.Client
	keys   *secret.Keyring
	clock  clock.Clock
	// prefix begins the names of what the test makes.
	prefix string
	// end ends the process that runs.
	end func()
}

// newWorld is a world on a real cluster if there is one, else on an engine of its own.
func newWorld(t *testing.T) *world {
	t.Helper()
	line, err := secret.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Parse([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	direct := backend(t, keys)
	w := &world{
		t: t, direct: direct, client: opensearch.NewClient(direct), keys: keys, clock: clock.Real{}, end: func() {},
		prefix: "t" + strings.ToLower(rand.Text()[:8]) + "-",
	}
	if test.OnCluster() {
		t.Cleanup(func() {
			names, err := w.client.IndexNames(context.Background())
			if err != nil {
				t.Error(err)
			}
			for name := range names {
				if !strings.HasPrefix(name, w.prefix) && !slices.Contains([]string{provision.TemplateIndex, provision.StateIndex, lease.Index}, name) {
					continue
				}
				if _, err := w.client.DeleteIndex(context.Background(), name); err != nil {
					t.Error(err)
				}
			}
			_ = w.client.Do(context.Background(), opensearch.Call{Method: http.MethodDelete, Path: "/_ingest/pipeline/" + w.prefix + "*"}, nil) // there may be none
		})
	}
	return w
}

func backend(t *testing.T, keys *secret.Keyring) http.RoundTripper {
	t.Helper()
	if test.OnCluster() {
		url := os.Getenv(test.ClusterVariable)
		test.Alone(t, url)
		network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = network.(io.Closer).Close() })
		return opensearch.PluginSettings(network, registry)
	}
	t.Parallel() // most of the time goes by waiting
	e, err := engine.Open(engine.Options{
		Dir: t.TempDir(), Settings: flow.Settings(), Keys: keys, Plugins: []engine.Plugin{{Component: "opensearch-ml"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return opensearch.InProcess(e)
}

var registry = setting.NewRegistry(flow.Settings()...)

// process is a service over a transport of its own, running. The one before has ended: there is one at a time.
func (w *world) process(transport http.RoundTripper) *provision.Service {
	w.end()
	s, end := w.start(transport, provision.Options{Alone: true})
	w.end = end
	return s
}

// replica is one more service before the cluster, with a lease of its own.
func (w *world) replica(l lease.Lease) *provision.Service {
	s, _ := w.start(w.direct, provision.Options{Lease: l})
	return s
}

func (w *world) start(transport http.RoundTripper, o provision.Options) (s *provision.Service, end func()) {
	client := opensearch.NewClient(transport)
	o.Client, o.Clock, o.Keys = client, w.clock, w.keys
	o.Settings = func(ctx context.Context) (setting.View, error) {
		values, err := client.ClusterSettings(ctx)
		return setting.View{Registry: registry, Values: values}, err
	}
	s = provision.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	end = func() {
		cancel()
		<-ended
	}
	w.t.Cleanup(end)
	return s, end
}

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// template reads a template in which NAME stands for a name of its own.
func (w *world) template(text, name string) *flow.Template {
	w.t.Helper()
	t, err := flow.Parse([]byte(strings.ReplaceAll(text, "NAME", name)))
	w.do(err)
	return t
}

func (w *world) create(s *provision.Service, text, name string) (id string) {
	w.t.Helper()
	id, err := s.Create(context.Background(), w.template(text, name), true)
	w.do(err)
	return id
}

// state is the state of a workflow.
func (w *world) state(s *provision.Service, id string) provision.State {
	w.t.Helper()
	st, err := s.State(context.Background(), id)
	w.do(err)
	return st
}

// eventually waits until ok says so.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	test.Eventually(w.t, what, func() (bool, string) { return ok(), "" })
}

// there are all things that workflows can make, by kind and name; models and the like by their name in the cluster.
func (w *world) there() (things []string) {
	w.t.Helper()
	names, err := w.client.IndexNames(context.Background())
	w.do(err)
	for name := range names {
		if strings.HasPrefix(name, w.prefix) {
			things = append(things, "index "+name)
		}
	}
	things = append(things, w.named("pipeline", "/_ingest/pipeline")...)
	things = append(things, w.named("search pipeline", "/_search/pipeline")...)
	things = append(things, w.templates("index template", "index_templates", "/_index_template")...)
	things = append(things, w.templates("component template", "component_templates", "/_component_template")...)
	if test.OnCluster() { // which has no ML Commons
		slices.Sort(things)
		return things
	}
	for _, kind := range []string{"connectors", "models", "agents"} {
		var answer struct {
			Hits struct {
				Hits []struct {
					Source struct{ Name string } `json:"_source"`
				}
			}
		}
		call := opensearch.Call{
			Method: http.MethodPost, Path: "/_plugins/_ml/" + kind + "/_search",
			Body: json.RawMessage(`{"size":100,"query":{"match_all":{}}}`),
		}
		err := w.client.Do(context.Background(), call, &answer)
		if !fault.HasStatus(err, http.StatusNotFound) {
			w.do(err)
		}
		for _, h := range answer.Hits.Hits {
			things = append(things, kind+" "+h.Source.Name)
		}
	}
	slices.Sort(things)
	return things
}

// named are the things of ours that a path answers with by name; a 404 means that there are none.
func (w *world) named(kind, path string) (things []string) {
	w.t.Helper()
	var answer map[string]json.RawMessage
	err := w.client.Do(context.Background(), opensearch.Call{Method: http.MethodGet, Path: path}, &answer)
	if !fault.HasStatus(err, http.StatusNotFound) {
		w.do(err)
	}
	for name := range answer {
		if strings.HasPrefix(name, w.prefix) {
			things = append(things, kind+" "+name)
		}
	}
	return things
}

// templates are the templates of ours that a path lists.
func (w *world) templates(kind, list, path string) (things []string) {
	w.t.Helper()
	var answer map[string][]struct{ Name string }
	w.do(w.client.Do(context.Background(), opensearch.Call{Method: http.MethodGet, Path: path}, &answer))
	for _, t := range answer[list] {
		if strings.HasPrefix(t.Name, w.prefix) {
			things = append(things, kind+" "+t.Name)
		}
	}
	return things
}

// live calls fn until it returns or the process dies, and then ends the process.
func live(m *unreliable.Mortal, s *provision.Service, fn func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(ctx)
	}()
	select {
	case <-m.Died():
	case <-done:
	}
	cancel()
	s.Kill()
	<-done
}

// delayed is waits with this delay.
func delayed(d string) string { return strings.ReplaceAll(waits, "DELAY", d) }

func numbered(n int, after bool) string {
	if after {
		return fmt.Sprintf("after%d", n)
	}
	return fmt.Sprintf("before%d", n)
}
