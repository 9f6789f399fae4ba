// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"fmt"
	"slices"
	"time"
)

// Validation says whether an action can succeed, before it runs: the plugin's error prevention.
type Validation struct{ Status, Message string }

// The statuses of a validation. An action that failed its validation is not run; the plugin looks again at one that is
// to be validated again, and gives the other up.
const (
	ValidationPassed = "passed"
	ValidationAgain  = "re_validating"
	ValidationFailed = "failed"
)

// nothingValidated is the validation of an action without checks, and of nothing at all. It is also what an action
// whose check says nothing of its own is told.
const nothingValidated = "Starting Validation"

// NoValidation is what an index is told that would run nothing next.
var NoValidation = Validation{ValidationPassed, nothingValidated}

// validateEvery is how often an action that cannot succeed is looked at again although nothing about its index changed.
const validateEvery = time.Minute

// validator checks one action type.
type validator func(index string, f *Facts, c *Config) Validation

// validators are the checks by action type. Types that are not here have none.
var validators = map[string]validator{
	ActionRollover:        validateRollover,
	ActionDelete:          validateDelete,
	ActionForceMerge:      onHeap("Force merge validation passed for"),
	ActionReplicaCount:    onHeap("Replica Count validation passed for"),
	ActionReadOnly:        onHeap("validate_read_only action validation passed for"),
	ActionReadWrite:       passing("read_write validation passed for"),
	ActionOpen:            passing("Open action validation passed for"),
	ActionIndexPriority:   passing("Index Priority action validation passed for"),
	ActionClose:           existing(ValidationFailed, "No such index [index=%s] for close action.", "Close action validation passed for"),
	ActionSnapshot:        existing(ValidationFailed, "Index [index=%s] does not exist for snapshot action.", "Snapshot action validation passed for"),
	ActionTransition:      existing(ValidationAgain, "Index [index=%s] does not exist for transition", "Transition action validation passed for"),
	ActionStopReplication: validateStopReplication,
	ActionConvertToRemote: validateConversion,
	ActionSearchOnly:      validateSearchOnly,
}

// Validate checks whether an action of this type can succeed on an index. Of the facts it asks for those that
// [ValidationNeeds] names.
func Validate(actionType, index string, f Facts, c Config) Validation {
	if check := validators[actionType]; check != nil {
		return check(index, &f, &c)
	}
	return NoValidation
}

// ValidationNeeds is what validating an action of this type asks for of the facts that cost a request.
func ValidationNeeds(actionType string, c Config) Need {
	switch {
	case actionType == ActionRollover:
		return NeedRolloverInfo
	case actionType == ActionSearchOnly:
		return NeedScale
	case actionType == ActionStopReplication, actionType == ActionConvertToRemote:
		return NeedAbilities
	case c.HeapLimit > 0 && slices.Contains([]string{ActionForceMerge, ActionReplicaCount, ActionReadOnly}, actionType):
		return NeedHeap
	}
	return 0
}

func about(index, text string) string { return text + " [index=" + index + "]" }

func passing(text string) validator {
	return func(index string, _ *Facts, _ *Config) Validation {
		return Validation{ValidationPassed, about(index, text)}
	}
}

// onHeap passes unless a node has less memory left than the circuit breaker wants.
func onHeap(text string) validator {
	return func(index string, f *Facts, c *Config) Validation {
		if c.HeapLimit > 0 && f.HeapPercent > c.HeapLimit {
			return Validation{ValidationAgain, nothingValidated}
		}
		return Validation{ValidationPassed, about(index, text)}
	}
}

// existing passes if the index exists; missing has a place for its name.
func existing(status, missing, text string) validator {
	return func(index string, f *Facts, _ *Config) Validation {
		if !f.Exists {
			return Validation{status, fmt.Sprintf(missing, index)}
		}
		return Validation{ValidationPassed, about(index, text)}
	}
}

func validateRollover(index string, f *Facts, _ *Config) Validation {
	_, done := f.RolledOver[f.Target]
	switch {
	case f.Target == "":
		return Validation{ValidationAgain, about(index, "Missing rollover_alias index setting")}
	case f.RolloverSkip:
		return Validation{ValidationPassed, about(index, "Skipped rollover action for")}
	case done:
		return Validation{ValidationPassed, "This index has already been rolled over using this alias, treating as a success [index=" +
			index + ", alias=" + f.Target + "]"}
	case f.DataStream: // its newest index is always the one written to
	case !f.HasTarget:
		return Validation{ValidationAgain, about(index, "Missing alias when rollover")}
	case !f.MarkedWrite && f.TargetIndices > 1:
		return Validation{ValidationAgain, about(index, "Not the write index when rollover")}
	}
	return Validation{ValidationPassed, about(index, "Rollover validation passed for")}
}

func validateDelete(index string, f *Facts, _ *Config) Validation {
	switch {
	case !f.Exists:
		return Validation{ValidationAgain, about(index, "no such index")}
	case f.HasTarget && f.MarkedWrite:
		return Validation{ValidationAgain, "Index [index=" + index + "] is the write index for data stream and cannot be deleted"}
	}
	return Validation{ValidationPassed, about(index, "Delete validation passed for")}
}

func validateStopReplication(index string, f *Facts, _ *Config) Validation {
	switch {
	case !f.Exists:
		return Validation{ValidationFailed, "No such index [index=" + index + "] for stop replication action."}
	case !f.Can.Replicate:
		return Validation{ValidationFailed, about(index, "The cluster has no cross-cluster replication")}
	}
	return Validation{ValidationPassed, about(index, "Stop replication action validation passed for")}
}

// validateConversion refuses an index that exists at native pace alone: the action is for such an index, so that in the
// plugin it can never pass.
func validateConversion(index string, f *Facts, c *Config) Validation {
	switch {
	case f.Exists && c.Native:
		return Validation{ValidationFailed, "Index [index=" + index + "] already exists, cannot restore over existing index."}
	case !f.Can.SearchSnapshots:
		return Validation{ValidationFailed, about(index, "No node can search snapshots")}
	}
	return Validation{ValidationPassed, about(index, "Restore action validation passed for")}
}

func validateSearchOnly(index string, f *Facts, _ *Config) Validation {
	fail := func(text string) Validation { return Validation{ValidationFailed, about(index, text)} }
	switch {
	case !f.Exists:
		return Validation{ValidationFailed, "No such index [index=" + index + "] for search_only action."}
	case !f.Scale.RemoteStore:
		return fail("Cannot scale to zero without remote store enabled")
	case !f.Scale.SegmentReplication:
		return fail("Cannot scale to zero without segment replication")
	case f.Scale.SearchReplicas == 0:
		return fail("Cannot scale to zero without search replicas")
	}
	return Validation{ValidationPassed, about(index, "search_only action validation passed for")}
}

// invalid is the move of a step whose action did not pass its validation: it is announced and not run. The plugin
// announces it again with every run, and disables the job of one that failed; otherwise it is looked at again
// when its index changes, and from time to time.
func (in *Input) invalid(r resolved, starting *Metadata, v Validation) Move {
	move := Move{Kind: Save, Meta: starting, Action: r.action, Step: r.step, Notify: true, Reason: "validation: " + v.Message}
	switch {
	case in.Config.Native && v.Status == ValidationFailed:
		move.Job = in.Job.Disable(in.Now)
	case !in.Config.Native && in.announced(r):
		move.Kind, move.Meta, move.Notify = Wait, nil, false
		move.Due = earliest(in.Now.Add(validateEvery), in.timeoutAt(r))
	}
	return move
}

// announced reports whether the stored metadata says that this step is about to run.
func (in *Input) announced(r resolved) bool {
	s := in.Meta.Step
	return !r.fresh && s != nil && s.Name == r.step.Name && s.Status == StatusStarting
}
