// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// attachment is what is told of one policy.
type attachment struct {
	ID         string `json:"policy_id"`
	Exists     bool   `json:"exists"`
	Managed    int    `json:"managed"`
	Unmanaged  []string
	Outdated   []string
	PolicyLess []string `json:"policy_less"`
}

func attachmentOf(p *Running, id string) attachment {
	p.t.Helper()
	var answer struct{ Policies []attachment }
	p.Must("GET", "/_plugins/_steward/attachments", nil, &answer)
	if i := slices.IndexFunc(answer.Policies, func(a attachment) bool { return a.ID == id }); i >= 0 {
		return answer.Policies[i]
	}
	return attachment{}
}

// waitingPolicy stays in its only state; the age tells versions apart.
func waitingPolicy(p *Running, id, age, templates string) {
	p.t.Helper()
	path := "/_plugins/_ism/policies/" + id
	var stored struct {
		SeqNo int64 `json:"_seq_no"`
		Term  int64 `json:"_primary_term"`
	}
	if status, body := p.Call("GET", path, nil); status == 200 {
		if err := json.Unmarshal(body, &stored); err != nil {
			p.t.Fatal(err)
		}
		path += fmt.Sprintf("?if_seq_no=%d&if_primary_term=%d", stored.SeqNo, stored.Term)
	}
	p.Must("PUT", path, []byte(`{"policy":{"description":"","default_state":"hot","states":[
		{"name":"hot","actions":[],"transitions":[{"state_name":"hot","conditions":{"min_index_age":"`+age+`"}}]}]`+templates+`}}`), nil)
}

func TestARestrictedDataStreamIsNotAttached(t *testing.T) {
	p := Program(t)
	stream := p.Name("-stream")
	p.Must("PUT", "/_index_template/"+p.Prefix, []byte(`{"index_patterns":["`+p.Name("-*")+`"],"data_stream":{}}`), nil)
	p.Must("PUT", "/_data_stream/"+stream, nil, nil)
	waitingPolicy(p, p.Prefix, "365d", `,"ism_template":[{"index_patterns":["`+p.Name("-*")+`"],"priority":1}]`)
	if got := attachmentOf(p, p.Prefix); !slices.Equal(got.Unmanaged, []string{".ds-" + stream + "-000001"}) {
		t.Errorf("without restriction: %+v", got)
	}
	restrict := func(pattern string) {
		p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"plugins.index_state_management.restricted_index_pattern":`+pattern+`}}`), nil)
	}
	restrict(`"` + stream + `"`)
	defer restrict("null")
	if got := attachmentOf(p, p.Prefix); len(got.Unmanaged) > 0 {
		t.Errorf("restricted: %+v", got)
	}
}

func TestAttachmentsAreToldAndReconciled(t *testing.T) {
	p := Program(t)
	id, old, managed := p.Prefix, p.Name("-old"), p.Name("-managed")
	templates := `,"ism_template":[{"index_patterns":["` + p.Name("-*") + `"],"priority":1}]`
	p.Must("PUT", "/"+old, nil, nil)
	p.Must("PUT", "/"+p.Name("-private"), []byte(`{"settings":{"plugins.index_state_management.auto_manage":false}}`), nil)
	waitingPolicy(p, id, "365d", templates)
	p.Must("PUT", "/"+managed, nil, nil)
	p.Eventually("the new index is managed", func() (bool, string) {
		explain := p.Explain(managed)
		return strings.Contains(explain, `"hot"`), explain
	})
	waitingPolicy(p, id, "400d", templates)
	got := attachmentOf(p, id)
	if !got.Exists || got.Managed != 1 || !slices.Equal(got.Unmanaged, []string{old}) || !slices.Equal(got.Outdated, []string{managed}) {
		t.Fatalf("the policy's attachments are %+v", got)
	}
	var done struct {
		DryRun            bool `json:"dry_run"`
		Attached, Updated []string
		Failed            []any
	}
	p.Must("POST", "/_plugins/_steward/attachments/reconcile?dry_run=true&policy_id="+id, nil, &done)
	if !done.DryRun || !slices.Equal(done.Attached, []string{old}) || !slices.Equal(done.Updated, []string{managed}) || len(done.Failed) > 0 {
		t.Errorf("the dry run says %+v", done)
	}
	if again := attachmentOf(p, id); again.Managed != 1 {
		t.Errorf("the dry run changed something: %+v", again)
	}
	p.Must("POST", "/_plugins/_steward/attachments/reconcile?policy_id="+id, nil, &done)
	p.Eventually("both indices run the stored policy", func() (bool, string) {
		_, explain := p.Call("GET", "/_plugins/_ism/explain/"+managed+"?show_policy=true", nil)
		now := attachmentOf(p, id)
		return now.Managed == 2 && len(now.Unmanaged) == 0 && len(now.Outdated) == 0 && strings.Contains(string(explain), "400d"), string(explain)
	})
	p.Must("DELETE", "/_plugins/_ism/policies/"+id, nil, nil)
	if lost := attachmentOf(p, id); lost.Exists || !slices.Equal(lost.PolicyLess, []string{managed, old}) {
		t.Errorf("without the policy: %+v", lost)
	}
}

// TestAnIndexWhoseJobWasDeletedBeginsAgain: a template claims it anew; without one nothing of its policy stays.
func TestAnIndexWhoseJobWasDeletedBeginsAgain(t *testing.T) {
	p := Program(t)
	claimed, added := p.Name("-claimed"), p.Name("-added")
	p.Must("PUT", "/"+added, nil, nil)
	waitingPolicy(p, p.Prefix, "365d", `,"ism_template":[{"index_patterns":["`+p.Name("-*")+`"],"priority":1}]`)
	p.Must("PUT", "/"+claimed, nil, nil)
	p.Must("POST", "/_plugins/_ism/add/"+added, []byte(`{"policy_id":"`+p.Prefix+`"}`), nil)
	const config = "/.opendistro-ism-config/_doc/"
	metadata := func(uuid string) (version int, body string) {
		var doc struct {
			Version int `json:"_version"`
		}
		_, text := p.Call("GET", config+uuid+"%23metadata?routing="+uuid, nil)
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		return doc.Version, string(text)
	}
	for _, index := range []string{claimed, added} {
		infos, err := p.Client.Indices(t.Context(), []string{index})
		if err != nil {
			t.Fatal(err)
		}
		uuid := infos[index].UUID
		var before int
		p.Eventually("the index waits", func() (bool, string) {
			version, body := metadata(uuid)
			before = version
			return strings.Contains(body, "condition_not_met"), body
		})
		p.Must("DELETE", config+uuid+"?routing="+uuid, nil, nil)
		p.Eventually("the policy begins again, or is forgotten", func() (bool, string) {
			version, body := metadata(uuid)
			again := version > before && strings.Contains(body, "condition_not_met")
			return index == claimed && again || index == added && version == 0, body
		})
	}
}
