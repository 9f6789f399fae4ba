// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// workflows is the path of the Flow Framework's workflows.
const workflows = "/_plugins/_flow_framework/workflow"

// flowStatus is what the API says of a workflow.
type flowStatus struct {
	State     string
	Error     string
	Resources []struct {
		Step string `json:"workflow_step_name"`
		Node string `json:"workflow_step_id"`
		Type string `json:"resource_type"`
		ID   string `json:"resource_id"`
	} `json:"resources_created"`
	Steps []struct {
		ID       string `json:"workflow_step_id"`
		Status   string
		Attempts int
		Adopted  bool
		Error    *struct {
			Status       int
			Type, Reason string
		}
	}
}

// template is a workflow template of nodes, each written as JSON, without edges.
func template(nodes ...string) []byte {
	return []byte(`{"name":"t","workflows":{"provision":{"nodes":[` + strings.Join(nodes, ",") + `]}}}`)
}

func indexNode(id, index string) string {
	return fmt.Sprintf(`{"id":%q,"type":"create_index","user_inputs":{"index_name":%q,"configurations":{"settings":{"number_of_shards":1,"number_of_replicas":0}}}}`, id, index)
}

func pipelineNode(id, pipeline, description string) string {
	return fmt.Sprintf(`{"id":%q,"type":"create_ingest_pipeline","user_inputs":{"pipeline_id":%q,"configurations":{"description":%q,"processors":[]}}}`, id, pipeline, description)
}

func noopNode(id, delay string) string {
	return fmt.Sprintf(`{"id":%q,"type":"noop","user_inputs":{"delay":%q}}`, id, delay)
}

// createWorkflow stores a template and returns the workflow's id.
func (r *Running) createWorkflow(t []byte) string {
	r.t.Helper()
	var made struct {
		ID string `json:"workflow_id"`
	}
	r.Must("POST", workflows, t, &made)
	return made.ID
}

// workflow is the status of a workflow, with all its parts.
func (r *Running) workflow(id string) (s flowStatus) {
	r.t.Helper()
	r.Must("GET", workflows+"/"+id+"/_status?all=true&steps=true", nil, &s)
	return s
}

// flowError is the text of an answer of the Flow Framework API.
func flowError(answer []byte) string {
	var body struct{ Error string }
	_ = json.Unmarshal(answer, &body)
	return body.Error
}

// TestTwoHundredWorkflowsAreProvisionedAtTheSameTime is the number that the plugin's thread pool cannot take: at eight
// it stands still for ever.
func TestTwoHundredWorkflowsAreProvisionedAtTheSameTime(t *testing.T) {
	p := Program(t)
	many := 200
	if OnCluster() {
		many = 20 // to a real cluster every index and pipeline is a publication of its state
	}
	ids := make([]string, many)
	for i := range ids {
		nodes := []string{indexNode("index", p.Name(fmt.Sprint("-", i)))}
		for n := range 8 {
			nodes = append(nodes, pipelineNode(fmt.Sprint("p", n), p.Name(fmt.Sprintf("-%d-%d", i, n)), "d"))
		}
		nodes = append(nodes, `{"id":"last","type":"noop","previous_node_inputs":{"index":"index_name"}}`)
		ids[i] = p.createWorkflow(template(nodes...))
	}
	begin := time.Now()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			code, answer := p.Call("POST", workflows+"/"+id+"/_provision?wait_for_completion_timeout=2m", nil)
			var s flowStatus
			if err := json.Unmarshal(answer, &s); err != nil || code != http.StatusAccepted || s.State != "COMPLETED" || len(s.Resources) != 9 {
				t.Errorf("workflow %s: %d %s", id, code, answer)
			}
		})
	}
	all.Wait()
	t.Logf("%d workflows of 10 nodes in %s", many, time.Since(begin))
}

// deleteFifty makes 25 indices and 25 pipelines and returns how long it takes to delete them one by one.
func (r *Running) deleteFifty() time.Duration {
	r.t.Helper()
	for i := range 25 {
		r.Must("PUT", "/"+r.Name(fmt.Sprint("-single-", i)), nil, nil)
		r.Must("PUT", "/_ingest/pipeline/"+r.Name(fmt.Sprint("-single-", i)), []byte(`{"processors":[]}`), nil)
	}
	begin := time.Now()
	for i := range 25 {
		r.Must("DELETE", "/"+r.Name(fmt.Sprint("-single-", i)), nil, nil)
		r.Must("DELETE", "/_ingest/pipeline/"+r.Name(fmt.Sprint("-single-", i)), nil, nil)
	}
	return time.Since(begin)
}

// TestFiftyResourcesAreTakenAwayWithoutPauses: the plugin takes 100 ms for each and a second more. Here it takes little
// more than the deletions themselves, which are measured beside it: how fast a machine is at the moment, nobody knows.
func TestFiftyResourcesAreTakenAwayWithoutPauses(t *testing.T) {
	if OnCluster() {
		t.Skip("a real cluster takes as long as it takes")
	}
	p := Program(t)
	var nodes, names []string
	for i := range 50 {
		name := p.Name(fmt.Sprint("-", i))
		names = append(names, name)
		if i%2 == 0 {
			nodes = append(nodes, indexNode(fmt.Sprint("n", i), name))
		} else {
			nodes = append(nodes, pipelineNode(fmt.Sprint("n", i), name, "d"))
		}
	}
	id := p.createWorkflow(template(nodes...))
	var took, deleting time.Duration
	for range 3 {
		p.Must("POST", workflows+"/"+id+"/_provision?wait_for_completion_timeout=1m", nil, nil)
		begin := time.Now()
		p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+strings.Join(names, ","), nil, nil)
		took = time.Since(begin)
		deleting = p.deleteFifty()
		if took < 4*deleting {
			break
		}
	}
	t.Logf("50 resources in %s; the deletions alone %s", took, deleting)
	if took >= 4*deleting {
		t.Errorf("taking 50 resources away took %s, deleting as many %s", took, deleting)
	}
	if s := p.workflow(id); s.State != "NOT_STARTED" || len(s.Resources) > 0 {
		t.Errorf("afterwards: %+v", s)
	}
}

func TestATemplateSaysAtOnceThatItIsBeingProvisioned(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(noopNode("waits", "1h")))
	var before, after struct {
		Created     int64 `json:"created_time"`
		Updated     int64 `json:"last_updated_time"`
		Provisioned int64 `json:"last_provisioned_time"`
	}
	p.Must("GET", workflows+"/"+id, nil, &before)
	p.Must("POST", workflows+"/"+id+"/_provision", nil, nil)
	p.Must("GET", workflows+"/"+id, nil, &after)
	if before.Provisioned != 0 || after.Provisioned < before.Updated || after.Created != before.Created || after.Updated != before.Updated {
		t.Errorf("before %+v, after %+v", before, after)
	}
	p.Must("POST", workflows+"/"+id+"/_cancel", nil, nil)
}
