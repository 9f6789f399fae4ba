// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

const (
	shrinkFailed = "Shrink failed when sending shrink request."
	waitFailed   = "Shrink failed while waiting for shards to start."
)

// attemptShrink has the target made, once: one that was made of this very index is its own.
func attemptShrink(ctx context.Context, e *Env) (ism.Result, error) {
	p, r, err := e.planned(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	if r != nil {
		return *r, nil
	}
	done := completed(ism.Message("Shrink started. " + p.Target + " currently being populated."))
	made, err := e.made(ctx, p)
	if err != nil {
		return e.shrinkFailed(ctx, p, err, shrinkFailed)
	}
	if made != nil {
		return p.with(done)
	}
	if r, err = e.keepLock(ctx, p); err != nil {
		return ism.Result{}, err
	}
	if r != nil {
		return *r, nil
	}
	if e.late() {
		return e.giveUp(ctx, p, failed(shrinkFailed))
	}
	if r, ready, err := e.ready(ctx, p); !ready || err != nil {
		return r, err
	}
	a, err := e.Client.Shrink(ctx, e.Index, p.Target, map[string]any{requireNode: p.Node, "index.number_of_shards": p.Shards}, targetAliases(e.Action.Shrink))
	switch {
	case err != nil:
		return e.shrinkFailed(ctx, p, err, shrinkFailed)
	case !a.Acknowledged:
		return ism.Result{}, unacknowledged("[" + p.Target + "]")
	}
	return p.with(done)
}

// ready looks whether the shrink can begin, and blocks writes. The result says why it cannot.
func (e *Env) ready(ctx context.Context, p *shrinkPlan) (r ism.Result, ready bool, err error) {
	green, err := e.green(ctx)
	if err == nil && !green {
		r, err = p.with(waiting(ism.Message("Shrink delayed because index health is not green.")))
		return r, false, err
	}
	space := false
	if err == nil {
		space, err = e.hasSpace(ctx, p)
	}
	switch {
	case err != nil:
		r, err = e.shrinkFailed(ctx, p, err, shrinkFailed)
		return r, false, err
	case !space:
		r, err = e.giveUp(ctx, p, failed("Shrink failed as the selected node no longer had enough free space to shrink to."))
		return r, false, err
	}
	a, err := e.Client.PutSettings(ctx, e.Index, map[string]any{writeBlock: true})
	if err == nil && !a.Acknowledged {
		err = unacknowledged("the settings of [" + e.Index + "]")
	}
	if err != nil {
		r, err = e.shrinkFailed(ctx, p, err, "Failed to set write block before sending shrink request.")
	}
	return r, err == nil && r.Status == "", err
}

// shrinkFailed gives up because of an error, or reports it if it leaves open what happened.
func (e *Env) shrinkFailed(ctx context.Context, p *shrinkPlan, err error, message string) (ism.Result, error) {
	if fault.Is(err, "resource_already_exists_exception") {
		made, lookErr := e.Client.Indices(ctx, []string{p.Target})
		if lookErr != nil {
			return ism.Result{}, lookErr
		}
		if info, there := made[p.Target]; !there || info.Settings[opensearch.ResizeSource] == e.UUID {
			return ism.Result{}, unacknowledged("[" + p.Target + "]") // an earlier call is still at it, or has just ended
		}
	}
	r, err := shrinkRefused(err, message)
	if err != nil {
		return r, err
	}
	return e.giveUp(ctx, p, r)
}

// hasSpace reports whether the plan's node is there and still has space.
func (e *Env) hasSpace(ctx context.Context, p *shrinkPlan) (bool, error) {
	copies, err := e.Client.Copies(ctx, e.Index)
	if err != nil {
		return false, err
	}
	nodes, err := e.Client.DataNodes(ctx)
	if err != nil {
		return false, err
	}
	high, err := e.Client.HighWatermark(ctx)
	if err != nil {
		return false, err
	}
	for _, n := range nodes {
		if n.Name == p.Node {
			return spaceLeft(n, copies.Bytes, high) > 0, nil
		}
	}
	return false, fault.IllegalState("node [%s] is not part of the cluster", p.Node)
}

// targetAliases are the aliases that the target is made with.
func targetAliases(a *ism.Shrink) wire.Object {
	out := wire.Object{}
	for _, t := range a.Aliases {
		o := wire.Object{}
		o.AddIf(len(t.Filter) > 0, "filter", t.Filter)
		o.AddIf(t.IndexRouting != "", "index_routing", t.IndexRouting)
		o.AddIf(t.SearchRouting != "", "search_routing", t.SearchRouting)
		o.AddIf(t.Write != nil, "is_write_index", t.Write)
		o.AddIf(t.Hidden != nil, "is_hidden", t.Hidden)
		out.Add(t.Name, o)
	}
	return out
}

// waitForShrink waits until the target is complete. Then it frees both indices and the node, and hands over the aliases if
// the action says so. All of it may be done again. The target has its place on the node by now: a lock that ran out and
// was taken by somebody else is no loss.
func waitForShrink(ctx context.Context, e *Env) (ism.Result, error) {
	p, r, err := e.planned(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	if r != nil {
		return *r, nil
	}
	if _, err := e.lock(ctx, p); err != nil {
		return ism.Result{}, err
	}
	complete, err := e.complete(ctx, p)
	switch {
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		r, _ := shrinkRefused(err, waitFailed)
		return e.giveUpTarget(ctx, p, r)
	case !complete && e.late():
		return e.giveUpTarget(ctx, p, failed("Shrink failed because it timed out while waiting for "+p.Target+" shrink to finish."))
	case !complete:
		return p.with(waiting(ism.Message("Shrink delayed because " + p.Target + " shards not in started state.")))
	}
	a, err := e.Client.PutSettings(ctx, p.Target, map[string]any{requireNode: nil})
	switch {
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		r, _ := shrinkRefused(err, waitFailed)
		return e.giveUpTarget(ctx, p, r)
	case !a.Acknowledged:
		return ism.Result{}, unacknowledged("the settings of [" + p.Target + "]")
	}
	return e.handOver(ctx, p)
}

// complete reports whether all primary shards of the target have started.
func (e *Env) complete(ctx context.Context, p *shrinkPlan) (bool, error) {
	made, err := e.made(ctx, p)
	if err != nil {
		return false, err
	}
	if made == nil {
		return false, fault.IndexNotFound(p.Target, "index_or_alias")
	}
	copies, err := e.Client.Copies(ctx, p.Target)
	if err != nil {
		return false, err
	}
	started := 0
	for _, c := range copies.Shards {
		if c.Primary && c.Started {
			started++
		}
	}
	return started == p.Shards && made.Settings["index.number_of_shards"] == strconv.Itoa(p.Shards), nil
}

// handOver ends a shrink whose target is complete.
func (e *Env) handOver(ctx context.Context, p *shrinkPlan) (ism.Result, error) {
	if err := e.restore(ctx, p); err != nil {
		if Unanswered(err) {
			return ism.Result{}, err
		}
		r, _ := shrinkRefused(err, waitFailed)
		return e.giveUpTarget(ctx, p, r)
	}
	if e.Action.Shrink.SwitchAliases {
		if err := e.switchAliases(ctx, p); err != nil {
			if Unanswered(err) {
				return ism.Result{}, err
			}
			r, _ := shrinkRefused(err, "Shrink failed due to aliases switch failure.")
			return e.giveBack(ctx, p, r)
		}
	}
	r, err := p.with(completed(ism.Message("Shrink finished successfully.")))
	if err != nil {
		return r, err
	}
	return e.giveBack(ctx, p, r)
}

// switchAliases takes all aliases from the source and gives the target those that it lacks.
func (e *Env) switchAliases(ctx context.Context, p *shrinkPlan) error {
	infos, err := e.Client.Indices(ctx, []string{e.Index, p.Target})
	if err != nil {
		return err
	}
	var actions []any
	for _, name := range slices.Sorted(maps.Keys(infos[e.Index].Aliases)) {
		actions = append(actions, wire.Obj("remove", wire.Obj("index", e.Index, "alias", name)))
		if _, has := infos[p.Target].Aliases[name]; !has {
			actions = append(actions, wire.Obj("add", aliasOf(p.Target, name, infos[e.Index].Aliases[name])))
		}
	}
	if len(actions) == 0 {
		return nil
	}
	a, err := e.Client.UpdateAliases(ctx, actions)
	if err == nil && !a.Acknowledged {
		err = unacknowledged(fmt.Sprintf("the aliases of [%s] and [%s]", e.Index, p.Target))
	}
	return err
}
