// SPDX-License-Identifier: Apache-2.0

package ism

// StepInfo is what deciding needs to know of a step.
type StepInfo struct {
	// Name is the name in metadata: "attempt_rollover".
	Name string
	// Idempotent is the plugin's word on whether the step may run again after a crash. Only the native pace goes by it:
	// every step of ours looks before it acts.
	Idempotent bool
	// SafeToDisable is false for a step that goes on while the plugin is disabled.
	SafeToDisable bool
}

func once(name string) []StepInfo     { return []StepInfo{{name, true, true}} }
func onlyOnce(name string) []StepInfo { return []StepInfo{{name, false, true}} }

// steps are the steps of each action type, in order.
var steps = map[string][]StepInfo{
	ActionRollover:        once("attempt_rollover"),
	ActionTransition:      once("attempt_transition_step"),
	ActionDelete:          once("attempt_delete"),
	ActionClose:           once("attempt_close"),
	ActionOpen:            once("attempt_open"),
	ActionReadOnly:        once("set_read_only"),
	ActionReadWrite:       once("set_read_write"),
	ActionReplicaCount:    once("attempt_set_replica_count"),
	ActionIndexPriority:   once("attempt_set_index_priority"),
	ActionAllocation:      once("attempt_allocation"),
	ActionAlias:           once("attempt_alias"),
	ActionNotification:    onlyOnce("attempt_notification"),
	ActionStopReplication: onlyOnce("attempt_stop_replication"),
	ActionSearchOnly:      once("attempt_search_only"),
	ActionConvertToRemote: onlyOnce("attempt_restore"),
	ActionForceMerge: {
		{"attempt_set_read_only", true, true}, {"attempt_call_force_merge", false, true}, {"wait_for_force_merge", true, false},
	},
	ActionSnapshot:  {{"attempt_snapshot", false, true}, {"wait_for_snapshot", true, true}},
	ActionRollup:    {{"attempt_create_rollup", true, true}, {"wait_for_rollup_completion", true, true}},
	ActionTransform: {{"attempt_create_transform", true, true}, {"wait_for_transform_completion", true, true}},
	ActionShrink: {
		{"attempt_move_shards_step", true, true},
		{"wait_for_move_shards_step", true, true},
		{"attempt_shrink_step", false, true},
		{"wait_for_shrink_step", true, true},
	},
}

// Steps are the steps of an action type, in order.
func Steps(actionType string) []StepInfo { return steps[actionType] }

// stepIndex is the place of a step in its action, or -1.
func stepIndex(list []StepInfo, name string) int {
	for i, s := range list {
		if s.Name == name {
			return i
		}
	}
	return -1
}

// nextStep is the step of an action that follows the recorded one. Each action starts at its first step, also when the
// one before was of the same type (the plugin's second force_merge in a row starts at its last step, and fails).
func nextStep(actionType string, recorded *StepMeta) StepInfo {
	list := steps[actionType]
	if recorded == nil {
		return list[0]
	}
	at := stepIndex(list, recorded.Name)
	switch {
	case at < 0:
		return list[0]
	case recorded.Status == StatusCompleted && at < len(list)-1:
		return list[at+1]
	case recorded.Status == StatusFailed && actionType == ActionShrink:
		return list[0]
	}
	return list[at]
}

// lastStepDone reports whether the recorded step ends its action.
func lastStepDone(actionType string, recorded *StepMeta) bool {
	list := steps[actionType] // none for a type that is not ours
	return recorded != nil && recorded.Status == StatusCompleted && len(list) > 0 && recorded.Name == list[len(list)-1].Name
}
