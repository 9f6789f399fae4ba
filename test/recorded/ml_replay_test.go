// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/test"
)

// TestTheRecordedAnswersOfMLStepsAreGivenAgain replays the calls to the Flow Framework plugin with ML Commons beside it.
// {connector} in a path is the connector that was seen last.
func TestTheRecordedAnswersOfMLStepsAreGivenAgain(t *testing.T) {
	if test.OnCluster() {
		t.Skip("a bare cluster has no ML Commons")
	}
	now := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r := &flowReplay{t: t, p: test.Program(t, test.Virtual(now)), now: now, ids: map[string]string{}}
	listed := differences(t, "testdata/ml-differences.txt")
	for _, line := range lines(t, "testdata/ml-calls.jsonl") {
		var c flowCall
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		got, made := r.next(c)
		if id := connectorIn(got.Response); id != "" {
			r.ids["connector"] = id
		}
		want, kept := recording(t, c.Name)
		if !made || !kept {
			continue
		}
		t.Run(c.Name, func(t *testing.T) { judge(t, c.call, want, got, listed[c.Name]) })
		delete(listed, c.Name)
	}
	for name := range listed {
		t.Errorf("%s is listed as different, and there is no such recording", name)
	}
}

// connectorIn is the connector among the resources of a status.
func connectorIn(response any) string {
	status, _ := response.(map[string]any)
	list, _ := status["resources_created"].([]any)
	for _, member := range list {
		if made, _ := member.(map[string]any); made["resource_type"] == "connector_id" {
			id, _ := made["resource_id"].(string)
			return id
		}
	}
	return ""
}
