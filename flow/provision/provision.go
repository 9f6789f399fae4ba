// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
)

// Request says how to provision.
type Request struct {
	// Params are the substitution values.
	Params []flow.Param
	// Given are the names of the parameters that are this program's own (dry_run, resume, on_failure) and were given.
	// They are never substitution values: a template that has a placeholder of such a name is refused.
	Given []string
	// Wait is how long to wait for the end; below 0 not at all.
	Wait time.Duration
	// Resume goes on from what is there after a failure.
	Resume bool
	// Rollback takes away what the run made if it fails.
	Rollback bool
}

// beginTimeout bounds the wait of a request that waits for nothing but the beginning.
const beginTimeout = 5 * time.Second

// lookAgain is the pause between two looks for the end of what another process does.
const lookAgain = 100 * time.Millisecond

// ErrAlready is returned by a Provision that is to resume a workflow that is COMPLETED: nothing was done.
var ErrAlready = errors.New("the workflow is provisioned")

// Provision begins to make what a workflow describes. It returns the state when it has ended or the wait is over, nil
// if it is not to wait. A failure within that time is the failing step's.
func (s *Service) Provision(ctx context.Context, id string, o Request) (*State, error) {
	st, err := s.readState(ctx, id)
	if err != nil {
		return nil, own(err, "Failed to update workflow state: %s", id)
	}
	if o.Resume && st.found && st.Progress != NotStarted {
		return s.resume(ctx, st, o)
	}
	t, plan, err := s.provisionable(ctx, id, o)
	if err != nil {
		return nil, err
	}
	if progress := st.progress(); progress != NotStarted {
		return nil, errProvisioned(id, progress)
	}
	x, err := s.begin(st, beginning{goal: goalProvision, template: t, nodes: newNodes(plan), request: o})
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, id, x, o.Wait)
}

// progress is the provisioning progress; a workflow without state has an unknown one.
func (st storedState) progress() string {
	if !st.found {
		return "unknown"
	}
	return st.Progress
}

func errProvisioned(id, progress string) error {
	return flow.Errorf(http.StatusBadRequest,
		"The workflow provisioning state is %s and can not be provisioned unless its state is NOT_STARTED: %s. Deprovision the workflow to reset the state.", progress, id)
}

// provisionable reads a template and checks everything that can be checked before anything is made.
func (s *Service) provisionable(ctx context.Context, id string, o Request) (*flow.Template, []flow.Planned, error) {
	stored, err := s.readTemplate(ctx, id)
	if err == errNoIndex { //nolint:errorlint // it is never wrapped
		return nil, nil, flow.Errorf(http.StatusInternalServerError, "Failed to get template %s", id)
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := s.opened(id, stored.Template)
	if err != nil {
		return nil, nil, err
	}
	w := t.Workflow(flow.ProvisionWorkflow)
	if w == nil {
		return nil, nil, flow.Errorf(http.StatusInternalServerError, "Failed to retrieve template from global context for workflow %s", id)
	}
	plan, err := s.plan(ctx, id, w)
	if err != nil {
		return nil, nil, own(err, "Failed to retrieve template from global context for workflow %s", id)
	}
	if err := checkPlaceholders(plan, o); err != nil {
		return nil, nil, err
	}
	return t, plan, s.checkKey(t, used(w, o.Params))
}

// checkPlaceholders refuses what nothing could fill in: the plugin passes such a text on as it is.
func checkPlaceholders(plan []flow.Planned, o Request) error {
	for _, p := range plan {
		for _, name := range flow.PlaceholdersOf(p.Node.Inputs) {
			if slices.Contains(o.Given, name) {
				return flow.Errorf(http.StatusBadRequest,
					"The parameter [%s] is not a substitution value, and node [%s] has a placeholder of that name", name, p.Node.ID)
			}
		}
	}
	return checkFilled(plan, o.Params, func(flow.Planned) bool { return true })
}

// checkFilled refuses nodes that are to run with a placeholder that neither a parameter nor a direct predecessor fills.
func checkFilled(plan []flow.Planned, params []flow.Param, runs func(flow.Planned) bool) error {
	outputs := map[string][]string{}
	for _, p := range plan {
		outputs[p.Node.ID] = p.Type.Outputs
	}
	for _, p := range plan {
		if !runs(p) {
			continue
		}
		if names := flow.Unfilled(p, params, outputs); len(names) > 0 {
			return flow.Errorf(http.StatusBadRequest,
				"Node [%s] has placeholders that neither a parameter nor a direct predecessor fills: [%s]", p.Node.ID, strings.Join(names, ", "))
		}
	}
	return nil
}

// used are the parameters that a workflow has placeholders for.
func used(w *flow.Workflow, params []flow.Param) (out []flow.Param) {
	var names []string
	for _, n := range w.Nodes {
		names = append(names, flow.PlaceholdersOf(n.Inputs)...)
	}
	for _, p := range w.UserParams {
		names = append(names, flow.Placeholders(p.Value)...)
	}
	for _, p := range params {
		if slices.Contains(names, p.Name) {
			out = append(out, p)
		}
	}
	return out
}

// beginning is a run that is to begin.
type beginning struct {
	goal     string
	template *flow.Template // credentials in clear
	nodes    []*nodeRecord
	updates  []string // nodes that change what they made before
	request  Request
}

// begin wins the right to run: it marks the state, under the version that was read, then stores the run, and begins to
// work on it. A process that dies in between leaves a state without a run of the same start, and nothing was made: see
// [Service.Run]. x is nil if another process has to work on it.
func (s *Service) begin(st storedState, b beginning) (x *execution, err error) {
	ctx, cancel := s.detached()
	defer cancel()
	defer s.locks.lock(st.WorkflowID)()
	run, err := s.newRun(ctx, st, b)
	if err != nil {
		return nil, own(err, "Failed to update workflow state: %s", st.WorkflowID)
	}
	before := st.State
	st.begin(run.Start)
	if err := s.mark(ctx, &st); err != nil {
		return nil, s.beaten(ctx, st, err)
	}
	if err := patiently(ctx, func() error { return s.writeRun(ctx, &run) }); err != nil {
		st.State = before
		if again := s.writeState(s.recording, &st); again != nil {
			s.log.Error("a provisioning that did not begin stays marked", "workflow", st.WorkflowID, "err", again)
			s.lookSoon()
		}
		return nil, own(err, "Failed to update workflow state: %s", st.WorkflowID)
	}
	return s.launch(run, st), nil
}

// mark writes the state that wins the right to run. If the answer to a write got lost, a conflict may be with itself.
func (s *Service) mark(ctx context.Context, st *storedState) error {
	tries := 0
	err := patiently(ctx, func() error {
		tries++
		return s.writeState(ctx, st)
	})
	if !isConflict(err) || tries == 1 {
		return err
	}
	now, unread := s.readState(ctx, st.WorkflowID)
	if unread != nil || now.Start != st.Start || now.Progress != inProgress {
		return err
	}
	st.version = now.version
	return nil
}

// newRun is the run of a beginning, with a start of its own.
func (s *Service) newRun(ctx context.Context, st storedState, b beginning) (run storedRun, err error) {
	if err := s.ensureRunIndex(ctx); err != nil {
		return run, err
	}
	text, err := marshal(b.template)
	if err != nil {
		return run, err
	}
	params := used(b.template.Workflow(flow.ProvisionWorkflow), b.request.Params)
	kept, err := s.keep(st.WorkflowID, kept{Template: text, Params: params, Updates: b.updates})
	run.runDocument = &runDocument{
		Workflow: st.WorkflowID, Open: true, Goal: b.goal, Start: max(s.now(), st.Start+1), Rollback: b.request.Rollback,
		Kept: kept, Nodes: b.nodes,
	}
	return run, err
}

// beaten words the failure to mark a state: mostly, somebody else has begun.
func (s *Service) beaten(ctx context.Context, st storedState, err error) error {
	if !isConflict(err) {
		return own(err, "Failed to update workflow state: %s", st.WorkflowID)
	}
	progress := inProgress
	if now, err := s.readState(ctx, st.WorkflowID); err == nil {
		progress = now.progress()
	}
	return errProvisioned(st.WorkflowID, progress)
}

// newNodes are the records of a plan of which nothing has run.
func newNodes(plan []flow.Planned) []*nodeRecord {
	nodes := make([]*nodeRecord, len(plan))
	for i, p := range plan {
		nodes[i] = &nodeRecord{ID: p.Node.ID, Type: p.Node.Type, After: p.After, Status: nodePending}
	}
	return nodes
}

// wait waits for the end of a run, for at most as long as wanted; if not at all, then until its template says that it
// has begun. x is nil if another process works on it.
func (s *Service) wait(ctx context.Context, id string, x *execution, wait time.Duration) (*State, error) {
	if wait < 0 {
		if x != nil {
			bound, cancel := context.WithTimeout(ctx, beginTimeout)
			defer cancel()
			select {
			case <-x.begun:
			case <-bound.Done():
			}
		}
		return nil, nil
	}
	if wait > 0 {
		bound, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		s.await(bound, id, x)
	}
	st, err := s.readState(ctx, id)
	switch {
	case err != nil || !st.found:
		return nil, errUnknownState
	case st.Progress == inProgress || st.Error == "":
		return &st.State, nil
	}
	run, err := readRun(ctx, s.client, id)
	if err == nil && run.found && run.Failure != nil && run.Failure.Text == st.Error {
		return nil, flow.Errorf(run.Failure.Status, "%s", st.Error)
	}
	return nil, flow.Errorf(http.StatusInternalServerError, "%s", st.Error)
}

// errUnknownState is returned when the state cannot be read after a wait.
var errUnknownState = fault.New(http.StatusInternalServerError, "", "Workflow timed out, failed to fetch current state")

// IsUnknownState reports whether a workflow is being provisioned and its state could not be read.
func IsUnknownState(err error) bool { return err == errUnknownState } //nolint:errorlint // it is never wrapped

// await waits until nothing works on a workflow any more, or ctx ends.
func (s *Service) await(ctx context.Context, id string, x *execution) {
	if x != nil {
		select {
		case <-x.done:
		case <-ctx.Done():
		}
		return
	}
	for {
		st, err := s.readState(ctx, id)
		if err == nil && st.Progress != inProgress {
			return
		}
		if pauseFor(ctx, lookAgain) != nil {
			return
		}
	}
}

// resume goes on with what was begun: after a failure with the nodes that are not done.
func (s *Service) resume(ctx context.Context, st storedState, o Request) (*State, error) {
	id := st.WorkflowID
	switch st.Progress {
	case done:
		return &st.State, ErrAlready
	case inProgress:
		return s.wait(ctx, id, s.working(id), o.Wait)
	}
	run, err := readRun(ctx, s.client, id)
	if err != nil {
		return nil, own(err, "Failed to update workflow state: %s", id)
	}
	given := o.Params
	usable := run.found && run.Start == st.Start && run.Kept != ""
	if usable {
		k, _, err := s.unkeep(id, run.Kept)
		usable = err == nil
		o.Params = joined(given, k.Params)
	}
	t, plan, err := s.provisionable(ctx, id, o)
	if err != nil {
		return nil, err
	}
	if usable && len(used(t.Workflow(flow.ProvisionWorkflow), given)) == 0 {
		return s.reopen(ctx, st, run, o)
	}
	// With other parameters, or if what was kept cannot be read, the run is made anew from what was recorded.
	x, err := s.begin(st, beginning{goal: goalProvision, template: t, nodes: s.known(plan, st, run), request: o})
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, id, x, o.Wait)
}

// joined are parameters and those of others that they do not name.
func joined(params, others []flow.Param) []flow.Param {
	out := slices.Clone(params)
	for _, p := range others {
		if !slices.ContainsFunc(params, func(given flow.Param) bool { return given.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}

// reopen goes on with the run as it was kept.
func (s *Service) reopen(ctx context.Context, st storedState, run storedRun, o Request) (*State, error) {
	x, err := s.goOn(st, run, o.Rollback)
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, st.WorkflowID, x, o.Wait)
}

// goOn opens a run again. A process that dies in between leaves a state that is marked, and a run of the same start that
// is not open: the next start opens it.
func (s *Service) goOn(st storedState, run storedRun, rollback bool) (*execution, error) {
	ctx, cancel := s.detached()
	defer cancel()
	defer s.locks.lock(st.WorkflowID)()
	st.begin(st.Start)
	if err := s.mark(ctx, &st); err != nil {
		return nil, s.beaten(ctx, st, err)
	}
	run.reopen()
	run.Rollback, run.version = rollback, opensearch.Version{} // nobody else has the right to write it now
	if err := patiently(ctx, func() error { return s.writeRun(ctx, &run) }); err != nil {
		s.lookSoon()
		return nil, own(err, "Failed to update workflow state: %s", st.WorkflowID)
	}
	return s.launch(run, st), nil
}

// reopen lets nodes that failed or did not run begin again.
func (d *runDocument) reopen() {
	d.Open, d.Cancel, d.Failure = true, false, nil
	for _, n := range d.Nodes {
		if n.Status == nodeFailed {
			n.Status = nodePending
		}
	}
}

// known are the records of a plan with what is known of its nodes: from an earlier run, else from the resources that
// the state names.
func (s *Service) known(plan []flow.Planned, st storedState, run storedRun) []*nodeRecord {
	nodes := newNodes(plan)
	for _, n := range nodes {
		var before *nodeRecord
		if run.found {
			before = run.node(n.ID)
		}
		if before != nil {
			n.Attempts, n.Start, n.End = before.Attempts, before.Start, before.End
		}
		i := slices.IndexFunc(st.Resources, func(r Resource) bool { return r.Node == n.ID })
		switch {
		case before != nil && before.Status == nodeCompleted && before.Type == n.Type && (i >= 0 || len(before.Made) == 0):
			n.Status, n.Outputs, n.Note, n.Adopted, n.Made = nodeCompleted, before.Outputs, before.Note, before.Adopted, before.Made
		case i >= 0:
			r := st.Resources[i]
			outputs, err := s.sealOutputs(st.WorkflowID, n.ID, flow.Outputs{r.Type: r.ID})
			if err != nil {
				continue
			}
			n.Status, n.Outputs = nodeCompleted, outputs
			if before != nil {
				n.Note = before.Note
			}
		case before != nil && before.Unseen:
			n.Note, n.Unseen = before.Note, true
		}
	}
	return nodes
}

// Cancel stops the provisioning of a workflow at its next step boundary, and returns its state then.
func (s *Service) Cancel(ctx context.Context, id string) (State, error) {
	st, err := s.readState(ctx, id)
	if err != nil {
		return State{}, own(err, "Failed to get workflow status of: %s", id)
	}
	if !st.found {
		return State{}, errNoStatus(id)
	}
	if st.Progress != inProgress {
		return State{}, flow.Errorf(http.StatusBadRequest,
			"The workflow provisioning state is %s and can not be cancelled unless its state is IN_PROGRESS: %s", st.Progress, id)
	}
	x, err := s.request(ctx, id, st.Start, func(d *runDocument) { d.Cancel = true })
	if err != nil {
		return State{}, own(err, "Failed to update workflow state: %s", id)
	}
	s.await(ctx, id, x)
	st, err = s.readState(ctx, id)
	return st.State, own(err, "Failed to get workflow status of: %s", id)
}

func errNoStatus(id string) error {
	return flow.Errorf(http.StatusNotFound, "Fail to find workflow status of %s", id)
}

// ensureRunIndex makes the index of run documents, if it is not there.
func (s *Service) ensureRunIndex(ctx context.Context) error {
	if err := lease.EnsureIndex(ctx, s.client); err != nil {
		return fmt.Errorf("make the index of runs: %w", err)
	}
	return nil
}
