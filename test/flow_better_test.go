// SPDX-License-Identifier: Apache-2.0

package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// These are the things that the plugin cannot do: see docs/differences-flow.md.

// provision provisions a workflow and waits for the end.
func (r *Running) provision(id, parameters string) (code int, answer []byte) {
	r.t.Helper()
	return r.Call("POST", workflows+"/"+id+"/_provision?wait_for_completion_timeout=30s&"+parameters, nil)
}

// wantState fails unless a workflow is in a state, with resources of these nodes.
func (r *Running) wantState(id, state string, nodes ...string) flowStatus {
	r.t.Helper()
	s := r.workflow(id)
	var has []string
	for _, resource := range s.Resources {
		has = append(has, resource.Node)
	}
	slices.Sort(has)
	if s.State != state || !slices.Equal(has, nodes) {
		r.t.Errorf("the state is %s with resources of %v (%s), want %s with those of %v", s.State, has, s.Error, state, nodes)
	}
	return s
}

// wantRefusal fails unless an answer has this status, and an error with this text in it.
func (r *Running) wantRefusal(code int, answer []byte, want int, text string) {
	r.t.Helper()
	if code != want || !strings.Contains(flowError(answer), text) {
		r.t.Errorf("the answer is %d %s, want %d with %q", code, answer, want, text)
	}
}

func TestAFailedWorkflowGoesOnFromWhatIsThere(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-in-the-way"), nil, nil)
	id := p.createWorkflow(template(pipelineNode("pipe", p.Name(""), "d"), indexNode("index", p.Name("-in-the-way"))))
	code, answer := p.provision(id, "")
	p.wantRefusal(code, answer, http.StatusBadRequest, "already exists, restStatus: BAD_REQUEST")
	s := p.wantState(id, "FAILED", "pipe")
	for _, step := range s.Steps {
		if step.ID == "index" && (step.Error == nil || step.Error.Type != "resource_already_exists_exception") {
			t.Errorf("the step's error is %+v", step.Error)
		}
	}
	p.Must("DELETE", "/"+p.Name("-in-the-way"), nil, nil)
	if code, answer := p.provision(id, "resume=true"); code != http.StatusAccepted {
		t.Fatalf("resume: %d %s", code, answer)
	}
	s = p.wantState(id, "COMPLETED", "index", "pipe")
	for _, step := range s.Steps {
		if want := map[string]int{"pipe": 1, "index": 2}[step.ID]; step.Attempts != want {
			t.Errorf("step %s was tried %d times, want %d", step.ID, step.Attempts, want)
		}
	}
	if code, answer := p.provision(id, "resume=true"); code != http.StatusOK {
		t.Errorf("resuming what is complete: %d %s", code, answer)
	}
	code, answer = p.provision(id, "")
	p.wantRefusal(code, answer, http.StatusBadRequest, "The workflow provisioning state is DONE")
}

func TestAFailedRunIsTakenBack(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-in-the-way"), nil, nil)
	id := p.createWorkflow(template(
		pipelineNode("pipe", p.Name(""), "d"),
		strings.Replace(indexNode("index", p.Name("-in-the-way")), `"type"`, `"previous_node_inputs":{"pipe":"pipeline_id"},"type"`, 1)))
	code, answer := p.provision(id, "on_failure=rollback")
	p.wantRefusal(code, answer, http.StatusBadRequest, "already exists")
	p.wantState(id, "FAILED")
	if code, _ := p.Call("GET", "/_ingest/pipeline/"+p.Name(""), nil); code != http.StatusNotFound {
		t.Error("the pipeline is still there")
	}
	if !p.Exists(p.Name("-in-the-way")) {
		t.Error("an index that was there before is gone")
	}
	p.Must("DELETE", "/"+p.Name("-in-the-way"), nil, nil)
	if code, answer := p.provision(id, "resume=true"); code != http.StatusAccepted {
		t.Fatalf("resume: %d %s", code, answer)
	}
	p.wantState(id, "COMPLETED", "index", "pipe")
}

// running provisions a workflow that makes a pipeline, waits an hour, and makes an index, and returns when it waits.
func (r *Running) running() (id string) {
	r.t.Helper()
	id = r.createWorkflow([]byte(`{"name":"t","workflows":{"provision":{"nodes":[` +
		strings.Join([]string{pipelineNode("pipe", r.Name(""), "d"), noopNode("wait", "1h"), indexNode("index", r.Name(""))}, ",") +
		`],"edges":[{"source":"pipe","dest":"wait"},{"source":"wait","dest":"index"}]}}}`))
	r.Must("POST", workflows+"/"+id+"/_provision", nil, nil)
	r.Eventually("it waits", func() (bool, string) {
		s := r.workflow(id)
		return len(s.Steps) == 3 && s.Steps[1].Status == "running", s.State
	})
	return id
}

func TestARunningWorkflowIsCancelled(t *testing.T) {
	p := Program(t)
	id := p.running()
	p.Must("POST", workflows+"/"+id+"/_cancel", nil, nil)
	s := p.wantState(id, "FAILED", "pipe")
	if want := "The provisioning was cancelled; these steps did not run: [wait, index]"; s.Error != want {
		t.Errorf("the error is %q, want %q", s.Error, want)
	}
	for _, step := range s.Steps {
		if step.Status == "running" {
			t.Errorf("step %s says that it runs", step.ID)
		}
	}
	code, answer := p.Call("POST", workflows+"/"+id+"/_cancel", nil)
	p.wantRefusal(code, answer, http.StatusBadRequest, "can not be cancelled unless its state is IN_PROGRESS")
	p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+p.Name(""), nil, nil)
	p.wantState(id, "NOT_STARTED")
}

func TestARunningWorkflowIsDeprovisionedAndNothingStays(t *testing.T) {
	p := Program(t)
	id := p.running()
	code, answer := p.Call("DELETE", workflows+"/"+id, nil)
	p.wantRefusal(code, answer, http.StatusBadRequest, "Cancel or deprovision the workflow first.")
	p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+p.Name(""), nil, nil)
	p.wantState(id, "NOT_STARTED")
	if code, _ := p.Call("GET", "/_ingest/pipeline/"+p.Name(""), nil); code != http.StatusNotFound || p.Exists(p.Name("")) {
		t.Error("something stayed")
	}
}

func TestOfTwoRequestsOneProvisions(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(indexNode("index", p.Name(""))))
	var mu sync.Mutex
	codes := map[int]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			code, _ := p.provision(id, "")
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	all.Wait()
	if codes[http.StatusAccepted] != 1 || codes[http.StatusBadRequest] != 7 {
		t.Errorf("the answers are %v", codes)
	}
	p.wantState(id, "COMPLETED", "index")
}

func TestWhatWasThereBeforeStays(t *testing.T) {
	p := Program(t)
	pipeline := p.Name("")
	put := func(description string) {
		p.Must("PUT", "/_ingest/pipeline/"+pipeline, []byte(`{"description":"`+description+`","processors":[]}`), nil)
	}
	node := func(more string) []byte {
		return []byte(strings.Replace(string(template(pipelineNode("pipe", pipeline, "d"))), `"pipeline_id"`, more+`"pipeline_id"`, 1))
	}
	for _, c := range []struct {
		name, before, inputs, after string
		fails, made                 bool
	}{
		{"an equal one is adopted", "d", "", "d", false, false},
		{"another one is in the way", "other", "", "other", true, false},
		{"another one is adopted", "other", `"adopt":true,`, "other", false, false},
		{"another one is written over", "other", `"overwrite":true,`, "d", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			put(c.before)
			id := p.createWorkflow(node(c.inputs))
			code, answer := p.provision(id, "")
			if c.fails != (code != http.StatusAccepted) {
				t.Fatalf("the answer is %d %s", code, answer)
			}
			if made := len(p.workflow(id).Resources) > 0; made != c.made {
				t.Errorf("made: %v", made)
			}
			if _, answer := p.Call("GET", "/_ingest/pipeline/"+pipeline, nil); !strings.Contains(string(answer), `"`+c.after+`"`) {
				t.Errorf("the pipeline is %s", answer)
			}
			p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+pipeline, nil, nil)
			if code, _ := p.Call("GET", "/_ingest/pipeline/"+pipeline, nil); (code == http.StatusOK) == c.made {
				t.Errorf("after deprovisioning: %d", code)
			}
		})
	}
}

func TestAnIndexThatWasMadeAnewIsNotTakenAway(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(indexNode("index", p.Name(""))))
	p.provision(id, "")
	p.Must("DELETE", "/"+p.Name(""), nil, nil)
	p.Must("PUT", "/"+p.Name(""), nil, nil)
	p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+p.Name(""), nil, nil)
	if !p.Exists(p.Name("")) {
		t.Error("somebody else's index was deleted")
	}
}

func TestADryRunTellsAndWritesNothing(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-there"), nil, nil)
	id := p.createWorkflow(template(
		indexNode("new", "${{name}}"), indexNode("old", p.Name("-there")),
		strings.Replace(pipelineNode("pipe", p.Name(""), "${{hidden}}"), `"type"`, `"previous_node_inputs":{"new":"index_name"},"type"`, 1),
		`{"id":"alias","type":"create_alias","user_inputs":{"index_name":"`+p.Name("-there")+`","alias_name":"${{alias}}"}}`))
	code, answer := p.Call("POST", workflows+"/"+id+"/_provision?dry_run=true&name="+p.Name("-new")+"&hidden=open-sesame&alias="+p.Name("-alias"), nil)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, answer)
	}
	text := string(answer)
	for _, want := range []string{p.Name("-new"), `"exists":true`, `"exists":false`, `\"description\":\"***\"`, `"after":["new"]`, `"alias_name":"` + p.Name("-alias") + `"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "open-sesame") {
		t.Errorf("a parameter is told: %s", text)
	}
	p.wantState(id, "NOT_STARTED")
	if p.Exists(p.Name("-new")) {
		t.Error("it has made an index")
	}
}

func TestOnlyWhatDiffersIsReprovisioned(t *testing.T) {
	p := Program(t)
	first := []string{pipelineNode("pipe", p.Name(""), "d"), noopNode("barrier", "1ms"), indexNode("index", p.Name(""))}
	id := p.createWorkflow(template(first...))
	p.provision(id, "")
	reprovision := func(nodes ...string) (int, []byte) {
		return p.Call("PUT", workflows+"/"+id+"?reprovision=true&wait_for_completion_timeout=30s", template(nodes...))
	}
	code, answer := reprovision(first...)
	p.wantRefusal(code, answer, http.StatusBadRequest, "Template does not contain any modifications")
	code, answer = reprovision(first[0])
	p.wantRefusal(code, answer, http.StatusBadRequest, "Workflow Step deletion is not supported when reprovisioning a template.")
	code, answer = reprovision(first[0], noopNode("barrier", "2ms"), first[2])
	p.wantRefusal(code, answer, http.StatusBadRequest, "Unable to find update step for step: noop")
	changed := []string{pipelineNode("pipe", p.Name(""), "changed"), first[1], first[2], indexNode("second", p.Name("-second"))}
	if code, answer := reprovision(changed...); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, answer)
	}
	p.wantState(id, "COMPLETED", "index", "pipe", "second")
	if _, answer := p.Call("GET", "/_ingest/pipeline/"+p.Name(""), nil); !strings.Contains(string(answer), "changed") {
		t.Errorf("the pipeline is %s", answer)
	}
	if _, answer := p.Call("GET", workflows+"/"+id, nil); !strings.Contains(string(answer), "second") {
		t.Errorf("the template is %s", answer)
	}
}

func TestWhatCannotBeProvisionedIsRefusedBeforeAnythingIsMade(t *testing.T) {
	p := Program(t)
	for _, c := range []struct {
		name, node, parameters, text string
	}{
		{"a placeholder that nothing fills", indexNode("a", "${{nobody}}"), "", "Node [a] has placeholders that neither a parameter nor a direct predecessor fills: [nobody]"},
		{"the output of a node that is no predecessor", indexNode("a", "${{b.index_name}}"), "", "fills: [b.index_name]"},
		{"a parameter of our own as a placeholder", indexNode("a", "${{on_failure}}"), "on_failure=rollback", "The parameter [on_failure] is not a substitution value"},
		{"an unknown wish", indexNode("a", p.Name("-x")), "on_failure=panic", "Unknown value for on_failure: [panic]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := p.createWorkflow(template(pipelineNode("first", p.Name(""), "d"), c.node))
			code, answer := p.provision(id, c.parameters)
			p.wantRefusal(code, answer, http.StatusBadRequest, c.text)
			p.wantState(id, "NOT_STARTED")
		})
	}
	if code, _ := p.Call("GET", "/_ingest/pipeline/"+p.Name(""), nil); code != http.StatusNotFound {
		t.Error("a pipeline was made")
	}
}

func TestOurOwnParametersAreNotIgnoredWhereTheyMeanNothing(t *testing.T) {
	p := Program(t)
	for parameters, text := range map[string]string{
		"?dry_run=true&provision=true": "The parameter [dry_run] is only for provisioning what is stored already.",
		"?resume=true":                 "The parameter [resume] is only for provisioning what is stored already.",
		"?on_failure=rollback":         "are permitted unless the provision parameter is set to true.",
	} {
		code, answer := p.Call("POST", workflows+parameters, template(noopNode("n", "1ms")))
		p.wantRefusal(code, answer, http.StatusBadRequest, text)
	}
	p.Must("POST", workflows+"?provision=true&on_failure=rollback", template(noopNode("n", "1ms")), nil)
}

func TestHostileNamesMakeAndDeleteNothing(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-keep"), nil, nil)
	for _, name := range []string{"*", "_all", "../_all", "_cluster/settings", p.Name("-keep") + ",x", "<x-{now/d}>", "<x-{now}>", "..", "-x"} {
		id := p.createWorkflow(template(indexNode("a", name)))
		if _, answer := p.Call("POST", workflows+"/"+id+"/_provision?dry_run=true", nil); name != "-x" && !strings.Contains(string(answer), `"refused"`) {
			t.Errorf("a dry run of %q: %s", name, answer)
		}
		code, answer := p.provision(id, "")
		if code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", name, code, answer)
		}
		p.wantState(id, "FAILED")
	}
	if !p.Exists(p.Name("-keep")) {
		t.Error("an index is gone")
	}
}

// TestWhatThePluginCannotMakeIsChangedInPlace reprovisions each kind of resource that the plugin has no step for.
func TestWhatThePluginCannotMakeIsChangedInPlace(t *testing.T) {
	p := Program(t)
	p.Must("PUT", "/"+p.Name("-under-alias"), nil, nil)
	policy := `"policy_id":"NAME","configurations":{"policy":{"description":"%s","default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]}}`
	for _, c := range []struct {
		step, inputs    string // %s is what changes
		first, second   string
		there, contains string // of the resource after the change
		onlyEngine      bool
	}{
		{
			"create_index_template", `"index_template_name":"NAME","configurations":{"index_patterns":["NAME-y-*"],"priority":%s}`, "7", "8",
			"/_index_template/NAME", `"priority":8`, false,
		},
		{
			"create_component_template", `"component_template_name":"NAME","configurations":{"template":{"settings":{"number_of_shards":%s}}}`, "1", "2",
			"/_component_template/NAME", `"number_of_shards":"2"`, false,
		},
		{
			"create_alias", `"index_name":"NAME-under-alias","alias_name":"NAME-a","configurations":{"is_write_index":%s}`, "false", "true",
			"/NAME-under-alias/_alias/NAME-a", `"is_write_index":true`, false,
		},
		{
			"create_snapshot_repository", `"repository_name":"NAME","configurations":{"type":"fs","settings":{"location":"NAME","compress":%s}}`, "true", "false",
			"/_snapshot/NAME", `"compress":"false"`, true,
		},
		{"create_ism_policy", policy, "first", "second", "/_plugins/_ism/policies/NAME", `"second"`, false},
	} {
		t.Run(c.step, func(t *testing.T) {
			if c.onlyEngine && OnCluster() {
				t.Skip("the cluster's path.repo is its own")
			}
			named := strings.NewReplacer("NAME", p.Prefix).Replace
			node := func(change string) []byte {
				return template(fmt.Sprintf(`{"id":"n","type":%q,"user_inputs":{%s}}`, c.step, named(fmt.Sprintf(c.inputs, change))))
			}
			id := p.createWorkflow(node(c.first))
			if code, answer := p.provision(id, ""); code != http.StatusAccepted {
				t.Fatalf("%d %s", code, answer)
			}
			made := p.workflow(id).Resources
			const reprovision = "?reprovision=true&wait_for_completion_timeout=30s"
			if code, answer := p.Call("PUT", workflows+"/"+id+reprovision, node(c.second)); code != http.StatusAccepted {
				t.Fatalf("%d %s", code, answer)
			}
			if _, answer := p.Call("GET", named(c.there), nil); !strings.Contains(string(answer), c.contains) {
				t.Errorf("it is %s", answer)
			}
			other := strings.NewReplacer(`_name":"`, `_name":"other-`, `y_id":"`, `y_id":"other-`).Replace(string(node(c.second)))
			code, answer := p.Call("PUT", workflows+"/"+id+reprovision, []byte(other))
			p.wantRefusal(code, answer, http.StatusBadRequest, "Workflow Step n does not support updates when reprovisioning.")
			p.Must("POST", workflows+"/"+id+"/_deprovision?allow_delete="+made[0].ID, nil, nil)
			if code, answer := p.Call("GET", named(c.there), nil); code != http.StatusNotFound {
				t.Errorf("it is still there: %d %s", code, answer)
			}
		})
	}
}

func TestAPolicyThatIsThereIsWrittenOverIfTheNodeSaysSo(t *testing.T) {
	p := Program(t)
	const states = `"default_state":"s","states":[{"name":"s","actions":[],"transitions":[]}]`
	path := "/_plugins/_ism/policies/" + p.Name("")
	p.Must("PUT", path, []byte(`{"policy":{"description":"theirs",`+states+`}}`), nil)
	for _, more := range []string{"", `"overwrite":true,`} {
		want := "theirs"
		if more != "" {
			want = "ours"
		}
		id := p.createWorkflow(template(`{"id":"n","type":"create_ism_policy","user_inputs":{` + more + `"policy_id":"` + p.Name("") + `",
			"configurations":{"policy":{"description":"ours",` + states + `}}}}`))
		p.provision(id, "")
		if _, answer := p.Call("GET", path, nil); !strings.Contains(string(answer), `"`+want+`"`) {
			t.Errorf("with %q it is %s", more, answer)
		}
		if s := p.workflow(id); (s.State == "COMPLETED") != (want == "ours") {
			t.Errorf("with %q the state is %+v", more, s)
		}
	}
}

func TestAReprovisioningFillsItsPlaceholdersOrIsRefused(t *testing.T) {
	p := Program(t)
	id := p.createWorkflow(template(indexNode("first", p.Name(""))))
	p.provision(id, "")
	code, answer := p.Call("PUT", workflows+"/"+id+"?reprovision=true", template(indexNode("first", p.Name("")), indexNode("second", "${{nobody}}")))
	p.wantRefusal(code, answer, http.StatusBadRequest, "Node [second] has placeholders that neither a parameter nor a direct predecessor fills: [nobody]")
	p.wantState(id, "COMPLETED", "first")
}

// TestACallIsUndoneByACallWithABody changes a setting and puts it back.
func TestACallIsUndoneByACallWithABody(t *testing.T) {
	p := Program(t)
	const setting = "plugins.flow_framework.rest_call_allow_list"
	p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"`+setting+`":"PUT /`+p.Prefix+`*"}}`), nil)
	defer p.Must("PUT", "/_cluster/settings", []byte(`{"persistent":{"`+setting+`":null}}`), nil)
	p.Must("PUT", "/"+p.Name(""), []byte(`{"settings":{"number_of_replicas":0}}`), nil)
	call := func(more string) string {
		return `{"id":"n","type":"rest_call","user_inputs":{"method":"PUT","path":"/` + p.Name("") + `/_settings","configurations":{"number_of_replicas":2}` + more + `}}`
	}
	replicas := func(want string) {
		t.Helper()
		if _, answer := p.Call("GET", "/"+p.Name("")+"/_settings", nil); !strings.Contains(string(answer), `"number_of_replicas":"`+want+`"`) {
			t.Errorf("the settings are %s, want %s replicas", answer, want)
		}
	}
	undo := `,"undo_method":"PUT","undo_path":"/` + p.Name("") + `/_settings","undo_configurations":{"number_of_replicas":"${{before}}"}`

	t.Run("it is sent with its body", func(t *testing.T) {
		id := p.createWorkflow(template(call(undo + `,"undo_expected_status":"200"`)))
		if code, answer := p.provision(id, "before=1"); code != http.StatusAccepted {
			t.Fatalf("%d %s", code, answer)
		}
		replicas("2")
		if made := p.workflow(id).Resources; len(made) != 1 || made[0].ID != "PUT /"+p.Name("")+"/_settings#body" {
			t.Errorf("the resources are %+v", made)
		}
		code, answer := p.Call("PUT", workflows+"/"+id+"?reprovision=true", []byte(strings.Replace(string(template(call(undo))), ":2}", ":3}", 1)))
		p.wantRefusal(code, answer, http.StatusBadRequest, "Workflow Step n does not support updates when reprovisioning.")
		p.Must("POST", workflows+"/"+id+"/_deprovision", nil, nil)
		replicas("1")
	})
	t.Run("and by a rollback", func(t *testing.T) {
		id := p.createWorkflow(template(call(undo), `{"id":"fails","type":"create_index","previous_node_inputs":{"n":"rest_call"},"user_inputs":{"index_name":"UPPER","configurations":""}}`))
		if code, answer := p.provision(id, "before=0&on_failure=rollback"); code != http.StatusBadRequest {
			t.Fatalf("%d %s", code, answer)
		}
		replicas("0")
	})
	t.Run("another status than the one that was named stays to be undone", func(t *testing.T) {
		id := p.createWorkflow(template(call(undo + `,"undo_expected_status":"201"`)))
		p.provision(id, "before=1")
		code, answer := p.Call("POST", workflows+"/"+id+"/_deprovision", nil)
		p.wantRefusal(code, answer, http.StatusAccepted, "Failed to deprovision some resources: [rest_call PUT /"+p.Name("")+"/_settings#body].")
	})
	t.Run("a dry run tells what would not be sent", func(t *testing.T) {
		id := p.createWorkflow(template(call(strings.Replace(undo, "/_settings", "/../x", 1))))
		_, answer := p.Call("POST", workflows+"/"+id+"/_provision?dry_run=true&before=1", nil)
		if !strings.Contains(string(answer), `"refused":"The path [/`+p.Name("")+`/../x] of a call is none"`) {
			t.Errorf("%s", answer)
		}
		id = p.createWorkflow(template(call(undo)))
		if _, answer := p.Call("POST", workflows+"/"+id+"/_provision?dry_run=true&before=1", nil); strings.Contains(string(answer), "refused") {
			t.Errorf("%s", answer)
		}
	})
}

func TestACreationWhoseProvisioningFailsTellsWhereItsWorkflowIs(t *testing.T) {
	p := Program(t)
	body := strings.NewReader(string(template(indexNode("a", "UPPER"))))
	res, err := http.Post(p.URL()+workflows+"?provision=true&wait_for_completion_timeout=30s", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	where := res.Header.Get("Location")
	if res.StatusCode != http.StatusBadRequest || where == "" {
		t.Fatalf("%d, at %q", res.StatusCode, where)
	}
	p.wantState(strings.TrimPrefix(where, workflows+"/"), "FAILED")
}
