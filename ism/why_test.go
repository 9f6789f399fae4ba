// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"strings"
	"testing"

	"github.com/opensteward/steward/ism"
)

func TestWhatHelpsASnapshotThatFailed(t *testing.T) {
	p, err := ism.ReadPolicy("p", []byte(`{"policy":{"description":"","default_state":"s","states":[{"name":"s","actions":[
		{"snapshot":{"repository":"vault","snapshot":"x"}}],"transitions":[]}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for cause, want := range map[string]string{
		"[vault] missing": "register the snapshot repository [vault]",
		"[vault:x-2026.11.21-16:09:11.564] is missing":            "the disk of the repository [vault] may be full",
		"[vault] cannot create snapshot in a readonly repository": "remove the cause",
	} {
		meta := &ism.Metadata{
			State: &ism.StateMeta{Name: "s"}, Action: &ism.ActionMeta{Name: "snapshot", Failed: true}, Step: &ism.StepMeta{Name: "attempt_snapshot", Status: ism.StatusFailed},
			Info: ism.Message("Failed to create snapshot [index=i]").With("cause", cause),
		}
		w := ism.Explained(ism.Input{Job: ism.Job{Index: "i", PolicyID: "p", Policy: p, Enabled: true}, Meta: meta}, true)
		if w == nil || w.Blocking != cause || !strings.Contains(w.Fix, want) || !strings.HasSuffix(w.Fix, "; the index then goes on by itself") {
			t.Errorf("%s: %+v", cause, w)
		}
	}
}
