// SPDX-License-Identifier: Apache-2.0

package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward/wire"
)

// page is the part of an answer that a page decides: the names in order, and the total.
func (r *Running) page(path string) string {
	r.t.Helper()
	var raw json.RawMessage
	r.Must("GET", path, nil, &raw)
	var list struct {
		Policies []struct {
			ID string `json:"_id"`
		}
		Total *int `json:"total_policies"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		r.t.Fatal(err)
	}
	var names []string
	if list.Total != nil {
		for _, p := range list.Policies {
			names = append(names, p.ID)
		}
		return strings.ReplaceAll(fmt.Sprintf("%v of %d", names, *list.Total), r.Prefix, "")
	}
	total := ""
	for d := json.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := d.Token()
		if err != nil {
			break // the end
		}
		name, isName := token.(string)
		if !isName {
			continue // a brace
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			r.t.Fatal(err)
		}
		if name == "total_managed_indices" {
			total = string(value)
		} else {
			names = append(names, name)
		}
	}
	return strings.ReplaceAll(fmt.Sprintf("%v of %s", names, total), r.Prefix, "")
}

func TestListsComeInPages(t *testing.T) {
	if OnCluster() {
		t.Skip("others' policies are in the lists")
	}
	p := Program(t)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		p.Must("PUT", "/_plugins/_ism/policies/"+p.Name(name), []byte(`{"policy":{"description":"about `+name+`","default_state":"s","states":[
			{"name":"s","transitions":[{"state_name":"s","conditions":{"min_index_age":"365d"}}]}]}}`), nil)
		p.Must("PUT", "/"+p.Name(name), nil, nil)
		p.Must("POST", "/_plugins/_ism/add/"+p.Name(name), wire.Obj("policy_id", p.Name(name)), nil)
	}
	for _, c := range []struct{ query, policies, indices string }{
		{"", "[a b c d e] of 5", "[a b c d e] of 5"},
		{"size=2", "[a b] of 5", "[a b] of 5"},
		{"size=2&from=3", "[d e] of 5", "[d e] of 5"},
		{"size=0", "[] of 5", "[] of 5"},
		{"from=7", "[] of 5", "[] of 5"},
		{"sortOrder=desc&size=2", "[e d] of 5", "[e d] of 5"},
		{"sortOrder=DESC&size=2&from=1", "[d c] of 5", "[d c] of 5"},
		{"queryString=*c", "[c] of 1", "[c] of 1"},
		{"queryString=*", "[a b c d e] of 5", "[a b c d e] of 5"},
		{"queryString=nothing", "[] of 0", "[] of 0"},
	} {
		t.Run(c.query, func(t *testing.T) {
			if got := p.page("/_plugins/_ism/policies?" + c.query); got != c.policies {
				t.Errorf("policies %s, want %s", got, c.policies)
			}
			if got := p.page("/_plugins/_ism/explain?" + c.query); got != c.indices {
				t.Errorf("indices %s, want %s", got, c.indices)
			}
		})
	}
	for _, c := range []struct{ path, want string }{
		{"/_plugins/_ism/policies?sortField=policy.description.keyword&sortOrder=desc&size=1", "[e] of 5"},
		{"/_plugins/_ism/policies?sortField=policy.last_updated_time&size=2", "[a b] of 5"},
		{"/_plugins/_ism/explain?sortField=managed_index.policy_id&sortOrder=desc&size=1", "[e] of 5"},
	} {
		if got := p.page(c.path); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
}

func TestWhatIsDoneWithClosedIndices(t *testing.T) {
	p := Program(t)
	policy, other := p.Name("policy"), p.Name("other")
	for _, id := range []string{policy, other} {
		p.Must("PUT", "/_plugins/_ism/policies/"+id, []byte(`{"policy":{"description":"","default_state":"s","states":[
			{"name":"s","transitions":[{"state_name":"s","conditions":{"min_index_age":"365d"}}]}]}}`), nil)
	}
	managed, unmanaged := p.Name("-managed"), p.Name("-unmanaged")
	p.Must("PUT", "/"+managed, nil, nil)
	p.Must("PUT", "/"+unmanaged, nil, nil)
	p.Must("POST", "/_plugins/_ism/add/"+managed, wire.Obj("policy_id", policy), nil)
	p.Must("POST", "/"+p.Name("-*")+"/_close", nil, nil)
	for _, c := range []struct {
		path string
		body wire.Object
		want string
	}{
		{"/_plugins/_ism/add/" + unmanaged, wire.Obj("policy_id", policy), `"reason":"This index is closed"`},
		{"/_plugins/_ism/remove/" + managed, nil, `"reason":"This index is closed"`},
		{"/_plugins/_ism/change_policy/" + managed, wire.Obj("policy_id", other), `{"updated_indices":1,"failures":false,"failed_indices":[]}`},
		{"/_plugins/_ism/retry/" + unmanaged, nil, `"reason":"This index is not being managed."`},
	} {
		var body any
		if c.body != nil {
			body = c.body
		}
		if status, answer := p.Call("POST", c.path, body); status != 200 || !strings.Contains(string(answer), c.want) {
			t.Errorf("%s: %d %s, want %s", c.path, status, answer, c.want)
		}
	}
}
