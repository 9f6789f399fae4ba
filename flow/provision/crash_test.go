// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/test"
	"github.com/opensteward/steward/test/unreliable"
)

// everyKind makes a thing of each kind, by names and by generated ids, with dependencies among them; before a cluster
// without ML Commons, of each kind that it has.
func everyKind() string {
	nodes, edge := onEveryCluster, "faster"
	if !test.OnCluster() {
		nodes, edge = nodes+","+ofMLCommons, "agent"
	}
	return `{"name":"NAME","workflows":{"provision":{"nodes":[` + nodes + `],"edges":[{"source":"index","dest":"` + edge + `"},` + orders + `]}}}`
}

const (
	onEveryCluster = `
	{"id":"pipe","type":"create_ingest_pipeline","user_inputs":{"pipeline_id":"NAME","configurations":{"description":"${{word}}","processors":[]}}},
	{"id":"index","type":"create_index","previous_node_inputs":{"pipe":"pipeline_id"},
		"user_inputs":{"index_name":"NAME","configurations":{"settings":{"number_of_shards":1,"default_pipeline":"${{pipe.pipeline_id}}"}}}},
	{"id":"faster","type":"update_index","previous_node_inputs":{"index":"index_name"},
		"user_inputs":{"configurations":{"settings":{"index.refresh_interval":"5s"}}}},
	{"id":"search","type":"create_search_pipeline","user_inputs":{"pipeline_id":"NAME","configurations":{"request_processors":[]}}},
	{"id":"copy","type":"create_index","user_inputs":{"index_name":"NAME-copy","configurations":""}},
	{"id":"fill","type":"reindex","user_inputs":{"source_index":"NAME","destination_index":"NAME-copy","requests_per_second":"-1"}},
	{"id":"part","type":"create_component_template","user_inputs":{"component_template_name":"NAME","configurations":{"template":{}}}},
	{"id":"form","type":"create_index_template","user_inputs":{"index_template_name":"NAME","configurations":{"index_patterns":["NAME-of-*"],"composed_of":["NAME"]}}},
	{"id":"alias","type":"create_alias","user_inputs":{"index_name":"NAME","alias_name":"NAME-alias"}}`
	orders      = `{"source":"index","dest":"fill"},{"source":"copy","dest":"fill"},{"source":"part","dest":"form"},{"source":"index","dest":"alias"}`
	ofMLCommons = `
	{"id":"connector","type":"create_connector","user_inputs":{"name":"NAME","description":"d","version":"1","protocol":"http","parameters":{"model":"m"},
		"credential":{"key":"${{word}}"},"actions":[{"action_type":"predict","method":"POST","url":"https://api.openai.com/v1/x","request_body":"{}"}]}},
	{"id":"model","type":"register_remote_model","previous_node_inputs":{"connector":"connector_id"},"user_inputs":{"name":"NAME"}},
	{"id":"deploy","type":"deploy_model","previous_node_inputs":{"model":"model_id"}},
	{"id":"tool","type":"create_tool","user_inputs":{"type":"ListIndexTool","name":"list"}},
	{"id":"agent","type":"register_agent","previous_node_inputs":{"tool":"tools"},"user_inputs":{"name":"NAME","type":"flow"}}`
)

var word = []flow.Param{{Name: "word", Value: "open-sesame"}}

// whole are the things of everyKind, and what the state names of them.
func whole(name string) (things, nodes []string) {
	things = []string{
		"component template " + name, "index " + name, "index " + name + "-copy", "index template " + name, "pipeline " + name, "search pipeline " + name,
	}
	nodes = []string{"alias", "copy", "form", "index", "part", "pipe", "search"}
	if !test.OnCluster() {
		things = append(things, "agents "+name, "connectors "+name, "models "+name)
		nodes = append(nodes, "agent", "connector", "deploy", "model")
	}
	slices.Sort(things)
	slices.Sort(nodes)
	return things, nodes
}

// consent are the resources of everyKind that are taken away only when they are named.
func consent(name string) []string {
	return []string{name, name + "-copy", name + "/" + name + "-alias"}
}

func nodesOf(st provision.State) (nodes []string) {
	for _, r := range st.Resources {
		nodes = append(nodes, r.Node)
	}
	slices.Sort(nodes)
	return nodes
}

var allFaults = flag.Bool("faults", false, "a death at every request, which takes minutes")

// stride is how many requests apart the process is killed: each kill costs a provisioning. -faults leaves out none.
func stride() int {
	switch {
	case *allFaults:
		return 1
	case test.OnCluster():
		return 19
	}
	return 13
}

// TestAProvisioningSurvivesDeathAtEveryRequest kills the process at each request that it makes, before the request
// arrives and after, and lets another one go on.
func TestAProvisioningSurvivesDeathAtEveryRequest(t *testing.T) {
	w := newWorld(t)
	for _, after := range []bool{false, true} {
		for n, died := 1, true; died; n += stride() {
			name := w.prefix + "p" + numbered(n, after)
			id := w.create(w.process(w.direct), everyKind(), name)
			died = w.provisionAndDie(id, n, after)
			heir := w.process(w.direct)
			w.finish(heir, id)
			things, nodes := whole(name)
			if diff := cmp.Diff(things, w.there()); diff != "" {
				t.Fatalf("%s: what there is: %s", name, diff)
			}
			if diff := cmp.Diff(nodes, nodesOf(w.state(heir, id))); diff != "" {
				t.Fatalf("%s: what is recorded: %s", name, diff)
			}
			w.do(heir.Deprovision(context.Background(), id, consent(name)))
			if left := w.there(); len(left) > 0 {
				t.Fatalf("%s: left after deprovisioning: %v", name, left)
			}
		}
	}
}

// provisionAndDie provisions with a process that dies at its n-th request, and reports whether it did.
func (w *world) provisionAndDie(id string, n int, after bool) (died bool) {
	m := unreliable.NewMortal(w.direct, n, after)
	s := w.process(m)
	live(m, s, func(ctx context.Context) {
		_, _ = s.Provision(ctx, id, provision.Request{Params: word, Wait: time.Minute})
	})
	return m.Dead()
}

// finish waits until a workflow is COMPLETED, and asks again if nobody has heard the first request.
func (w *world) finish(s *provision.Service, id string) {
	w.t.Helper()
	w.eventually("workflow "+id, func() bool {
		st := w.state(s, id)
		switch st.State {
		case provision.NotStarted:
			_, err := s.Provision(context.Background(), id, provision.Request{Params: word, Wait: time.Minute})
			if err != nil {
				w.t.Fatal(err)
			}
		case provision.Failed:
			w.t.Fatal(st.Error)
		}
		return st.State == provision.Completed
	})
}

// TestADeprovisioningSurvivesDeathAtEveryRequest does the same to what takes everything away.
func TestADeprovisioningSurvivesDeathAtEveryRequest(t *testing.T) {
	w := newWorld(t)
	for _, after := range []bool{false, true} {
		for n, died := 1, true; died; n += stride() {
			name := w.prefix + "d" + numbered(n, after)
			first := w.process(w.direct)
			id := w.create(first, everyKind(), name)
			w.finish(first, id)
			m := unreliable.NewMortal(w.direct, n, after)
			s := w.process(m)
			live(m, s, func(ctx context.Context) { _ = s.Deprovision(ctx, id, consent(name)) })
			died = m.Dead()
			heir := w.process(w.direct)
			w.do(heir.Deprovision(context.Background(), id, consent(name)))
			if left := w.there(); len(left) > 0 {
				t.Fatalf("%s: left after deprovisioning: %v", name, left)
			}
			if st := w.state(heir, id); st.State != provision.NotStarted {
				t.Fatalf("%s: the state is %s", name, st.State)
			}
		}
	}
}
