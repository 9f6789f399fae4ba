// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward/wire"
)

// historyOf are the history's indices, without what their names begin with, each with its number of documents; the one
// that is written to has an arrow.
func historyOf(p *Running) []string {
	p.t.Helper()
	const prefix = ".opendistro-ism-managed-index-history-"
	p.Must("POST", "/"+prefix+"*/_refresh?expand_wildcards=all", nil, nil)
	var stats struct {
		Indices map[string]struct {
			Primaries struct {
				Docs struct{ Count int }
			}
		}
	}
	p.Must("GET", "/"+prefix+"*/_stats/docs?expand_wildcards=all", nil, &stats)
	var aliases map[string]struct{ Aliases map[string]any }
	p.Must("GET", "/"+prefix+"*/_alias?expand_wildcards=all", nil, &aliases)
	var out []string
	for name, s := range stats.Indices {
		text := strings.TrimPrefix(name, prefix)
		if _, ok := aliases[name].Aliases[prefix+"write"]; ok {
			text += " <-"
		}
		if s.Primaries.Docs.Count == 0 {
			text += " empty"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// dayOf is how the names of the history's indices show today.
func dayOf(p *Running) string { return advance(p, "0ms").UTC().Format("2006.01.02") }

// untilMidnight is how long it is from then to the next day: dates then do not depend on when the test is run.
func untilMidnight(then time.Time) string {
	return fmt.Sprintf("%dms", then.Truncate(24*time.Hour).Add(24*time.Hour).Sub(then).Milliseconds())
}

func put(p *Running, settings wire.Object) {
	p.t.Helper()
	p.Must("PUT", "/_cluster/settings", wire.Obj("persistent", settings), nil)
}

func TestTheHistoryIsRolledOverByAgeAndDeletedByAge(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	p := Program(t, virtualTime)
	p.Must("PUT", "/_plugins/_ism/policies/p", []byte(`{"policy":{"description":"","default_state":"s","states":[
		{"name":"s","actions":[],"transitions":[]}],"ism_template":[{"index_patterns":["logs-*"],"priority":1}]}}`), nil)
	expect := func(when string, want ...string) {
		t.Helper()
		if got := historyOf(p); !slices.Equal(got, want) {
			t.Errorf("%s the history is %q, want %q", when, got, want)
		}
	}
	advance(p, "40d")
	advance(p, untilMidnight(advance(p, "0ms")))
	expect("without a record")
	p.Must("PUT", "/logs-1", nil, nil)
	first := dayOf(p)
	expect("at once", first+"-1 <-")
	advance(p, "23h")
	expect("after less than a day", first+"-1 <-")
	advance(p, "2h")
	second := dayOf(p)
	expect("after a day", first+"-1", second+"-000002 <- empty")
	advance(p, "10d")
	expect("while nothing happens", first+"-1", second+"-000002 <- empty")
	p.Must("PUT", "/logs-2", nil, nil)
	advance(p, "8h")
	third := dayOf(p)
	expect("when something happened", first+"-1", second+"-000002", third+"-000003 <- empty")
	advance(p, "19d")
	expect("after 30 days", second+"-000002", third+"-000003 <- empty")
	put(p, wire.Obj("plugins.index_state_management.history.rollover_retention_period", "1d"))
	advance(p, "1d")
	expect("when less is to be kept", third+"-000003 <- empty")
	put(p, wire.Obj("plugins.index_state_management.history.enabled", false))
	advance(p, "1d")
	expect("when it is switched off")
	put(p, wire.Obj("plugins.index_state_management.history.enabled", nil))
	p.Must("PUT", "/logs-3", nil, nil)
	expect("when it is switched on", dayOf(p)+"-1 <-")
}

func TestTheHistoryIsRolledOverByDocuments(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	p := Program(t, virtualTime)
	advance(p, untilMidnight(advance(p, "0ms")))
	put(p, wire.Obj("opendistro.index_state_management.history.max_docs", 3,
		"plugins.index_state_management.history.rollover_check_period", "10m",
		"plugins.index_state_management.history.number_of_replicas", 0,
		"plugins.index_state_management.history.number_of_shards", 2))
	p.Must("PUT", "/_plugins/_ism/policies/p", []byte(`{"policy":{"description":"","default_state":"s","states":[
		{"name":"s","actions":[],"transitions":[]}],"ism_template":[{"index_patterns":["logs-*"],"priority":1}]}}`), nil)
	p.Must("PUT", "/logs-1", nil, nil) // two records: initialised, completed
	day := dayOf(p)
	advance(p, "20m")
	if got, want := historyOf(p), []string{day + "-1 <-"}; !slices.Equal(got, want) {
		t.Errorf("with two records: %q, want %q", got, want)
	}
	p.Must("PUT", "/logs-2", nil, nil)
	advance(p, "10m")
	if got, want := historyOf(p), []string{day + "-000002 <- empty", day + "-1"}; !slices.Equal(got, want) {
		t.Errorf("with four records: %q, want %q", got, want)
	}
	for _, name := range []string{"-1", "-000002"} {
		var settings map[string]struct{ Settings map[string]string }
		p.Must("GET", "/.opendistro-ism-managed-index-history-"+day+name+"/_settings?flat_settings=true", nil, &settings)
		for _, index := range settings {
			s := index.Settings
			if s["index.number_of_shards"] != "2" || s["index.number_of_replicas"] != "0" || s["index.hidden"] != "true" {
				t.Errorf("the settings of %s are %v", name, s)
			}
		}
	}
}
