// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// shrinkLimit is how long a step of a shrink may take unless the action has a timeout. In the plugin it is the whole action.
const shrinkLimit = 12 * time.Hour

// The settings of the source that a shrink changes, and puts back.
const (
	writeBlock  = "index.blocks.write"
	requireNode = "index.routing.allocation.require._name"
)

// shrinkPlan is what a shrink has settled on. It is the plugin's shrink_action_properties.
type shrinkPlan struct {
	Node            string `json:"node_name"`
	Target          string `json:"target_index_name"`
	Shards          int    `json:"target_num_shards"`
	LockSeqNo       int64  `json:"lock_seq_no"`
	LockPrimaryTerm int64  `json:"lock_primary_term"`
	LockTime        int64  `json:"lock_epoch_second"`
	LockDuration    int64  `json:"lock_duration_second"`
	// Original are the settings of the source before it was changed, of those that are changed and were set.
	Original map[string]string `json:"original_index_settings"`
}

func (p *shrinkPlan) lockVersion() opensearch.Version {
	return opensearch.Version{SeqNo: p.LockSeqNo, PrimaryTerm: p.LockPrimaryTerm}
}

// with is a result that keeps the plan.
func (p *shrinkPlan) with(r ism.Result) (ism.Result, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return ism.Result{}, err
	}
	r.Properties = &ism.Properties{Shrink: raw}
	return r, nil
}

// failed reports a message alone.
func failed(message string) ism.Result {
	return ism.Result{Status: ism.StatusFailed, Info: ism.Message(message)}
}

// shrinkRefused is the result of a call that the cluster refused, or the error if that is not known.
func shrinkRefused(err error, message string) (ism.Result, error) {
	if f := fault.Of(err); f.Type == "security_exception" {
		message = "Shrink action failed because of missing permissions: " + f.Reason
	}
	return refused(err, ism.Message(message))
}

// planned is the plan of the steps before. The result is set if there is none.
func (e *Env) planned(ctx context.Context) (*shrinkPlan, *ism.Result, error) {
	p := &shrinkPlan{}
	if stored := e.Meta.Action.Properties; stored == nil || stored.Shrink == nil || json.Unmarshal(stored.Shrink, p) != nil {
		r := failed("Shrink action properties are null, metadata was not properly populated")
		return nil, &r, nil
	}
	intended, err := e.Intentions.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	if intended != nil && intended.Shrink != nil {
		p = intended.Shrink // its lock was being renewed
	}
	return p, nil, nil
}

// keepLock renews the plan's lock. The result is set if somebody else has it: then the source is put back.
func (e *Env) keepLock(ctx context.Context, p *shrinkPlan) (*ism.Result, error) {
	held, err := e.lock(ctx, p)
	if err != nil || held {
		return nil, err
	}
	r, err := e.giveUp(ctx, p, failed("Failed to renew lock on node ["+p.Node+"]"))
	return &r, err
}

// giveUp puts the source back as it was, gives the node free, and reports the failure. The plan is dropped: a retry begins
// at the first step.
func (e *Env) giveUp(ctx context.Context, p *shrinkPlan, r ism.Result) (ism.Result, error) {
	if err := e.restore(ctx, p); err != nil && Unanswered(err) {
		return ism.Result{}, err
	}
	return e.giveBack(ctx, p, r)
}

// giveBack gives the node free, and reports r.
func (e *Env) giveBack(ctx context.Context, p *shrinkPlan, r ism.Result) (ism.Result, error) {
	r.GivesBack = true
	return r, e.unlock(ctx, p)
}

// giveUpTarget removes what was made of the target, too.
func (e *Env) giveUpTarget(ctx context.Context, p *shrinkPlan, r ism.Result) (ism.Result, error) {
	made, err := e.made(ctx, p)
	if err == nil && made != nil {
		_, err = e.Client.DeleteIndex(ctx, p.Target)
	}
	if err != nil && Unanswered(err) {
		return ism.Result{}, err
	}
	return e.giveUp(ctx, p, r)
}

// restore puts the settings of the source back.
func (e *Env) restore(ctx context.Context, p *shrinkPlan) error {
	settings := map[string]any{writeBlock: nil, requireNode: nil}
	for key, value := range p.Original {
		settings[key] = value
	}
	a, err := e.Client.PutSettings(ctx, e.Index, settings)
	if err == nil && !a.Acknowledged {
		err = unacknowledged("the settings of [" + e.Index + "]")
	}
	return err
}

// unacknowledged is the error of a change that not every node has confirmed in time: it is made again.
func unacknowledged(what string) error {
	return fault.New(503, "transport_exception", "the change of %s was not acknowledged", what)
}

// made is the plan's target, if it was made of the step's index; nil if it was not, or there is none.
func (e *Env) made(ctx context.Context, p *shrinkPlan) (*opensearch.IndexInfo, error) {
	infos, err := e.Client.Indices(ctx, []string{p.Target})
	info, ok := infos[p.Target]
	if err != nil || !ok || info.Settings[opensearch.ResizeSource] != e.UUID {
		return nil, err
	}
	return &info, nil
}

// late reports whether the shrink has taken longer than it may: by its own timeout, all waiting and retries included, as the
// policy says; by the plugin's limit without the time for which it waited for a node behind others.
func (e *Env) late() bool {
	began := e.actionStart()
	if t := e.Action.Timeout; t != nil {
		return e.Now.Sub(began) > t.Value()
	}
	if !e.Config.Native && e.Meta.Step != nil {
		began = e.Meta.Step.StartTime
	}
	return e.Now.Sub(began) > shrinkLimit
}

// green reports whether all copies of the index's shards are there.
func (e *Env) green(ctx context.Context) (bool, error) {
	status, err := e.Client.Health(ctx, e.Index)
	return status == "green", err
}
