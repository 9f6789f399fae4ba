// SPDX-License-Identifier: Apache-2.0

package test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// What set-ups and tests of clients do to a cluster. They have it for themselves.

// ended is a policy that has nothing to do, attached to every index of the test.
func ended(p *Running) []byte {
	return []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s"}],
		"ism_template":[{"index_patterns":["` + p.Prefix + `*"],"priority":1}]}}`)
}

func alone(t *testing.T) *Running {
	t.Helper()
	if OnCluster() {
		t.Skip("it is done to the whole cluster")
	}
	return Program(t, virtualTime)
}

func TestIndicesOfOursAreMadeWhereNoneMayMakeThemselves(t *testing.T) {
	p := alone(t)
	put(p, wire.Obj("action.auto_create_index", "-.opendistro-*,-.steward*,*"))
	p.Must("PUT", "/_plugins/_ism/policies/p", ended(p), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	advance(p, "1s")
	if got := p.Explain(p.Name("-1")); !strings.Contains(got, `"policy_completed":true`) {
		t.Errorf("explain %s", got)
	}
	if got := historyOf(p); len(got) != 1 {
		t.Errorf("the history is %v", got)
	}
}

func TestTheConfigIndexMayBeMadeByAClient(t *testing.T) {
	p := alone(t)
	p.Must("PUT", "/_plugins/_ism/policies/p", ended(p), nil)
	var mapping map[string]any
	p.Must("GET", "/.opendistro-ism-config/_mapping", nil, &mapping)
	p.Must("DELETE", "/.opendistro-ism-config", nil, nil)
	advance(p, "1s")
	body := mapping[".opendistro-ism-config"].(map[string]any)
	body["settings"] = map[string]any{"index.hidden": true}
	p.Must("PUT", "/.opendistro-ism-config", body, nil)
	p.Must("PUT", "/_plugins/_ism/policies/p", ended(p), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	advance(p, "1s")
	if got := p.Explain(p.Name("-1")); !strings.Contains(got, `"policy_completed":true`) {
		t.Errorf("explain %s", got)
	}
}

func TestAfterAWipeEverythingBeginsAgain(t *testing.T) {
	p := alone(t)
	for range 2 {
		p.Must("PUT", "/_plugins/_ism/policies/p", ended(p), nil)
		p.Must("PUT", "/"+p.Name("-1"), nil, nil)
		advance(p, "1s")
		if got := p.Explain(p.Name("-1")); !strings.Contains(got, `"policy_completed":true`) {
			t.Errorf("explain %s", got)
		}
		p.Must("DELETE", "/*?expand_wildcards=open,closed,hidden", nil, nil)
		p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.*":null,"action.*":null},"transient":{"*":null}}`), nil)
		advance(p, "1d")
		for path, want := range map[string]string{
			"/_plugins/_ism/explain":              `{"total_managed_indices":0}`,
			"/_plugins/_ism/policies":             `{"policies":[],"total_policies":0}`,
			"/_cat/indices?expand_wildcards=all":  ``,
			"/_plugins/_ism/explain?size=5":       `{"total_managed_indices":0}`,
			"/_cluster/settings?flat_settings":    `{"persistent":{},"transient":{}}`,
			"/_cat/aliases?expand_wildcards=all":  ``,
			"/_cluster/health?filter_path=status": `{"status":"green"}`,
		} {
			if status, body := p.Call("GET", path, nil); status != 200 || string(body) != want {
				t.Errorf("GET %s: %d %s, want %s", path, status, body, want)
			}
		}
	}
}

func TestASettingOfNullIsNone(t *testing.T) {
	p := Program(t)
	index := p.Name("-1")
	p.Must("PUT", "/"+index, []byte(`{"settings":{"plugins.index_state_management.rollover_alias":null,"number_of_replicas":0}}`), nil)
	var settings map[string]struct{ Settings map[string]string }
	p.Must("GET", "/"+index+"/_settings?flat_settings=true", nil, &settings)
	if got, ok := settings[index].Settings["index.plugins.index_state_management.rollover_alias"]; ok {
		t.Errorf("it is %q", got)
	}
}

func TestADocumentThatIsNoPolicyIsNoneForItsAPI(t *testing.T) {
	p := alone(t)
	p.Must("PUT", "/_plugins/_ism/policies/p", ended(p), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	advance(p, "1s")
	uuid := between(jobOf(p, p.Name("-1")), `"_id":"`, `"`)
	for _, c := range []struct{ method, want string }{
		{"GET", `"type":"status_exception","reason":"Policy not found"`},
		{"DELETE", `"type":"status_exception","reason":"Policy ` + uuid + ` is not found"`},
	} {
		if status, body := p.Call(c.method, "/_plugins/_ism/policies/"+uuid, nil); status != 404 || !strings.Contains(string(body), c.want) {
			t.Errorf("%s: %d %s", c.method, status, body)
		}
	}
	if jobOf(p, p.Name("-1")) == "" {
		t.Error("the job is gone")
	}
}

// A policy mapping of the Terraform provider: attached by a pattern, changed with every member given, read, and removed.
func TestAPolicyIsMappedAsTerraformDoesIt(t *testing.T) {
	p := alone(t)
	p.Must("PUT", "/_plugins/_ism/policies/p", []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s"}]}}`), nil)
	index := p.Name("-1")
	p.Must("PUT", "/"+index, nil, nil)
	const one = `{"updated_indices":1,"failures":false,"failed_indices":[]}`
	for _, c := range []struct{ method, path, body, want string }{
		{"POST", "/_plugins/_ism/add/" + p.Prefix + "*", `{"policy_id":"p"}`, one},
		{"GET", "/_plugins/_ism/explain/" + p.Prefix + "*", "", `"index.plugins.index_state_management.policy_id":"p"`},
		{"POST", "/_plugins/_ism/change_policy/" + p.Prefix + "*", `{"policy_id":"p","state":"","is_safe":false,"include":[]}`, one},
		{"POST", "/_plugins/_ism/remove/" + p.Prefix + "*", "", one},
		{"GET", "/_plugins/_ism/explain/" + p.Prefix + "*", "", `"index.plugins.index_state_management.policy_id":null`},
		{"GET", "/_cat/aliases/none?format=json&h=index,is_write_index", "", `[]`},
		{"GET", "/" + index + "/_settings?flat_settings=true", "", `"index.plugins.index_state_management.auto_manage":"false"`},
		{"POST", "/" + index + "/_count", "", `{"count":0,`},
	} {
		var body any
		if c.body != "" {
			body = []byte(c.body)
		}
		status, got := p.Call(c.method, c.path, body)
		if status != 200 || !strings.Contains(string(got), c.want) {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.path, status, got, c.want)
		}
		advance(p, "1s")
	}
}
