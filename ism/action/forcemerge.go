// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// mergePatience is how long attempt_call_force_merge waits for the merge before it leaves the rest to
// wait_for_force_merge, as in the plugin. A merge of its own is work, for which a virtual clock stands still: it has that
// long in real time.
const mergePatience = 5 * time.Minute

// mergePoll is how often (real time) it asks for a merge that somebody else started.
const mergePoll = time.Second

// mergeLimit is how long a merge may take from the start of the action, as in the plugin, unless the action has a
// timeout.
const mergeLimit = 12 * time.Hour

// attemptCallForceMerge starts a merge, or finds the one it started before a crash, and waits for it a while.
// Merging again is harmless.
func attemptCallForceMerge(ctx context.Context, e *Env) (ism.Result, error) {
	properties := &ism.Properties{MaxNumSegments: &e.Action.ForceMerge.MaxNumSegments}
	called := completed(e.message("Successfully called force merge"))
	called.Properties = properties
	switch over, err := mergeEnds(ctx, e); {
	case err != nil:
		return ism.Result{}, err
	case !over:
		return called, nil
	}
	finished := make(chan mergeOutcome, 1)
	if !startMerge(e, func(o mergeOutcome) { finished <- o }) {
		return called, nil // this process is at it
	}
	select {
	case o := <-finished:
		r, err := o.result(e)
		r.Properties = properties
		return r, err
	case <-time.After(mergePatience):
		return called, nil
	case <-ctx.Done():
		return ism.Result{}, ctx.Err()
	}
}

// mergeEnds waits for a merge that the cluster is at already, and reports whether it ended in time.
func mergeEnds(ctx context.Context, e *Env) (over bool, err error) {
	running, err := mergeRunning(ctx, e)
	if !running || err != nil {
		return err == nil, err
	}
	err = e.LetTimePass(ctx, mergePatience, func(limited context.Context) error {
		for running {
			select {
			case <-time.After(mergePoll):
			case <-limited.Done():
				return ctx.Err()
			}
			if running, err = mergeRunning(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	return !running, err
}

type mergeOutcome struct {
	failures []string
	err      error
}

func (o mergeOutcome) result(e *Env) (ism.Result, error) {
	failed := e.message("Failed to start force merge")
	switch {
	case o.err != nil:
		return refused(o.err, failed)
	case len(o.failures) > 0:
		info := failed.With("status", "INTERNAL_SERVER_ERROR").With("shard_failures", o.failures)
		return ism.Result{Status: ism.StatusFailed, Info: info}, nil
	default:
		return completed(e.message("Successfully completed force merge")), nil
	}
}

// startMerge merges in the background, unless this process is merging the index already.
func startMerge(e *Env, finished func(mergeOutcome)) bool {
	return e.Background(func(ctx context.Context) {
		failures, err := e.Client.ForceMerge(ctx, e.Index, e.Action.ForceMerge.MaxNumSegments)
		finished(mergeOutcome{failures, err})
	})
}

// waitForForceMerge waits until no shard copy has more segments than asked for. A merge that was lost with its node
// or with this process is started again.
func waitForForceMerge(ctx context.Context, e *Env) (ism.Result, error) {
	stored := e.Meta.Action.Properties
	if stored == nil || stored.MaxNumSegments == nil {
		info := ism.Message("Unable to retrieve [max_num_segments] from ActionProperties=" + stored.String())
		return ism.Result{Status: ism.StatusFailed, Info: info}, nil
	}
	check := e.message("Failed to check segments when waiting for force merge to complete")
	stats, err := e.Client.Stats(ctx, []string{e.Index})
	if err != nil {
		return refused(err, check)
	}
	s, ok := stats[e.Index]
	switch {
	case !ok:
		return ism.Result{Status: ism.StatusFailed, Info: check}, nil
	case len(s.Failures) > 0:
		return ism.Result{Status: ism.StatusFailed, Info: check.With("shard_failures", s.Failures)}, nil
	case merged(s, *stored.MaxNumSegments):
		r := completed(e.message("Successfully confirmed segments force merged"))
		r.DropProperties = true
		return r, nil
	case e.Now.Sub(e.actionStart()) > e.mergeLimit():
		return ism.Result{Status: ism.StatusFailed, Info: e.message("Force merge timed out")}, nil
	}
	running, err := mergeRunning(ctx, e)
	if err != nil {
		return ism.Result{}, err
	}
	if !running {
		startMerge(e, func(mergeOutcome) {}) // what becomes of it shows in the segments
	}
	return waiting(e.message("Waiting for force merge to complete")), nil
}

func merged(s opensearch.IndexStats, segments int) bool {
	return !slices.ContainsFunc(s.Segments, func(n int64) bool { return n > int64(segments) })
}

func (e *Env) mergeLimit() time.Duration {
	if t := e.Action.Timeout; t != nil {
		return t.Value()
	}
	return mergeLimit
}

// mergeRunning reports whether the cluster is merging the index now, whoever asked for it. A cluster that does not
// list tasks has none.
func mergeRunning(ctx context.Context, e *Env) (bool, error) {
	var answer struct {
		Nodes map[string]struct {
			Tasks map[string]struct {
				Description string `json:"description"`
			} `json:"tasks"`
		} `json:"nodes"`
	}
	err := e.Client.Do(ctx, opensearch.Call{
		Method: http.MethodGet, Path: "/_tasks",
		Query: url.Values{"actions": {"indices:admin/forcemerge"}, "detailed": {"true"}},
	}, &answer)
	if err != nil {
		if Unanswered(err) {
			return false, err
		}
		return false, nil
	}
	for _, node := range answer.Nodes {
		for _, task := range node.Tasks {
			if names(task.Description, e.Index) {
				return true, nil
			}
		}
	}
	return false, nil
}

// names reports whether a task's description, "Force-merge indices [a, b], maxSegments[1], ...", names the index.
func names(description, index string) bool {
	_, list, _ := strings.Cut(description, "[")
	list, _, _ = strings.Cut(list, "]")
	return slices.Contains(strings.Split(list, ", "), index)
}
