// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/wire/setting"
)

// The policies. PREFIX stands for the test's own name, so that tests can share a cluster.
const (
	chain = `{"policy":{"description":"chain","default_state":"hot","states":[
		{"name":"hot","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[{"state_name":"warm"}]},
		{"name":"warm","actions":[{"read_only":{}},{"force_merge":{"max_num_segments":1}},
			{"snapshot":{"repository":"PREFIX","snapshot":"{{ctx.index}}"}},{"replica_count":{"number_of_replicas":0}},
			{"index_priority":{"priority":7}},{"close":{}},{"open":{}}],"transitions":[{"state_name":"cold","conditions":{"min_index_age":"100ms"}}]},
		{"name":"cold","actions":[{"alias":{"actions":[{"add":{"aliases":["PREFIX-archive"]}}]}},{"read_write":{}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-000001"],"priority":1}]}}`
	deletes = `{"policy":{"description":"delete","default_state":"old","states":[
		{"name":"old","actions":[{"delete":{}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`
	waits = `{"policy":{"description":"waits","default_state":"hot","states":[
		{"name":"hot","actions":[{"rollover":{"min_doc_count":3}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`
	waitsLong = `{"policy":{"description":"waits","default_state":"hot","states":[
		{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"365d"}}]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`
)

// definitions are the settings of the plugins that matter here.
var definitions = slices.Concat(ism.Settings(), rollup.Settings())

var registry = setting.NewRegistry(definitions...)

// world is one cluster with one policy and one index behind an alias, with one document.
type world struct {
	t         *testing.T
	transport http.RoundTripper
	client    *opensearch.Client // never interrupted
	prefix    string
	uuid      string // of the first index
}

func newWorld(t *testing.T, cluster http.RoundTripper, policy string) *world {
	t.Helper()
	return newWorldWith(t, cluster, nil, policy)
}

// newWorldWith is a world whose index has these settings besides its own.
func newWorldWith(t *testing.T, cluster http.RoundTripper, more map[string]any, policy string) *world {
	t.Helper()
	w := newPolicy(t, cluster, policy)
	w.do(w.client.Do(t.Context(), opensearch.Call{
		Method: http.MethodPut, Path: opensearch.Path("_snapshot", w.prefix),
		Body: json.RawMessage(`{"type":"fs","settings":{"location":"` + w.prefix + `"}}`),
	}, nil))
	settings := map[string]any{"index.number_of_replicas": 0, "index.plugins.index_state_management.rollover_alias": w.prefix}
	maps.Copy(settings, more)
	w.do(w.client.CreateIndex(t.Context(), w.first(), map[string]any{
		"settings": settings, "aliases": map[string]any{w.prefix: map[string]any{"is_write_index": true}},
		"mappings": map[string]any{"properties": map[string]any{"at": map[string]any{"type": "date"}}},
	}))
	w.index("1")
	w.uuid = w.uuidOf(w.first())
	return w
}

// newPolicy is a world without an index.
func newPolicy(t *testing.T, cluster http.RoundTripper, policy string) *world {
	t.Helper()
	w := &world{t: t, transport: cluster, client: opensearch.NewClient(cluster), prefix: fmt.Sprintf("lc%d", time.Now().UnixNano())}
	ctx := t.Context()
	w.do(manager.EnsureConfigIndex(ctx, w.client))
	body := strings.ReplaceAll(policy, "PREFIX", w.prefix)
	p, err := ism.ParsePolicy(w.prefix, []byte(body), time.Now().Add(-time.Minute).UnixMilli())
	w.do(err)
	_, err = w.client.Write(ctx, opensearch.Write{Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: w.prefix, Source: p.Document()}, "")
	w.do(err)
	t.Cleanup(w.clean)
	return w
}

// putSettings changes settings of an index.
func (w *world) putSettings(index string, settings map[string]any) error {
	_, err := w.client.PutSettings(w.t.Context(), index, settings)
	return err
}

// uuidOf is the uuid of an index that exists.
func (w *world) uuidOf(name string) string {
	w.t.Helper()
	infos, err := w.client.Indices(context.Background(), []string{name})
	w.do(err)
	if infos[name].UUID == "" {
		w.t.Fatalf("no index %s", name)
	}
	return infos[name].UUID
}

func (w *world) first() string { return w.prefix + "-000001" }

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// index writes a document through the alias and makes it count.
func (w *world) index(id string) {
	w.t.Helper()
	_, err := w.client.Write(w.t.Context(), opensearch.Write{
		Op: opensearch.OpIndex, Index: w.prefix, ID: id, Source: map[string]any{"a": 1, "at": "2026-01-01T00:00:00Z"},
	}, "true")
	w.do(err)
}

// clean removes what the test made. It may be called twice.
func (w *world) clean() {
	ctx := context.Background()
	for _, name := range w.indices() {
		uuid := w.uuidOf(name)
		_, err := w.client.DeleteIndex(ctx, name)
		w.do(err)
		for _, id := range []string{uuid, uuid + "#metadata"} {
			_, err := w.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: manager.ConfigIndex, ID: id, Routing: uuid}, "")
			w.do(err)
		}
	}
	_, err := w.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: manager.ConfigIndex, ID: w.prefix}, "")
	w.do(err)
	for _, path := range []string{opensearch.Path("_snapshot", w.prefix, "*"), opensearch.Path("_snapshot", w.prefix)} {
		// There may be no repository.
		_ = w.client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: path}, nil)
	}
}

// run starts a reconciler over a transport; stop ends it and waits for it.
func (w *world) run(rt http.RoundTripper) (stop func()) {
	return w.runWith(manager.Options{Client: opensearch.NewClient(rt), Registry: registry})
}

func (w *world) runWith(o manager.Options) (stop func()) { return w.runManager(manager.New(o)) }

func (w *world) runManager(m *manager.Manager) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	return func() { cancel(); <-done }
}

// sweep makes passes until nothing more is ready.
func (w *world) sweep(m *manager.Manager) {
	w.t.Helper()
	for more := true; more; {
		sum, err := m.Sweep(w.t.Context(), time.Now())
		w.do(err)
		more = sum.More
	}
}

// wait waits until ok says so, which it asks whenever something may have happened.
func (w *world) wait(what string, ok func() bool) {
	w.t.Helper()
	test.Eventually(w.t, what, func() (bool, string) {
		if ok() {
			return true, ""
		}
		doc, err := w.client.Get(context.Background(), manager.ConfigIndex, w.uuid+"#metadata", w.uuid)
		return false, fmt.Sprintf("metadata %s, %v", doc.Source, err)
	})
}

func (w *world) text(m *ism.Metadata) string {
	if m == nil {
		return "none"
	}
	b, err := m.MarshalJSON()
	w.do(err)
	return string(b)
}

func (w *world) get(id, uuid string) opensearch.Document {
	w.t.Helper()
	doc, err := w.client.Get(context.Background(), manager.ConfigIndex, id, uuid)
	w.do(err)
	return doc
}

// metadata is an index's metadata document; nil if there is none.
func (w *world) metadata(uuid string) *ism.Metadata {
	w.t.Helper()
	doc := w.get(uuid+"#metadata", uuid)
	if !doc.Found {
		return nil
	}
	m, err := ism.ReadMetadata(doc.Source)
	w.do(err)
	return m
}

func (w *world) metadataVersion(uuid string) int64 { return w.get(uuid+"#metadata", uuid).Number }

func (w *world) job(uuid string) *ism.Job {
	w.t.Helper()
	doc := w.get(uuid, uuid)
	if !doc.Found {
		return nil
	}
	j, err := ism.ReadJob(doc.Source)
	w.do(err)
	return j
}

// indices are the names of the test's indices.
func (w *world) indices() []string {
	w.t.Helper()
	all, err := w.client.IndexNames(context.Background())
	w.do(err)
	var names []string
	for name := range all {
		if strings.HasPrefix(strings.TrimPrefix(name, "."), w.prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (w *world) chainEnded() bool {
	m, j := w.metadata(w.uuid), w.job(w.uuid)
	return m != nil && m.PolicyCompleted && j != nil && !j.Enabled
}

// chainDifference is how the cluster differs from what a faultless chain leaves behind.
func (w *world) chainDifference() string {
	w.t.Helper()
	type end struct {
		Indices    []string
		Aliases    []string
		Open       bool
		Settings   map[string]string
		RolledOver bool
		NewIndex   string
		State      string
		Retries    int64
		Snapshots  []string // what each of them holds
	}
	infos, err := w.client.Indices(context.Background(), []string{w.first()})
	w.do(err)
	info, m := infos[w.first()], w.metadata(w.uuid)
	got := end{
		Indices: w.indices(), Open: info.Open, Settings: map[string]string{},
		RolledOver: m.RolledOver, NewIndex: m.RolledOverIndexName, State: m.State.Name, Retries: m.Action.ConsumedRetries,
	}
	for _, s := range w.snapshots() {
		got.Snapshots = append(got.Snapshots, fmt.Sprint(s.State, s.Indices))
	}
	for alias := range info.Aliases {
		got.Aliases = append(got.Aliases, strings.TrimPrefix(alias, w.prefix))
	}
	slices.Sort(got.Aliases)
	for _, name := range []string{"index.blocks.write", "index.priority", "index.number_of_replicas"} {
		got.Settings[name] = info.Settings[name]
	}
	want := end{
		Indices: []string{w.first(), w.prefix + "-000002"}, Aliases: []string{"", "-archive"}, Open: true,
		Settings:   map[string]string{"index.blocks.write": "false", "index.priority": "7", "index.number_of_replicas": "0"},
		RolledOver: true, NewIndex: w.prefix + "-000002", State: "cold",
		Snapshots: []string{"SUCCESS[" + w.first() + "]"},
	}
	return cmp.Diff(want, got)
}

// snapshots are those in the test's repository.
func (w *world) snapshots() []opensearch.Snapshot {
	w.t.Helper()
	var answer struct{ Snapshots []opensearch.Snapshot }
	w.do(w.client.Do(context.Background(), opensearch.Call{Method: http.MethodGet, Path: opensearch.Path("_snapshot", w.prefix, "_all")}, &answer))
	return answer.Snapshots
}

// probes waits until a counted reconciler has looked n more times.
func (w *world) probes(c *counter, n int64) {
	w.t.Helper()
	until := c.looks.Load() + n
	w.wait("the reconciler to look around", func() bool { return c.looks.Load() >= until })
}

// backend is the cluster to test on: a real one if there is one, else the embedded engine.
func backend(t *testing.T) http.RoundTripper {
	t.Helper()
	url := os.Getenv("STEWARD_TEST_CLUSTER")
	if url == "" {
		t.Parallel() // each has its own engine, and most of the time goes by waiting
		e, err := engine.Open(engine.Options{
			Dir: t.TempDir(), Settings: definitions, Config: map[string]string{"path.repo": t.TempDir()},
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
	test.Alone(t, url)
	network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.(io.Closer).Close() })
	return opensearch.PluginSettings(network, registry)
}

// stride is how many requests apart the reconciler is killed: each one costs a lifecycle. -faults makes it one.
func stride() int {
	switch {
	case os.Getenv("STEWARD_TEST_CLUSTER") != "":
		return 13
	case *allFaults:
		return 1
	case test.Race:
		return 11
	}
	return 3
}

// counter notes requests.
type counter struct {
	next  http.RoundTripper
	looks atomic.Int64
	mu    sync.Mutex
	calls []string
}

// RoundTrip is part of http.RoundTripper.
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.calls = append(c.calls, r.Method+" "+r.URL.Path)
	c.mu.Unlock()
	res, err := c.next.RoundTrip(r)
	if r.Method == http.MethodGet && r.URL.Path == "/"+manager.ConfigIndex+"/_stats/docs" {
		c.looks.Add(1)
	}
	return res, err
}

func (c *counter) reset() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.calls
	c.calls = nil
	return out
}
