// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/step"
	"github.com/opensteward/steward/wire/setting"
)

// execution is one process's work on one workflow.
type execution struct {
	s    *Service
	id   string
	rec  *record
	act  *activity
	done chan struct{} // closed at the end
	// begun is closed when the template says that it is being provisioned, or will not say it any more.
	begun    chan struct{}
	sayBegun func()

	// Of the run under way, set before its nodes start.
	template *flow.Template
	workflow *flow.Workflow
	plan     []flow.Planned
	params   []flow.Param
	mask     func(string) string
	before   []Resource // what there was before the run
	settings setting.View
	// undone is the deprovisioning after which nothing was left, "" if there was none; good when done is closed.
	undone string
	// stopRun keeps further nodes from starting.
	stopRun context.CancelFunc
}

// launch begins to work on a workflow, after whoever does so at present. It returns nil if another process holds the
// lease.
func (s *Service) launch(run storedRun, st storedState) *execution {
	if _, held := s.o.Lease.Held(); !held {
		return nil
	}
	x := &execution{
		s: s, id: run.Workflow, rec: newRecord(s, run, st), act: &activity{clock: s.o.Clock}, done: make(chan struct{}),
		stopRun: func() {}, mask: func(text string) string { return text }, begun: make(chan struct{}),
	}
	x.sayBegun = sync.OnceFunc(func() { close(x.begun) })
	for {
		s.mu.Lock()
		other := s.active[x.id]
		if other == nil {
			break
		}
		s.mu.Unlock()
		<-other.done
	}
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil // the next start finishes it
	}
	s.active[x.id] = x
	x.act.enter()
	s.all.Go(func() {
		defer x.act.leave()
		x.drive(s.ctx)
	})
	return x
}

// working is the execution of a workflow in this process, or nil.
func (s *Service) working(id string) *execution {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[id]
}

// drive works until nothing is left to do, the process ends, or another one has taken over.
func (x *execution) drive(ctx context.Context) {
	defer func() {
		x.s.mu.Lock()
		delete(x.s.active, x.id)
		x.s.mu.Unlock()
		x.sayBegun()
		close(x.done)
	}()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := fault.Guard(x.s.log, "workflow", func() error { return x.work(ctx) })
		if err != nil && passing(err) && x.rec.broken() == nil && pauseFor(ctx, pause) == nil {
			continue // what was done is not done again
		}
		if err != nil && !isLost(err) && ctx.Err() == nil {
			x.s.log.Error("a workflow cannot be worked on", "workflow", x.id, "err", x.mask(err.Error()))
		}
		if x.rec.close(err != nil || ctx.Err() != nil) {
			return
		}
	}
}

// work does what the run is to lead to.
func (x *execution) work(ctx context.Context) error {
	settings, err := x.s.o.Settings(ctx)
	if err != nil {
		return err
	}
	x.settings = settings
	var goal string
	x.rec.look(func(d *runDocument, _ *State) { goal = d.Goal })
	if goal == goalDeprovision {
		return x.deprovision(ctx, settings.Duration(settingRequestTimeout))
	}
	return x.provision(ctx)
}

// doGuarded is do in a goroutine of its own: a step that panics has failed.
func (x *execution) doGuarded(ctx context.Context, p flow.Planned, before map[string]flow.Outputs) (out flow.Outputs, err error) {
	err = fault.Guard(x.s.log, "workflow step", func() (err error) {
		out, err = x.do(ctx, p, before)
		return err
	})
	return out, err
}

// prepare reads the plan of the run.
func (x *execution) prepare() error {
	var text string
	x.rec.look(func(d *runDocument, st *State) {
		text = d.Kept
		x.before = nil
		for _, r := range st.Resources {
			if n := d.node(r.Node); n == nil || !contains(n.Made, r) {
				x.before = append(x.before, r)
			}
		}
	})
	k, t, err := x.s.unkeep(x.id, text)
	if err != nil {
		return err
	}
	x.template, x.workflow, x.params = t, t.Workflow(flow.ProvisionWorkflow), k.Params
	if x.workflow == nil {
		return errors.New("the run has no workflow")
	}
	x.mask = masker(x.workflow, x.params)
	plan, err := x.workflow.Plan(x.id, flow.Limits{MaxSteps: len(x.workflow.Nodes)})
	if err != nil {
		return err
	}
	x.plan, err = withUpdates(plan, k.Updates)
	return err
}

// withUpdates makes nodes change what they made before.
func withUpdates(plan []flow.Planned, ids []string) ([]flow.Planned, error) {
	for i, p := range plan {
		if !containsText(ids, p.Node.ID) {
			continue
		}
		update := flow.Step(p.Type.Update)
		if update == nil {
			return nil, fmt.Errorf("step type %s has no update", p.Node.Type)
		}
		node := *p.Node
		node.Type = update.Name
		plan[i].Node, plan[i].Type = &node, update
	}
	return plan, nil
}

// provision runs the plan to its end, a failure, or a stop.
func (x *execution) provision(ctx context.Context) error {
	if err := x.prepare(); err != nil {
		return x.unreadable(ctx, err)
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	x.stopRun = stop
	x.rec.onAsk(x.stopIfAsked)
	x.stopIfAsked()
	if err := x.storeTemplate(ctx); err != nil {
		return err
	}
	x.sayBegun()
	failure := Run(run, x.plan, x.finished(), Hooks{Do: x.doGuarded, Enter: x.act.enter, Leave: x.act.leave})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := x.rec.broken(); err != nil {
		return err
	}
	var goal string
	x.rec.look(func(d *runDocument, _ *State) { goal = d.Goal })
	if goal == goalDeprovision {
		return nil // which takes away what there is
	}
	return x.end(ctx, failure)
}

// stopIfAsked keeps further nodes from starting if somebody has asked for that, or has taken over.
func (x *execution) stopIfAsked() {
	if x.rec.broken() != nil {
		x.stopRun()
	}
	x.rec.look(func(d *runDocument, _ *State) {
		if d.Cancel || d.Goal == goalDeprovision {
			x.stopRun()
		}
	})
}

// finished are the outputs of the nodes that need not run again.
func (x *execution) finished() map[string]flow.Outputs {
	out := map[string]flow.Outputs{}
	x.rec.look(func(d *runDocument, _ *State) {
		for _, n := range d.Nodes {
			if n.Status == nodeCompleted {
				out[n.ID] = x.s.openOutputs(x.id, n)
			}
		}
	})
	return out
}

// unreadable ends a run whose plan cannot be read. What is kept stays, so that a process with the right key can resume.
func (x *execution) unreadable(ctx context.Context, cause error) error {
	x.s.log.Error("a workflow cannot be finished", "workflow", x.id, "err", cause)
	return x.close(ctx, &failureRecord{
		Text:   "The provisioning cannot go on: " + cause.Error(),
		Status: http.StatusInternalServerError,
	})
}

// end stores how the run ended, after taking away what it made if that was asked for.
func (x *execution) end(ctx context.Context, failure error) error {
	f := x.failure(failure)
	if f == nil {
		return x.close(ctx, nil)
	}
	rollback := false
	x.rec.look(func(d *runDocument, _ *State) { rollback = d.Rollback && !d.Cancel })
	if rollback {
		if err := x.rollback(ctx); err != nil {
			return err
		}
	}
	return x.close(ctx, f)
}

// close stores the end in the state, and when that is durable closes the run: a run that is still open finds its end in
// the state.
func (x *execution) close(ctx context.Context, f *failureRecord) error {
	text := ""
	if f != nil {
		text = f.Text
	}
	err := x.rec.change(ctx, func(d *runDocument, st *State) bool {
		d.Failure = f
		st.finish(x.s.now(), text)
		return true
	})
	if err != nil {
		return err
	}
	return x.rec.change(ctx, func(d *runDocument, _ *State) bool {
		d.closeRun(f == nil)
		return false
	})
}

// closeRun marks a run as ended. What was kept for it goes when it was a success.
func (d *runDocument) closeRun(success bool) {
	if d.Goal == goalDeprovision {
		return // asked for meanwhile
	}
	d.Open, d.Cancel = false, false
	if success {
		d.Kept = ""
	}
}

// failure is how a failed or stopped run is told; nil if it did not fail.
func (x *execution) failure(err error) *failureRecord {
	if err == nil {
		return nil
	}
	var node *NodeError
	if !errors.As(err, &node) {
		return &failureRecord{
			Text:   "The provisioning was cancelled; these steps did not run: [" + strings.Join(x.notRun(), ", ") + "]",
			Status: http.StatusBadRequest,
		}
	}
	text := node.Error()
	x.rec.look(func(d *runDocument, _ *State) {
		if d.Goal == goalReprovision {
			text = node.onReprovision()
		}
	})
	return &failureRecord{Text: x.mask(text), Status: node.status()}
}

func (x *execution) notRun() (ids []string) {
	x.rec.look(func(d *runDocument, _ *State) {
		for _, n := range d.Nodes {
			if n.Status == nodePending {
				ids = append(ids, n.ID)
			}
		}
	})
	return ids
}

// storeTemplate stores the run's template, if it is a new one, and when it was provisioned.
func (x *execution) storeTemplate(ctx context.Context) error {
	var start int64
	reprovision := false
	x.rec.look(func(d *runDocument, st *State) { start, reprovision = st.Start, d.Goal == goalReprovision })
	err := again(func() error {
		stored, err := x.s.readTemplate(ctx, x.id)
		if err != nil {
			return err
		}
		if stored.LastProvisioned >= start {
			return nil
		}
		t := stored.Template
		if reprovision {
			if t, err = x.s.sealed(x.id, x.template); err != nil {
				return err
			}
			t.Created, t.TenantID, t.User, t.LastUpdated = stored.Created, stored.TenantID, stored.User, start
		}
		t.LastProvisioned = start
		return x.s.writeTemplate(ctx, x.id, t, stored.version)
	})
	if err != nil && (reprovision || passing(err) || ctx.Err() != nil) {
		return fmt.Errorf("store the template: %w", err)
	}
	if err != nil { // the run goes on without: the template may have been deleted
		x.s.log.Warn("cannot store when a workflow was provisioned", "workflow", x.id, "err", fault.Of(err).Reason)
	}
	return nil
}

// env is what every step of this workflow may use.
func (x *execution) env(node string) step.Env {
	return step.Env{
		Client: x.s.o.Client, Own: x.s.o.Own, RestCalls: x.settings.List(flow.RestCallSetting), Claimed: x.s.claimedBesides(x.id),
		OpaqueID: "steward/" + x.id + "/" + node, Poll: x.settings.Duration(settingTaskRetry),
	}
}
