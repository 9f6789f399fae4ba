// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/provision"
)

var made = []provision.Resource{
	{Step: "register_model_group", Node: "g", Type: "model_group_id", ID: "g1"},
	{Step: "create_connector", Node: "c", Type: "connector_id", ID: "c1"},
	{Step: "register_remote_model", Node: "m", Type: "model_id", ID: "m1"},
	{Step: "deploy_model", Node: "m", Type: "model_id", ID: "m1"},
	{Step: "create_index", Node: "i", Type: "index_name", ID: "i1"},
}

// undone keeps the calls of an undoing; a step in fails[step] fails that many times.
type undone struct {
	fails  map[string]int
	calls  []string
	forgot []string
}

func (u *undone) undoing() provision.Undoing {
	return provision.Undoing{
		Delete: func(_ context.Context, step string, r provision.Resource) error {
			u.calls = append(u.calls, step+" "+r.ID)
			if u.fails[step] > 0 {
				u.fails[step]--
				return errors.New("in use")
			}
			return nil
		},
		Forget: func(_ context.Context, r provision.Resource) error {
			u.forgot = append(u.forgot, r.Step)
			return nil
		},
	}
}

func TestResourcesGoInReverse(t *testing.T) {
	var u undone
	left, err := provision.Undo(t.Context(), made, []string{"i1"}, u.undoing())
	if err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
	want := []string{"delete_index i1", "undeploy_model m1", "delete_model m1", "delete_connector c1", "delete_model_group g1"}
	if diff := cmp.Diff(want, u.calls); diff != "" {
		t.Error(diff)
	}
	if len(u.forgot) != len(made) {
		t.Errorf("forgot %v", u.forgot)
	}
}

func TestWhatIsInUseGoesInALaterRound(t *testing.T) {
	u := undone{fails: map[string]int{"delete_model": 1, "delete_connector": 2}}
	left, err := provision.Undo(t.Context(), made, []string{"i1"}, u.undoing())
	if err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
}

func TestWhatStaysIsNamed(t *testing.T) {
	for _, c := range []struct {
		name    string
		allowed []string
		fails   map[string]int
		status  int
		reason  string
		left    int
	}{
		{"without consent", nil, nil, 403, "These resources require the allow_delete parameter to deprovision: [index_name i1].", 1},
		{"what fails, each name once", []string{"i1"}, map[string]int{"undeploy_model": 9, "delete_model": 9}, 202, "Failed to deprovision some resources: [model_id m1].", 2},
		{
			"both",
			[]string{"m1"},
			map[string]int{"delete_connector": 9},
			202,
			"Failed to deprovision some resources: [connector_id c1]. These resources require the allow_delete parameter to deprovision: [index_name i1].", 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := undone{fails: c.fails}
			left, err := provision.Undo(t.Context(), made, c.allowed, u.undoing())
			if err == nil || fault.Of(err).Status != c.status || fault.Of(err).Reason != c.reason {
				t.Errorf("got %v, want %d %s", err, c.status, c.reason)
			}
			if len(left) != c.left {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestAStoppedUndoingKeepsWhatItDidNotReach(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var u undone
	left, err := provision.Undo(ctx, made, []string{"i1"}, u.undoing())
	if !errors.Is(err, context.Canceled) || len(left) != len(made) || len(u.calls) > 0 {
		t.Errorf("left %v, %v, called %v", left, err, u.calls)
	}
}
