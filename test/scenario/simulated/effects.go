// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
)

// requests are the steps of one request, which are made as the program makes them.
var requests = []string{
	"attempt_alias", "attempt_allocation", "attempt_close", "attempt_delete", "attempt_open", "attempt_set_index_priority", "attempt_set_read_only",
	"attempt_set_replica_count", "set_read_only", "set_read_write",
}

// execute is what a step does and reports.
func (c *Cluster) execute(i *index, in ism.Input, move ism.Move) (ism.Result, error) {
	done := func(text string) ism.Result {
		return ism.Result{Status: ism.StatusCompleted, Info: ism.Message(text + " [index=" + i.name + "]")}
	}
	switch name := move.Step.Name; name {
	case "attempt_rollover":
		return c.attemptRollover(i, in, move), nil
	case "attempt_call_force_merge":
		r := done("Successfully completed force merge")
		r.Properties = &ism.Properties{MaxNumSegments: &move.Action.ForceMerge.MaxNumSegments}
		return r, nil
	case "wait_for_force_merge":
		r := done("Successfully confirmed segments force merged")
		r.DropProperties = true
		return r, nil
	default:
		if !slices.Contains(requests, name) {
			return ism.Result{}, fmt.Errorf("the simulated cluster has no step %s", name)
		}
		client := opensearch.NewClient(c.Before(opensearch.InProcess(c)))
		return action.Lookup(name).Run(context.Background(), &action.Env{Client: client, Index: i.name, UUID: i.uuid, Action: move.Action, Meta: move.Meta})
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
