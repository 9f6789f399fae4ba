// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"

	"github.com/opensteward/steward/ism"
)

// steps are all steps with an effect, by action in the order of the reference. The steps of transitions have none and
// are decided in package ism.
var steps = []Step{
	{Name: "attempt_alias", Run: attemptAlias},
	{Name: "attempt_allocation", Run: attemptAllocation},
	{Name: "attempt_close", Run: attemptClose},
	{Name: "attempt_delete", Run: attemptDelete},
	{Name: "attempt_set_read_only", Run: setReadOnly}, // of force_merge
	{Name: "attempt_call_force_merge", Kind: Heavy, Run: attemptCallForceMerge},
	{Name: "wait_for_force_merge", Looks: true, Run: waitForForceMerge},
	{Name: "attempt_set_index_priority", Run: attemptSetIndexPriority},
	{Name: "attempt_notification", Kind: Outgoing, Run: attemptNotification},
	{Name: "attempt_open", Run: attemptOpen},
	{Name: "set_read_only", Run: setReadOnly},
	{Name: "set_read_write", Run: setReadWrite},
	{Name: "attempt_set_replica_count", Run: attemptSetReplicaCount},
	{Name: "attempt_rollover", Run: attemptRollover},
	{Name: "attempt_snapshot", Run: own(attemptSnapshot)},
	{Name: "wait_for_snapshot", Looks: true, Run: waitForSnapshot},
	{Name: "attempt_create_rollup", Run: attemptCreateRollup},
	{Name: "wait_for_rollup_completion", Looks: true, Run: waitForRollup},
	{Name: "attempt_create_transform", Run: attemptCreateTransform},
	{Name: "wait_for_transform_completion", Looks: true, Run: waitForTransform},
	{Name: "attempt_move_shards_step", Looks: true, Run: own(attemptMoveShards)},
	{Name: "wait_for_move_shards_step", Looks: true, Run: own(waitForMoveShards)},
	{Name: "attempt_shrink_step", Kind: Heavy, Run: own(attemptShrink)},
	{Name: "wait_for_shrink_step", Looks: true, Run: own(waitForShrink)},
	{Name: "attempt_stop_replication", Run: attemptStopReplication},
	{Name: "attempt_search_only", Run: attemptSearchOnly},
	{Name: "attempt_restore", Run: own(attemptRestore)},
}

// own makes a step write the action's properties with each result, as the plugin's does: where it has none, an empty object.
func own(run func(context.Context, *Env) (ism.Result, error)) func(context.Context, *Env) (ism.Result, error) {
	return func(ctx context.Context, e *Env) (ism.Result, error) {
		r, err := run(ctx, e)
		if err == nil && r.Properties == nil {
			r.Properties = &ism.Properties{}
		}
		return r, err
	}
}

var byName = func() map[string]Step {
	m := make(map[string]Step, len(steps))
	for _, s := range steps {
		m[s.Name] = s
	}
	return m
}()

// Lookup returns the step of a name; every step of package ism is here, but for those of transitions.
func Lookup(name string) Step { return byName[name] }
