// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
)

// execute is what a step does and reports.
func (c *Cluster) execute(i *index, in ism.Input, move ism.Move) ism.Result {
	say := func(text string, args ...any) ism.Info {
		return ism.Message(fmt.Sprintf(text, args...) + " [index=" + i.name + "]")
	}
	done := func(text string, args ...any) ism.Result {
		return ism.Result{Status: ism.StatusCompleted, Info: say(text, args...)}
	}
	a := move.Action
	switch move.Step.Name {
	case "attempt_rollover":
		return c.attemptRollover(i, in, move)
	case "attempt_delete":
		delete(c.indices, i.name)
		return done("Successfully deleted index")
	case "attempt_close":
		i.open = false
		return done("Successfully closed index")
	case "attempt_open":
		i.open = true
		return done("Successfully opened index")
	case "set_read_only", "attempt_set_read_only":
		return done("Successfully set index to read-only")
	case "set_read_write":
		return done("Successfully set index to read-write")
	case "attempt_set_replica_count":
		return done("Successfully set number_of_replicas to %d", a.ReplicaCount.NumberOfReplicas)
	case "attempt_set_index_priority":
		return done("Successfully set index priority to %d", a.IndexPriority.Priority)
	case "attempt_allocation":
		return done("Successfully updated allocation setting")
	case "attempt_alias":
		i.change(a.Alias.Actions)
		return done("Successfully updated alias")
	case "attempt_call_force_merge":
		r := done("Successfully completed force merge")
		r.Properties = &ism.Properties{MaxNumSegments: &a.ForceMerge.MaxNumSegments}
		return r
	case "wait_for_force_merge":
		return done("Successfully confirmed segments force merged")
	}
	return ism.Result{Status: ism.StatusFailed, Info: say("The simulated cluster has no step %s", move.Step.Name)}
}

func (i *index) change(list []ism.AliasChange) {
	for _, change := range list {
		for _, alias := range change.Aliases {
			if change.Kind == "add" {
				i.aliases[alias] = nil
			} else {
				delete(i.aliases, alias)
			}
		}
	}
}

func (c *Cluster) attemptRollover(i *index, in ism.Input, move ism.Move) ism.Result {
	target, r := in.Facts.Target, ism.Result{Status: ism.StatusCompleted, RolledOver: true}
	if _, already := i.rolledOver[target]; already {
		r.Info = ism.Message(fmt.Sprintf("This index has already been rolled over using this alias, treating as a success [index=%s, alias=%s]", i.name, target))
		r.NewIndex = in.Meta.RolledOverIndexName
	} else {
		created, err := c.rollOver(target)
		if err != nil {
			info := ism.Message("Failed to rollover index [index="+i.name+"]").With("cause", fault.Of(err).Reason)
			return ism.Result{Status: ism.StatusFailed, Info: info}
		}
		text := "Successfully rolled over index [index=" + i.name + "]"
		if i.stream != "" {
			text = fmt.Sprintf("Successfully rolled over data stream [data_stream=%s index=%s]", target, i.name)
		}
		r.Info, r.NewIndex = move.Result.Info.With("message", text), created.name
	}
	if move.Action.Rollover.CopyAlias {
		r.Info = r.Info.With("message", c.copyAliases(i, target, r.NewIndex))
	}
	return r
}

// copyAliases gives the new index the aliases of the old one but the target, and says so.
func (c *Cluster) copyAliases(i *index, target, to string) string {
	created := c.indices[to]
	if created == nil {
		return fmt.Sprintf("Successfully rolled over [index=%s] but ISM cannot find rolled over index from metadata to copy aliases to, please manually copy", i.name)
	}
	copied := false
	for _, alias := range slices.Sorted(maps.Keys(i.aliases)) {
		if alias != target {
			created.aliases[alias], copied = nil, true
		}
	}
	if !copied {
		return fmt.Sprintf("Successfully rolled over index [index=%s] to [index=%s], no additional aliases to copy", i.name, to)
	}
	return fmt.Sprintf("Successfully rolled over and copied alias from [index=%s] to [index=%s]", i.name, to)
}
