// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
)

const snapshots = `{"snapshot":{"repository":"backup","snapshot":"s-{{ctx.index}}"}}`

// named is the name that a snapshot begun at now gets.
const named = "s-logs-1-2026.03.01-12:00:00.000"

const (
	putSnapshot = "PUT /_snapshot/backup/" + named
	getSnapshot = "GET /_snapshot/backup/" + named
)

var (
	accepted  = ok(`{"accepted":true}`)
	nameTaken = refusal(400, "invalid_snapshot_name_exception", "[backup:x] Invalid snapshot name [x], snapshot with the same name already exists")
	taking    = refusal(400, "invalid_snapshot_name_exception", "[backup:x] Invalid snapshot name [x], snapshot with the same name is already in-progress")
	badName   = refusal(400, "invalid_snapshot_name_exception", "[backup:x] Invalid snapshot name [x], must be lowercase")
	noBackup  = refusal(404, "repository_missing_exception", "[backup] missing")
	noName    = refusal(404, "snapshot_missing_exception", "[backup:x] is missing")
	parallel  = refusal(503, "concurrent_snapshot_execution_exception", "[backup:x] a snapshot is already running")
)

// snapshotOf is what a repository says of the snapshot.
func snapshotOf(state, index string) answer {
	return ok(`{"snapshots":[{"snapshot":"` + named + `","uuid":"u","state":"` + state + `","indices":["` + index + `"]}]}`)
}

func run(e *action.Env, step string) (ism.Result, error) {
	return action.Lookup(step).Run(context.Background(), e)
}

func TestASnapshotIsBegunUnderANameThatWasStoredBefore(t *testing.T) {
	s := &script{answers: map[string][]answer{putSnapshot: {accepted}}}
	e := env(t, s, snapshots)
	r, err := run(e, "attempt_snapshot")
	check(t, r, err, want{"completed", "Successfully started snapshot [index=logs-1]", ""})
	if got := *r.Properties.SnapshotName; got != named {
		t.Errorf("snapshot_name %q", got)
	}
	if kept := e.Intentions.(*memory).kept; kept == nil || kept.Snapshot != named {
		t.Errorf("intention %+v", kept)
	}
	body := `{"indices":"logs-1","include_global_state":false,"metadata":{"snapshot_created":"Open Distro for Elasticsearch Index Management"}}`
	if diff := cmp.Diff([]string{body}, s.bodies); diff != "" {
		t.Error(diff)
	}
}

func TestNoSnapshotIsBegunUnderANameThatCouldNotBeStored(t *testing.T) {
	s := &script{}
	e := env(t, s, snapshots)
	e.Intentions = &memory{}
	if _, err := run(e, "attempt_snapshot"); err == nil || len(s.calls) > 0 {
		t.Errorf("%v, calls %v", err, s.calls)
	}
}

func TestAttemptSnapshotReportsAsThePluginDoes(t *testing.T) {
	const failed = "Failed to create snapshot [index=logs-1]"
	for _, c := range []struct {
		name    string
		answers map[string][]answer
		want    want
	}{
		{"the repository is missing", map[string][]answer{putSnapshot: {noBackup}}, want{"failed", failed, "[backup] missing"}},
		{
			"a bad name",
			map[string][]answer{putSnapshot: {badName}},
			want{"failed", failed, "[backup:x] Invalid snapshot name [x], must be lowercase"},
		},
		{
			"snapshots one at a time",
			map[string][]answer{putSnapshot: {parallel}},
			want{"condition_not_met", "Concurrent snapshot in progress, retrying next execution [index=logs-1]", ""},
		},
		{"the index is gone", map[string][]answer{putSnapshot: {absent}}, want{"failed", failed, "no such index [logs-1]"}},
		{"the call is not answered", map[string][]answer{putSnapshot: {unanswered}}, want{}},
		{"the cluster is overloaded", map[string][]answer{putSnapshot: {overloaded}}, want{}},
		{
			"the name is the index's own, of a call whose answer was lost",
			map[string][]answer{putSnapshot: {nameTaken}, getSnapshot: {snapshotOf("SUCCESS", "logs-1")}},
			want{"completed", "Successfully started snapshot [index=logs-1]", ""},
		},
		{
			"the same while it is being taken",
			map[string][]answer{putSnapshot: {taking}, getSnapshot: {snapshotOf("IN_PROGRESS", "logs-1")}},
			want{"completed", "Successfully started snapshot [index=logs-1]", ""},
		},
		{"whose the name is cannot be seen", map[string][]answer{putSnapshot: {nameTaken}, getSnapshot: {unanswered}}, want{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(env(t, &script{answers: c.answers}, snapshots), "attempt_snapshot")
			check(t, r, err, c.want)
			if c.want.status != "" && *r.Properties.SnapshotName != named {
				t.Errorf("snapshot_name %q", *r.Properties.SnapshotName)
			}
		})
	}
}

func TestASnapshotBegunBeforeACrashIsFoundAgain(t *testing.T) {
	s := &script{answers: map[string][]answer{putSnapshot: {unanswered, nameTaken}, getSnapshot: {snapshotOf("SUCCESS", "logs-1")}}}
	e := env(t, s, snapshots)
	if _, err := run(e, "attempt_snapshot"); err == nil {
		t.Fatal("the first call was answered")
	}
	e.Now = e.Now.Add(time.Minute) // the name stays
	r, err := run(e, "attempt_snapshot")
	check(t, r, err, want{"completed", "Successfully started snapshot [index=logs-1]", ""})
	if got := *r.Properties.SnapshotName; got != named {
		t.Errorf("snapshot_name %q", got)
	}
}

func TestASnapshotWhoseNameAnotherIndexHasGetsALaterOne(t *testing.T) {
	for _, c := range []struct {
		name string
		held answer
	}{{"another index", snapshotOf("SUCCESS", "logs-2")}, {"nobody any more", noName}} {
		t.Run(c.name, func(t *testing.T) {
			names := map[string]bool{}
			for _, uuid := range []string{"u1", "u2"} {
				s := &script{answers: map[string][]answer{putSnapshot: {nameTaken}, getSnapshot: {c.held}}}
				e := env(t, s, snapshots)
				e.UUID = uuid
				second := &memory{storeOK: true}
				e.Intentions = spy{second, func(i action.Intention) {
					if i.Snapshot != named {
						s.answers["PUT /_snapshot/backup/"+i.Snapshot] = []answer{accepted}
					}
				}}
				r, err := run(e, "attempt_snapshot")
				check(t, r, err, want{"completed", "Successfully started snapshot [index=logs-1]", ""})
				if got := *r.Properties.SnapshotName; got <= named || second.kept.Snapshot != got {
					t.Errorf("snapshot_name %q, stored %q", got, second.kept.Snapshot)
				}
				names[*r.Properties.SnapshotName] = true
			}
			if len(names) != 2 {
				t.Errorf("two indices in want of a name got the same: %v", names)
			}
		})
	}
}

// spy tells of what is stored before it is.
type spy struct {
	*memory
	tell func(action.Intention)
}

func (s spy) Store(ctx context.Context, i action.Intention) error {
	s.tell(i)
	return s.memory.Store(ctx, i)
}

func TestASnapshotForWhichThereIsNoNameFails(t *testing.T) {
	everywhere := map[string][]answer{}
	e := env(t, &script{answers: everywhere}, snapshots)
	e.Intentions = spy{&memory{storeOK: true}, func(i action.Intention) {
		everywhere["PUT /_snapshot/backup/"+i.Snapshot] = []answer{nameTaken}
		everywhere["GET /_snapshot/backup/"+i.Snapshot] = []answer{ok(`{"snapshots":[]}`)}
	}}
	r, err := run(e, "attempt_snapshot")
	check(t, r, err, want{"failed", "Failed to create snapshot [index=logs-1]", "[backup:x] Invalid snapshot name [x], snapshot with the same name already exists"})
}

func TestSnapshotsAreNamedByTheTemplate(t *testing.T) {
	const at = "-2026.03.01-12:00:00.000"
	for template, want := range map[string]string{
		"fixed":                     "fixed" + at,
		"{{ctx.index}}":             "logs-1" + at,
		"a-{{ctx.index}}-b":         "a-logs-1-b" + at,
		"{{ctx.indexUuid}}":         "logs-1" + at,
		"x{{ctx.index_uuid}}":       "x" + at,
		"{{ctx.state.name}}":        "logs-1" + at,
		"":                          at,
		"  ":                        at,
		"{{#ctx}}{{index}}{{/ctx}}": "logs-1" + at,
	} {
		s := &script{answers: map[string][]answer{"PUT /_snapshot/backup/" + want: {accepted}}}
		r, err := run(env(t, s, fmt.Sprintf(`{"snapshot":{"repository":"backup","snapshot":%q}}`, template)), "attempt_snapshot")
		if err != nil || r.Properties == nil || *r.Properties.SnapshotName != want {
			t.Errorf("%q: %+v %v, want %q", template, r, err, want)
		}
	}
}

func TestATemplateThatCannotBeRenderedFails(t *testing.T) {
	r, err := run(env(t, &script{}, `{"snapshot":{"repository":"backup","snapshot":"{{#ctx}}"}}`), "attempt_snapshot")
	if err != nil || r.Status != "failed" || r.Info.Text("message") != "Failed to create snapshot [index=logs-1]" || r.Info.Text("cause") == "" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestNoSnapshotIsTakenInARepositoryThatIsDenied(t *testing.T) {
	for _, denied := range [][]string{{"backup"}, {"other", "back*"}} {
		e := env(t, &script{}, snapshots)
		e.Config.DeniedRepositories = denied
		r, err := run(e, "attempt_snapshot")
		check(t, r, err, want{"failed", "Snapshot repository [backup] is blocked in [" + strings.Join(denied, ", ") + "] [index=logs-1]", ""})
	}
}

// waitingFor is the environment of wait_for_snapshot; lastRetry is when the action failed last, zero if it did not.
func waitingFor(t *testing.T, s *script, lastRetry time.Time) *action.Env {
	e := env(t, s, snapshots)
	name := named
	e.Meta.Action.Properties = &ism.Properties{SnapshotName: &name}
	if !lastRetry.IsZero() {
		ms := lastRetry.UnixMilli()
		e.Meta.Action.LastRetry = &ms
	}
	e.Now = now.Add(time.Hour)
	return e
}

func TestWaitForSnapshotReportsAsThePluginDoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer answer
		want   want
		state  string
	}{
		{"in progress", snapshotOf("IN_PROGRESS", "logs-1"), want{"condition_not_met", "Snapshot currently in progress [index=logs-1]", ""}, "IN_PROGRESS"},
		{"taken", snapshotOf("SUCCESS", "logs-1"), want{"completed", "Successfully created snapshot [index=logs-1]", ""}, "SUCCESS"},
		{"partial", snapshotOf("PARTIAL", "logs-1"), want{"failed", "Snapshot doesn't exist [index=logs-1]", ""}, "PARTIAL"},
		{"failed", snapshotOf("FAILED", "logs-1"), want{"failed", "Snapshot doesn't exist [index=logs-1]", ""}, "FAILED"},
		{"not listed", ok(`{"snapshots":[]}`), want{"failed", "Snapshot doesn't exist [index=logs-1]", ""}, ""},
		{"missing", noName, want{"failed", "Failed to get status of snapshot [index=logs-1]", "[backup:x] is missing"}, ""},
		{"no repository", noBackup, want{"failed", "Failed to get status of snapshot [index=logs-1]", "[backup] missing"}, ""},
		{"not answered", unanswered, want{}, ""},
		{"overloaded", overloaded, want{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(waitingFor(t, &script{answers: map[string][]answer{getSnapshot: {c.answer}}}, time.Time{}), "wait_for_snapshot")
			check(t, r, err, c.want)
			if got := r.Info.Text("state"); got != c.state {
				t.Errorf("state %q, want %q", got, c.state)
			}
			if r.Properties != nil || r.DropProperties {
				t.Error("the name is not kept")
			}
		})
	}
}

func TestASmallSnapshotIsWaitedForAtOnce(t *testing.T) {
	for _, c := range []struct {
		name  string
		looks int // that find it in progress
		want  want
		took  time.Duration
	}{
		{"taken soon", 3, want{"completed", "Successfully created snapshot [index=logs-1]", ""}, 35 * time.Millisecond},
		{"taken late", 100, want{"condition_not_met", "Snapshot currently in progress [index=logs-1]", ""}, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := append(slices.Repeat([]answer{snapshotOf("IN_PROGRESS", "logs-1")}, c.looks), snapshotOf("SUCCESS", "logs-1"))
				e := waitingFor(t, &script{answers: map[string][]answer{getSnapshot: answers}}, time.Time{})
				e.Meta.Step = &ism.StepMeta{Name: "wait_for_snapshot", StartTime: e.Now}
				began := time.Now()
				r, err := run(e, "wait_for_snapshot")
				check(t, r, err, c.want)
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
}

func TestWithoutANameThereIsNothingToWaitFor(t *testing.T) {
	e := env(t, &script{}, snapshots)
	r, err := run(e, "wait_for_snapshot")
	check(t, r, err, want{"failed", "Unable to retrieve [snapshot_name] from ActionProperties=null [index=logs-1]", ""})
}

func TestASnapshotThatIsNoGoodIsTakenAgainAtTheNextTry(t *testing.T) {
	const again = "s-logs-1-2026.03.01-13:00:00.000"
	for _, c := range []struct {
		name   string
		answer answer
	}{
		{"lost", noName},
		{"failed", snapshotOf("FAILED", "logs-1")},
		{"partial", snapshotOf("PARTIAL", "logs-1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{getSnapshot: {c.answer}, "PUT /_snapshot/backup/" + again: {unanswered, accepted}}}
			e := waitingFor(t, s, now.Add(time.Minute))
			if _, err := run(e, "wait_for_snapshot"); err == nil {
				t.Fatal("the first call was answered")
			}
			r, err := run(e, "wait_for_snapshot")
			check(t, r, err, want{"condition_not_met", "Snapshot currently in progress [index=logs-1]", ""})
			if got := *r.Properties.SnapshotName; got != again {
				t.Errorf("snapshot_name %q", got)
			}
			if !slices.Equal(s.calls, []string{"PUT /_snapshot/backup/" + again, "PUT /_snapshot/backup/" + again}) {
				t.Errorf("calls %v", s.calls)
			}
		})
	}
}

func TestASnapshotIsNotTakenAgain(t *testing.T) {
	missing := want{"failed", "Failed to get status of snapshot [index=logs-1]", "[backup:x] is missing"}
	for _, c := range []struct {
		name   string
		change func(*action.Env)
	}{
		{"at the first look", func(e *action.Env) { e.Meta.Action.LastRetry = nil }},
		{"twice in one try", func(e *action.Env) { *e.Meta.Action.LastRetry = now.UnixMilli() }},
		{"at native pace", func(e *action.Env) { e.Config.Native = true }},
		{"under a name that tells no time", func(e *action.Env) {
			name := "by-hand"
			e.Meta.Action.Properties.SnapshotName = &name
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: map[string][]answer{getSnapshot: {noName}, "GET /_snapshot/backup/by-hand": {noName}}}
			e := waitingFor(t, s, now.Add(time.Minute))
			c.change(e)
			r, err := run(e, "wait_for_snapshot")
			check(t, r, err, missing)
		})
	}
}
