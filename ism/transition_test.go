// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

func TestATransitionWhoseNumbersCannotBeReadFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		facts func(*ism.Input)
		want  string
	}{
		{
			"refused", func(in *ism.Input) { in.Facts.StatsError = fault.New(400, "index_closed_exception", "closed") },
			`{"message":"Failed to transition index [index=books]","cause":"closed"}`,
		},
		{
			"unanswered", func(in *ism.Input) { in.Facts.StatsError = errors.New("broken pipe") },
			`{"message":"Failed to transition index [index=books]","cause":"internal error"}`,
		},
		{
			"in part", func(in *ism.Input) { in.Facts.Stats = &ism.Stats{Failures: []string{"[books][0] failed, reason [x]"}} },
			`{"message":"Failed to get stats information for the index [index=books]","shard_failures":["[books][0] failed, reason [x]"]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := newInput(t, leaves(`{"min_doc_count":9}`))
			apply(&in, ism.Next(in), nil)
			c.facts(&in)
			m := ism.Next(in)
			if m.Kind != ism.Save || m.Meta.Step.Status != ism.StatusFailed || m.Meta.Action.ConsumedRetries != 1 {
				t.Fatalf("%+v", m)
			}
			info, err := m.Meta.Info.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(info)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
