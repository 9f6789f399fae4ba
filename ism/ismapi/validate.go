// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"
	"strings"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

// validation is whether the action that an index would execute next can succeed.
type validation struct{ status, message string }

// The statuses of a validation.
const (
	passed       = "passed"
	revalidating = "re_validating"
	notPassed    = "failed"
)

// nothingToValidate is the validation of an index that executes nothing, or an action without checks.
var nothingToValidate = validation{passed, "Starting Validation"}

func (v validation) json() wire.Object {
	return wire.Obj("validation_message", v.message, "validation_status", v.status)
}

// passedMessages are what actions are told that have no check which can fail for an index that exists.
var passedMessages = map[string]string{
	ism.ActionForceMerge:      "Force merge validation passed",
	ism.ActionOpen:            "Open action validation passed",
	ism.ActionReadOnly:        "validate_read_only action validation passed",
	ism.ActionReadWrite:       "read_write validation passed",
	ism.ActionReplicaCount:    "Replica Count validation passed",
	ism.ActionIndexPriority:   "Index Priority action validation passed",
	ism.ActionSnapshot:        "Snapshot action validation passed",
	ism.ActionClose:           "Close action validation passed",
	ism.ActionStopReplication: "Stop replication action validation passed",
	ism.ActionTransition:      "Transition action validation passed",
}

// validations checks the targets, by uuid. It takes two requests at most.
func (a *API) validations(ctx context.Context, targets []*target) (map[string]validation, error) {
	out := make(map[string]validation, len(targets))
	var rolling []string
	for _, t := range targets {
		if t.nextAction() == ism.ActionRollover {
			rolling = append(rolling, t.Name)
		}
	}
	rolled, uses := map[string]map[string]time.Time{}, map[string]int{}
	var err error
	if len(rolling) > 0 {
		if rolled, err = a.client.RolloverInfo(ctx, rolling); err != nil {
			return nil, err
		}
		if uses, err = a.aliasUses(ctx); err != nil {
			return nil, err
		}
	}
	for _, t := range targets {
		out[t.UUID] = t.validate(rolled[t.Name], uses)
	}
	return out, nil
}

// aliasUses is how many indices each alias has.
func (a *API) aliasUses(ctx context.Context) (map[string]int, error) {
	all, err := a.client.IndexNames(ctx)
	uses := map[string]int{}
	for _, aliases := range all {
		for alias := range aliases {
			uses[alias]++
		}
	}
	return uses, err
}

// nextAction is the type of the action that would be executed next, "" if there is none.
func (t *target) nextAction() string {
	if t.job == nil || t.meta == nil {
		return ""
	}
	return ism.NextAction(t.job, t.meta)
}

func (t *target) validate(rolled map[string]time.Time, uses map[string]int) validation {
	say := func(status, text string) validation { return validation{status, text + " [index=" + t.Name + "]"} }
	switch typ := t.nextAction(); typ {
	case ism.ActionRollover:
		return t.validateRollover(rolled, uses)
	case ism.ActionDelete:
		if target := t.target(); target != "" && t.isMarkedWriteIndex(target) {
			return validation{revalidating, "Index [index=" + t.Name + "] is the write index for data stream and cannot be deleted"}
		}
		return say(passed, "Delete validation passed for")
	case ism.ActionConvertToRemote:
		return validation{notPassed, "Index [index=" + t.Name + "] already exists, cannot restore over existing index."}
	case ism.ActionSearchOnly:
		return say(notPassed, "Cannot scale to zero without remote store enabled")
	default:
		if text := passedMessages[typ]; text != "" {
			return say(passed, text+" for")
		}
		return nothingToValidate
	}
}

func (t *target) validateRollover(rolled map[string]time.Time, uses map[string]int) validation {
	say := func(status, text string) validation { return validation{status, text + " [index=" + t.Name + "]"} }
	target := t.target()
	alias, has := t.Aliases[target]
	_, done := rolled[target]
	switch {
	case target == "":
		return say(revalidating, "Missing rollover_alias index setting")
	case t.setting("rollover_skip") == "true":
		return say(passed, "Skipped rollover action for")
	case done:
		return validation{passed, "This index has already been rolled over using this alias, treating as a success [index=" +
			t.Name + ", alias=" + target + "]"}
	case t.DataStream != "":
		return say(passed, "Rollover validation passed for")
	case !has:
		return say(revalidating, "Missing alias when rollover")
	case (alias.Write == nil || !*alias.Write) && uses[target] > 1:
		return say(revalidating, "Not the write index when rollover")
	}
	return say(passed, "Rollover validation passed for")
}

// target is what a rollover of the index rolls over.
func (t *target) target() string {
	if t.DataStream != "" {
		return t.DataStream
	}
	return t.setting("rollover_alias")
}

func (t *target) isMarkedWriteIndex(alias string) bool {
	a, ok := t.Aliases[alias]
	return ok && a.Write != nil && *a.Write
}

// setting is one of the plugin's index settings, under its newer or its older name.
func (t *target) setting(name string) string {
	if v := t.Settings["index.plugins.index_state_management."+name]; strings.TrimSpace(v) != "" {
		return v
	}
	return t.Settings["index.opendistro.index_state_management."+name]
}
