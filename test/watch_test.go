// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test/scenario"
)

// onStage is a program at full pace in virtual time.
func onStage(t *testing.T) paced {
	if OnCluster() {
		t.Skip("a real cluster has no clock that can be moved")
	}
	c := clock.NewVirtual(scenario.Start)
	return paced{stage{Program(t, Virtual(c)), c, 0, nil}, t}
}

const withoutAlias = `{"name":"a","actions":[{"retry":{"count":1,"backoff":"constant","delay":"1m"},"rollover":{}}],"transitions":[]}`

// blocked is an index whose rollover has failed for good, for want of an alias.
func (p paced) blocked() (index string) {
	p.t.Helper()
	index = "logs-000001"
	p.managed(index, withoutAlias)
	p.pass(time.Minute)
	e := p.failed(index)
	if !e.Action.Failed || !e.Enabled {
		p.t.Fatalf("it has not failed, or is disabled: %s", p.Explain(index))
	}
	return index
}

// blockedEntry is what explain shows of a failed index.
type blockedEntry struct {
	Action struct {
		Failed          bool
		ConsumedRetries int `json:"consumed_retries"`
	}
	RolledOver bool `json:"rolled_over"`
	Completed  bool `json:"policy_completed"`
	Enabled    bool
	Info       struct{ Message string }
}

func (p paced) failed(index string) (e blockedEntry) {
	p.t.Helper()
	var all map[string]json.RawMessage
	p.Must("GET", "/_plugins/_ism/explain/"+index, nil, &all)
	if err := json.Unmarshal(all[index], &e); err != nil {
		p.t.Fatal(err)
	}
	return e
}

func TestAFailedIndexGoesOnAtOnceWhenWhatItLackedIsThere(t *testing.T) {
	p := onStage(t)
	index := p.blocked()
	p.Must("PUT", "/"+index+"/_settings", []byte(`{"index.plugins.index_state_management.rollover_alias":"logs"}`), nil)
	p.pass(0)
	if e := p.failed(index); !e.Action.Failed || e.Info.Message != "Missing rollover_alias index setting [index=logs-000001]" {
		t.Errorf("the alias is still missing: %+v", e)
	}
	p.Must("POST", "/_aliases", []byte(`{"actions":[{"add":{"index":"logs-000001","alias":"logs"}}]}`), nil)
	p.pass(0)
	if e := p.failed(index); !e.Completed || !p.Exists("logs-000002") {
		t.Errorf("it does not go on: %s", p.Explain(index))
	}
}

// TestAFailedIndexIsTriedAgainWithGrowingPauses: nothing tells that the cause is gone, but a try finds out.
func TestAFailedIndexIsTriedAgainWithGrowingPauses(t *testing.T) {
	p := onStage(t)
	p.managed("logs-1", `{"name":"a","actions":[{"retry":{"count":0},"alias":{"actions":[{"add":{"aliases":["other"]}}]}}],"transitions":[]}`)
	if e := p.failed("logs-1"); e.Action.Failed {
		t.Fatalf("nothing is wrong: %+v", e)
	}
	p.Must("PUT", "/other-2", nil, nil)
	p.managed("logs-2", `{"name":"a","actions":[{"retry":{"count":0},"alias":{"actions":[{"add":{"aliases":["other-2"]}}]}}],"transitions":[]}`)
	p.pass(0)
	if e := p.failed("logs-2"); !e.Action.Failed {
		t.Fatalf("an index has the alias's name: %+v", e)
	}
	p.Must("DELETE", "/other-2", nil, nil)
	p.pass(59 * time.Second)
	if e := p.failed("logs-2"); !e.Action.Failed {
		t.Errorf("it was tried early: %+v", e)
	}
	p.pass(time.Second)
	if e := p.failed("logs-2"); !e.Completed {
		t.Errorf("it was not tried after a minute: %+v", e)
	}
}

func TestTheWatchCanBeSwitchedOff(t *testing.T) {
	p := onStage(t)
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"steward.ism.watch.enabled":false}}`), nil)
	index := p.blocked()
	p.Must("PUT", "/"+index+"/_settings", []byte(`{"index.plugins.index_state_management.rollover_alias":"logs"}`), nil)
	p.Must("POST", "/_aliases", []byte(`{"actions":[{"add":{"index":"logs-000001","alias":"logs"}}]}`), nil)
	p.pass(24 * time.Hour)
	if e := p.failed(index); !e.Action.Failed {
		t.Errorf("it went on: %+v", e)
	}
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"steward.ism.watch.enabled":null}}`), nil)
	p.pass(0)
	if e := p.failed(index); !e.Completed {
		t.Errorf("it does not go on: %+v", e)
	}
}

// TestATryThatFailsStoresNothing: what clients see of a failed index does not change, and nobody is notified again.
func TestATryThatFailsStoresNothing(t *testing.T) {
	p := onStage(t)
	index := p.blocked()
	before := p.metadataVersion(index)
	p.pass(30 * 24 * time.Hour)
	if after := p.metadataVersion(index); after != before {
		t.Errorf("the metadata was written: %d, then %d", before, after)
	}
}

func (p paced) metadataVersion(index string) int64 {
	p.t.Helper()
	uuid := p.entryOf(index).UUID
	var doc struct {
		Version int64 `json:"_version"`
	}
	p.Must("GET", "/.opendistro-ism-config/_doc/"+uuid+"%23metadata?routing="+uuid, nil, &doc)
	return doc.Version
}

// TestAnActionThatTimedOutIsLeftToThePerson: its timeout says that it is to be given up.
func TestAnActionThatTimedOutIsLeftToThePerson(t *testing.T) {
	p := onStage(t)
	p.managed("logs-000001", `{"name":"a","actions":[{"timeout":"1h","rollover":{"min_doc_count":5}}],"transitions":[]}`)
	p.Must("PUT", "/logs-000001/_settings", []byte(`{"index.plugins.index_state_management.rollover_alias":"logs"}`), nil)
	p.Must("POST", "/_aliases", []byte(`{"actions":[{"add":{"index":"logs-000001","alias":"logs"}}]}`), nil)
	p.pass(2 * time.Hour)
	p.Must("POST", "/logs-000001/_doc?refresh=true", []byte(`{"n":1}`), nil)
	p.pass(48 * time.Hour)
	if e := p.failed("logs-000001"); e.Info.Message != "Action timed out" || !e.Action.Failed {
		t.Errorf("%+v", e)
	}
}

// TestAPolicyThatMayNotRunGoesOnWhenItMay: the setting that stood in the way changes.
func TestAPolicyThatMayNotRunGoesOnWhenItMay(t *testing.T) {
	p := onStage(t)
	p.managed("logs-0", `{"name":"a","actions":[{"read_only":{}}],"transitions":[]}`)
	p.Must("PUT", "/logs-1", nil, nil)
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.index_state_management.allow_list":["close"]}}`), nil)
	p.Must("POST", "/_plugins/_ism/add/logs-1", []byte(`{"policy_id":"logs-0"}`), nil)
	p.pass(time.Minute)
	if e := p.failed("logs-1"); e.Info.Message != "Attempted to execute action=read_only which is not allowed." {
		t.Fatalf("%+v", e)
	}
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.index_state_management.allow_list":null}}`), nil)
	p.pass(0)
	if e := p.failed("logs-1"); !e.Completed {
		t.Errorf("it does not go on: %s", p.Explain("logs-1"))
	}
}

// TestWhyAnIndexStandsStillIsTold: what stopped it, the fact in the way, and what makes it go on.
func TestWhyAnIndexStandsStillIsTold(t *testing.T) {
	p := onStage(t)
	p.blocked()
	p.managed("books-1", `{"name":"a","actions":[],"transitions":[{"state_name":"b","conditions":{"min_index_age":"30d"}}]},{"name":"b"}`)
	p.managed("done-1", `{"name":"a","actions":[],"transitions":[]}`)
	p.pass(0)
	for index, want := range map[string]string{
		"logs-000001": `{"cause":"Missing rollover_alias index setting [index=logs-000001]",
			"blocking":"index.plugins.index_state_management.rollover_alias is not set on [logs-000001]",
			"fix":"set index.plugins.index_state_management.rollover_alias to the alias that is to be rolled over; the index then goes on by itself"}`,
		"books-1": fmt.Sprintf(`{"cause":"Evaluating transition conditions [index=books-1]",
			"blocking":"no condition of a transition is met: b: min_index_age is 0s, needed 30d",
			"fix":"wait until one is met, or change the policy","due":%d}`, scenario.Start.Add(30*24*time.Hour+time.Minute).UnixMilli()),
		"done-1": `null`,
	} {
		var all map[string]json.RawMessage
		p.Must("GET", "/_plugins/_ism/explain/"+index+"?why=true", nil, &all)
		var told struct{ Why json.RawMessage }
		if err := json.Unmarshal(all[index], &told); err != nil {
			t.Fatal(err)
		}
		var got, expected any
		if json.Unmarshal(told.Why, &got) != nil || json.Unmarshal([]byte(want), &expected) != nil {
			t.Fatalf("%s: %s", index, all[index])
		}
		if d := cmp.Diff(expected, got); d != "" {
			t.Errorf("%s: want (-), got (+):\n%s", index, d)
		}
	}
	if explain := p.Explain("logs-000001"); strings.Contains(explain, `"why"`) {
		t.Errorf("it is told unasked: %s", explain)
	}
}
