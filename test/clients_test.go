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
	walk(t, p, []exchange{
		{"POST", "/_plugins/_ism/add/" + p.Prefix + "*", `{"policy_id":"p"}`, 200, one},
		{"GET", "/_plugins/_ism/explain/" + p.Prefix + "*", "", 200, `"index.plugins.index_state_management.policy_id":"p"`},
		{"POST", "/_plugins/_ism/change_policy/" + p.Prefix + "*", `{"policy_id":"p","state":"","is_safe":false,"include":[]}`, 200, one},
		{"POST", "/_plugins/_ism/remove/" + p.Prefix + "*", "", 200, one},
		{"GET", "/_plugins/_ism/explain/" + p.Prefix + "*", "", 200, `"index.plugins.index_state_management.policy_id":null`},
		{"GET", "/_cat/aliases/none?format=json&h=index,is_write_index", "", 200, `[]`},
		{"GET", "/" + index + "/_settings?flat_settings=true", "", 200, `"index.plugins.index_state_management.auto_manage":"false"`},
		{"POST", "/" + index + "/_count", "", 200, `{"count":0,`},
	})
}

// exchange is a request of a client, and what it reads of the answer.
type exchange struct {
	method, path, body string
	status             int
	want               string // a part of the answer
}

// walk makes requests one after another, a second apart.
func walk(t *testing.T, p *Running, list []exchange) {
	t.Helper()
	for _, e := range list {
		var body any
		if e.body != "" {
			body = []byte(e.body)
		}
		status, got := p.Call(e.method, e.path, body)
		if status != e.status || !strings.Contains(string(got), e.want) {
			t.Errorf("%s %s: %d %s, want %d %s", e.method, e.path, status, got, e.status, e.want)
		}
		advance(p, "1s")
	}
}

// Data Prepper's policy has a comment in it. It is put by the older path at every start; what is there already is told by
// the error's type.
func TestDataPrepperSetsUpItsIndices(t *testing.T) {
	p := alone(t)
	alias, policy := p.Name(""), `{"policy":{"description":"Managing raw spans","default_state":"current_write_index","states":[{"name":"current_write_index",
		"actions":[{"rollover":{"min_size":"50gb","min_index_age":"24h"}}]}],"ism_template":{"index_patterns":["`+p.Prefix+`-*"]} //7.13 or later needs this field.
		}}`
	walk(t, p, []exchange{
		{"GET", "/_cluster/settings?include_defaults=true", "", 200, `"defaults":{`},
		{"PUT", "/_opendistro/_ism/policies/raw-span-policy", policy, 201, `"_id":"raw-span-policy"`},
		{"PUT", "/_opendistro/_ism/policies/raw-span-policy", policy, 409, `version_conflict_engine_exception`},
		{"HEAD", "/_template/spans", "", 404, ``},
		{
			"PUT", "/_template/spans", `{"version":1,"index_patterns":["` + p.Prefix + `-*"],"settings":{"opendistro.index_state_management.rollover_alias":"` + alias + `"},
				"mappings":{"date_detection":false,"properties":{"traceId":{"type":"keyword","ignore_above":256},"endTime":{"type":"date_nanos"},
				"events":{"type":"nested","properties":{"attributes":{"type":"object"}}}}}}`, 200, `{"acknowledged":true}`,
		},
		{"GET", "/_template/spans", "", 200, `"version":1`},
		{"HEAD", "/_alias/" + alias, "", 404, ``},
		{"PUT", "/" + alias + "-000001", `{"aliases":{"` + alias + `":{"is_write_index":true}}}`, 200, `"acknowledged":true`},
		{"PUT", "/" + alias + "-000001", `{"aliases":{"` + alias + `":{"is_write_index":true}}}`, 400, `resource_already_exists_exception`},
		{"GET", "/_plugins/_ism/explain/" + alias + "-000001", "", 200, `"policy_id":"raw-span-policy"`},
	})
	advance(p, "1d")
	p.Must("GET", "/"+alias+"-000002", nil, nil)
}

// Graylog takes a policy off its data stream, deletes it, and puts it on again in its newest form.
func TestGraylogPutsItsPolicyOnADataStreamAnew(t *testing.T) {
	p := alone(t)
	stream := p.Name("stream")
	const policy = `{"policy":{"policy_id":null,"description":"Manages rollover and deletion","last_updated_time":null,"schema_version":0,"error_notification":null,
		"default_state":"open","states":[{"name":"open","actions":[],"transitions":[{"state_name":"delete","conditions":{"min_index_age":"14d"}}]},
		{"name":"delete","actions":[{"retry":{"count":3,"backoff":"exponential","delay":"1m"},"delete":{}}],"transitions":[]}]}}`
	const one = `{"updated_indices":1,"failures":false,"failed_indices":[]}`
	walk(t, p, []exchange{
		{"PUT", "/_index_template/stream", `{"index_patterns":["` + stream + `"],"data_stream":{"timestamp_field":{"name":"timestamp"}},"priority":99}`, 200, `{"acknowledged":true}`},
		{"PUT", "/_data_stream/" + stream, "", 200, `{"acknowledged":true}`},
		{"PUT", "/_data_stream/" + stream, "", 400, `resource_already_exists_exception`},
		{"GET", "/_plugins/_ism/policies/stream-policy", "", 404, `"status":404`},
		{"PUT", "/_plugins/_ism/policies/stream-policy", policy, 201, `"_id":"stream-policy"`},
		{"POST", "/_plugins/_ism/add/" + stream, `{"policy_id":"stream-policy"}`, 200, one},
		{"GET", "/_plugins/_ism/policies/stream-policy", "", 200, `"policy_id":"stream-policy"`},
		{"POST", "/_plugins/_ism/remove/" + stream, "", 200, one},
		{"DELETE", "/_plugins/_ism/policies/stream-policy", "", 200, `"result":"deleted"`},
		{"PUT", "/_plugins/_ism/policies/stream-policy", policy, 201, `"_id":"stream-policy"`},
		{"POST", "/_plugins/_ism/add/" + stream, `{"policy_id":"stream-policy"}`, 200, one},
		{"GET", "/_plugins/_ism/explain/" + stream, "", 200, `"policy_id":"stream-policy"`},
	})
}
