// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// attemptRollover rolls the target over, once.
//
// An alias is rolled over to a named index: the cluster says in a dry run how it would name it, the name is stored,
// and then the call is made with that name. The second such call is refused, and the index's rollover_info says that
// the first one worked. A data stream takes no name; there the condition is the age of the index that is meant, which
// the new one does not have.
func attemptRollover(ctx context.Context, e *Env) (ism.Result, error) {
	intended, err := e.Intentions.Load(ctx)
	if err != nil {
		return ism.Result{}, err
	}
	at, err := rolledOver(ctx, e)
	if err != nil {
		return ism.Result{}, err
	}
	if at {
		return afterRollover(ctx, e, intended)
	}
	if intended == nil {
		i, err := intendRollover(ctx, e)
		if err != nil {
			return refused(err, e.message("Failed to rollover index"))
		}
		if err := e.Intentions.Store(ctx, i); err != nil {
			return ism.Result{}, err
		}
		intended = &i
	}
	return rollover(ctx, e, intended)
}

// rolledOver reports whether the index has been rolled over for its target, by whomever.
func rolledOver(ctx context.Context, e *Env) (bool, error) {
	infos, err := e.Client.RolloverInfo(ctx, []string{e.Index})
	if err != nil {
		return false, err
	}
	_, ok := infos[e.Index][e.Facts.Target]
	return ok, nil
}

// intendRollover settles the new index's name.
func intendRollover(ctx context.Context, e *Env) (Intention, error) {
	i := Intention{Target: e.Facts.Target}
	if e.Decided != nil {
		i.Info = e.Decided.Info
	}
	if e.Facts.DataStream {
		return i, nil
	}
	info, _, err := e.present(ctx)
	if err != nil {
		return i, err
	}
	if next, ok := nextExpression(info.Settings["index.provided_name"]); ok {
		i.Send = next
	}
	dry, err := e.Client.Rollover(ctx, i.Target, i.Send, nil, true)
	if err != nil {
		return i, err
	}
	i.NewIndex = dry.NewIndex
	if i.Send == "" {
		i.Send = dry.NewIndex
	}
	return i, nil
}

var expressionCounter = regexp.MustCompile(`^(<.*-)(\d+)>$`)

// nextExpression is the date-math name that follows <logs-{now/d}-1>: <logs-{now/d}-000002>. Sent as an expression it
// becomes the new index's provided name, from which later names follow in turn.
func nextExpression(provided string) (string, bool) {
	m := expressionCounter.FindStringSubmatch(provided)
	if m == nil {
		return "", false
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return "", false
	}
	return fmt.Sprintf("%s%06d>", m[1], n+1), true
}

func rollover(ctx context.Context, e *Env, i *Intention) (ism.Result, error) {
	var conditions map[string]any
	if e.Facts.DataStream {
		conditions = map[string]any{"max_age": meantAge(e.Now.Sub(e.Facts.Created))}
	}
	answer, err := e.Client.Rollover(ctx, i.Target, i.Send, conditions, false)
	if fault.Is(err, "resource_already_exists_exception") {
		done, lookErr := rolledOver(ctx, e)
		switch {
		case lookErr != nil:
			return ism.Result{}, lookErr
		case done:
			return afterRollover(ctx, e, i)
		}
	}
	switch {
	case err != nil:
		return refused(err, e.message("Failed to rollover index"))
	case !answer.RolledOver || !answer.Acknowledged:
		return ism.Result{Status: ism.StatusFailed, Info: halfDone(e, i, answer)}, nil
	}
	i.NewIndex = answer.NewIndex
	return afterRollover(ctx, e, i)
}

// meantAge is a little less than the index's age, to allow for clocks that differ.
func meantAge(age time.Duration) string {
	return strconv.FormatInt(max(age-min(age/10, time.Minute), 0).Milliseconds(), 10) + "ms"
}

func halfDone(e *Env, i *Intention, answer opensearch.RolledOver) ism.Info {
	if e.Facts.DataStream {
		return ism.Message("Failed to rollover data stream [data_stream=" + i.Target + "]")
	}
	return ism.Message(fmt.Sprintf("New index created, but failed to update alias [index=%s, newIndex=%s]", e.Index, answer.NewIndex))
}

// afterRollover reports a rollover that has happened, and copies aliases if the action says so. Without an intention
// it was somebody else's.
func afterRollover(ctx context.Context, e *Env, i *Intention) (ism.Result, error) {
	r := completed(rolloverInfo(e, i))
	r.RolledOver = true
	if i != nil {
		r.NewIndex = i.NewIndex
	}
	if !e.Action.Rollover.CopyAlias {
		return r, nil
	}
	if r.NewIndex == "" {
		r.NewIndex = e.Meta.RolledOverIndexName
	}
	return copyAliases(ctx, e, r)
}

func rolloverInfo(e *Env, i *Intention) ism.Info {
	switch {
	case i == nil:
		return ism.Message(fmt.Sprintf(
			"This index has already been rolled over using this alias, treating as a success [index=%s, alias=%s]",
			e.Index, e.Facts.Target))
	case e.Facts.DataStream:
		return i.Info.With("message", fmt.Sprintf(
			"Successfully rolled over data stream [data_stream=%s index=%s]", i.Target, e.Index))
	default:
		return i.Info.With("message", "Successfully rolled over index [index="+e.Index+"]")
	}
}

// copyAliases gives the new index the old one's aliases but the target, without their write flag. Adding an alias
// that is there already changes nothing.
func copyAliases(ctx context.Context, e *Env, r ism.Result) (ism.Result, error) {
	say := func(format string, args ...any) ism.Info {
		return r.Info.With("message", fmt.Sprintf("Successfully rolled over "+format, args...))
	}
	fail := func(info ism.Info) ism.Result {
		r.Status, r.Info = ism.StatusFailed, info
		return r
	}
	if r.NewIndex == "" {
		r.Info = say("[index=%s] but ISM cannot find rolled over index from metadata to copy aliases to, please manually copy", e.Index)
		return r, nil
	}
	failed := say("but failed to copy alias from [index=%s] to [index=%s]", e.Index, r.NewIndex)
	info, _, err := e.present(ctx)
	if err != nil {
		return refused(err, failed)
	}
	actions := copyActions(info.Aliases, e.Facts.Target, r.NewIndex)
	if len(actions) == 0 {
		r.Info = say("index [index=%s] to [index=%s], no additional aliases to copy", e.Index, r.NewIndex)
		return r, nil
	}
	a, err := e.Client.UpdateAliases(ctx, actions)
	switch {
	case fault.Is(err, "index_not_found_exception"):
		return fail(say("but new index [index=%s] not found during copy alias", r.NewIndex)), nil
	case err != nil && Unanswered(err):
		return ism.Result{}, err
	case err != nil:
		return fail(failed.With("cause", fault.Of(err).Reason)), nil
	case !a.Acknowledged:
		return fail(say("but copy alias from [index=%s] to [index=%s] is not acknowledged", e.Index, r.NewIndex)), nil
	}
	r.Info = say("and copied alias from [index=%s] to [index=%s]", e.Index, r.NewIndex)
	return r, nil
}

// copyActions give an index these aliases but the target, without their write flags.
func copyActions(aliases map[string]opensearch.Alias, target, to string) []any {
	var actions []any
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		if name == target {
			continue
		}
		a := aliases[name]
		a.Write = nil
		actions = append(actions, wire.Obj("add", aliasOf(to, name, a)))
	}
	return actions
}
