// SPDX-License-Identifier: Apache-2.0

// Due measures the time from "due" to "done" of lifecycle steps.
//
//	go run ./bench/due [-n 20] [-cluster URL]
//
// "age": an index whose transition by age is due at a known instant; how long after it the new state shows.
// "chain": a policy of twelve actions in twelve states whose conditions all hold, a snapshot among them, from the call
// that adds it to the deleted index; "rollover": from the document that fulfils the condition to the new index; "managed":
// from the creation of an index that a template claims, behind the back of the program if there is a cluster, to its first
// state. A cluster has to allow the snapshot repository "bench" below its path.repo.
package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/opensteward/steward/bench/internal/measure"
	"github.com/opensteward/steward/opensearch"
)

var (
	n       = flag.Int("n", 20, "indices of each kind")
	cluster = flag.String("cluster", "", "measure in front of this cluster instead of the embedded engine")
)

// age is how old an index gets before it moves.
const age = 2 * time.Second

func main() { measure.Main(run) }

func run() error {
	p, err := measure.Start(*cluster)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		fn   func(p *measure.Program, i int) (time.Duration, error)
	}{{"age", byAge}, {"chain", chain}, {"rollover", rollover}, {"managed", managed}} {
		var times measure.Times
		for i := range *n {
			took, err := m.fn(p, i)
			if err != nil {
				return err
			}
			times = append(times, took)
		}
		fmt.Printf("%-10s %v\n", m.name, times)
	}
	return p.Close()
}

// managed creates an index through the program, or by a connection to the cluster of its own.
func managed(p *measure.Program, i int) (time.Duration, error) {
	if i == 0 {
		states := state(0, "", `,"conditions":{"min_index_age":"3650d"}`) + "," + state(1, "", "last")
		body := `{"policy":{"description":"bench","default_state":"s0","states":[` + states + `],"ism_template":[{"index_patterns":["bench-new-*"]}]}}`
		if err := p.Send("PUT", "/_plugins/_ism/policies/bench-new", body, nil); err != nil {
			return 0, err
		}
	}
	behind := p.Client
	if *cluster != "" {
		network, err := opensearch.Dial(opensearch.DialOptions{URLs: []string{*cluster}})
		if err != nil {
			return 0, err
		}
		behind = opensearch.NewClient(network)
	}
	index := fmt.Sprintf("bench-new-%d", i)
	start := time.Now()
	if err := measure.Send(behind, "PUT", "/"+index, `{"settings":{"number_of_replicas":0}}`, nil); err != nil {
		return 0, err
	}
	took, err := until(start, inState(p, index, "s0"))
	if err != nil {
		return 0, err
	}
	return took, p.Send("DELETE", "/"+index, "", nil)
}

// policy stores a policy of these states.
func policy(p *measure.Program, name, states string) error {
	return p.Send("PUT", "/_plugins/_ism/policies/"+name,
		`{"policy":{"description":"bench","default_state":"s0","states":[`+states+`]}}`, nil)
}

func state(i int, action, condition string) string {
	next := ""
	if condition != "last" {
		next = fmt.Sprintf(`{"state_name":"s%d"%s}`, i+1, condition)
	}
	return fmt.Sprintf(`{"name":"s%d","actions":[%s],"transitions":[%s]}`, i, action, next)
}

// until asks again and again whether something holds, and returns how long after start it did.
func until(start time.Time, holds func() (bool, error)) (time.Duration, error) {
	for time.Since(start) < time.Minute {
		ok, err := holds()
		if ok || err != nil {
			return time.Since(start), err
		}
		time.Sleep(time.Millisecond)
	}
	return 0, fmt.Errorf("not within a minute")
}

func inState(p *measure.Program, index, want string) func() (bool, error) {
	return func() (bool, error) {
		var answer map[string]any
		if err := p.Send("GET", "/_plugins/_ism/explain/"+index, "", &answer); err != nil {
			return false, err
		}
		entry, _ := answer[index].(map[string]any)
		state, _ := entry["state"].(map[string]any)
		return state["name"] == want, nil
	}
}

func byAge(p *measure.Program, i int) (time.Duration, error) {
	index := fmt.Sprintf("bench-age-%d", i)
	if i == 0 {
		condition := fmt.Sprintf(`,"conditions":{"min_index_age":"%dms"}`, age.Milliseconds())
		if err := policy(p, "bench-age", state(0, "", condition)+","+state(1, "", `,"conditions":{"min_index_age":"3650d"}`)+","+state(2, "", "last")); err != nil {
			return 0, err
		}
	}
	if err := p.Send("PUT", "/"+index, `{"settings":{"number_of_replicas":0}}`, nil); err != nil {
		return 0, err
	}
	var created map[string]struct {
		Settings struct {
			Index struct {
				Date int64 `json:"creation_date,string"`
			}
		}
	}
	if err := p.Send("GET", "/"+index, "", &created); err != nil {
		return 0, err
	}
	if err := p.Send("POST", "/_plugins/_ism/add/"+index, `{"policy_id":"bench-age"}`, nil); err != nil {
		return 0, err
	}
	due := time.UnixMilli(created[index].Settings.Index.Date).Add(age)
	time.Sleep(time.Until(due))
	took, err := until(due, inState(p, index, "s1"))
	if err != nil {
		return 0, err
	}
	return took, p.Send("DELETE", "/"+index, "", nil)
}

func chain(p *measure.Program, i int) (time.Duration, error) {
	index := fmt.Sprintf("bench-chain-%d", i)
	actions := []string{
		`{"read_only":{}}`, `{"replica_count":{"number_of_replicas":0}}`, `{"index_priority":{"priority":50}}`, `{"force_merge":{"max_num_segments":1}}`,
		`{"close":{}}`, `{"open":{}}`, `{"read_write":{}}`, `{"alias":{"actions":[{"add":{"aliases":["` + index + `-done"]}}]}}`,
		`{"index_priority":{"priority":10}}`, `{"read_only":{}}`, `{"snapshot":{"repository":"bench","snapshot":"` + index + `"}}`, `{"delete":{}}`,
	}
	var states []string
	for k, a := range actions {
		condition := ""
		if k == len(actions)-1 {
			condition = "last"
		}
		states = append(states, state(k, a, condition))
	}
	if err := policy(p, index, strings.Join(states, ",")); err != nil {
		return 0, err
	}
	if err := p.Send("PUT", "/_snapshot/bench", `{"type":"fs","settings":{"location":"bench"}}`, nil); err != nil {
		return 0, err
	}
	if err := p.Send("PUT", "/"+index, `{"settings":{"number_of_replicas":0}}`, nil); err != nil {
		return 0, err
	}
	var b strings.Builder
	for k := range 1000 {
		fmt.Fprintf(&b, "{\"index\":{}}\n{\"n\":%d}\n", k)
	}
	if err := p.Send("POST", "/"+index+"/_bulk?refresh=true", b.String(), nil); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := p.Send("POST", "/_plugins/_ism/add/"+index, `{"policy_id":"`+index+`"}`, nil); err != nil {
		return 0, err
	}
	return until(start, func() (bool, error) {
		var names []struct{ Index string }
		err := p.Send("GET", "/_cat/indices/"+index+"*?format=json", "", &names)
		return len(names) == 0, err
	})
}

func rollover(p *measure.Program, i int) (time.Duration, error) {
	name := fmt.Sprintf("bench-roll-%d", i)
	if i == 0 {
		if err := policy(p, "bench-roll", state(0, `{"rollover":{"min_doc_count":1}}`, "last")); err != nil {
			return 0, err
		}
	}
	body := `{"aliases":{"` + name + `":{"is_write_index":true}},"settings":{"number_of_replicas":0,"plugins.index_state_management.rollover_alias":"` + name + `"}}`
	if err := p.Send("PUT", "/"+name+"-000001", body, nil); err != nil {
		return 0, err
	}
	if err := p.Send("POST", "/_plugins/_ism/add/"+name+"-000001", `{"policy_id":"bench-roll"}`, nil); err != nil {
		return 0, err
	}
	if _, err := until(time.Now(), inState(p, name+"-000001", "s0")); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := p.Send("POST", "/"+name+"/_doc?refresh=true", `{"n":1}`, nil); err != nil {
		return 0, err
	}
	took, err := until(start, func() (bool, error) {
		var names []struct{ Index string }
		err := p.Send("GET", "/_cat/indices/"+name+"*?format=json", "", &names)
		return len(names) == 2, err
	})
	if err != nil {
		return 0, err
	}
	return took, p.Send("DELETE", "/"+name+"-*", "", nil)
}
