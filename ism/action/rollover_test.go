// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

const (
	notRolled  = `{"metadata":{"indices":{"logs-1":{}}}}`
	rolled     = `{"metadata":{"indices":{"logs-1":{"rollover_info":{"logs":{"time":1700000000000}}}}}}`
	dryAnswer  = `{"acknowledged":false,"rolled_over":false,"dry_run":true,"old_index":"logs-1","new_index":"logs-000002"}`
	didAnswer  = `{"acknowledged":true,"rolled_over":true,"old_index":"logs-1","new_index":"logs-000002"}`
	halfAnswer = `{"acknowledged":false,"rolled_over":true,"old_index":"logs-1","new_index":"logs-000002"}`
	rolloverOK = "Successfully rolled over index [index=logs-1]"

	lookCall = "GET /_cluster/state/metadata/logs-1"
	dryCall  = "POST /logs/_rollover?dry_run"
	rollCall = "POST /logs/_rollover/logs-000002"
)

var exists = refusal(400, "resource_already_exists_exception", "index [logs-000002/x] already exists")

func TestRollover(t *testing.T) {
	cases := []struct {
		name    string
		answers map[string][]answer
		kept    *action.Intention
		lost    bool // another leader has the intention
		want    want
		effects string // the calls that are no reading
	}{
		{"faultless", map[string][]answer{
			lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {ok(didAnswer)},
		}, nil, false, want{"completed", rolloverOK, ""}, dryCall + "," + rollCall},
		{
			"killed after the intention, before the call",
			map[string][]answer{
				lookCall: {ok(notRolled)}, rollCall: {ok(didAnswer)},
			},
			&action.Intention{Target: "logs", NewIndex: "logs-000002", Send: "logs-000002"}, false,
			want{"completed", rolloverOK, ""},
			rollCall,
		},
		{
			"killed after the call",
			map[string][]answer{
				lookCall: {ok(rolled)},
			},
			&action.Intention{Target: "logs", NewIndex: "logs-000002", Send: "logs-000002"}, false,
			want{"completed", rolloverOK, ""},
			"",
		},
		{"the answer is lost", map[string][]answer{
			lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {unanswered},
		}, nil, false, want{}, dryCall + "," + rollCall},
		{
			"the call arrives twice",
			map[string][]answer{
				lookCall: {ok(notRolled), ok(rolled)}, rollCall: {exists},
			},
			&action.Intention{Target: "logs", NewIndex: "logs-000002", Send: "logs-000002"}, false,
			want{"completed", rolloverOK, ""},
			rollCall,
		},
		{
			"somebody else's index has the name",
			map[string][]answer{
				lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {exists},
			},
			nil, false,
			want{"failed", "Failed to rollover index [index=logs-1]", "index [logs-000002/x] already exists"},
			dryCall + "," + rollCall,
		},
		{
			"rolled over by somebody else",
			map[string][]answer{lookCall: {ok(rolled)}},
			nil, false,
			want{"completed", "This index has already been rolled over using this alias, treating as a success [index=logs-1, alias=logs]", ""},
			"",
		},
		{"refused in the dry run", map[string][]answer{
			lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {denied},
		}, nil, false, want{"failed", "Failed to rollover index [index=logs-1]", "no"}, dryCall},
		{"refused", map[string][]answer{
			lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {denied},
		}, nil, false, want{"failed", "Failed to rollover index [index=logs-1]", "no"}, dryCall + "," + rollCall},
		{
			"half done",
			map[string][]answer{
				lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {ok(halfAnswer)},
			},
			nil, false,
			want{"failed", "New index created, but failed to update alias [index=logs-1, newIndex=logs-000002]", ""},
			dryCall + "," + rollCall,
		},
		{"another leader has the intention", map[string][]answer{
			lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)},
		}, nil, true, want{}, dryCall},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: c.answers}
			e := env(t, s, `{"rollover":{"min_doc_count":5}}`)
			e.Intentions = &memory{kept: c.kept, storeOK: !c.lost}
			r, err := action.Lookup("attempt_rollover").Run(t.Context(), e)
			check(t, r, err, c.want)
			if got := strings.Join(s.calls, ","); got != c.effects {
				t.Errorf("calls %s, want %s", got, c.effects)
			}
			if c.want.message == rolloverOK && (!r.RolledOver || r.NewIndex != "logs-000002") {
				t.Errorf("rolled over %v to %q", r.RolledOver, r.NewIndex)
			}
		})
	}
}

func TestRolloverOfADateMathNameSendsTheExpression(t *testing.T) {
	s := &script{answers: map[string][]answer{
		lookCall:      {ok(notRolled)},
		"GET /logs-1": {ok(strings.Replace(found, `"index.provided_name":"logs-1"`, `"index.provided_name":"<logs-{now/d}-1>"`, 1))},
		"POST /logs/_rollover/<logs-{now/d}-000002>?dry_run": {ok(dryAnswer)},
		"POST /logs/_rollover/<logs-{now/d}-000002>":         {ok(didAnswer)},
	}}
	r, err := action.Lookup("attempt_rollover").Run(t.Context(), env(t, s, `{"rollover":{}}`))
	check(t, r, err, want{"completed", rolloverOK, ""})
}

func TestRolloverOfADataStreamNamesTheAgeOfTheIndexThatIsMeant(t *testing.T) {
	s := &script{answers: map[string][]answer{
		lookCall:               {ok(notRolled)},
		"POST /logs/_rollover": {ok(didAnswer)},
	}}
	e := env(t, s, `{"rollover":{}}`)
	e.Facts.DataStream = true
	r, err := action.Lookup("attempt_rollover").Run(t.Context(), e)
	check(t, r, err, want{"completed", "Successfully rolled over data stream [data_stream=logs index=logs-1]", ""})
	// One hour old, less a minute for clocks that differ.
	if s.bodies[0] != `{"conditions":{"max_age":"3540000ms"}}` {
		t.Errorf("sent %s", s.bodies[0])
	}
}

func TestARolloverOfADataStreamThatIsNotAcknowledgedFails(t *testing.T) {
	s := &script{answers: map[string][]answer{
		lookCall:               {ok(notRolled)},
		"POST /logs/_rollover": {ok(halfAnswer)},
	}}
	e := env(t, s, `{"rollover":{}}`)
	e.Facts.DataStream = true
	r, err := action.Lookup("attempt_rollover").Run(t.Context(), e)
	check(t, r, err, want{"failed", "Failed to rollover data stream [data_stream=logs]", ""})
}

func TestARolloverBySomebodyElseLeavesItsAliasesToThePerson(t *testing.T) {
	s := &script{answers: map[string][]answer{lookCall: {ok(rolled)}}}
	r, err := action.Lookup("attempt_rollover").Run(t.Context(), env(t, s, `{"rollover":{"copy_alias":true}}`))
	check(t, r, err, want{
		"completed", "Successfully rolled over [index=logs-1] but ISM cannot find rolled over index from metadata to copy aliases to, please manually copy", "",
	})
}

func TestRolloverCopiesAliasesButTheTarget(t *testing.T) {
	const add = `{"actions":[{"add":{"index":"logs-000002","alias":"all","filter":{"term":{"a":1}}}}]}`
	cases := []struct {
		name  string
		look  string
		alias answer
		want  want
	}{
		{
			"copied", found, acknowledged,
			want{"completed", "Successfully rolled over and copied alias from [index=logs-1] to [index=logs-000002]", ""},
		},
		{
			"nothing to copy", strings.Replace(found, `,"all":{"filter":{"term":{"a":1}}}`, "", 1), denied,
			want{"completed", "Successfully rolled over index [index=logs-1] to [index=logs-000002], no additional aliases to copy", ""},
		},
		{
			"not acknowledged", found, shrugged,
			want{"failed", "Successfully rolled over but copy alias from [index=logs-1] to [index=logs-000002] is not acknowledged", ""},
		},
		{
			"the new index is gone", found, absent,
			want{"failed", "Successfully rolled over but new index [index=logs-000002] not found during copy alias", ""},
		},
		{
			"refused", found, denied,
			want{"failed", "Successfully rolled over but failed to copy alias from [index=logs-1] to [index=logs-000002]", "no"},
		},
		{"unanswered", found, unanswered, want{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{
				lookCall: {ok(rolled)}, "GET /logs-1": {ok(c.look)}, "POST /_aliases": {c.alias},
			}}
			e := env(t, s, `{"rollover":{"copy_alias":true}}`)
			e.Intentions = &memory{kept: &action.Intention{Target: "logs", NewIndex: "logs-000002", Send: "logs-000002"}}
			r, err := action.Lookup("attempt_rollover").Run(t.Context(), e)
			check(t, r, err, c.want)
			if len(s.bodies) > 0 && s.bodies[0] != add {
				t.Errorf("sent %s, want %s", s.bodies[0], add)
			}
		})
	}
}

func TestRolloverReportsTheConditionsItWasDecidedOn(t *testing.T) {
	s := &script{answers: map[string][]answer{
		lookCall: {ok(notRolled)}, "GET /logs-1": {ok(found)}, dryCall: {ok(dryAnswer)}, rollCall: {ok(didAnswer)},
	}}
	e := env(t, s, `{"rollover":{"min_doc_count":5}}`)
	decided := ism.Result{Info: ism.Message("x").With("conditions", map[string]any{"min_doc_count": 7})}
	e.Decided = &decided
	r, err := action.Lookup("attempt_rollover").Run(t.Context(), e)
	check(t, r, err, want{"completed", rolloverOK, ""})
	if len(r.Info) != 2 || r.Info[1].Name != "conditions" {
		t.Errorf("info is %v", r.Info)
	}
}
