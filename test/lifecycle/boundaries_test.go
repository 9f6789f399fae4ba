// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/test/unreliable"
)

// place is where a lifecycle stands in its documents: which step of which action, and what became of it.
type place string

func placeOf(m *ism.Metadata) place {
	switch {
	case m == nil:
		return "nowhere"
	case m.PolicyCompleted:
		return "the end"
	case m.Action == nil:
		return "the beginning"
	case m.Step == nil:
		return place(m.Action.Name)
	}
	return place(fmt.Sprintf("%s %s %s", m.Action.Name, m.Step.Name, m.Step.Status))
}

// life is a transport whose reconciler dies when it is about to store that the lifecycle of an index stands elsewhere: what
// led there is done. With after that is stored, and its answer is lost.
type life struct {
	next  http.RoundTripper
	uuid  string
	from  place
	after bool

	mu   sync.Mutex
	dead bool
	to   place
}

// RoundTrip is part of http.RoundTripper.
func (l *life) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock() // one request after the other: none overtakes death
	if l.dead {
		return nil, unreliable.ErrLost
	}
	if r.Method != http.MethodPost || r.URL.Path != "/_bulk" {
		return l.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	to, stores := stored(body, l.uuid)
	if !stores || to == l.from {
		return l.next.RoundTrip(r)
	}
	l.dead, l.to = true, to
	if l.after {
		return unreliable.LoseAnswer(l.next, r)
	}
	return nil, unreliable.ErrLost
}

func (l *life) died() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// stored is the place that a bulk request stores for an index, if it does.
func stored(bulk []byte, uuid string) (to place, stores bool) {
	lines := bytes.Split(bytes.TrimSpace(bulk), []byte("\n"))
	for i := 0; i < len(lines); i++ {
		var op map[string]struct {
			ID string `json:"_id"`
		}
		if json.Unmarshal(lines[i], &op) != nil {
			continue
		}
		_, deletes := op["delete"]
		for _, target := range op {
			if stores = target.ID == uuid+"#metadata"; stores && deletes {
				return placeOf(nil), true
			}
		}
		if deletes {
			continue
		}
		if i++; stores && i < len(lines) {
			m, err := ism.ReadMetadata(lines[i])
			return placeOf(m), err == nil
		}
	}
	return "", false
}

// TestAnActionThatIsKilledAtEachOfItsStepsEndsAsWithout lets a reconciler die wherever a lifecycle has moved on: first before that
// is stored, and the next one after. Each boundary of each step of each action is one that two reconcilers died at, and the
// end is that of a run without deaths.
func TestAnActionThatIsKilledAtEachOfItsStepsEndsAsWithout(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(everyAction)) {
		t.Run(name, func(t *testing.T) {
			rt := backend(t)
			want, _ := runAction(t, rt, name, unreliable.NewFaulty(rt, unreliable.LateAnswer, 0))
			got, places := killAction(t, rt, name)
			if got != want || !everyAction[name].endsAs(want) {
				t.Errorf("want (-), got (+):\n%s", cmp.Diff(want, got))
			}
			for _, step := range stepsOf(name) {
				if !slices.ContainsFunc(places, step.in) {
					t.Errorf("nobody died at %s of %s, only at %q", step.name, step.action, places)
				}
			}
		})
	}
}

func TestEveryActionIsKilled(t *testing.T) {
	killed := map[string]bool{}
	for name := range everyAction {
		for _, step := range stepsOf(name) {
			killed[step.action] = true
		}
	}
	for _, action := range ism.ActionTypes {
		if !killed[action] {
			t.Errorf("no reconciler dies at %s", action)
		}
	}
}

// oneStep is a step of an action.
type oneStep struct{ action, name string }

// in reports whether the step has moved on to this place; that of a delete leaves no documents.
func (s oneStep) in(p place) bool {
	return strings.HasPrefix(string(p), s.action+" "+s.name+" ") || s.action == ism.ActionDelete && p == placeOf(nil)
}

// stepsOf are the steps of the actions of a policy.
func stepsOf(name string) (list []oneStep) {
	for _, action := range ism.ActionTypes {
		if !strings.Contains(everyAction[name].actions, `"`+action+`":{`) {
			continue
		}
		for _, step := range ism.Steps(action) {
			list = append(list, oneStep{action, step.Name})
		}
	}
	return list
}

// killAction runs a policy with one action on a new index by reconcilers that die wherever it has moved on, and returns
// what it leaves behind, and where they died.
func killAction(t *testing.T, cluster http.RoundTripper, name string) (end string, places []place) {
	t.Helper()
	w := newAction(t, cluster, name)
	defer w.clean()
	for n := 0; !w.ended(); n++ {
		if n > 100 {
			t.Fatalf("after %d deaths it is at %q", n, places)
		}
		l := &life{next: cluster, uuid: w.uuid, from: placeOf(w.metadata(w.uuid)), after: n%2 == 1}
		stop := w.runJobs(l)
		w.wait("its death or the end", func() bool { return l.died() || w.ended() })
		stop()
		if l.after && l.died() {
			places = append(places, l.to)
		}
	}
	stop := w.runJobs(cluster) // whatever is left to do
	w.wait("the end", w.ended)
	stop()
	return w.leftBehind(), places
}
