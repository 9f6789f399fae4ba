// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/opensearch"
)

// Deprovision takes away what a workflow has made, in rounds; a run under way is stopped first, at its next step
// boundary. allowed are the ids of resources that go only with the caller's consent. It returns when everything is gone,
// or the API's error that names what is left. If ctx ends, the work goes on.
func (s *Service) Deprovision(ctx context.Context, id string, allowed []string) error {
	st, err := s.readState(ctx, id)
	if err != nil {
		return own(err, "Failed to get workflow state for workflow %s", id)
	}
	if !st.found {
		return flow.Errorf(http.StatusNotFound, "Failed to get workflow state for workflow %s", id)
	}
	ask := &undoRecord{ID: newID(), Allow: allowed}
	x, err := s.request(ctx, id, st.Start, func(d *runDocument) {
		d.Goal, d.Open, d.Undo = goalDeprovision, true, ask
	})
	if err != nil {
		return own(err, "Failed to reset workflow state")
	}
	f, err := s.undone(ctx, id, ask.ID, x)
	switch {
	case err != nil:
		return own(err, "Failed to reset workflow state")
	case f != nil:
		return flow.Errorf(f.Status, "%s", f.Text)
	}
	return nil
}

// request changes a workflow's run on a caller's behalf: through whoever works on it here, else in the document, and
// then it begins to work on it. x is nil if another process has to.
func (s *Service) request(ctx context.Context, id string, start int64, fn func(d *runDocument)) (x *execution, err error) {
	for {
		if x := s.working(id); x != nil {
			asked, err := x.rec.ask(s.recording, fn)
			if asked || err != nil && !isLost(err) {
				return x, err
			}
			select {
			case <-x.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			continue
		}
		x, err = s.requested(id, start, fn)
		if !isConflict(err) {
			return x, err
		}
	}
}

// requested changes the run of a workflow that nobody works on here.
func (s *Service) requested(id string, start int64, fn func(d *runDocument)) (*execution, error) {
	ctx, cancel := s.detached()
	defer cancel()
	defer s.locks.lock(id)()
	if s.working(id) != nil {
		return nil, errBusy
	}
	run, err := s.runOf(ctx, id, start)
	if err != nil {
		return nil, err
	}
	fn(run.runDocument)
	if err := patiently(ctx, func() error { return s.writeRun(ctx, &run) }); err != nil {
		return nil, err
	}
	st, err := s.readState(ctx, id)
	if err != nil {
		s.lookSoon()
		return nil, err
	}
	return s.launch(run, st), nil
}

// errBusy is a conflict: somebody has begun to work on the workflow meanwhile.
var errBusy = flow.Errorf(http.StatusConflict, "the workflow is being worked on")

// runOf reads a workflow's run document, or begins one.
func (s *Service) runOf(ctx context.Context, id string, start int64) (storedRun, error) {
	run, err := readRun(ctx, s.client, id)
	if err != nil || run.found {
		return run, err
	}
	if err := s.ensureRunIndex(ctx); err != nil {
		return run, err
	}
	run.runDocument = &runDocument{Workflow: id, Start: start}
	return run, nil
}

// undone waits until a deprovisioning has ended, and returns what is to be said of what stayed.
func (s *Service) undone(ctx context.Context, id, ask string, x *execution) (f *failureRecord, err error) {
	if x != nil {
		select {
		case <-x.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if x.undone == ask {
			return nil, nil // whatever was begun since
		}
	}
	for {
		run, err := readRun(ctx, s.client, id)
		switch {
		case err != nil && !passing(err):
			return nil, err
		case err == nil && !run.found:
			return nil, nil // nothing stayed
		case err == nil && (run.Undo == nil || run.Undo.ID != ask):
			return nil, flow.Errorf(http.StatusConflict, "Workflow %s was deprovisioned by another request", id)
		case err == nil && run.Undo.Done:
			return run.Undo.Failure, nil
		}
		if err := pauseFor(ctx, lookAgain); err != nil {
			return nil, err
		}
	}
}

// deprovision takes away what there is, as the run asks for.
func (x *execution) deprovision(ctx context.Context, timeout time.Duration) error {
	x.rec.onAsk(func() {})
	x.settle(ctx)
	var made []Resource
	var ask undoRecord
	x.rec.look(func(d *runDocument, st *State) {
		made = slices.Clone(st.Resources)
		if d.Undo != nil {
			ask = *d.Undo
		}
	})
	left, failure := Undo(ctx, made, ask.Allow, x.undoing(ctx, timeout))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case x.rec.broken() != nil:
		return x.rec.broken()
	case len(left) > 0:
		return x.partly(ctx, ask.ID, left, failure)
	}
	return x.wholly(ctx, ask.ID)
}

// undoing says how a resource of this workflow is taken away.
func (x *execution) undoing(ctx context.Context, timeout time.Duration) Undoing {
	after := map[string][]string{}
	x.rec.look(func(d *runDocument, _ *State) {
		for _, n := range d.Nodes {
			after[n.ID] = n.After
		}
	})
	takeAway := func(ctx context.Context, step string, r Resource) error {
		return fault.Guard(x.s.log, "deprovisioning", func() error { return x.takeAway(ctx, step, r, timeout) })
	}
	return Undoing{Delete: takeAway, Forget: func(_ context.Context, r Resource) error {
		return x.rec.change(ctx, func(_ *runDocument, st *State) bool {
			st.remove(r)
			return true
		})
	}, After: after}
}

// takeAway runs the step that takes a resource away. It tries again while the cluster says "not now".
func (x *execution) takeAway(ctx context.Context, name string, r Resource, timeout time.Duration) error {
	found, ok := step.Find(name)
	if !ok {
		return flow.Errorf(http.StatusBadRequest, "Unable to find deprovision step for step: %s", r.Step)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	env := x.env(r.Node)
	env.Left, env.Gave = x.left(r.Node)
	env.Note = func(context.Context, any) error { return nil }
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		_, err := found.Run(ctx, env, flow.Inputs{{Name: r.Type, Value: r.ID}})
		if err == nil || !passing(err) || pauseFor(ctx, pause) != nil {
			return err
		}
	}
}

// left are the last note and the outputs of the node that made a resource.
func (x *execution) left(node string) (note json.RawMessage, gave flow.Outputs) {
	x.rec.look(func(d *runDocument, _ *State) {
		if n := d.node(node); n != nil {
			note, gave = n.Note, x.s.openOutputs(x.id, n)
		}
	})
	return note, gave
}

// settle finds what attempts have made whose end nobody saw, so that it goes too.
func (x *execution) settle(ctx context.Context) {
	var open []string
	x.rec.look(func(d *runDocument, _ *State) {
		for _, n := range d.Nodes {
			if n.Unseen && n.Status != nodeCompleted && d.Kept != "" {
				open = append(open, n.ID)
			}
		}
	})
	if len(open) == 0 {
		return
	}
	if err := x.prepare(); err != nil {
		x.s.log.Error("what unfinished steps have made cannot be looked for", "workflow", x.id, "steps", open, "err", err)
		return
	}
	outputs := x.finished()
	for _, p := range x.plan {
		if !slices.Contains(open, p.Node.ID) {
			continue
		}
		a, err := x.attempt(p, outputs)
		if err != nil || a.step.Look == nil {
			continue
		}
		res, err := a.look(ctx)
		if err == nil {
			err = x.nodeDone(p, res)
		}
		if err != nil && ctx.Err() == nil {
			x.s.log.Debug("an unfinished step has made nothing", "workflow", x.id, "step", p.Node.ID, "err", err)
		}
	}
}

// partly stores what is left.
func (x *execution) partly(ctx context.Context, ask string, left []Resource, failure error) error {
	e := fault.Of(failure)
	err := x.rec.change(ctx, func(_ *runDocument, st *State) bool {
		st.finish(x.s.now(), "")
		st.Resources = left
		return true
	})
	if err != nil {
		return err
	}
	return x.rec.change(ctx, func(d *runDocument, _ *State) bool {
		if d.Undo != nil && d.Undo.ID == ask {
			d.Open, d.Cancel, d.Kept = false, false, ""
			d.Undo.Done, d.Undo.Failure = true, &failureRecord{Text: e.Reason, Status: e.Status}
		}
		return false
	})
}

// wholly puts the workflow back to its beginning, or forgets it if its template is gone.
func (x *execution) wholly(ctx context.Context, ask string) error {
	_, err := x.s.readTemplate(ctx, x.id)
	gone := err != nil && fault.HasStatus(err, http.StatusNotFound)
	if err != nil && !gone {
		return err
	}
	err = x.rec.change(ctx, func(_ *runDocument, st *State) bool {
		*st = newState(x.id, st.TenantID, st.User)
		return true
	})
	if err == nil && gone {
		_, err = x.s.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: StateIndex, ID: x.id}, "")
	}
	if err != nil {
		return err
	}
	again := false
	x.rec.look(func(d *runDocument, _ *State) { again = d.Undo != nil && d.Undo.ID != ask })
	if again {
		return nil // somebody asked once more meanwhile
	}
	x.undone = ask
	switch err := x.s.deleteRun(ctx, x.id, x.rec.version()); {
	case isConflict(err): // the state says that nothing is left: somebody has begun anew since
		x.s.lookSoon()
		return errLost
	case err != nil:
		return err
	}
	x.rec.remember(func(d *runDocument) { d.Open = false })
	return nil
}

// rollback takes away what the run has made, whatever consent that would need else.
func (x *execution) rollback(ctx context.Context) error {
	timeout, err := x.s.RequestTimeout(ctx)
	if err != nil {
		return err
	}
	var made []Resource
	var ids []string
	x.rec.look(func(d *runDocument, st *State) {
		for _, r := range st.Resources {
			if !contains(x.before, r) {
				made, ids = append(made, r), append(ids, r.ID)
			}
		}
	})
	left, _ := Undo(ctx, made, ids, x.undoing(ctx, timeout)) // what stays is in the state
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return x.rec.change(ctx, func(d *runDocument, _ *State) bool {
		for _, n := range d.Nodes {
			if len(n.Made) > 0 && !slices.ContainsFunc(n.Made, func(r Resource) bool { return contains(left, r) }) {
				n.Status, n.Made, n.Note, n.Outputs = nodePending, nil, nil, ""
			}
		}
		return false
	})
}
