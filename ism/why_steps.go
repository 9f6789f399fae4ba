// SPDX-License-Identifier: Apache-2.0

package ism

import "strings"

// stepObstacles stand behind what the steps of shrinks and their like report, whether they wait or have failed.
var stepObstacles = []obstacle{
	{
		"Shrink failed because index has no replicas",
		"[{index}] has no replicas, and its only copies would move",
		"give it a replica, or set force_unsafe in the policy",
	},
	{
		"Shrink action cannot continue as the index is not green",
		"a copy of a shard of [{index}] is not assigned",
		"have it assigned, or ask for no more replicas than there are nodes for",
	},
	{
		"Shrink delayed because index health is not green",
		"a copy of a shard of [{index}] is not assigned",
		"have it assigned, or ask for no more replicas than there are nodes for",
	},
	{
		"There is no node with enough disk space",
		"no data node has space for [{index}] twice beyond the high watermark, and may get all its shards",
		"free disk space, add a node, or relax what keeps shards from the nodes",
	},
	{
		"Candidate node for shrink action is locked",
		"another index is being shrunk onto the node",
		"wait until that is done",
	},
	{
		"Shrink delayed because it took too long to move shards",
		"the shards of [{index}] are not all on the node, or not in sync",
		"wait until they are; _cat/recovery shows how far they have come",
	},
}

// obstacleTo finds what stands behind a message.
func obstacleTo(message string, lists ...[]obstacle) (found obstacle, ok bool) {
	for _, list := range lists {
		for _, o := range list {
			if strings.HasPrefix(message, o.begins) {
				return o, true
			}
		}
	}
	return obstacle{}, false
}

// polling says what a step waits for that looks again and again.
func (in *Input) polling() *Why {
	if in.Meta.Step == nil || in.Meta.Step.Status != StatusConditionNotMet {
		return nil
	}
	message := in.Meta.Info.Text("message")
	o, ok := obstacleTo(message, stepObstacles)
	if !ok {
		return nil
	}
	return &Why{Cause: message, Blocking: fill(o.blocking, in.Job.Index, in.Job.PolicyID), Fix: o.fix}
}
