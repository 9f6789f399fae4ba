// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// RolloverRequest asks for a new write index of an alias or data stream.
type RolloverRequest struct {
	Target string
	// NewIndex is the new index's name, which may be a date-math name; "" takes the next number.
	NewIndex   string
	Conditions []Condition
	DryRun     bool
	New        NewIndex
}

// Condition is one condition of a rollover: "max_age", "max_docs" or "max_size" and its threshold ("7d", "1000", "5gb").
// One that is met is enough.
type Condition struct{ Name, Value string }

// String is the condition as answers show it: "[max_age: 7d]".
func (c Condition) String() string { return "[" + c.Name + ": " + c.Value + "]" }

// threshold is the condition's value: milliseconds, documents or bytes.
func (c Condition) threshold() (int64, error) {
	switch c.Name {
	case "max_age":
		d, err := wire.ParseDuration(c.Value, c.Name)
		return d.Value().Milliseconds(), err
	case "max_size":
		b, err := wire.ParseBytes(c.Value, c.Name)
		return b.Value(), err
	case "max_docs":
		n, err := strconv.ParseInt(c.Value, 10, 64)
		if err != nil {
			err = fault.Illegal("For input string: \"%s\"", c.Value)
		}
		return n, err
	}
	return 0, fault.Illegal("[conditions] unknown field [%s]", c.Name)
}

// Check refuses a threshold that cannot be read.
func (c Condition) Check() error {
	_, err := c.threshold()
	return err
}

// record is the threshold as rollover_info keeps it.
func (c Condition) record() json.RawMessage {
	switch n, err := c.threshold(); {
	case err == nil && c.Name == "max_docs":
		return json.RawMessage(strconv.FormatInt(n, 10))
	case err == nil && c.Name == "max_size" && n == 0:
		return json.RawMessage(`"0"`)
	}
	return json.RawMessage(strconv.Quote(c.Value))
}

// ConditionResult is a condition and whether it is met.
type ConditionResult struct {
	Condition
	Met bool
}

// RolloverResult is what a rollover did, or would do.
type RolloverResult struct {
	OldIndex, NewIndex string
	// Conditions are those of the request, in its order.
	Conditions []ConditionResult
	RolledOver bool
	// Index is the new index; nil unless it was made.
	Index *Index
}

// due reports whether the conditions let a rollover happen.
func (r RolloverResult) due() bool {
	return len(r.Conditions) == 0 || slices.ContainsFunc(r.Conditions, func(c ConditionResult) bool { return c.Met })
}

// Rollover makes a new write index if a condition is met or there is none. Alias swap, new index and the record of the
// rollover are one change. The same new name a second time is the 400 resource_already_exists_exception.
func (c *Catalog) Rollover(ctx context.Context, r RolloverRequest) (RolloverResult, error) {
	plan, err := c.planRollover(c.State(), r)
	if err != nil {
		return RolloverResult{}, err
	}
	stats, err := c.rolloverStats(ctx, plan.old, r)
	if err != nil {
		return RolloverResult{}, err
	}
	out := RolloverResult{OldIndex: plan.old.Name, NewIndex: plan.name}
	if out.Conditions, err = r.met(plan.old, stats, c.clock.Now()); err != nil || r.DryRun || !out.due() {
		return out, err
	}
	err = c.withShards(ctx, func(next *State) (*Index, error) {
		again, err := c.planRollover(next, r)
		if err != nil {
			return nil, err
		}
		if again.old.UUID != plan.old.UUID { // somebody else rolled over since the conditions were looked at
			return nil, alreadyExists(again.old)
		}
		index, err := c.rollOver(next, r, again, out.Conditions)
		if err != nil {
			return nil, err
		}
		out.NewIndex, out.Index = index.Name, index
		return index, nil
	})
	if err != nil {
		return RolloverResult{}, err
	}
	out.RolledOver = true
	return out, nil
}

// rolloverStats counts only if a condition asks.
func (c *Catalog) rolloverStats(ctx context.Context, old *Index, r RolloverRequest) (ShardStats, error) {
	for _, cond := range r.Conditions {
		if cond.Name != "max_age" && !old.Closed {
			return c.shards.Stats(ctx, old)
		}
	}
	return ShardStats{}, nil
}

// met tells of each condition whether it is met.
func (r RolloverRequest) met(old *Index, stats ShardStats, now time.Time) ([]ConditionResult, error) {
	out := make([]ConditionResult, len(r.Conditions))
	for i, cond := range r.Conditions {
		limit, err := cond.threshold()
		if err != nil {
			return nil, err
		}
		value := map[string]int64{
			"max_age": now.Sub(old.Created()).Milliseconds(), "max_docs": stats.Docs, "max_size": stats.Bytes,
		}[cond.Name]
		out[i] = ConditionResult{cond, value >= limit}
	}
	return out, nil
}

// rolloverPlan is what a rollover will do.
type rolloverPlan struct {
	old *Index
	// name is the new index's, provided the name as it is kept (with date maths).
	name, provided string
	stream         *DataStream
	// explicit says that the old index said that it is the write index.
	explicit bool
}

func (c *Catalog) planRollover(s *State, r RolloverRequest) (rolloverPlan, error) {
	if err := s.Block(MetadataWrite, resolver{state: s, streams: true}.behind(r.Target)...); err != nil {
		return rolloverPlan{}, err
	}
	if stream := s.DataStreams[r.Target]; stream != nil {
		return s.planStream(stream, r)
	}
	list := s.aliases[r.Target]
	switch {
	case s.Indices[r.Target] != nil:
		return rolloverPlan{}, fault.Illegal("rollover target is a [concrete index] but one of [alias,data_stream] was expected")
	case list == nil:
		return rolloverPlan{}, fault.Illegal("rollover target [%s] does not exist", r.Target)
	}
	old := s.aliasWriteIndex(r.Target)
	if old == nil {
		return rolloverPlan{}, fault.Illegal("rollover target [%s] does not point to a write index", r.Target)
	}
	plan := rolloverPlan{old: old, provided: r.NewIndex, explicit: old.Aliases[r.Target].Write()}
	if plan.provided == "" {
		next, err := nextName(old)
		if err != nil {
			return plan, err
		}
		plan.provided = next
	}
	name, err := wire.ResolveDateMath(plan.provided, c.clock.Now())
	if err != nil {
		return plan, err
	}
	plan.name = name
	if err := s.checkDuplicateAlias(name, r); err != nil {
		return plan, err
	}
	return plan, s.checkNewName(name, false)
}

func (s *State) planStream(stream *DataStream, r RolloverRequest) (rolloverPlan, error) {
	switch {
	case r.NewIndex != "":
		return rolloverPlan{}, fault.Illegal("new index name may not be specified when rolling over a data stream")
	case len(r.New.Settings.Set)+len(r.New.Settings.Reset)+len(r.New.Aliases) > 0 || r.New.Mappings != nil:
		return rolloverPlan{}, fault.Illegal("aliases, mappings, and index settings may not be specified when rolling over a data stream")
	}
	name := backingIndex(stream.Name, stream.Generation+1)
	return rolloverPlan{old: s.Indices[stream.WriteIndex()], name: name, provided: name, stream: stream}, nil
}

// checkDuplicateAlias refuses a rollover whose new index would get the alias from a template too.
func (s *State) checkDuplicateAlias(name string, r RolloverRequest) error {
	duplicate := func(template string) error {
		return fault.Illegal("Rollover alias [%s] can point to multiple indices, found duplicated alias [[%s]] in index template [%s]", r.Target, r.Target, template)
	}
	has := func(t Template) bool { _, given := t.Aliases[r.Target]; return given }
	if template, t := s.matchTemplate(name, false); t != nil {
		if slices.ContainsFunc(s.composed(t), has) {
			return duplicate(template)
		}
		return nil
	}
	for _, template := range slices.Sorted(maps.Keys(s.LegacyTemplates)) {
		if t := s.LegacyTemplates[template]; wire.MatchAny(t.Patterns, name) && has(t.Template) {
			return duplicate(template)
		}
	}
	return nil
}

var numbered = regexp.MustCompile(`^(.*-)(\d+)$`)

// nextName counts the number at the end of an index's name up, six digits wide, date maths kept: logs-1 becomes
// logs-000002.
func nextName(old *Index) (string, error) {
	provided := old.providedName()
	inner, dateMath := provided, false
	if n := len(provided); n > 1 && provided[0] == '<' && provided[n-1] == '>' {
		inner, dateMath = provided[1:n-1], true
	}
	m := numbered.FindStringSubmatch(inner)
	if m == nil {
		return "", fault.Illegal(`index name [%s] does not match pattern '^.*-\d+$'`, old.Name)
	}
	n, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return "", fault.Illegal(`index name [%s] does not match pattern '^.*-\d+$'`, old.Name)
	}
	next := fmt.Sprintf("%s%06d", m[1], n+1)
	if dateMath {
		next = "<" + next + ">"
	}
	return next, nil
}

// rollOver makes the change in a draft.
func (c *Catalog) rollOver(next *State, r RolloverRequest, plan rolloverPlan, conditions []ConditionResult) (*Index, error) {
	request := r.New
	request.Aliases = maps.Clone(r.New.Aliases)
	var from *origin
	if plan.stream != nil {
		_, t := next.matchTemplate(plan.stream.Name, false)
		if t == nil || t.DataStream == nil {
			return nil, fault.Illegal("no matching index template found for data stream [%s]", plan.stream.Name)
		}
		from = &origin{stream: plan.stream.Name, template: t, timestamp: t.DataStream.TimestampField}
	}
	index, err := c.build(next, plan.name, plan.provided, request, from)
	if err != nil {
		return nil, err
	}
	if plan.stream != nil {
		stream := *plan.stream
		stream.Indices = append(slices.Clone(stream.Indices), plan.name)
		stream.Generation++
		next.DataStreams[stream.Name] = &stream
	} else {
		next.swapAlias(r.Target, plan, index)
	}
	old := next.edit(plan.old.Name)
	info := RolloverInfo{Time: time.UnixMilli(c.clock.Now().UnixMilli()).UTC(), Met: map[string]json.RawMessage{}}
	for _, cond := range conditions {
		if cond.Met {
			info.Met[cond.Name] = cond.record()
		}
	}
	old.Rollovers[r.Target] = info
	next.indexAliases()
	return index, nil
}

// swapAlias moves the alias to the new index: whole, or its write flag if the old index had one.
func (s *State) swapAlias(alias string, plan rolloverPlan, index *Index) {
	old := s.edit(plan.old.Name)
	old.AliasesVersion++
	was := old.Aliases[alias]
	is := was
	if plan.explicit {
		yes, no := true, false
		is.IsWrite, was.IsWrite = &yes, &no
		old.Aliases[alias] = was
	} else {
		is.IsWrite = nil
		delete(old.Aliases, alias)
	}
	index.Aliases[alias] = is // the index is new, nobody reads it yet
}
