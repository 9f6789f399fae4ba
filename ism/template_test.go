// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// templated is a policy with templates, of which those without a time are of t0.
func templated(t *testing.T, id, templates string) *ism.Policy {
	t.Helper()
	p, err := ism.ParsePolicy(id, fmt.Appendf(nil,
		`{"policy":{"description":"","default_state":"a","states":[{"name":"a"}],"ism_template":%s}}`, templates), t0.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTemplatePatternsThatAreRefused(t *testing.T) {
	const prefix = "Validation Failed: "
	for _, c := range []struct{ name, patterns, want string }{
		{"a hash", `["a#"]`, "1: index_pattern [a#] must not contain a '#';"},
		{"a colon", `["a:b"]`, "1: index_pattern [a:b] must not contain a ':';"},
		{"an underscore at the beginning", `["_a"]`, "1: index_pattern [_a] must not start with '_';"},
		{"a blank", `["a b"]`, `1: index_pattern [a b] must not contain the following characters [ , ", *, \, <, |, ,, >, /, ?];`},
		{"several faults of one", `["_a#"]`, "1: index_pattern [_a#] must not contain a '#';2: index_pattern [_a#] must not start with '_';"},
		{"an empty exclusion", `["a","-"]`, "1: index_pattern [-] must have content after '-' exclusion prefix;"},
		{"a fault in an exclusion", `["a","-b#"]`, "1: index_pattern [-b#] must not contain a '#';"},
		{"exclusions only", `["-a"]`, "1: index_patterns must contain at least one inclusion pattern (patterns cannot be all exclusions);"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := templated(t, "p", `{"index_patterns":`+c.patterns+`}`).CheckTemplates()
			f := fault.Of(err)
			if f.Type != "index_management_exception" || f.Status != 400 || f.Reason != prefix+c.want ||
				f.CausedBy == nil || f.CausedBy.Reason != "org.opensearch.common.ValidationException: "+f.Reason {
				t.Errorf("%v, want %q", err, prefix+c.want)
			}
		})
	}
	for _, patterns := range []string{`["*"]`, `["a*","-ab*"]`, `["UPPER"]`, `[""]`, `[".hidden"]`} {
		if err := templated(t, "p", `{"index_patterns":`+patterns+`}`).CheckTemplates(); err != nil {
			t.Errorf("%s: %v", patterns, err)
		}
	}
	if err := templated(t, "p", `[]`).CheckTemplates(); err == nil {
		t.Error("an empty list is accepted")
	}
}

func TestTemplatesThatOverlap(t *testing.T) {
	for _, c := range []struct{ name, mine, other, want string }{
		{
			"the same name", `{"index_patterns":["a"]}`, `{"index_patterns":["a"]}`,
			"New policy p has an ISM template with index pattern [a] matching existing policy templates, please use a different priority than 0",
		},
		{
			"patterns with a common name", `{"index_patterns":["x","a*"],"priority":7}`, `{"index_patterns":["*b"],"priority":7}`,
			"New policy p has an ISM template with index pattern [x, a*] matching existing policy templates, please use a different priority than 7",
		},
		{"another priority", `{"index_patterns":["a*"],"priority":1}`, `{"index_patterns":["a*"],"priority":2}`, ""},
		{"patterns without a common name", `{"index_patterns":["a*"]}`, `{"index_patterns":["b*"]}`, ""},
		{
			"an exclusion does not help", `{"index_patterns":["a*","-ab"]}`, `{"index_patterns":["ab"]}`,
			"New policy p has an ISM template with index pattern [a*, -ab] matching existing policy templates, please use a different priority than 0",
		},
		{
			"two templates of the policy", `[{"index_patterns":["ab*"]},{"index_patterns":["abc*"]},{"index_patterns":["x"],"priority":2},{"index_patterns":["y"]}]`, `null`,
			"New policy p has an ISM template with index pattern [ab*] matching this policy's other ISM templates with index patterns [abc*, y], please use different priority",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := templated(t, "other", c.other)
			older := templated(t, "p", `{"index_patterns":["*"]}`) // the policy that is replaced
			err := templated(t, "p", c.mine).CheckTemplateConflicts([]*ism.Policy{older, other})
			if (err == nil) != (c.want == "") || err != nil && fault.Of(err).Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestWhichIndicesATemplateTakes(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name, templates, index string
		created                time.Duration
		priority               int
		ok                     bool
	}{
		{"one created a millisecond later", `{"index_patterns":["logs-*"]}`, "logs-1", ms, 0, true},
		{"one created at the same instant", `{"index_patterns":["logs-*"]}`, "logs-1", 0, 0, true},
		{"not one created before", `{"index_patterns":["logs-*"]}`, "logs-1", -ms, 0, false},
		{"not one with another name", `{"index_patterns":["logs-*"]}`, "log-1", ms, 0, false},
		{"not one in capitals", `{"index_patterns":["logs-*"]}`, "LOGS-1", ms, 0, false},
		{"not one that is excluded", `{"index_patterns":["logs-*","-logs-private*"]}`, "logs-private-1", ms, 0, false},
		{"not one that nothing includes", `{"index_patterns":["-logs-private*","x"]}`, "logs-1", ms, 0, false},
		{"the highest priority counts", `[{"index_patterns":["l*"],"priority":2},{"index_patterns":["*"],"priority":9},{"index_patterns":["x"],"priority":20}]`, "logs", ms, 9, true},
		{"a template with its own time", `{"index_patterns":["*"],"last_updated_time":1}`, "logs", -day, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			priority, ok := templated(t, "p", c.templates).TemplatePriority(c.index, at(c.created))
			if priority != c.priority || ok != c.ok {
				t.Errorf("priority %d, %v", priority, ok)
			}
		})
	}
}
