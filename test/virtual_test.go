// SPDX-License-Identifier: Apache-2.0

package test

import (
	"strings"
	"testing"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/wire"
)

func virtualTime(o *steward.Options) { o.VirtualTime = true }

// advance moves the program's clock and returns where it stands then.
func advance(p *Running, by string) time.Time {
	p.t.Helper()
	var now struct {
		Millis int64 `json:"now_in_millis"`
	}
	p.Must("POST", "/_plugins/_steward/clock", wire.Obj("advance", by), &now)
	return time.UnixMilli(now.Millis)
}

func TestAYearOfPolicyRunsInOneRequest(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	p := Program(t, virtualTime)
	p.Must("PUT", "/_plugins/_ism/policies/p", []byte(`{"policy":{"description":"a year","default_state":"hot","states":[
		{"name":"hot","actions":[],"transitions":[{"state_name":"warm","conditions":{"min_index_age":"30d"}}]},
		{"name":"warm","actions":[],"transitions":[{"state_name":"old","conditions":{"min_index_age":"365d"}}]},
		{"name":"old","actions":[{"delete":{}}],"transitions":[]}],
		"ism_template":[{"index_patterns":["logs-*"],"priority":1}]}}`), nil)
	p.Must("PUT", "/logs-1", nil, nil)
	began := advance(p, "0ms")
	advance(p, "29d")
	if explain := p.Explain("logs-1"); !strings.Contains(explain, `"name":"hot"`) {
		t.Errorf("after 29 days: %s", explain)
	}
	advance(p, "1d")
	if explain := p.Explain("logs-1"); !strings.Contains(explain, `"name":"warm"`) {
		t.Errorf("after 30 days: %s", explain)
	}
	if now := advance(p, "335d"); now.Sub(began) != 365*24*time.Hour {
		t.Errorf("the clock moved by %v", now.Sub(began))
	}
	if status, body := p.Call("HEAD", "/logs-1", nil); status != 404 {
		t.Errorf("after a year the index answers %d %s", status, body)
	}
}

func TestVirtualTimeGoesOnWhereItStoodAndNeedsItsFlag(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	first := Program(t, virtualTime)
	was := advance(first, "100d")
	first.Stop()
	o := stewardOptions(t, first)
	o.VirtualTime = false
	s, err := steward.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "was made under virtual time") {
		t.Errorf("without the flag: %v", err)
	}
	o.VirtualTime = true
	second := Start(t, o, first.Prefix)
	if now := advance(second, "0ms"); !now.Equal(was) {
		t.Errorf("the clock stands at %v, it stood at %v", now, was)
	}
}

func TestTheClockRefusesWhatIsNoWayForward(t *testing.T) {
	if OnCluster() {
		t.Skip("a cluster has a clock of its own")
	}
	p := Program(t, virtualTime)
	for body, want := range map[string]string{
		`{}`:                   "[advance] is missing",
		`{"advance":null}`:     "[advance] has to be a time value",
		`{"advance":"-1d"}`:    "between 0 and 36500d",
		`{"advance":"soon"}`:   "failed to parse setting [advance]",
		`{"advance":"40000d"}`: "between 0 and 36500d",
		`{"back":"1d"}`:        "unknown field [back]",
	} {
		if status, answer := p.Call("POST", "/_plugins/_steward/clock", []byte(body)); status != 400 || !strings.Contains(string(answer), want) {
			t.Errorf("%s: %d %s, want %q", body, status, answer, want)
		}
	}
	ordinary := Program(t)
	if status, answer := ordinary.Call("POST", "/_plugins/_steward/clock", []byte(`{"advance":"1d"}`)); status != 400 || !strings.Contains(string(answer), "--virtual-time") {
		t.Errorf("without virtual time: %d %s", status, answer)
	}
}
