// SPDX-License-Identifier: Apache-2.0

package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/rollup"
	"github.com/opensteward/steward/wire"
)

// rollupJob is a job that rolls up days of a source.
func rollupJob(source, target string, more ...any) wire.Object {
	return wire.Obj("rollup", append(wire.Obj("source_index", source, "target_index", target, "description", "d", "page_size", 10,
		"schedule", wire.Obj("interval", wire.Obj("period", 1, "unit", "Minutes")),
		"dimensions", []any{wire.Obj("date_histogram", wire.Obj("source_field", "at", "calendar_interval", "1d"))},
		"metrics", []any{wire.Obj("source_field", "n", "metrics", []any{wire.Obj("sum", wire.Obj())})}), wire.Obj(more...)...))
}

// days makes an index with a document per day.
func (r *Running) days(name string, n int) {
	r.t.Helper()
	r.Must("PUT", "/"+name, wire.Obj("mappings", wire.Obj("properties", wire.Obj("at", wire.Obj("type", "date")))), nil)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"index\":{}}\n{\"at\":\"2026-01-%02dT12:00:00Z\",\"n\":%d}\n", i+1, i)
	}
	r.Must("POST", "/"+name+"/_bulk?refresh=true", []byte(b.String()), nil)
}

// rolledUp waits until an index has so many documents.
func (r *Running) rolledUp(index string, n int) {
	r.t.Helper()
	r.Eventually(fmt.Sprintf("%s has %d documents", index, n), func() (bool, string) {
		r.Call("POST", "/"+index+"/_refresh", nil)
		status, body := r.Call("GET", "/"+index+"/_count", nil)
		return status == 200 && strings.Contains(string(body), fmt.Sprintf(`"count":%d,`, n)), string(body)
	})
}

func TestAProgramRunsRollupJobsThatItIsGivenOrFinds(t *testing.T) {
	p := Program(t)
	source, target := p.Name("-src"), p.Name("-out")
	p.days(source, 7)
	p.Must("PUT", "/_plugins/_rollup/jobs/"+target, rollupJob(source, target), nil)
	p.rolledUp(target, 7)
	var explain map[string]struct {
		Progress struct{ Status string } `json:"rollup_metadata"`
	}
	p.Eventually("the job is finished", func() (bool, string) {
		_, body := p.Call("GET", "/_plugins/_rollup/jobs/"+target+"/_explain", nil)
		return json.Unmarshal(body, &explain) == nil && explain[target].Progress.Status == "finished", string(body)
	})
	// A document that somebody else wrote is a job like any other.
	found := p.Name("-found")
	var job struct{ Rollup map[string]any }
	p.Must("GET", "/_plugins/_rollup/jobs/"+target, nil, &job)
	r := job.Rollup
	r["rollup_id"], r["target_index"], r["enabled"], r["enabled_time"], r["metadata_id"] = found, found, true, r["last_updated_time"], nil
	_, err := p.Client.Write(t.Context(), opensearch.Write{Op: opensearch.OpCreate, Index: rollup.ConfigIndex, ID: found, Source: map[string]any{"rollup": r}}, "")
	if err != nil {
		t.Fatal(err)
	}
	p.rolledUp(found, 7)
}

func TestAProgramRunsTransformJobs(t *testing.T) {
	p := Program(t)
	source, target := p.Name("-src"), p.Name("-out")
	p.days(source, 7)
	p.Must("PUT", "/_plugins/_transform/"+target, wire.Obj("transform", wire.Obj("source_index", source, "target_index", target,
		"description", "d", "page_size", 3, "schedule", wire.Obj("interval", wire.Obj("period", 1, "unit", "Minutes")),
		"groups", []any{wire.Obj("histogram", wire.Obj("source_field", "n", "target_field", "tens", "interval", 2))},
		"aggregations", wire.Obj("sum", wire.Obj("sum", wire.Obj("field", "n"))))), nil)
	p.rolledUp(target, 4)
}

func TestAJobIsFinishedByTheNextProgram(t *testing.T) {
	if OnCluster() {
		t.Skip("needs a data directory")
	}
	first := Program(t)
	source, target := first.Name("-src"), first.Name("-out")
	first.days(source, 28)
	first.Must("PUT", "/_plugins/_rollup/jobs/"+target, rollupJob(source, target), nil)
	first.Stop() // wherever the job stands
	second := Program(t, func(o *steward.Options) { o.Data = first.Data() })
	second.rolledUp(target, 28)
}
