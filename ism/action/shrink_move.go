// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

const (
	moveFailed = "Shrink action failed due to initial moving shards failure."
	nodeLocked = "Candidate node for shrink action is locked for other actions. Delaying until gets unlocked."
	// shrunken is what follows the index's name in the target's unless the action names it.
	shrunken = "_shrunken"
)

// attemptMoveShards chooses a node and locks it, and has all shards moved there. What it settles on, and the settings that
// it is about to change, are stored before, so that it finds them after a crash; until then it only looks.
func attemptMoveShards(ctx context.Context, e *Env) (ism.Result, error) {
	intended, err := e.Intentions.Load(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	if intended != nil && intended.Shrink != nil {
		return e.moveAgain(ctx, intended.Shrink)
	}
	green, err := e.green(ctx)
	if err != nil {
		return shrinkRefused(err, moveFailed)
	}
	if !green {
		return e.patient("Shrink action cannot continue as the index is not green."), nil
	}
	p, copies, r, err := e.planShrink(ctx)
	if err != nil {
		return shrinkRefused(err, moveFailed)
	}
	if r != nil {
		return *r, nil
	}
	nodes, err := e.spaciousNodes(ctx, copies)
	if err != nil {
		return shrinkRefused(err, moveFailed)
	}
	if len(nodes) == 0 {
		return e.patient("There is no node with enough disk space or shard moving permission for a shrink action."), nil
	}
	for _, p.Node = range nodes {
		held, err := e.lock(ctx, p)
		if err != nil {
			return shrinkRefused(err, moveFailed)
		}
		if held {
			return e.move(ctx, p)
		}
	}
	return e.outOfTurn(), nil
}

// outOfTurn waits until another index gives its node back.
func (e *Env) outOfTurn() ism.Result {
	r := e.patient(nodeLocked)
	r.Turn = true
	return r
}

// patient waits a quarter of the time that it has waited: indices by the thousand may have to wait for one node.
func (e *Env) patient(message string) ism.Result {
	r := waiting(ism.Message(message))
	if e.Meta.Step != nil {
		waited := e.Now.Sub(e.Meta.Step.StartTime)
		r.Again = e.Now.Add(min(max((waited/4).Truncate(time.Second), time.Second), 5*time.Minute))
	}
	return r
}

// planShrink settles what a shrink does but for its node. The result is set if there is nothing to do, or not to be done.
func (e *Env) planShrink(ctx context.Context) (*shrinkPlan, opensearch.Copies, *ism.Result, error) {
	none := opensearch.Copies{}
	refuse := func(message string) (*shrinkPlan, opensearch.Copies, *ism.Result, error) {
		r := failed(message)
		return nil, none, &r, nil
	}
	target, err := e.targetName()
	if err != nil {
		return nil, none, nil, err
	}
	infos, err := e.Client.Indices(ctx, []string{e.Index, target})
	if err != nil {
		return nil, none, nil, err
	}
	source, found := infos[e.Index]
	if !found || source.UUID != e.UUID {
		return nil, none, nil, fault.IndexNotFound(e.Index, "index_or_alias")
	}
	if _, taken := infos[target]; taken {
		return refuse("Shrink failed because " + target + " already exists.")
	}
	if err := wire.CheckIndexName(target); err != nil {
		return nil, none, nil, err
	}
	if source.Settings["index.number_of_replicas"] == "0" && (e.Action.Shrink.ForceUnsafe == nil || !*e.Action.Shrink.ForceUnsafe) {
		return refuse("Shrink failed because index has no replicas and force_unsafe is not set to true.")
	}
	copies, err := e.Client.Copies(ctx, e.Index)
	if err != nil {
		return nil, none, nil, err
	}
	shards, err := strconv.Atoi(source.Settings["index.number_of_shards"])
	if err != nil {
		return refuse(moveFailed)
	}
	wanted := targetShards(e.Action.Shrink, shards, copies.Bytes)
	switch {
	case copies.Docs/int64(wanted) > math.MaxInt32+1:
		return refuse("Shrink action failed due to too many documents on each target shard after shrink.")
	case shards == 1:
		r := skipped("Source index only has one primary shard. Skip this shrink execution.")
		return nil, none, &r, nil
	case shards == wanted:
		r := skipped("Source index already has target number of shards. Skip this shrink execution.")
		return nil, none, &r, nil
	}
	return &shrinkPlan{Target: target, Shards: wanted, Original: originals(source.Settings)}, copies, nil, nil
}

// skipped ends the action at its first step: it is recorded as the last one.
func skipped(message string) ism.Result {
	r := completed(ism.Message(message))
	r.Step = "wait_for_shrink_step"
	return r
}

// originals are the settings that a shrink changes, as far as they are set.
func originals(settings map[string]string) map[string]string {
	out := map[string]string{}
	for _, key := range []string{writeBlock, requireNode} {
		if value, set := settings[key]; set {
			out[key] = value
		}
	}
	return out
}

// moveAgain goes on with a plan of before a crash.
func (e *Env) moveAgain(ctx context.Context, p *shrinkPlan) (ism.Result, error) {
	held, err := e.lock(ctx, p)
	if err != nil {
		return shrinkRefused(err, moveFailed)
	}
	if !held { // it ran out while nobody was here
		return e.giveUp(ctx, p, e.outOfTurn())
	}
	return e.move(ctx, p)
}

// move blocks writes and has the shards moved to the plan's node.
func (e *Env) move(ctx context.Context, p *shrinkPlan) (ism.Result, error) {
	a, err := e.Client.PutSettings(ctx, e.Index, map[string]any{writeBlock: true, requireNode: p.Node})
	switch {
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		r, _ := shrinkRefused(err, moveFailed)
		return e.giveBack(ctx, p, r)
	case !a.Acknowledged:
		return ism.Result{}, unacknowledged("the settings of [" + e.Index + "]")
	}
	return p.with(completed(ism.Message("Successfully initialized moving the shards to " + p.Node + " for a shrink action.")))
}

// waitForMoveShards waits until the node has a copy of every shard, and all copies are in sync.
func waitForMoveShards(ctx context.Context, e *Env) (ism.Result, error) {
	p, r, err := e.planned(ctx)
	if err == nil && r == nil {
		r, err = e.keepLock(ctx, p)
	}
	if err != nil {
		return ism.Result{}, err
	}
	if r != nil {
		return *r, nil
	}
	moved, err := e.moved(ctx, p)
	switch {
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		r, _ := shrinkRefused(err, "Shrink failed when waiting for shards to move.")
		return e.giveUp(ctx, p, r)
	case moved:
		return p.with(completed(ism.Message("The shards successfully moved to " + p.Node + ".")))
	case e.late():
		return e.giveUp(ctx, p, failed("Shrink failed because it took too long to move shards to "+p.Node))
	}
	return p.with(waiting(ism.Message("Shrink delayed because it took too long to move shards to " + p.Node)))
}

func (e *Env) moved(ctx context.Context, p *shrinkPlan) (bool, error) {
	info, found, err := e.present(ctx)
	if err != nil {
		return false, err
	}
	if !found {
		return false, fault.IndexNotFound(e.Index, "index_or_alias")
	}
	nodes, err := e.Client.DataNodes(ctx)
	if err != nil {
		return false, err
	}
	copies, err := e.Client.Copies(ctx, e.Index)
	if err != nil {
		return false, err
	}
	inSync, err := e.Client.InSync(ctx, e.Index)
	if err != nil {
		return false, err
	}
	here := map[int]bool{}
	for _, c := range copies.Shards {
		if c.Started && nodes[c.Node].Name == p.Node {
			here[c.Number] = true
		}
	}
	replicas, _ := strconv.Atoi(info.Settings["index.number_of_replicas"])
	shards, err := strconv.Atoi(info.Settings["index.number_of_shards"])
	for n := range shards {
		if !here[n] || inSync[strconv.Itoa(n)] != 1+replicas {
			return false, nil
		}
	}
	return err == nil, err
}
