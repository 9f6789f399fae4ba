// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/test/recorded"
)

const recordings = "../test/recorded/testdata"

// elsewhere are recorded PUTs whose answer the policy alone does not decide.
var elsewhere = []string{
	"conflict", "wrong-seq", "only-seq", "update", "update-missing", "no-id", "no-id-slash", "text", "no-body",
	"template-overlap-same-priority", "template-star",
}

// differ are recorded answers that differ on purpose, with the reason.
var differ = map[string]string{
	"condition-empty":                     "newer plugins accept conditions without a member",
	"action-rollover-prevent-empty":       "newer plugins know prevent_empty_rollover",
	"action-transform-empty-aggregations": "no aggregations is no failure of the server",
	"action-convert-remote":               "newer plugins print the options of the restore",
	"action-search_only":                  "newer plugins know search_only",
}

type call struct {
	Name, Method string
	Body         json.RawMessage
	Raw          *string
}

type answer struct {
	Status   int
	Response map[string]any
}

func decode(t *testing.T, body []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestPoliciesAreReadAndPrintedAsThePluginDoes(t *testing.T) {
	f, err := os.Open(filepath.Join(recordings, "ism-calls.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	compared := 0
	for lines.Scan() {
		var c call
		decode(t, lines.Bytes(), &c)
		name, ok := strings.CutPrefix(c.Name, "ism-put-policy-")
		want, err := os.ReadFile(filepath.Join(recordings, "native-3.4.0", c.Name+".json"))
		if !ok || c.Method != "PUT" || slices.Contains(elsewhere, name) || errors.Is(err, os.ErrNotExist) {
			continue
		}
		compared++
		t.Run(name, func(t *testing.T) {
			body := []byte(c.Body)
			if c.Raw != nil {
				body = []byte(*c.Raw)
			}
			var a answer
			decode(t, want, &a)
			d := compare(t, body, a)
			if reason, onPurpose := differ[name]; onPurpose != (d != "") {
				t.Errorf("differs: %q, on purpose: %q", d, reason)
			}
		})
	}
	if compared < 60 {
		t.Errorf("only %d recorded calls were compared", compared)
	}
}

// compare puts a policy and says how the outcome differs from the recorded one.
func compare(t *testing.T, body []byte, a answer) string {
	t.Helper()
	p, err := ism.ParsePolicy("p", spaced(body), 1)
	if err == nil {
		err = errors.Join(p.CheckTemplates(), p.CheckTemplateConflicts(nil))
	}
	if err != nil {
		status, _, got := fault.Body(err)
		var answered map[string]any
		decode(t, got, &answered)
		if status != a.Status {
			return "status"
		}
		return recorded.Difference(a.Response, answered)
	}
	if a.Status != 201 {
		return "accepted"
	}
	policy := a.Response["policy"].(map[string]any)["policy"].(map[string]any)
	p.ID, _ = policy["policy_id"].(string)
	printed, err := json.Marshal(p.JSON(ism.API, false))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	decode(t, printed, &got)
	if d := recorded.Difference(any(policy), got); d != "" {
		return d
	}
	return rereads(t, p)
}

// rereads stores the policy and reads it again.
func rereads(t *testing.T, p *ism.Policy) string {
	t.Helper()
	stored, err := json.Marshal(p.Document())
	if err != nil {
		t.Fatal(err)
	}
	again, err := ism.ReadPolicy(p.ID, stored)
	if err != nil {
		return "the stored form is refused: " + err.Error()
	}
	twice, err := json.Marshal(again.Document())
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != string(twice) {
		return "the stored form changes: " + string(twice)
	}
	return ""
}

// spaced prints JSON as the recording's client did, a blank after each comma and colon, for the columns in messages.
func spaced(body []byte) []byte {
	var out []byte
	inText := false
	for i := 0; i < len(body); i++ {
		c := body[i]
		out = append(out, c)
		switch {
		case inText && c == '\\':
			i++
			out = append(out, body[i])
		case c == '"':
			inText = !inText
		case !inText && (c == ',' || c == ':') && i+1 < len(body) && body[i+1] != ' ':
			out = append(out, ' ')
		}
	}
	return out
}
