// SPDX-License-Identifier: Apache-2.0

package test

import "testing"

// ofResource is a query for states with a resource that all of these queries match.
func ofResource(queries string) string {
	return `{"nested":{"path":"resources_created","query":{"bool":{"must":[` + queries + `]}}}}`
}

// TestStatesAreFoundByWhatTheySay: by their state, by their workflow, and by the resources that were made.
func TestStatesAreFoundByWhatTheySay(t *testing.T) {
	p := Program(t)
	name := p.Name("-books")
	id := p.createWorkflow(template(indexNode("mk", name)))
	other := p.createWorkflow(template(indexNode("mk", p.Name("-other"))))
	p.Must("POST", workflows+"/"+id+"/_provision?wait_for_completion_timeout=1m", nil, nil)
	for _, c := range []struct {
		name, query string
		want        string
	}{
		{"by the workflow", `{"term":{"workflow_id":"` + other + `"}}`, other},
		{"by the state", `{"bool":{"filter":[{"match":{"state":"COMPLETED"}},{"terms":{"workflow_id":["` + id + `","` + other + `"]}}]}}`, id},
		{"by a resource", ofResource(`{"match":{"resources_created.resource_id":"` + name + `"}}`), id},
		{"by two conditions on one resource", ofResource(`{"term":{"resources_created.resource_type":"index_name"}},{"term":{"resources_created.resource_id":"` + name + `"}}`), id},
		{"not by two that no resource has together", ofResource(`{"term":{"resources_created.resource_type":"pipeline_id"}},{"term":{"resources_created.resource_id":"` + name + `"}}`), ""},
	} {
		var found struct {
			Hits struct {
				Hits []struct {
					ID string `json:"_id"`
				}
			}
		}
		p.Must("POST", workflows+"/state/_search", []byte(`{"query":`+c.query+`}`), &found)
		got := ""
		for _, hit := range found.Hits.Hits {
			got += hit.ID
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+name, nil, nil)
}
