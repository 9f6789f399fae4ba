// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// TestDocumentsOfThePluginAreReadAndWrittenAsTheyAre takes jobs and metadata that the plugin (3.4.0) stored.
func TestDocumentsOfThePluginAreReadAndWrittenAsTheyAre(t *testing.T) {
	file, err := os.ReadFile("testdata/documents.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		line = bytes.TrimSpace(line)
		for _, doc := range readBoth(t, line) {
			got, err := doc.MarshalJSON()
			if err != nil || !bytes.Equal(got, line) {
				t.Errorf("%s (%v)\nwant %s", got, err, line)
			}
		}
	}
}

// readBoth is a document as it is read, and as it comes out of its packed form.
func readBoth(t *testing.T, line []byte) [2]json.Marshaler {
	t.Helper()
	const uuid, index = "some-uuid", "some-index"
	if strings.HasPrefix(string(line), `{"managed_index":`) {
		j, err := ism.ReadJob(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return [2]json.Marshaler{j, ism.UnpackJob(ism.PackJob(j, uuid, index), uuid, index, j.Policy)}
	}
	m, err := ism.ReadMetadata(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return [2]json.Marshaler{m, ism.UnpackMetadata(ism.PackMetadata(m, uuid, index), uuid, index)}
}

func TestPackedDocumentsKeepWhatIsRareAndAreShort(t *testing.T) {
	body := []byte(`{"managed_index_metadata":{"index":"logs","index_uuid":"u","policy_id":"p","policy_seq_no":-2,"policy_primary_term":0,` +
		`"policy_completed":false,"rolled_over":true,"rolled_over_index_name":"logs-2","index_creation_date":1,"transition_to":"warm",` +
		`"state":{"name":"hot","start_time":1700000000001},"action":{"name":"shrink","start_time":1700000000002,"index":2,"failed":true,` +
		`"consumed_retries":3,"last_retry_time":0,"action_properties":{"max_num_segments":1,"snapshot_name":"s","rollup_id":"r",` +
		`"has_rollup_failed":false,"shrink_action_properties":{"node_name":"n"},"transform_action_properties":{"transform_id":"t"}}},` +
		`"step":{"name":"attempt_shrink_step","start_time":1700000000003,"step_status":"failed"},"retry_info":{"failed":true,"consumed_retries":4},` +
		`"info":{"message":"x","conditions":{"min_size":{"current":1}},"":null}}}`)
	m, err := ism.ReadMetadata(body)
	if err != nil {
		t.Fatal(err)
	}
	packed := ism.PackMetadata(m, "u", "logs")
	got, err := ism.UnpackMetadata(packed, "u", "logs").MarshalJSON()
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%s (%v)\nwant %s", got, err, body)
	}
	if len(packed) > 256 {
		t.Errorf("%d bytes, %q", len(packed), packed)
	}
	j, err := ism.ReadJob(jobWith(t, map[string]any{
		"schedule":      map[string]any{"cron": map[string]any{"expression": "* * * * *", "timezone": "UTC"}},
		"change_policy": map[string]any{"policy_id": "q", "state": "warm", "is_safe": true, "user": map[string]any{"name": "x"}}, "jitter": 0.5,
	}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := j.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err = ism.UnpackJob(ism.PackJob(j, j.UUID, j.Index), j.UUID, j.Index, j.Policy).MarshalJSON()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s (%v)\nwant %s", got, err, want)
	}
}

// TestNoMemberIsLostInPacking gives every member a value, so that one that is new is not forgotten.
func TestNoMemberIsLostInPacking(t *testing.T) {
	var j ism.Job
	var m ism.Metadata
	fill(t, reflect.ValueOf(&j).Elem())
	fill(t, reflect.ValueOf(&m).Elem())
	if diff := cmp.Diff(&j, ism.UnpackJob(ism.PackJob(&j, "u", "i"), "u", "i", j.Policy)); diff != "" {
		t.Errorf("job: %s", diff)
	}
	if diff := cmp.Diff(&m, ism.UnpackMetadata(ism.PackMetadata(&m, "u", "i"), "u", "i")); diff != "" {
		t.Errorf("metadata: %s", diff)
	}
}

// fill gives a value, and all that it holds, another value than zero; a policy is kept beside what is packed.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.UnixMilli(1_700_000_000_123).UTC()
		return
	case *json.RawMessage:
		*at = json.RawMessage(`{"x":1}`)
		return
	case *ism.Info:
		*at = ism.Message("x").With("cause", "y")
		return
	case **ism.Policy:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Float64:
		v.SetFloat(0.25)
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

func TestJobsOfOnePolicyShareIt(t *testing.T) {
	known := ism.Policies{}
	var jobs []*ism.Job
	for _, id := range []string{"p", "p", "q"} {
		j, err := known.ReadJob(jobWith(t, map[string]any{"policy_id": id}))
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	if jobs[0].Policy != jobs[1].Policy || jobs[0].Policy == jobs[2].Policy || jobs[2].Policy.ID != "q" {
		t.Errorf("%p %p %p of %s", jobs[0].Policy, jobs[1].Policy, jobs[2].Policy, jobs[2].Policy.ID)
	}
}

// job is a job document with some members replaced or added.
func jobWith(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	in := newInput(t, `{"name":"a"}`)
	body, err := in.Job.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		doc["managed_index"][name] = value
	}
	body, err = json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestJobsThatClientsEditedAreRead(t *testing.T) {
	j, err := ism.ReadJob(jobWith(t, map[string]any{
		"schedule":      map[string]any{"interval": map[string]any{"start_time": "1772445600001", "period": "2", "unit": "HOURS", "schedule_delay": 0}},
		"policy_seq_no": "17", "policy_primary_term": "2", "enabled": "false", "enabled_time": nil, "jitter": nil,
		"change_policy": map[string]any{"policy_id": "q", "state": nil, "user": map[string]any{"name": "u"}, "is_safe": true, "new": 1},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if j.Schedule.Start != 1772445600001 || j.Schedule.Interval().Hours() != 2 || j.PolicySeqNo != 17 || j.PolicyPrimaryTerm != 2 || j.Enabled ||
		j.EnabledTime != nil || j.ChangePolicy.PolicyID != "q" || j.ChangePolicy.State != nil || !j.ChangePolicy.IsSafe || string(j.ChangePolicy.User) != `{"name":"u"}` {
		t.Errorf("%+v %+v", j, j.ChangePolicy)
	}
}

func TestJobsOfOldInstallationsAreRead(t *testing.T) {
	j, err := ism.ReadJob(jobWith(t, map[string]any{"policy_seq_no": -2, "policy_primary_term": 0}))
	if err != nil || j.PolicySeqNo != -2 || j.PolicyPrimaryTerm != 0 {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestJobsThatThePluginWouldNotReadAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[string]any
		want    string
	}{
		"an unknown member": {map[string]any{"color": "red"}, "Invalid field: [color] found in ManagedIndexConfig."},
		"no policy":         {map[string]any{"policy": nil}, "ManagedIndexConfig policy is null"},
		"a broken policy":   {map[string]any{"policy": map[string]any{"description": "x"}}, "default_state is null"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ism.ReadJob(jobWith(t, c.changes)); fault.Of(err).Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestMetadataWithUnknownMembersIsRead(t *testing.T) {
	m, err := ism.ReadMetadata([]byte(`{"managed_index_metadata":{"index":"i","index_uuid":"u","policy_id":"p","policy_seq_no":"3","new":{"a":[1]},` +
		`"index_creation_date":-1,"step":{"name":"attempt_rollover","start_time":"1","step_status":"COMPLETED","new":1},"info":null,` +
		`"action":{"name":"rollover","start_time":1,"index":0,"failed":false,"consumed_retries":"2","last_retry_time":"5","action_properties":{"new":1,"max_num_segments":null}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if *m.PolicySeqNo != 3 || !m.Created.IsZero() || m.Step.Status != ism.StatusCompleted || m.Action.ConsumedRetries != 2 || *m.Action.LastRetry != 5 || m.Action.Properties == nil {
		t.Errorf("%+v", m)
	}
}

func TestExplainShowsWhatThePluginShows(t *testing.T) {
	seq, term := int64(3), int64(1)
	full := func() *ism.Metadata {
		m := running(0).Meta
		m.Index, m.UUID, m.PolicyID, m.PolicySeqNo, m.PolicyPrimaryTerm, m.Created = "books", "U", "p2", &seq, &term, t0
		m.TransitionTo, m.Action.LastRetry = "", new(int64)
		return m
	}
	const (
		begin  = `{"index":"books","index_uuid":"U","policy_id":"p2","policy_seq_no":3,"policy_primary_term":1,`
		inHot  = `"index_creation_date":1772445600000,"state":{"name":"a","start_time":1772445600000},`
		action = `"action":{"name":"%","start_time":1772445600000,"index":0,"failed":false,"consumed_retries":0,"last_retry_time":0},` +
			`"step":{"name":"attempt_rollover","start_time":1772445600000,"step_status":"starting"},`
		end = `"retry_info":{"failed":false,"consumed_retries":0},"info":{"message":"Starting"}}`
	)
	for _, c := range []struct {
		name   string
		change func(*ism.Metadata)
		want   string
	}{
		{"a rollover shows that it has not happened", nil, begin + `"rolled_over":false,` + inHot + strings.Replace(action, "%", "rollover", 1) + end},
		{"other actions do not", func(m *ism.Metadata) { m.Action.Name = "close" }, begin + inHot + strings.Replace(action, "%", "close", 1) + end},
		{
			"what was rolled over stays so", func(m *ism.Metadata) { m.Action.Name, m.RolledOver, m.RolledOverIndexName = "close", true, "books-2" },
			begin + `"rolled_over":true,"rolled_over_index_name":"books-2",` + inHot + strings.Replace(action, "%", "close", 1) + end,
		},
		{
			"the next state hides the present one", func(m *ism.Metadata) { m.TransitionTo, m.Action.Name = "warm", "transition" },
			begin + `"index_creation_date":1772445600000,"transition_to":"warm",` + end,
		},
		{
			"a completed policy hides all", func(m *ism.Metadata) { m.PolicyCompleted, m.Action.Name = true, "transition" },
			begin + `"index_creation_date":1772445600000,"policy_completed":true}`,
		},
		{"a policy that could not be loaded has no version", func(m *ism.Metadata) {
			m.PolicySeqNo, m.PolicyPrimaryTerm, m.State, m.Action, m.Step, m.Retry.Failed = nil, nil, nil, nil, nil, true
		}, `{"index":"books","index_uuid":"U","policy_id":"p2","index_creation_date":1772445600000,"retry_info":{"failed":true,"consumed_retries":0},"info":{"message":"Starting"}}`},
		{
			"before the first move only the names are known", func(m *ism.Metadata) { *m = ism.Metadata{Index: "books", UUID: "U", PolicyID: "p2"} },
			`{"index":"books","index_uuid":"U","policy_id":"p2","retry_info":{"failed":false,"consumed_retries":0}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := full()
			if c.change != nil {
				c.change(m)
			}
			got, err := m.Explain().MarshalJSON()
			if err != nil || string(got) != c.want {
				t.Errorf("%s (%v)\nwant %s", got, err, c.want)
			}
		})
	}
}
