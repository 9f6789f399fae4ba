// SPDX-License-Identifier: Apache-2.0

package step_test

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"github.com/opensteward/steward/engine"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
)

// TestAnIndexLivesAndDiesOnTheEngine runs the steps of an index against the embedded engine.
func TestAnIndexLivesAndDiesOnTheEngine(t *testing.T) {
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	env := step.Env{Client: opensearch.NewClient(opensearch.InProcess(e)), Note: func(context.Context, any) error { return nil }}
	for _, c := range []struct {
		name, step, configurations string
		status                     int // of the failure; 0 if there is none
		reason                     string
	}{
		{"it is made", "create_index", `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"a":{"type":"keyword"}}}}`, 0, ""},
		{"it is not made twice", "create_index", `{}`, http.StatusBadRequest, `^index \[i/[\w-]{22}\] already exists$`},
		{"its settings change", "update_index", `{"settings":{"index":{"number_of_replicas":1}}}`, 0, ""},
		{"and not twice", "update_index", `{"settings":{"number_of_replicas":"1"}}`, http.StatusBadRequest, `no settings have been updated$`},
		{"it is deleted", "delete_index", "", 0, ""},
		{"and again, which is no failure", "delete_index", "", 0, ""},
		{"there is nothing to update", "update_index", `{"settings":{"number_of_replicas":1}}`, http.StatusInternalServerError, `^Failed to retrieve the index settings for index i$`},
		{"a bad setting makes nothing", "create_index", `{"settings":{"number_of_shards":"many"}}`, http.StatusBadRequest, `^Failed to parse value \[many\] for setting \[index.number_of_shards\]$`},
	} {
		found, _ := step.Find(c.step)
		in := inputs(t, `{"index_name":"i"}`)
		if c.configurations != "" {
			in = inputs(t, `{"index_name":"i","configurations":`+c.configurations+`}`)
		}
		_, err := found.Run(context.Background(), env, in)
		switch f := fault.Of(err); {
		case c.status == 0 && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.status != 0 && (err == nil || f.Status != c.status || !regexp.MustCompile(c.reason).MatchString(f.Reason)):
			t.Errorf("%s: got %v, want %d %s", c.name, err, c.status, c.reason)
		}
	}
}
