// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"testing"

	"github.com/opensteward/steward/ism"
)

func TestSafeToChange(t *testing.T) {
	const from = `{"name":"a","actions":[{"rollover":{}},{"close":{}}],"transitions":[]},{"name":"b","actions":[],"transitions":[]}`
	for _, c := range []struct {
		name, current, to string
		state             *string
		want              bool
	}{
		{"an index in no state", "", `{"name":"a"}`, nil, true},
		{"an index in no state that is to go to one", "", `{"name":"a"}`, new("a"), true},
		{"a state to go to", "a", from, new("a"), false},
		{"the same actions with other parameters", "a", `{"name":"a","actions":[{"rollover":{"min_doc_count":5}},{"close":{}}]}`, nil, true},
		{"other transitions", "a", `{"name":"a","actions":[{"rollover":{}},{"close":{}}],"transitions":[{"state_name":"a"}]}`, nil, true},
		{"another order", "a", `{"name":"a","actions":[{"close":{}},{"rollover":{}}]}`, nil, false},
		{"an action more", "a", `{"name":"a","actions":[{"rollover":{}},{"close":{}},{"open":{}}]}`, nil, false},
		{"an action less", "a", `{"name":"a","actions":[{"rollover":{}}]}`, nil, false},
		{"another action", "a", `{"name":"a","actions":[{"rollover":{}},{"open":{}}]}`, nil, false},
		{"a policy without the state", "b", `{"name":"a"}`, nil, false},
		{"a state that the old policy has not", "c", `{"name":"a"},{"name":"c"}`, nil, false},
		{"a state without actions", "b", `{"name":"a"},{"name":"b"}`, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ism.SafeToChange(c.current, newPolicy(t, "p", from), newPolicy(t, "q", c.to), c.state); got != c.want {
				t.Errorf("safe: %v", got)
			}
		})
	}
}

// changing is an index that waits in its second action, with a pending change to policy q.
func changing(t *testing.T, to string, change ism.ChangePolicy) ism.Input {
	t.Helper()
	in := newInput(t, `{"name":"a","actions":[{"read_only":{}},{"rollover":{"min_doc_count":5}}],"transitions":[]}`)
	canRoll(&in)
	settle(t, &in, succeed)
	in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm = newPolicy(t, "q", to), 8, 2
	change.PolicyID = "q"
	in.Job.ChangePolicy = &change
	return in
}

const (
	sameActions = `{"name":"a","actions":[{"read_only":{}},{"rollover":{"min_doc_count":9}}],"transitions":[]}`
	moreActions = `{"name":"a","actions":[{"read_only":{}},{"rollover":{"min_doc_count":9}},{"close":{}}],"transitions":[]}`
)

func TestASafeChangeIsAppliedAtOnce(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
	m := ism.Next(in)
	if m.Kind != ism.Save || m.Reason != "Attempting to change policy to q" {
		t.Fatalf("%+v", m)
	}
	if m.Meta.PolicyID != "q" || *m.Meta.PolicySeqNo != 8 || *m.Meta.PolicyPrimaryTerm != 2 || m.Meta.Step != nil || m.Meta.Action.Name != "rollover" {
		t.Errorf("metadata %s", document(t, m.Meta))
	}
	if m.Job.PolicyID != "q" || m.Job.PolicySeqNo != 8 || m.Job.Policy != in.Change || m.Job.ChangePolicy != nil {
		t.Errorf("job %+v", m.Job)
	}
	apply(&in, m, succeed)
	if m := settle(t, &in, succeed); m.Reason != "Pending rollover of index [index=books]" || m.Action.Rollover.Flat.MinDocCount == nil || *m.Action.Rollover.Flat.MinDocCount != 9 {
		t.Errorf("afterwards %+v", m)
	}
}

func TestAChangeWithinAStateDoesNotRepeatAnActionThatIsDone(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
	in.Meta.Action = &ism.ActionMeta{Name: ism.ActionReadOnly, StartTime: t0}
	in.Meta.Step = &ism.StepMeta{Name: "set_read_only", StartTime: t0, Status: ism.StatusCompleted}
	apply(&in, ism.Next(in), succeed)
	if m := ism.Next(in); m.Action.Type != ism.ActionRollover {
		t.Errorf("after read_only it runs %s", m.Action.Type)
	}
}

func TestAChangeThatIsNoLongerSafeIsMarkedAndWaits(t *testing.T) {
	in := changing(t, moreActions, ism.ChangePolicy{IsSafe: true})
	m := ism.Next(in)
	if m.Kind != ism.Amend || m.Job.ChangePolicy == nil || m.Job.ChangePolicy.IsSafe || m.Job.PolicyID != "p" {
		t.Fatalf("%+v", m)
	}
	if in.Job.ChangePolicy == m.Job.ChangePolicy || !in.Job.ChangePolicy.IsSafe {
		t.Error("deciding changed the job that is stored")
	}
	apply(&in, m, succeed)
	if m := ism.Next(in); m.Kind != ism.Wait {
		t.Errorf("then %+v", m)
	}
}

func TestAChangeThatIsNoLongerSafeAtTheEndOfTheActionsTakesARunMore(t *testing.T) {
	in := changing(t, moreActions, ism.ChangePolicy{IsSafe: true})
	in.Meta.Action = &ism.ActionMeta{Name: ism.ActionTransition, StartTime: t0, Index: -1}
	m := ism.Next(in)
	if m.Kind != ism.Amend || m.Job.ChangePolicy.IsSafe {
		t.Fatalf("%+v", m)
	}
	apply(&in, m, succeed)
	if m := ism.Next(in); m.Kind != ism.Save || m.Reason != "Attempting to change policy to q" {
		t.Errorf("then %+v", m)
	}
}

func TestAnUnsafeChangeWaitsForTheEndOfTheActions(t *testing.T) {
	in := changing(t, moreActions, ism.ChangePolicy{})
	if m := ism.Next(in); m.Kind != ism.Wait {
		t.Fatalf("%+v", m)
	}
	in.Facts.Stats.Docs = 5
	apply(&in, ism.Next(in), succeed)
	in.Now = at(day)
	m := ism.Next(in)
	a := m.Meta.Action
	if m.Reason != "Attempting to change policy to q" || a.Name != ism.ActionTransition || a.Index != -1 || !a.StartTime.Equal(in.Now) ||
		m.Meta.Step != nil || !m.Meta.State.StartTime.Equal(t0) {
		t.Errorf("%+v %s", m, document(t, m.Meta))
	}
	apply(&in, m, succeed)
	if m := settle(t, &in, succeed); !in.Meta.PolicyCompleted {
		t.Errorf("the actions of the new policy run: %+v", m)
	}
}

func TestAChangeToAStateGoesThere(t *testing.T) {
	in := changing(t, `{"name":"a"},{"name":"z","actions":[{"close":{}}]}`, ism.ChangePolicy{State: new("z")})
	in.Facts.Stats.Docs = 5
	apply(&in, ism.Next(in), succeed)
	m := ism.Next(in)
	if m.Meta.TransitionTo != "z" {
		t.Fatalf("%s", document(t, m.Meta))
	}
	apply(&in, m, succeed)
	if m := ism.Next(in); m.Kind != ism.Run || m.Action.Type != ism.ActionClose || m.Meta.State.Name != "z" {
		t.Errorf("then %+v", m)
	}
}

func TestAChangeToAPolicyThatIsGoneFailsTheIndex(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
	in.Change = nil
	m := ism.Next(in)
	if m.Reason != "Failed to load change policy: q" || !m.Meta.Retry.Failed || m.Job != nil || m.Notify {
		t.Errorf("%+v", m)
	}
}

func TestAnIndexIsInitialisedWithThePolicyOfAPendingChange(t *testing.T) {
	in := changing(t, `{"name":"a"},{"name":"z"}`, ism.ChangePolicy{State: new("z")})
	in.Meta = nil
	m := ism.Next(in)
	if m.Meta.State.Name != "z" || m.Meta.PolicyID != "q" || *m.Meta.PolicySeqNo != 8 || m.Job.PolicyID != "q" || m.Job.ChangePolicy != nil ||
		m.Reason != "initialise" || m.Meta.Info.Text("message") != "Successfully initialized policy: q" {
		t.Errorf("%s", document(t, m.Meta))
	}
}

func TestAnIndexWhosePolicyIsGoneBeforeItsFirstMoveFails(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{})
	in.Meta, in.Change = nil, nil
	m := ism.Next(in)
	const want = `{"managed_index_metadata":{"index":"books","index_uuid":"uuid","policy_id":"q","policy_seq_no":null,"policy_primary_term":null,` +
		`"policy_completed":false,"rolled_over":false,"rolled_over_index_name":null,"index_creation_date":1772445600000,"transition_to":null,` +
		`"state":null,"action":null,"step":null,"retry_info":{"failed":true,"consumed_retries":0},"info":{"message":"Fail to load policy: q"}}}`
	if got := document(t, m.Meta); got != want || m.Job != nil {
		t.Fatalf("%s\nwant %s", got, want)
	}
	// Retried when the policy is there, it is initialised.
	in.Meta = m.Meta.RetryOf("")
	in.Change = newPolicy(t, "q", sameActions)
	if m := ism.Next(in); m.Meta.Info.Text("message") != "Successfully initialized policy: q" || m.Meta.Failed() {
		t.Errorf("retried: %s", document(t, m.Meta))
	}
}

func TestAChangeHalfStoredIsFinished(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
	in.Meta = ism.Next(in).Meta // and the job was not written
	m := ism.Next(in)
	if m.Kind != ism.Amend || m.Job.PolicyID != "q" || m.Job.PolicySeqNo != 8 || m.Job.ChangePolicy != nil {
		t.Fatalf("%+v", m)
	}
	in.Config.Native = true
	if m := ism.Next(in); m.Reason != "There is a version conflict between your previous execution and your managed index" {
		t.Errorf("the plugin: %+v", m)
	}
}
