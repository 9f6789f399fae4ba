// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// oddities are values that may stand where something else should.
var oddities = []any{nil, true, -1.0, 1.5, 1e30, "", "x", []any{}, []any{nil}, map[string]any{}, map[string]any{"x": nil}}

// everyOddity calls use with the document as often as it has values, each replaced by each oddity in turn.
func everyOddity(t *testing.T, doc any, use func(body []byte)) {
	t.Helper()
	var visit func(v any, set func(any))
	visit = func(v any, set func(any)) {
		for _, odd := range oddities {
			set(odd)
			body, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			use(body)
		}
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for name, below := range v {
				visit(below, func(x any) { v[name] = x })
			}
		case []any:
			for i, below := range v {
				visit(below, func(x any) { v[i] = x })
			}
		}
	}
	visit(doc, func(v any) { doc = v })
}

// wellFormed reports whether an error is one that a client may see.
func wellFormed(err error) bool {
	var f *fault.Error
	return err == nil || errors.As(err, &f) && f.Type != "" && f.Reason != ""
}

func TestOddValuesInPoliciesAreRefusedOrKept(t *testing.T) {
	f, err := os.Open(filepath.Join(recordings, "ism-calls.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	seen := 0
	for lines.Scan() {
		var c struct {
			Name string
			Body any
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(c.Name, "ism-put-policy-action-") && !strings.HasPrefix(c.Name, "ism-put-policy-e") && !strings.HasPrefix(c.Name, "ism-put-policy-condition-") {
			continue
		}
		everyOddity(t, c.Body, func(body []byte) {
			seen++
			p, err := ism.ParsePolicy("p", body, 0)
			if !wellFormed(err) {
				t.Errorf("%s: %v", body, err)
			}
			if err != nil {
				return
			}
			if d := rereads(t, p); d != "" {
				t.Errorf("%s: %s", body, d)
			}
			if !wellFormed(p.CheckTemplates()) {
				t.Errorf("%s: %v", body, p.CheckTemplates())
			}
		})
	}
	if seen < 1000 {
		t.Errorf("only %d policies", seen)
	}
}

// TestOddValuesInDocumentsStopNothing: whatever clients write into jobs and metadata is refused, or decided upon.
func TestOddValuesInDocumentsStopNothing(t *testing.T) {
	for _, native := range []bool{false, true} {
		in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
		in.Config.Native = native
		for _, edit := range []struct {
			doc  json.Marshaler
			read func(*ism.Input, []byte) error
		}{
			{&in.Job, func(in *ism.Input, body []byte) error {
				j, err := ism.ReadJob(body)
				if err == nil {
					in.Job = *j
				}
				return err
			}},
			{in.Meta, func(in *ism.Input, body []byte) (err error) {
				in.Meta, err = ism.ReadMetadata(body)
				return err
			}},
		} {
			body, err := edit.doc.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var doc any
			if err := json.Unmarshal(body, &doc); err != nil {
				t.Fatal(err)
			}
			everyOddity(t, doc, func(body []byte) {
				odd := in
				if err := edit.read(&odd, body); err != nil {
					if !wellFormed(err) {
						t.Errorf("%s: %v", body, err)
					}
					return
				}
				ism.Needs(odd)
				ism.CurrentConditions(odd)
				ism.NextAction(&odd.Job, odd.Meta)
				ism.Next(odd)
			})
		}
	}
}

func TestARecordedActionThatIsNotOursStopsNothing(t *testing.T) {
	in := changing(t, sameActions, ism.ChangePolicy{IsSafe: true})
	in.Meta.Action.Name = "cold_migration"
	in.Meta.Step = &ism.StepMeta{Name: "attempt_cold_migration", StartTime: t0, Status: ism.StatusCompleted}
	if m := ism.Next(in); m.Reason != "Attempting to change policy to q" {
		t.Errorf("%+v", m)
	}
}
