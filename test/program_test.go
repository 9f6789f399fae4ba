// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// policy is a policy of these states that attaches itself to new indices of a pattern.
func policy(pattern string, states ...any) wire.Object {
	return wire.Obj("policy", wire.Obj(
		"description", "a test", "default_state", "hot", "states", states,
		"ism_template", []any{wire.Obj("index_patterns", []string{pattern}, "priority", 1)},
	))
}

func state(name, next string, actions ...any) wire.Object {
	transitions := []any{}
	if next != "" {
		transitions = append(transitions, wire.Obj("state_name", next))
	}
	if actions == nil {
		actions = []any{}
	}
	return wire.Obj("name", name, "actions", actions, "transitions", transitions)
}

// waiting is a state that an index stays in.
var waiting = wire.Obj("name", "hot", "actions", []any{}, "transitions",
	[]any{wire.Obj("state_name", "hot", "conditions", wire.Obj("min_index_age", "30d"))})

func TestAnIndexIsRolledOverMovedAndDeletedByPolicy(t *testing.T) {
	p := Program(t)
	logs := p.Name("-logs")
	p.Must("PUT", "/_plugins/_ism/policies/"+logs, policy(logs+"-*",
		state("hot", "warm", wire.Obj("rollover", wire.Obj("min_doc_count", 1))),
		state("warm", "delete", wire.Obj("read_only", wire.Obj()), wire.Obj("force_merge", wire.Obj("max_num_segments", 1))),
		state("delete", "", wire.Obj("delete", wire.Obj())),
	), nil)
	p.Must("PUT", "/_index_template/"+logs, wire.Obj("index_patterns", []string{logs + "-*"},
		"template", wire.Obj("settings", wire.Obj("plugins.index_state_management.rollover_alias", logs))), nil)
	p.Must("PUT", "/"+logs+"-000001", wire.Obj("aliases", wire.Obj(logs, wire.Obj("is_write_index", true))), nil)
	p.Must("POST", "/"+logs+"/_doc?refresh=true", wire.Obj("message", "hello"), nil)
	p.Eventually("the first index is gone and the second one is managed", func() (bool, string) {
		explain := p.Explain(logs + "-*")
		ok := !p.Exists(logs+"-000001") && p.Exists(logs+"-000002") &&
			strings.Contains(explain, `"policy_id":"`+logs+`"`) && strings.Contains(explain, `"attempting_rollover"`) ||
			!p.Exists(logs+"-000001") && strings.Contains(explain, logs+"-000002") && strings.Contains(explain, `"hot"`)
		return ok, explain
	})
}

func TestWhatIsNotOursIsAnsweredByWhatIsBehind(t *testing.T) {
	p := Program(t)
	var info struct {
		Version struct {
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	p.Must("GET", "/", nil, &info)
	if info.Version.Distribution != "opensearch" {
		t.Errorf("distribution %q", info.Version.Distribution)
	}
	status, body := p.Call("GET", "/_plugins/_ism/nothing/here", nil)
	if status != http.StatusBadRequest || !strings.Contains(string(body), "no handler found for uri") {
		t.Errorf("an unknown path: %d %s", status, body)
	}
}

func TestTheStatusTellsWhoLeads(t *testing.T) {
	p := Program(t)
	want := "embedded"
	if OnCluster() {
		want = "cluster"
	}
	p.Eventually("it leads", func() (bool, string) {
		status := p.status()
		return status.Leader && status.Mode == want && status.Fence > 0, ""
	})
}

// status is the answer of the status API.
type status struct {
	Mode   string `json:"mode"`
	Leader bool   `json:"leader"`
	Fence  int64  `json:"fence"`
}

func (r *Running) status() (s status) {
	r.t.Helper()
	r.Must("GET", "/_plugins/_steward/status", nil, &s)
	return s
}

func TestItStartsEmptyAgainWhenItsDocumentsAreDeletedBehindItsBack(t *testing.T) {
	p := Program(t)
	index := p.Name("-1")
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"), waiting), nil)
	p.Must("PUT", "/"+index, nil, nil)
	p.Eventually("the index is managed", func() (bool, string) {
		explain := p.Explain(index)
		return strings.Contains(explain, `"hot"`), explain
	})
	p.Must("DELETE", "/.opendistro-ism-config", nil, nil)
	p.Eventually("nothing is managed any more", func() (bool, string) {
		explain := p.Explain(index)
		return strings.Contains(explain, `"total_managed_indices":0`), explain
	})
	if code, body := p.Call("GET", "/_plugins/_ism/policies/"+p.Prefix, nil); code != http.StatusNotFound {
		t.Errorf("the policy is still there: %d %s", code, body)
	}
	p.Must("PUT", "/_plugins/_ism/policies/"+p.Prefix, policy(p.Name("-*"), waiting), nil)
	var added struct {
		Updated int `json:"updated_indices"`
	}
	p.Must("POST", "/_plugins/_ism/add/"+index, wire.Obj("policy_id", p.Prefix), &added)
	p.Eventually("the index is managed again", func() (bool, string) {
		explain := p.Explain(index)
		return strings.Contains(explain, `"hot"`), explain
	})
}

func TestDataAndPoliciesOutliveTheProgram(t *testing.T) {
	if OnCluster() {
		t.Skip("in front of a cluster there is no data directory")
	}
	first := Program(t)
	first.Must("PUT", "/"+first.Name(""), nil, nil)
	first.Must("PUT", "/"+first.Name("")+"/_doc/1", wire.Obj("n", 1), nil)
	first.Must("PUT", "/_plugins/_ism/policies/p", policy("none-*", state("hot", "")), nil)
	first.Stop()
	second := Start(t, stewardOptions(t, first), first.Prefix)
	var doc struct {
		Source json.RawMessage `json:"_source"`
	}
	second.Must("GET", "/"+second.Name("")+"/_doc/1", nil, &doc)
	if string(doc.Source) != `{"n":1}` {
		t.Errorf("the document is %s", doc.Source)
	}
	second.Must("GET", "/_plugins/_ism/policies/p", nil, nil)
}
