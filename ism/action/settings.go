// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

// The steps of this file set index settings: setting them twice changes nothing.

func (e *Env) put(ctx context.Context, settings map[string]any, done, failed ism.Info) (ism.Result, error) {
	a, err := e.Client.PutSettings(ctx, e.Index, settings)
	return e.outcome(a, err, done, failed)
}

// setReadOnly blocks writes. It is a step of read_only and the first of force_merge.
func setReadOnly(ctx context.Context, e *Env) (ism.Result, error) {
	return e.put(ctx, map[string]any{"index.blocks.write": true},
		e.message("Successfully set index to read-only"), e.message("Failed to set index to read-only"))
}

// setReadWrite lifts the block on writes.
func setReadWrite(ctx context.Context, e *Env) (ism.Result, error) {
	return e.put(ctx, map[string]any{"index.blocks.write": false},
		e.message("Successfully set index to read-write"), e.message("Failed to set index to read-write"))
}

// attemptSetReplicaCount does not wait for the replicas to be allocated.
func attemptSetReplicaCount(ctx context.Context, e *Env) (ism.Result, error) {
	n := e.Action.ReplicaCount.NumberOfReplicas
	return e.put(ctx, map[string]any{"index.number_of_replicas": n},
		e.message("Successfully set number_of_replicas to %d", n), e.message("Failed to set number_of_replicas to %d", n))
}

func attemptSetIndexPriority(ctx context.Context, e *Env) (ism.Result, error) {
	n := e.Action.IndexPriority.Priority
	return e.put(ctx, map[string]any{"index.priority": n},
		e.message("Successfully set index priority to %d", n), e.message("Failed to set index priority to %d", n))
}

// attemptAllocation sets the configured attributes and leaves others. Like the plugin it does not wait for shards to
// move, whatever wait_for says.
func attemptAllocation(ctx context.Context, e *Env) (ism.Result, error) {
	settings := map[string]any{}
	set := func(rule string, attributes wire.Object) {
		for _, a := range attributes {
			settings["index.routing.allocation."+rule+"."+a.Name] = a.Value
		}
	}
	set("require", e.Action.Allocation.Require)
	set("include", e.Action.Allocation.Include)
	set("exclude", e.Action.Allocation.Exclude)
	return e.put(ctx, settings,
		e.message("Successfully updated allocation setting"), e.message("Failed to update allocation setting"))
}
