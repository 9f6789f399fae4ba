// SPDX-License-Identifier: Apache-2.0

package test

import "testing"

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
		{"by a resource", `{"nested":{"path":"resources_created","query":{"bool":{"must":[{"match":{"resources_created.resource_id":"` + name + `"}}]}}}}`, id},
	} {
		var found struct {
			Hits struct {
				Hits []struct {
					ID string `json:"_id"`
				}
			}
		}
		p.Must("POST", workflows+"/state/_search", []byte(`{"query":`+c.query+`}`), &found)
		if hits := found.Hits.Hits; len(hits) != 1 || hits[0].ID != c.want {
			t.Errorf("%s: %+v, want %s", c.name, hits, c.want)
		}
	}
	p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+name, nil, nil)
}
