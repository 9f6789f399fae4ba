// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"strings"
	"testing"
	"time"
)

// TestTheRulesTellEachMemberOfTheMetadata: what the plugin left of a policy with a rollover, and a document of each rule that is
// otherwise in one member.
func TestTheRulesTellEachMemberOfTheMetadata(t *testing.T) {
	const job = `{"policy_id":"p","policy_seq_no":3,"policy_primary_term":1,"policy":{"states":[
		{"name":"hot","actions":[{"rollover":{},"retry":{"count":1}}]}]}}`
	const initialised = `"index":"i","index_uuid":"u","policy_id":"p","policy_seq_no":3,"policy_primary_term":1,"policy_completed":false,
		"rolled_over":false,"rolled_over_index_name":null,"index_creation_date":5,"transition_to":null,"retry_info":{"failed":false,"consumed_retries":0}`
	lines := []struct{ line, want string }{
		{"hot - - - Successfully initialized policy: p", `"state":{"name":"hot","start_time":1000},"action":null,"step":null,"info":{"message":"Successfully initialized policy: p"}`},
		{"hot rollover attempt_rollover failed no", `"state":{"name":"hot","start_time":1000},
			"action":{"name":"rollover","start_time":2000,"index":0,"failed":false,"consumed_retries":1,"last_retry_time":2000},
			"step":{"name":"attempt_rollover","start_time":2000,"step_status":"failed"},"info":{"message":"no"}`},
		{"hot rollover attempt_rollover failed no", `"state":{"name":"hot","start_time":1000},
			"action":{"name":"rollover","start_time":2000,"index":0,"failed":true,"consumed_retries":1,"last_retry_time":2000},
			"step":{"name":"attempt_rollover","start_time":2000,"step_status":"failed"},"info":{"message":"no"}`},
	}
	d := &documents{index: "i", uuid: "u", job: object(t, job)}
	for n, c := range lines {
		l, err := newRunLine(bodyLine{n + 1, c.line})
		if err != nil {
			t.Fatal(err)
		}
		got := object(t, "{"+initialised+","+c.want+"}")
		want := unforeseen(d.after(l, time.UnixMilli(int64(n+1)*1000), d.job), got)
		if err := differ("metadata", got, want); err != nil {
			t.Errorf("line %d: %v", n+1, err)
		}
		for _, name := range []string{"state", "retry_info", "info", "policy_seq_no", "transition_to"} {
			if err := differ("metadata", with(got, name, "other"), want); err == nil || !strings.Contains(err.Error(), "metadata."+name) {
				t.Errorf("line %d: another %s is not found: %v", n+1, name, err)
			}
		}
		d.meta = got
	}
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := decode([]byte(text))
	if err != nil {
		t.Fatal(err, text)
	}
	o, _ := v.(map[string]any)
	if o == nil {
		t.Fatal("no object", text)
	}
	return o
}
