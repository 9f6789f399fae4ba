// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/test/unreliable"
)

func TestWhichIndicesATemplateAttaches(t *testing.T) {
	w := newPolicy(t, backend(t), waitsLong)
	create := func(name string, settings map[string]any) {
		settings["index.number_of_replicas"] = 0
		w.do(w.client.CreateIndex(t.Context(), name, map[string]any{"settings": settings}))
	}
	create(w.prefix+"-hidden", map[string]any{"index.hidden": true})
	create(w.prefix+"-by-hand", map[string]any{"index.plugins.index_state_management.auto_manage": false})
	create("."+w.prefix+"-system", map[string]any{})
	create(w.prefix+"other", map[string]any{})
	create(w.prefix+"-plain", map[string]any{})
	stop := w.run(w.transport)
	defer stop()
	plain := w.uuidOf(w.prefix + "-plain")
	w.wait("the plain index to be attached", func() bool { return w.job(plain) != nil })
	for _, name := range []string{w.prefix + "-hidden", w.prefix + "-by-hand", "." + w.prefix + "-system", w.prefix + "other"} {
		if w.job(w.uuidOf(name)) != nil {
			t.Errorf("%s is attached", name)
		}
	}
}

// TestAnIndexWhoseJobCouldNotBeWrittenIsAttachedWhenItCan: not only when all indices are read again, half a minute later. Until
// then the status says what is wrong.
func TestAnIndexWhoseJobCouldNotBeWrittenIsAttachedWhenItCan(t *testing.T) {
	w := newPolicy(t, backend(t), waitsLong)
	m := manager.New(manager.Options{Client: w.client, Registry: registry})
	w.sweep(m)
	w.do(w.putSettings(manager.ConfigIndex, map[string]any{"index.blocks.write": true}))
	t.Cleanup(func() { _ = w.putSettings(manager.ConfigIndex, map[string]any{"index.blocks.write": nil}) })
	w.do(w.client.CreateIndex(t.Context(), w.first(), map[string]any{"settings": map[string]any{"index.number_of_replicas": 0}}))
	uuid := w.uuidOf(w.first())
	w.sweep(m)
	if got := m.Status().Refused; !strings.Contains(got, "blocked by: [FORBIDDEN/8/index write (api)]") || w.job(uuid) != nil {
		t.Errorf("the status says %q", got)
	}
	w.do(w.putSettings(manager.ConfigIndex, map[string]any{"index.blocks.write": nil}))
	w.sweep(m)
	if got := m.Status().Refused; got != "" || w.job(uuid) == nil {
		t.Errorf("it is not attached; the status says %q", got)
	}
}

func TestATemplateLeavesOlderIndicesAlone(t *testing.T) {
	w := newWorld(t, backend(t), waitsLong)
	p, err := ism.ParsePolicy(w.prefix, []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}],`+
		`"ism_template":[{"index_patterns":["`+w.prefix+`-*"],"priority":1}]}}`), time.Now().Add(time.Hour).UnixMilli())
	w.do(err)
	_, err = w.client.Write(t.Context(), opensearch.Write{Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: w.prefix, Source: p.Document()}, "")
	w.do(err)
	m := manager.New(manager.Options{Client: w.client, Registry: registry})
	_, err = m.Sweep(t.Context(), time.Now())
	w.do(err)
	if w.job(w.uuid) != nil {
		t.Error("an index from before the template is attached")
	}
}

func TestAnIndexWhoseMetadataIsBlockedIsNotForgottenByTheNextProcess(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	w.sweep(manager.New(manager.Options{Client: w.client, Registry: registry}))
	w.do(w.putSettings(w.first(), map[string]any{"index.blocks.metadata": true}))
	next := manager.New(manager.Options{Client: w.client, Registry: registry})
	w.sweep(next)
	w.do(w.putSettings(w.first(), map[string]any{"index.blocks.metadata": false}))
	w.index("2")
	w.index("3")
	w.sweep(next)
	if m := w.metadata(w.uuid); m == nil || !m.RolledOver {
		t.Errorf("metadata %s", w.text(m))
	}
}

func TestWhatBelongsToAJobThatCannotBeReadIsLeftAlone(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	first := manager.New(manager.Options{Client: w.client, Registry: registry})
	w.sweep(first)
	put := func(job string) {
		_, err := w.client.Write(t.Context(), opensearch.Write{
			Op: opensearch.OpIndex, Index: manager.ConfigIndex, ID: w.uuid, Routing: w.uuid, Source: json.RawMessage(job),
		}, "")
		w.do(err)
	}
	was, meta := string(w.get(w.uuid, w.uuid).Source), w.metadataVersion(w.uuid)
	broken := strings.Replace(was, `"rollover":{`, `"no_such_action":{`, 1)
	put(broken)
	w.index("2")
	w.index("3")
	w.sweep(first)
	next := manager.New(manager.Options{Client: w.client, Registry: registry})
	w.sweep(next)
	if now := string(w.get(w.uuid, w.uuid).Source); now != broken || w.metadataVersion(w.uuid) != meta {
		t.Errorf("job %s, metadata %s", now, w.text(w.metadata(w.uuid)))
	}
	put(was)
	w.sweep(next)
	if m := w.metadata(w.uuid); !m.RolledOver {
		t.Errorf("mended, but metadata %s", w.text(m))
	}
}

func TestADataStreamIsAttachedByItsNameAndRolledOverOnce(t *testing.T) {
	w := newPolicy(t, backend(t), `{"policy":{"description":"","default_state":"hot","states":[
		{"name":"hot","actions":[{"rollover":{"min_doc_count":1}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-ds"],"priority":1}]}}`)
	ctx := t.Context()
	stream := w.prefix + "-ds"
	w.do(w.client.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: opensearch.Path("_index_template", w.prefix), Body: map[string]any{
		"index_patterns": []string{stream}, "data_stream": map[string]any{}, "priority": 500,
		"template": map[string]any{"settings": map[string]any{"number_of_replicas": 0}},
	}}, nil))
	w.do(w.client.Do(ctx, opensearch.Call{Method: http.MethodPut, Path: opensearch.Path("_data_stream", stream)}, nil))
	t.Cleanup(func() {
		ctx := context.Background()
		w.do(w.client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path("_data_stream", stream)}, nil))
		w.do(w.client.Do(ctx, opensearch.Call{Method: http.MethodDelete, Path: opensearch.Path("_index_template", w.prefix)}, nil))
	})
	_, err := w.client.Write(ctx, opensearch.Write{Op: opensearch.OpCreate, Index: stream, ID: "1", Source: map[string]any{"@timestamp": "2026-01-01T00:00:00Z"}}, "true")
	w.do(err)
	w.uuid = w.uuidOf(".ds-" + stream + "-000001")
	stop := w.run(w.transport)
	defer stop()
	w.wait("the rollover", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
	if m := w.metadata(w.uuid); m.RolledOverIndexName != ".ds-"+stream+"-000002" {
		t.Errorf("rolled over to %q", m.RolledOverIndexName)
	}
	w.uuidOf(".ds-" + stream + "-000002")
}

func TestJobsAreSwitchedOffAndOnWithThePlugin(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	stop := w.run(w.transport)
	defer stop()
	w.wait("the index to be attached", func() bool { return w.metadata(w.uuid) != nil })
	w.set("plugins.index_state_management.enabled", false)
	t.Cleanup(func() { w.set("plugins.index_state_management.enabled", nil) })
	w.wait("the job to be disabled", func() bool { return !w.job(w.uuid).Enabled })
	w.set("plugins.index_state_management.enabled", nil)
	w.wait("the job to be enabled", func() bool { return w.job(w.uuid).Enabled })
}

func TestWhenTheConfigIndexIsDeletedEverythingIsForgotten(t *testing.T) {
	w := newWorld(t, backend(t), waits)
	counter := &counter{next: w.transport}
	stop := w.run(counter)
	defer stop()
	w.wait("the index to wait", func() bool { // nothing is being written then
		m := w.metadata(w.uuid)
		return m != nil && m.Step != nil && m.Step.Status == ism.StatusConditionNotMet
	})
	w.probes(counter, 2)
	_, err := w.client.DeleteIndex(t.Context(), manager.ConfigIndex)
	w.do(err)
	w.probes(counter, 3)
	if names, err := w.client.IndexNames(t.Context()); err != nil || names[manager.ConfigIndex] != nil {
		t.Errorf("the config index is back: %v", err)
	}
	w.do(manager.EnsureConfigIndex(t.Context(), w.client)) // for the other tests
}

func TestAnotherProcessTakesOverWhenTheLeaderIsCutOff(t *testing.T) {
	rt := backend(t)
	w := newWorld(t, rt, `{"policy":{"description":"","default_state":"a","states":[
		{"name":"a","actions":[],"transitions":[{"state_name":"b","conditions":{"min_state_age":"3s"}}]},
		{"name":"b","actions":[{"index_priority":{"priority":9}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["PREFIX-*"],"priority":1}]}}`)
	first := unreliable.NewMortal(rt, 1<<30, false)
	stopFirst := w.compete("first", first)
	defer stopFirst()
	w.wait("the first to attach the index", func() bool { return w.metadata(w.uuid) != nil })
	stopSecond := w.compete("second", rt)
	defer stopSecond()
	first.Die()
	w.wait("the second to finish", func() bool { m := w.metadata(w.uuid); return m != nil && m.PolicyCompleted })
}

// compete starts a process that acts only while it holds the lease.
func (w *world) compete(holder string, rt http.RoundTripper) (stop func()) {
	client := opensearch.NewClient(rt)
	elector := lease.NewElector(lease.Options{Client: client, Holder: holder + w.prefix, Duration: 1500 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); elector.Run(ctx) }()
	stopManager := w.runWith(manager.Options{Client: client, Registry: registry, Lease: elector})
	return func() { stopManager(); cancel(); <-done }
}

// set changes a cluster setting; nil resets it.
func (w *world) set(name string, value any) {
	w.t.Helper()
	w.do(w.client.Do(context.Background(), opensearch.Call{
		Method: http.MethodPut, Path: "/_cluster/settings", Body: map[string]any{"persistent": map[string]any{name: value}},
	}, nil))
}
