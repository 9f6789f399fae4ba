// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"fmt"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

func TestReplicasThatCannotBeSpreadAreRefused(t *testing.T) {
	forced := func(balance string) setting.Values {
		return setting.Values{
			awareness + "balance": balance, awareness + "attributes": "rack,zone,room",
			awareness + "force.rack.values": "r1,r2", awareness + "force.zone.values": "z1,z2,z3",
		}
	}
	for _, c := range []struct {
		name     string
		values   setting.Values
		replicas int
		want     string
	}{
		{"any number where nothing is forced", nil, 1, ""},
		{"any number where copies need not be balanced", forced("false"), 1, ""},
		{"a copy for each zone", forced("true"), 2, ""},
		{"two copies for each zone", forced("true"), 5, ""},
		{
			"a copy too few", forced("true"), 1,
			"Validation Failed: 1: expected total copies needs to be a multiple of total awareness attributes [3];",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := ism.ReadPolicy("p", fmt.Appendf(nil, `{"policy":{"description":"","default_state":"s","states":[
				{"name":"s","actions":[{"close":{}},{"replica_count":{"number_of_replicas":%d}}]}]}}`, c.replicas))
			if err != nil {
				t.Fatal(err)
			}
			reason := ""
			if f := fault.Of(balanced(p, c.values)); f != nil {
				reason = f.Reason
				if f.Status != 400 || f.Type != "validation_exception" {
					t.Errorf("%d %s", f.Status, f.Type)
				}
			}
			if reason != c.want {
				t.Errorf("%q, want %q", reason, c.want)
			}
		})
	}
}
