// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/opensteward/steward/fault"
)

// TestTemplatesAreAcceptedAndRefusedAsThePluginDid reads templates that were given to the plugin (3.4.0, without ML
// Commons) and compares what it said.
func TestTemplatesAreAcceptedAndRefusedAsThePluginDid(t *testing.T) {
	f, err := os.Open("testdata/created.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c struct {
			Name, Raw, Error string
			Body             json.RawMessage
			Status           int
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Raw != "" {
			c.Body = []byte(c.Raw)
		}
		t.Run(c.Name, func(t *testing.T) {
			err := accept(c.Body)
			if c.Status < http.StatusMultipleChoices {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || fault.Of(err).Status != c.Status || fault.Of(err).Reason != c.Error {
				t.Errorf("got %v, want %d %s", err, c.Status, c.Error)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// accept does what creating a workflow does before anything is stored.
func accept(body []byte) error {
	template, err := Parse(body)
	if err != nil {
		return err
	}
	w := template.Workflow(ProvisionWorkflow)
	if w == nil {
		return nil
	}
	plan, err := w.Plan("", Limits{MaxSteps: 50})
	if err != nil {
		return err
	}
	return Validate(plan, []string{"opensearch-flow-framework"})
}
