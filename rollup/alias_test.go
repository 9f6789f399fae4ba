// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opensteward/steward/opensearch"
)

// intoAlias is hourly with an alias for a target.
var intoAlias = strings.Replace(hourly, "PREFIX-out", "PREFIX-al", 1)

// aliased makes an index that the alias writes to.
const aliased = `{"aliases":{"PREFIX-al":{"is_write_index":true}}}`

func TestAnAliasIsATargetWhoseIndexIsMadeReady(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	w.create("PREFIX-000001", aliased)
	defer w.run(w.transport)()
	w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", intoAlias)
	w.settle()
	w.want("documents", w.documents("PREFIX-000001", "n.sum"), rolledUp)
	w.want("the job in _meta", w.mapping("PREFIX-000001", "_meta", "rollups", w.prefix, "target_index"), `"PREFIX-al"`)
	w.want("type of the terms", w.mapping("PREFIX-000001", "properties", "host", "properties", "terms", "type"), `"keyword"`)
	infos, err := w.client.Indices(t.Context(), []string{w.own("PREFIX-000001")})
	w.do(err)
	if got := infos[w.own("PREFIX-000001")].Settings["index.plugins.rollup_index"]; got != "true" {
		t.Errorf("index.plugins.rollup_index is %q", got)
	}
	// After a rollover the next index is made ready too: the one before names this job alone.
	w.do(w.client.Do(t.Context(), opensearch.Call{Method: http.MethodPost, Path: opensearch.Path(w.own("PREFIX-al"), "_rollover")}, nil))
	w.must("POST", "/_plugins/_rollup/jobs/PREFIX/_start", "")
	w.settle()
	w.want("status", w.progress("rollup", "status"), `"finished"`)
	w.want("documents", w.documents("PREFIX-000002", "n.sum"), rolledUp)
}

func TestAnAliasThatOtherJobsWriteToIsNoTarget(t *testing.T) {
	owned := func(jobs string) string { return `"mappings":{"_meta":{"rollups":{` + jobs + `}}},` }
	for _, c := range []struct{ name, write, other, want string }{
		{"another job writes to its index", owned(`"other":{}`), "", "More than one rollup jobs present on the backing index of the target alias, cannot perform rollup to this target alias [PREFIX-al]."},
		{"several jobs write to its index", owned(`"PREFIX":{},"other":{}`), "", "More than one rollup jobs present on the backing index of the target alias, cannot perform rollup to this target alias [PREFIX-al]."},
		{"an index before it has no job", "", " ", "Backing index [PREFIX-000000] has to have owner rollup job with id:[PREFIX]"},
		{"an index before it has another job", "", owned(`"other":{}`), "Backing index [PREFIX-000000] has to have owner rollup job with id:[PREFIX]"},
		{"an index before it has several", "", owned(`"PREFIX":{},"other":{}`), "Backing index [PREFIX-000000] has multiple rollup job owners"},
		{"an index before it has this job", "", owned(`"PREFIX":{}`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.create("PREFIX-src", sales)
			w.index("PREFIX-src", sold...)
			w.create("PREFIX-000001", "{"+c.write+aliased[1:])
			if c.other != "" {
				w.create("PREFIX-000000", "{"+strings.TrimSpace(c.other)+strings.Replace(aliased, "true", "false", 1)[1:])
			}
			defer w.run(w.transport)()
			w.must("PUT", "/_plugins/_rollup/jobs/PREFIX", intoAlias)
			w.settle()
			status, reason := `"failed"`, `"`+c.want+`"`
			if c.want == "" {
				status, reason = `"finished"`, `null`
			}
			w.want("status", w.progress("rollup", "status"), status)
			w.want("reason", w.progress("rollup", "failure_reason"), reason)
		})
	}
}
