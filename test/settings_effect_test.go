// SPDX-License-Identifier: Apache-2.0

package test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// yearOf is a policy that attaches itself to every index of the test, runs an action and waits for a year.
func yearOf(p *Running, action string) []byte {
	return []byte(`{"policy":{"description":"","default_state":"s","states":[
		{"name":"s","actions":[` + action + `],"transitions":[{"state_name":"s","conditions":{"min_index_age":"365d"}}]}],
		"ism_template":[{"index_patterns":["` + p.Prefix + `-*"],"priority":1}]}}`)
}

// jobOf is the job document of an index, as text; "" if it has none.
func jobOf(p *Running, index string) string {
	p.t.Helper()
	var info map[string]struct {
		Settings struct{ Index struct{ UUID string } }
	}
	p.Must("GET", "/"+index+"/_settings", nil, &info)
	status, body := p.Call("GET", "/.opendistro-ism-config/_doc/"+info[index].Settings.Index.UUID+"?routing="+info[index].Settings.Index.UUID, nil)
	if status != 200 {
		return ""
	}
	return string(body)
}

// settingEffects are what changes when a setting is set, before and after.
var settingEffects = []struct {
	name, key, value string
	onlyNew          bool
	// look says what can be seen with the setting at its default and at the value.
	look            func(p *Running) string
	before, changed string
}{
	{
		name: "the plugin switched off attaches nothing", key: "enabled", value: "false",
		look: func(p *Running) string {
			p.Must("PUT", "/_plugins/_ism/policies/p", yearOf(p, ""), nil)
			p.Must("PUT", "/"+p.Name("-1"), nil, nil)
			advance(p, "1h")
			return "managed: " + yesNo(jobOf(p, p.Name("-1")) != "")
		},
		before: "managed: yes", changed: "managed: no",
	},
	{
		name: "the interval of new jobs", key: "job_interval", value: "7",
		look:   func(p *Running) string { return between(attached(p), `"period":`, `,`) },
		before: "5", changed: "7",
	},
	{
		name: "the jitter of new jobs", key: "jitter", value: "0.25", onlyNew: true,
		look:   func(p *Running) string { return between(attached(p), `"jitter":`, `}`) },
		before: "0.6", changed: "0.25",
	},
	{
		name: "the actions that policies may have", key: "allow_list", value: `["delete"]`,
		look: func(p *Running) string {
			status, body := p.Call("PUT", "/_plugins/_ism/policies/p", yearOf(p, `{"close":{}}`))
			if status == 201 {
				return "stored"
			}
			return string(body)
		},
		before: "stored", changed: "You have actions that are not allowed in your policy [close]",
	},
	{
		name: "the names that no policy is attached to", key: "restricted_index_pattern", value: "t.*-1",
		look: func(p *Running) string {
			p.Must("PUT", "/_plugins/_ism/policies/p", yearOf(p, ""), nil)
			p.Must("PUT", "/"+p.Name("-1"), nil, nil)
			advance(p, "1h")
			_, body := p.Call("POST", "/_plugins/_ism/add/"+p.Name("-1"), wire.Obj("policy_id", "p"))
			return between(string(body), `"reason":"`, `"`)
		},
		before: "This index already has a policy, use the update policy API to update index policies", changed: "Matches restricted index pattern defined in the cluster setting",
	},
	{
		name: "the history switched off", key: "history.enabled", value: "false",
		look: func(p *Running) string {
			attached(p)
			status, _ := p.Call("HEAD", "/.opendistro-ism-managed-index-history-write", nil)
			return "recorded: " + yesNo(status == 200)
		},
		before: "recorded: yes", changed: "recorded: no",
	},
	{
		name: "the age at which the history is rolled over", key: "history.max_age", value: "2d",
		look:   func(p *Running) string { attached(p); advance(p, "30h"); return rolledOver(p) },
		before: "rolled over", changed: "not rolled over",
	},
	{
		name: "the size at which the history is rolled over", key: "history.max_docs", value: "1",
		look:   func(p *Running) string { attached(p); advance(p, "9h"); return rolledOver(p) },
		before: "not rolled over", changed: "rolled over",
	},
	{
		name: "how often the history is looked at", key: "history.rollover_check_period", value: "2d",
		look:   func(p *Running) string { attached(p); advance(p, "30h"); return rolledOver(p) },
		before: "rolled over", changed: "not rolled over",
	},
	{
		name: "how long the history is kept", key: "history.rollover_retention_period", value: "40d",
		look: func(p *Running) string {
			attached(p)
			advance(p, "35d")
			return rolledOver(p)
		},
		before: "not rolled over", changed: "rolled over", // only the empty one is left; or both are
	},
	{
		name: "the shards of the history", key: "history.number_of_shards", value: "3",
		look: func(p *Running) string { attached(p); return historySetting(p, "index.number_of_shards") }, before: "1", changed: "3",
	},
	{
		name: "the replicas of the history", key: "history.number_of_replicas", value: "0",
		look: func(p *Running) string { attached(p); return historySetting(p, "index.number_of_replicas") }, before: "1", changed: "0",
	},
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// attached is the job of a new index.
func attached(p *Running) string {
	p.t.Helper()
	p.Must("PUT", "/_plugins/_ism/policies/p", yearOf(p, ""), nil)
	p.Must("PUT", "/"+p.Name("-1"), nil, nil)
	advance(p, "1s")
	return jobOf(p, p.Name("-1"))
}

func rolledOver(p *Running) string {
	if len(historyOf(p)) > 1 {
		return "rolled over"
	}
	return "not rolled over"
}

func historySetting(p *Running, name string) string {
	p.t.Helper()
	var settings map[string]struct{ Settings map[string]string }
	p.Must("GET", "/.opendistro-ism-managed-index-history-write/_settings?flat_settings=true", nil, &settings)
	for _, index := range settings {
		return index.Settings[name]
	}
	return ""
}

func TestSettingsHaveTheirEffectUnderBothNames(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	for _, c := range settingEffects {
		names := []string{"", settings + c.key, oldSettings + c.key}
		if c.onlyNew {
			names = names[:2]
		}
		for _, name := range names {
			t.Run(strings.TrimSpace(c.name+" "+name), func(t *testing.T) {
				p := Program(t, virtualTime)
				want := c.before
				if name != "" {
					want = c.changed
					put(p, wire.Obj(name, value(c.value)))
				}
				if got := c.look(p); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	}
}

// indexSettingEffects are what an index setting changes.
var indexSettingEffects = []struct {
	name, key, value string
	look             func(p *Running, index string) string
	want             string
}{
	{
		"an index that is not to be managed", "auto_manage", "false",
		func(p *Running, index string) string { return "managed: " + yesNo(jobOf(p, index) != "") }, "managed: no",
	},
	{
		"an index that may be managed", "auto_manage", "true",
		func(p *Running, index string) string { return "managed: " + yesNo(jobOf(p, index) != "") }, "managed: yes",
	},
	{
		"a policy's name", "policy_id", "elsewhere", // registered, and without effect
		func(p *Running, index string) string { return between(jobOf(p, index), `"policy_id":"`, `"`) }, "p",
	},
	{
		"an alias to roll over", "rollover_alias", "ALIAS",
		func(p *Running, index string) string { return between(p.Explain(index), `"message":"`, ` [`) }, "Evaluating transition conditions",
	},
	{
		"a rollover to be skipped", "rollover_skip", "true",
		func(p *Running, index string) string { return between(p.Explain(index), `"rolled_over":`, `,`) }, "true",
	},
}

func TestIndexSettingsHaveTheirEffectUnderBothNames(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	for _, c := range indexSettingEffects {
		for _, prefix := range []string{"index.plugins.index_state_management.", "index.opendistro.index_state_management."} {
			t.Run(c.name+" "+prefix, func(t *testing.T) {
				p := Program(t, virtualTime)
				p.Must("PUT", "/_plugins/_ism/policies/p", yearOf(p, `{"rollover":{}}`), nil)
				index, alias := p.Name("-1"), p.Name("")
				p.Must("PUT", "/"+index, wire.Obj(
					"settings", wire.Obj(prefix+c.key, strings.ReplaceAll(c.value, "ALIAS", alias)),
					"aliases", wire.Obj(alias, wire.Obj("is_write_index", true))), nil)
				advance(p, "1s")
				if got := c.look(p, index); got != c.want {
					t.Errorf("%s, want %s: %s", got, c.want, p.Explain(index))
				}
			})
		}
	}
}
