// SPDX-License-Identifier: Apache-2.0

package rollup_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opensteward/steward/test/unreliable"
)

// dies runs a runner that dies before its n-th request, and reports whether it came that far before its work was done.
func (w *world) dies(n int) bool {
	w.t.Helper()
	rt := unreliable.NewMortal(w.transport, n, false)
	stop := w.run(rt)
	defer stop()
	w.settle()
	return rt.Dead()
}

// everyDeath runs a job once for each request (or each few) before which the runner can die, and lets another runner
// finish.
func everyDeath(t *testing.T, each int, path, job string, check func(w *world)) {
	t.Helper()
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	for n, died := 1, true; died; n += each {
		w.again()
		w.must("PUT", path+"PREFIX", job)
		w.advance(11 * time.Minute) // beyond the delay of a continuous rollup
		died = w.dies(n)
		stop := w.run(w.transport)
		w.settle()
		check(w)
		stop()
		w.must("DELETE", path+"PREFIX"+map[bool]string{true: "?force=true"}[strings.Contains(path, "transform")], "")
		if t.Failed() {
			t.Fatalf("after a death before request %d", n)
		}
	}
}

const rollups, transforms = "/_plugins/_rollup/jobs/", "/_plugins/_transform/"

func TestARollupThatDiesAtAnyRequestIsFinishedWithTheSameDocuments(t *testing.T) {
	everyDeath(t, 1, rollups, hourly, func(w *world) {
		w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
		w.want("status", w.progress("rollup", "status"), `"finished"`)
		w.want("documents processed", w.progress("rollup", "stats", "documents_processed"), `5`)
		w.want("rollups indexed", w.progress("rollup", "stats", "rollups_indexed"), `4`)
		if job := w.must("GET", rollups+"PREFIX", ""); !strings.Contains(job, `"enabled":false,`) {
			w.t.Errorf("the job is not disabled: %s", job)
		}
	})
}

func TestAContinuousRollupThatDiesAtAnyRequestGoesOn(t *testing.T) {
	everyDeath(t, 3, rollups, continuous, func(w *world) {
		w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
		w.want("rollups indexed", w.progress("rollup", "stats", "rollups_indexed"), `4`)
		w.want("the window then", w.progress("rollup", "continuous"),
			`{"next_window_start_time":1772445600000,"next_window_end_time":1772449200000}`)
	})
}

func TestATransformThatDiesAtAnyRequestIsFinishedWithTheSameDocuments(t *testing.T) {
	everyDeath(t, 1, transforms, byHost, func(w *world) {
		w.want("documents", w.documents("PREFIX-out", "total"), transformed)
		w.want("status", w.progress("transform", "status"), `"finished"`)
		w.want("documents processed", w.progress("transform", "stats", "documents_processed"), `5`)
	})
}

func TestAContinuousTransformThatDiesAtAnyRequestGoesOn(t *testing.T) {
	everyDeath(t, 3, transforms, strings.Replace(byHost, `"page_size":2`, `"page_size":2,"continuous":true`, 1), func(w *world) {
		w.want("documents", w.documents("PREFIX-out", "total"), transformed)
		w.want("behind", w.progress("transform", "continuous_stats", "documents_behind"), `{"PREFIX-src":0}`)
	})
}

// refusing answers one request with a status, or panics if that is 0.
type refusing struct {
	next   http.RoundTripper
	mu     sync.Mutex
	left   int // how many requests are answered before
	status int
}

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.left--
	refuse := r.left == -1
	r.mu.Unlock()
	if !refuse {
		return r.next.RoundTrip(req)
	}
	if r.status == 0 {
		panic("a mistake in the program")
	}
	return answer(r.status, `{"error":{"type":"rejected_execution_exception","reason":"busy"},"status":429}`), nil
}

func TestABusyClusterAndAPanicOnlyDelayAJob(t *testing.T) {
	w := newWorld(t)
	w.create("PREFIX-src", sales)
	w.index("PREFIX-src", sold...)
	for n, refused := 2, true; refused; n += 3 { // the first two requests look for jobs
		status := []int{429, 503, 0}[n/3%3]
		w.again()
		w.must("PUT", rollups+"PREFIX", hourly)
		rt := &refusing{next: w.transport, left: n, status: status}
		stop := w.run(rt)
		w.advance(time.Minute)
		w.want(fmt.Sprintf("status after a %d to request %d", status, n+1), w.progress("rollup", "status"), `"finished"`)
		w.want("documents", w.documents("PREFIX-out", "n.sum"), rolledUp)
		stop()
		refused = rt.left < 0
		if t.Failed() {
			return
		}
	}
}
