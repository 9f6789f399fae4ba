// SPDX-License-Identifier: Apache-2.0

package opensearch_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire/setting"
)

var registry = setting.NewRegistry(
	setting.Definition{
		Key: "index.plugins.index_state_management.rollover_alias", Index: true,
		Fallback: "index.opendistro.index_state_management.rollover_alias",
	},
	setting.Definition{Key: "index.plugins.index_state_management.auto_manage", Index: true, Kind: setting.Bool, Default: "true"},
	setting.Definition{
		Key: "plugins.index_state_management.job_interval", Fallback: "opendistro.index_state_management.job_interval",
		Kind: setting.Int, Default: "5", Min: "1",
	},
	setting.Definition{Key: "plugins.index_state_management.fixed", Kind: setting.Int, Default: "5", Final: true},
)

// What a bare OpenSearch 3.4.0 says.
const (
	unknownAlias = `{"error":{"root_cause":[{"type":"settings_exception","reason":"unknown setting [index.plugins.index_state_management.rollover_alias] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"}],"type":"settings_exception","reason":"unknown setting [index.plugins.index_state_management.rollover_alias] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"},"status":400}`
	unknownOther = `{"error":{"root_cause":[{"type":"settings_exception","reason":"unknown setting [index.rollover_alias] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"}],"type":"settings_exception","reason":"unknown setting [index.rollover_alias] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"},"status":400}`
	notKnown     = `{"error":{"root_cause":[{"type":"settings_exception","reason":"persistent setting [plugins.index_state_management.job_interval], not recognized"}],"type":"settings_exception","reason":"persistent setting [plugins.index_state_management.job_interval], not recognized"},"status":400}`
	acknowledged = `{"acknowledged":true}`
	noPlugins    = `[]`
	probe        = "GET /_cat/plugins?format=json&h=component"
	uuid         = `{"settings":{"index":{"uuid":"u"}}}`
)

// kept is how a mapping's _meta keeps settings.
func kept(settings string) string { return `"_meta":{"index_state_management":` + settings + `}` }

const aliasLogs = `{"index.plugins.index_state_management.rollover_alias":"logs"}`

func TestSettingsABareClusterRefusesGoElsewhere(t *testing.T) {
	cases := []struct {
		name, method, path, body string
		script                   []answer
		status                   int
		want                     string
	}{
		{
			"a new index", "PUT", "/i", `{"settings":{"index.number_of_shards":2,"index.plugins.index_state_management.rollover_alias":"logs"},"aliases":{"a":{}}}`,
			[]answer{
				{`PUT /i {"settings":{"index.number_of_shards":2,"index.plugins.index_state_management.rollover_alias":"logs"},"aliases":{"a":{}}}`, 400, unknownAlias},
				{`PUT /i {"mappings":{` + kept(aliasLogs) + `},"settings":{"index.number_of_shards":2},"aliases":{"a":{}}}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"nested, without the index prefix, beside a mapping", "PUT", "/i",
			`{"mappings":{"_meta":{"mine":1},"properties":{}},"settings":{"plugins":{"index_state_management":{"rollover_alias":"logs"}},"refresh_interval":"1s"}}`,
			[]answer{
				{`PUT /i {"mappings":{"_meta":{"mine":1},"properties":{}},"settings":{"plugins":{"index_state_management":{"rollover_alias":"logs"}},"refresh_interval":"1s"}}`, 400, unknownAlias},
				{`PUT /i {"mappings":{"_meta":{"index_state_management":` + aliasLogs + `,"mine":1},"properties":{}},"settings":{"refresh_interval":"1s"}}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"an index template", "PUT", "/_index_template/t", `{"index_patterns":["logs-*"],"template":{"settings":{"index":{"plugins.index_state_management.rollover_alias":"logs"}}}}`,
			[]answer{
				{`PUT /_index_template/t {"index_patterns":["logs-*"],"template":{"settings":{"index":{"plugins.index_state_management.rollover_alias":"logs"}}}}`, 400, unknownAlias},
				{`PUT /_index_template/t {"index_patterns":["logs-*"],"template":{"mappings":{` + kept(aliasLogs) + `},"settings":{}}}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"the settings of existing indices", "PUT", "/i,j/_settings?ignore_unavailable=true", `{"index.plugins.index_state_management.rollover_alias":"logs","number_of_replicas":0}`,
			[]answer{
				{`PUT /i,j/_settings?ignore_unavailable=true {"index.plugins.index_state_management.rollover_alias":"logs","number_of_replicas":0}`, 400, unknownAlias},
				{`GET /i,j/_mapping?expand_wildcards=open%2Cclosed&filter_path=%2A.mappings._meta&ignore_unavailable=true`, 200, `{"j":{"mappings":{"_meta":{"mine":1}}}}`},
				{`PUT /i,j/_settings?ignore_unavailable=true {"number_of_replicas":0}`, 200, acknowledged},
				{`GET /i,j/_settings/index.uuid?expand_wildcards=open%2Cclosed&filter_path=%2A.settings.index.uuid&ignore_unavailable=true`, 200, `{"i":` + uuid + `,"j":` + uuid + `}`},
				{`PUT /i/_mapping {` + kept(aliasLogs) + `}`, 200, acknowledged},
				{`PUT /j/_mapping {"_meta":{"index_state_management":` + aliasLogs + `,"mine":1}}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"a reset", "PUT", "/i/_settings", `{"settings":{"index.plugins.index_state_management.rollover_alias":null}}`,
			[]answer{
				{`PUT /i/_settings {"settings":{"index.plugins.index_state_management.rollover_alias":null}}`, 400, unknownAlias},
				{`GET /i/_mapping?expand_wildcards=open%2Cclosed&filter_path=%2A.mappings._meta`, 200, `{"i":{"mappings":{` + kept(aliasLogs) + `}}}`},
				{`GET /i/_settings/index.uuid?expand_wildcards=open%2Cclosed&filter_path=%2A.settings.index.uuid`, 200, `{"i":` + uuid + `}`},
				{`PUT /i/_mapping {` + kept(`{}`) + `}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"a mapping's new _meta leaves ours", "PUT", "/i/_mapping", `{"_meta":{"mine":2}}`,
			[]answer{
				{probe, 200, noPlugins},
				{`GET /i/_mapping?expand_wildcards=open%2Cclosed&filter_path=%2A.mappings._meta`, 200, `{"i":{"mappings":{` + kept(aliasLogs) + `}}}`},
				{`PUT /i/_mapping {"_meta":{"mine":2}}`, 200, acknowledged},
				{`PUT /i/_mapping {"_meta":{"index_state_management":` + aliasLogs + `,"mine":2}}`, 200, acknowledged},
			},
			200, acknowledged,
		},
		{
			"a mapping without _meta is none of its business", "PUT", "/i/_mapping", `{"properties":{}}`,
			[]answer{{`PUT /i/_mapping {"properties":{}}`, 200, acknowledged}},
			200, acknowledged,
		},
		{
			"what else is wrong stays wrong", "PUT", "/i/_settings", `{"index.plugins.index_state_management.rollover_alias":"x","index.rollover_alias":1}`,
			[]answer{
				{`PUT /i/_settings {"index.plugins.index_state_management.rollover_alias":"x","index.rollover_alias":1}`, 400, unknownAlias},
				{`GET /i/_mapping?expand_wildcards=open%2Cclosed&filter_path=%2A.mappings._meta`, 200, `{}`},
				{`PUT /i/_settings {"index.rollover_alias":1}`, 400, unknownOther},
			},
			400, unknownOther,
		},
		{
			"another 400 is the cluster's", "PUT", "/i", `{"settings":{"rollover_alias":1}}`,
			[]answer{{`PUT /i {"settings":{"rollover_alias":1}}`, 400, unknownOther}},
			400, unknownOther,
		},
		{
			"cluster settings", "PUT", "/_cluster/settings", `{"persistent":{"plugins":{"index_state_management":{"job_interval":1}},"cluster.max_shards_per_node":9}}`,
			[]answer{
				{`PUT /_cluster/settings {"persistent":{"plugins":{"index_state_management":{"job_interval":1}},"cluster.max_shards_per_node":9}}`, 400, notKnown},
				{
					`PUT /_cluster/settings {"persistent":{"cluster.max_shards_per_node":9,"cluster.metadata.plugins.index_state_management.job_interval":1}}`, 200,
					`{"acknowledged":true,"persistent":{"cluster":{"max_shards_per_node":"9","metadata":{"plugins":{"index_state_management":{"job_interval":"1"}}}}},"transient":{}}`,
				},
			},
			200, `{"acknowledged":true,"persistent":{"cluster":{"max_shards_per_node":"9"},"plugins":{"index_state_management":{"job_interval":"1"}}},"transient":{}}`,
		},
		{
			"a cluster setting is reset", "PUT", "/_cluster/settings", `{"transient":{"plugins.index_state_management.job_interval":null}}`,
			[]answer{
				{`PUT /_cluster/settings {"transient":{"plugins.index_state_management.job_interval":null}}`, 400, strings.ReplaceAll(notKnown, "persistent", "transient")},
				{`PUT /_cluster/settings {"transient":{"cluster.metadata.plugins.index_state_management.job_interval":null}}`, 200, `{"acknowledged":true,"persistent":{},"transient":{}}`},
			},
			200, `{"acknowledged":true,"persistent":{},"transient":{}}`,
		},
		{
			"index settings show what _meta keeps", "GET", "/i/_settings", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /i/_settings`, 200, `{"i":{"settings":{"index":{"uuid":"u"}}}}`},
				{`GET /i/_mapping?filter_path=%2A.mappings._meta`, 200, `{"i":{"mappings":{` + kept(aliasLogs) + `}}}`},
			},
			200, `{"i":{"settings":{"index":{"plugins":{"index_state_management":{"rollover_alias":"logs"}},"uuid":"u"}}}}`,
		},
		{
			"a named setting, flat", "GET", "/_settings/index.plugins*?flat_settings=true", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /_settings/index.plugins*?flat_settings=true`, 200, `{}`},
				{`GET /_all/_mapping?filter_path=%2A.mappings._meta`, 200, `{"i":{"mappings":{` + kept(aliasLogs) + `}}}`},
			},
			200, `{"i":{"settings":` + aliasLogs + `}}`,
		},
		{
			"a setting of another name costs nothing", "GET", "/i/_settings/index.uuid", "",
			[]answer{{`GET /i/_settings/index.uuid`, 200, `{"i":` + uuid + `}`}},
			200, `{"i":` + uuid + `}`,
		},
		{
			"a filter that asks for them", "GET", "/i/_settings?filter_path=*.settings.index.plugins", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /i/_settings`, 200, `{"i":{"settings":{"index":{"uuid":"u"}}}}`},
				{`GET /i/_mapping?filter_path=%2A.mappings._meta`, 200, `{"i":{"mappings":{` + kept(aliasLogs) + `}}}`},
			},
			200, `{"i":{"settings":{"index":{"plugins":{"index_state_management":{"rollover_alias":"logs"}}}}}}`,
		},
		{
			"a filter for something else", "GET", "/_cluster/settings?filter_path=transient", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /_cluster/settings?filter_path=transient`, 200, `{"transient":{}}`},
			},
			200, `{"transient":{}}`,
		},
		{
			"an index shows what _meta keeps", "GET", "/i", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /i`, 200, `{"i":{"aliases":{},"mappings":{` + kept(aliasLogs) + `},"settings":{"index":{"uuid":"u"}}}}`},
			},
			200, `{"i":{"aliases":{},"mappings":{` + kept(aliasLogs) + `},"settings":{"index":{"plugins":{"index_state_management":{"rollover_alias":"logs"}},"uuid":"u"}}}}`,
		},
		{
			"cluster settings show what metadata keeps", "GET", "/_cluster/settings?flat_settings=true", "",
			[]answer{
				{probe, 200, noPlugins},
				{`GET /_cluster/settings?flat_settings=true`, 200, `{"persistent":{"cluster.metadata.mine":"1","cluster.metadata.plugins.index_state_management.job_interval":"1"},"transient":{}}`},
			},
			200, `{"persistent":{"cluster.metadata.mine":"1","plugins.index_state_management.job_interval":"1"},"transient":{}}`,
		},
		{
			"a cluster with the plugin is left alone", "GET", "/i/_settings", "",
			[]answer{
				{probe, 200, `[{"component":"opensearch-index-management"}]`},
				{`GET /i/_settings`, 200, `{"i": {"settings":{}}}`},
			},
			200, `{"i": {"settings":{}}}`,
		},
		{
			"other requests are none of its business", "GET", "/i/_search", "",
			[]answer{{`GET /i/_search`, 200, `{}`}},
			200, `{}`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			transport := opensearch.PluginSettings(scripted(t, c.script...), registry)
			req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.body == "" {
				req.Body = http.NoBody
			}
			res, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if diff := cmp.Diff(c.want, string(body)); diff != "" || res.StatusCode != c.status {
				t.Errorf("status %d, %s", res.StatusCode, diff)
			}
		})
	}
}

func TestABadValueIsRefusedBeforeAnythingIsSent(t *testing.T) {
	for setting, want := range map[string]string{
		`"plugins.index_state_management.job_interval":0`: "must be >= 1",
		`"plugins.index_state_management.fixed":6`:        "persistent setting [plugins.index_state_management.fixed], not dynamically updateable",
	} {
		body := `{"persistent":{` + setting + `}}`
		transport := opensearch.PluginSettings(scripted(t, answer{"PUT /_cluster/settings " + body, 400, notKnown}), registry)
		res, err := transport.RoundTrip(httptest.NewRequest("PUT", "/_cluster/settings", strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		if res.StatusCode != 400 || !strings.Contains(string(text), want) {
			t.Errorf("got %d %s, want %s", res.StatusCode, text, want)
		}
	}
}

func TestTheCallersCredentialsGoWithEveryRequest(t *testing.T) {
	seen := 0
	cluster := opensearch.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		if r.Header.Get("Authorization") != "Basic bWU6bWU=" {
			t.Errorf("%s %s came without the caller's credentials", r.Method, r.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		if seen == 1 {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, unknownAlias)
			return
		}
		_, _ = io.WriteString(w, `{"i":{}}`)
	}))
	req := httptest.NewRequest("PUT", "/i/_settings", strings.NewReader(aliasLogs))
	req.Header.Set("Authorization", "Basic bWU6bWU=")
	res, err := opensearch.PluginSettings(cluster, registry).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if seen != 4 {
		t.Errorf("%d requests", seen)
	}
}
