// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
)

// lookTimeout bounds the look for what an attempt has made whose end was not seen.
const lookTimeout = 5 * time.Second

// attempt is one node of a run under way.
type attempt struct {
	x      *execution
	p      flow.Planned
	rec    *nodeRecord // changed under the record's lock only
	step   step.Step
	env    step.Env
	inputs flow.Inputs
}

// do is Hooks.Do: it runs a node within its time-out and stores what came of it.
func (x *execution) do(ctx context.Context, p flow.Planned, before map[string]flow.Outputs) (flow.Outputs, error) {
	a, err := x.attempt(p, before)
	if err != nil {
		return nil, x.nodeFailed(p.Node.ID, err, nil)
	}
	// What has begun ends by itself or by its time-out, so that nothing is made that is not recorded; a delay makes
	// nothing, and is not bounded.
	bound := ctx
	if p.Node.Type != "noop" {
		select {
		case x.s.slots <- struct{}{}:
			defer func() { <-x.s.slots }()
		case <-ctx.Done():
			return nil, errNotRun
		}
		var cancel context.CancelFunc
		bound, cancel = context.WithTimeout(context.WithoutCancel(ctx), p.Timeout)
		defer cancel()
	}
	if ctx.Err() != nil || x.rec.broken() != nil {
		return nil, errNotRun
	}
	res, err := a.run(bound)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil, x.rec.broken() != nil:
		x.rec.remember(func(*runDocument) { a.rec.Status = nodePending }) // it is to run from its beginning
		return nil, errNotRun
	case err != nil:
		return nil, x.nodeFailed(p.Node.ID, err, a.late(err))
	}
	if err := x.nodeDone(p, res); err != nil {
		return nil, errNotRun
	}
	return res.Outputs, nil
}

// attempt resolves a node's inputs and prepares what its step may use.
func (x *execution) attempt(p flow.Planned, before map[string]flow.Outputs) (*attempt, error) {
	found, ok := step.Find(p.Node.Type)
	if !ok {
		return nil, flow.Errorf(http.StatusNotImplemented, "Workflow step type [%s] is not implemented.", p.Node.Type)
	}
	inputs, err := flow.Resolve(p, found.Optional, flow.Scope{
		WorkflowID: x.id, UserParams: x.workflow.UserParams, Outputs: before, Params: x.params,
	})
	if err != nil {
		return nil, err
	}
	a := &attempt{x: x, p: p, step: found, inputs: inputs}
	x.rec.look(func(d *runDocument, _ *State) { a.rec = d.node(p.Node.ID) })
	a.env = x.env(p.Node.ID)
	a.env.Wait, a.env.Node, a.env.Before, a.env.Note = a.wait, p, before, a.note
	return a, nil
}

// run makes attempts until one ends for good.
func (a *attempt) run(ctx context.Context) (step.Result, error) {
	unseen := a.begin()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		res, err := a.once(ctx, unseen)
		if err == nil || !passing(err) {
			return res, err
		}
		unseen = true
		a.x.rec.remember(func(*runDocument) { a.rec.Attempts++ })
		if stopped := a.pause(ctx, pause); stopped != nil {
			return res, errors.Join(stopped, err)
		}
	}
}

// pause waits before the next attempt, unless the node's time or the process ends.
func (a *attempt) pause(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.x.s.ctx, cancel)()
	return pauseFor(ctx, d)
}

// begin notes that the node runs, and returns whether an earlier attempt's end was not seen.
func (a *attempt) begin() (unseen bool) {
	a.x.rec.remember(func(*runDocument) {
		unseen = a.rec.Unseen
		a.rec.Status, a.rec.Start, a.rec.End, a.rec.Error = nodeRunning, a.x.s.now(), 0, nil
		a.rec.Attempts++
	})
	return unseen
}

// once finds what an attempt whose end was not seen has made, else runs the step. A call of that attempt may arrive
// later still: when the step is refused, it is looked for once more.
func (a *attempt) once(ctx context.Context, unseen bool) (step.Result, error) {
	if !unseen || a.step.Look == nil {
		return a.step.Run(ctx, a.env, a.inputs)
	}
	res, err := a.look(ctx)
	if !errors.Is(err, step.ErrNotMade) {
		return res, err
	}
	res, err = a.step.Run(ctx, a.env, a.inputs)
	if err == nil || passing(err) {
		return res, err
	}
	if late, missing := a.look(ctx); missing == nil {
		return late, nil
	}
	return res, err
}

func (a *attempt) look(ctx context.Context) (step.Result, error) {
	var note json.RawMessage
	a.x.rec.look(func(*runDocument, *State) { note = a.rec.Note })
	return a.step.Look(ctx, a.env, a.inputs, note)
}

// note is Env.Note.
func (a *attempt) note(_ context.Context, v any) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	return a.x.rec.change(a.x.s.recording, func(*runDocument, *State) bool {
		a.rec.Note, a.rec.Unseen = text, true
		return false
	})
}

// wait is Env.Wait: the clock may move meanwhile, and stands again when it returns.
func (a *attempt) wait(ctx context.Context, d time.Duration) error {
	clock := a.x.s.o.Clock
	alarm := clock.Alarm(clock.Now().Add(d))
	defer alarm.Stop()
	a.x.act.leave()
	select {
	case release := <-alarm.C:
		a.x.act.enter()
		release()
		return nil
	case <-ctx.Done():
		a.x.act.enter()
		return ctx.Err()
	}
}

// late finds what a failed attempt has made all the same, if its end was not seen. nil means nothing.
func (a *attempt) late(cause error) *step.Result {
	seen := !passing(cause) && !errors.Is(cause, context.DeadlineExceeded)
	if a.step.Look == nil || seen {
		a.x.rec.remember(func(*runDocument) { a.rec.Unseen = false })
		return nil
	}
	ctx, cancel := context.WithTimeout(a.x.s.recording, lookTimeout)
	defer cancel()
	res, err := a.look(ctx)
	if err != nil {
		return nil // the note stays, for whoever takes things away or goes on
	}
	return &res
}

// nodeDone stores that a node is done, and what it made.
func (x *execution) nodeDone(p flow.Planned, res step.Result) error {
	outputs, err := x.s.sealOutputs(x.id, p.Node.ID, res.Outputs)
	if err != nil {
		return err
	}
	made, note, err := x.made(p, res)
	if err != nil {
		return err
	}
	return x.rec.change(x.s.recording, func(d *runDocument, st *State) bool {
		n := d.node(p.Node.ID)
		n.Status, n.End, n.Outputs, n.Adopted, n.Unseen = nodeCompleted, x.s.now(), outputs, res.Adopted, false
		n.made(made, note)
		for _, r := range made {
			st.add(r)
		}
		return len(made) > 0
	})
}

func (n *nodeRecord) made(made []Resource, note json.RawMessage) {
	for _, r := range made {
		if !slices.Contains(n.Made, r) {
			n.Made = append(n.Made, r)
		}
	}
	if note != nil {
		n.Note = note
	}
}

// made are the resources of a result, and its note.
func (x *execution) made(p flow.Planned, res step.Result) (made []Resource, note json.RawMessage, err error) {
	if res.Note != nil {
		if note, err = marshal(res.Note); err != nil {
			return nil, nil, err
		}
	}
	if id, ok := res.Outputs[p.Type.Resource].(string); ok && p.Type.Resource != "" && !res.Adopted {
		made = append(made, Resource{Step: p.Node.Type, Node: p.Node.ID, Type: p.Type.Resource, ID: id})
	}
	for _, r := range res.Also {
		r.Node = p.Node.ID
		made = append(made, r)
	}
	return made, note, nil
}

// nodeFailed stores that a node has failed, and what it made all the same; nil means nothing. It returns the failure.
func (x *execution) nodeFailed(id string, cause error, late *step.Result) error {
	f := x.nodeFailure(id, cause)
	var made []Resource
	var note json.RawMessage
	if late != nil {
		for _, p := range x.plan {
			if p.Node.ID == id {
				made, note, _ = x.made(p, *late) // its note was marshalled before
			}
		}
	}
	err := x.rec.change(x.s.recording, func(d *runDocument, st *State) bool {
		n := d.node(id)
		n.Status, n.End, n.Error = nodeFailed, x.s.now(), f
		n.made(made, note)
		if late != nil {
			n.Unseen = false
		}
		for _, r := range made {
			st.add(r)
		}
		return len(made) > 0
	})
	if err != nil {
		return errNotRun
	}
	return cause
}

// nodeFailure tells a node's failure, with the cluster's own type and reason.
func (x *execution) nodeFailure(id string, cause error) *failureRecord {
	e := &NodeError{Node: id, Err: cause}
	f := &failureRecord{Text: x.mask(e.Error()), Status: e.status()}
	if cluster := clusterFault(cause); cluster != nil {
		f.Type, f.Reason = cluster.Type, x.mask(cluster.Reason)
		f.Status = cluster.Status
	}
	return f
}

// clusterFault is the cluster's own answer behind a failure, or nil.
func clusterFault(err error) (found *fault.Error) {
	for ; err != nil; err = errors.Unwrap(err) {
		if f, is := err.(*fault.Error); is && f.Type != step.Class && !flow.IsOwn(f) { //nolint:errorlint // each link of the chain is looked at by itself
			found = f
		}
	}
	return found
}

// openOutputs are the outputs of a finished node; those that cannot be read count as none.
func (s *Service) openOutputs(id string, n *nodeRecord) flow.Outputs {
	text := n.Outputs
	if s.o.Keys != nil && text != "" {
		var err error
		if text, err = s.o.Keys.Open(text, runPrefix+id+"/"+n.ID); err != nil {
			s.log.Error("the outputs of a step cannot be read", "workflow", id, "step", n.ID, "err", err)
			return flow.Outputs{}
		}
	}
	out := flow.Outputs{}
	if text != "" && json.Unmarshal([]byte(text), &out) != nil {
		return flow.Outputs{}
	}
	return out
}

func (s *Service) sealOutputs(id, node string, out flow.Outputs) (string, error) {
	if len(out) == 0 {
		return "", nil
	}
	text, err := marshal(out)
	if err != nil || s.o.Keys == nil {
		return string(text), err
	}
	return s.o.Keys.Seal(string(text), runPrefix+id+"/"+node)
}

func contains(list []Resource, r Resource) bool { return slices.Contains(list, r) }

func containsText(list []string, s string) bool { return slices.Contains(list, s) }
