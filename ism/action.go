// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"math"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// The action types, as policies name them.
const (
	ActionAlias           = "alias"
	ActionAllocation      = "allocation"
	ActionClose           = "close"
	ActionDelete          = "delete"
	ActionForceMerge      = "force_merge"
	ActionIndexPriority   = "index_priority"
	ActionNotification    = "notification"
	ActionOpen            = "open"
	ActionReadOnly        = "read_only"
	ActionReadWrite       = "read_write"
	ActionReplicaCount    = "replica_count"
	ActionRollup          = "rollup"
	ActionRollover        = "rollover"
	ActionSearchOnly      = "search_only"
	ActionShrink          = "shrink"
	ActionSnapshot        = "snapshot"
	ActionTransform       = "transform"
	ActionStopReplication = "stop_replication"
	ActionConvertToRemote = "convert_index_to_remote"
	// ActionTransition is the implicit action that evaluates a state's transitions. No policy can name it.
	ActionTransition = "transition"
)

// ActionTypes are the types a policy may name, in the order of the default allow list.
var ActionTypes = []string{
	ActionAlias, ActionAllocation, ActionClose, ActionDelete, ActionForceMerge, ActionIndexPriority, ActionNotification,
	ActionOpen, ActionReadOnly, ActionReadWrite, ActionReplicaCount, ActionRollup, ActionRollover, ActionSearchOnly,
	ActionShrink, ActionSnapshot, ActionTransform, ActionStopReplication, ActionConvertToRemote,
}

// Action is one action of a state. The member that its Type names is set; types without parameters have none.
type Action struct {
	Type    string
	Timeout *wire.Duration
	Retry   Retry
	// Custom is true for an action that stood in a "custom" wrapper.
	Custom bool

	Alias           *Alias
	Allocation      *Allocation
	ForceMerge      *ForceMerge
	IndexPriority   *IndexPriority
	Notification    *Notification
	ReplicaCount    *ReplicaCount
	Rollup          *Rollup
	Rollover        *Rollover
	Shrink          *Shrink
	Snapshot        *Snapshot
	Transform       *Transform
	ConvertToRemote *ConvertToRemote
}

// transition is the action that every state ends with.
var transition = &Action{Type: ActionTransition, Retry: defaultRetry}

// Backoff is how the wait between retries grows.
type Backoff string

// The ways to back off.
const (
	Exponential Backoff = "exponential" // delay, 2·delay, 4·delay ...
	Linear      Backoff = "linear"      // delay, 2·delay, 3·delay ...
	Constant    Backoff = "constant"
)

// Retry says how often and when a failed step is tried again.
type Retry struct {
	Count   int64
	Backoff Backoff
	Delay   wire.Duration
}

// defaultRetry is what every action has that does not say otherwise: 3 retries, 1 minute, exponential.
var defaultRetry = Retry{Count: 3, Backoff: Exponential, Delay: wire.Milliseconds(60_000)}

// Wait is the least time between a failure and the retry after it, when consumed retries have been used.
func (r Retry) Wait(consumed int64) time.Duration {
	delay := r.Delay.Value()
	factor := int64(1)
	switch r.Backoff {
	case Exponential:
		factor = 1 << min(max(consumed-1, 0), 62)
	case Linear:
		factor = consumed
	}
	if delay > 0 && factor > math.MaxInt64/int64(delay) {
		return math.MaxInt64
	}
	return time.Duration(factor) * delay
}

func parseAction(p *wire.Parser) (Action, error) {
	a := Action{Retry: defaultRetry}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "timeout":
			a.Timeout, err = parseTimeout(p)
		case "retry":
			a.Retry, err = parseRetry(p)
		case "custom":
			a.Custom = true
			err = p.Object(func(name string) error { return a.parse(p, name) })
		default:
			a.Custom = false
			err = a.parse(p, name)
		}
		return err
	})
	if err == nil && a.Type == "" {
		err = fault.Illegal("Action inside state is null")
	}
	return a, err
}

// parse reads the action of this type. Of two in one object the last one counts, as in the plugin.
func (a *Action) parse(p *wire.Parser, typ string) (err error) {
	*a = Action{Type: typ, Timeout: a.Timeout, Retry: a.Retry, Custom: a.Custom}
	switch typ {
	case ActionReadOnly, ActionReadWrite, ActionOpen, ActionClose, ActionDelete, ActionStopReplication, ActionSearchOnly:
		if err := p.Expect(wire.StartObject); err != nil {
			return err
		}
		err = p.NextExpect(wire.EndObject)
	case ActionAlias:
		a.Alias, err = parseAliasAction(p)
	case ActionAllocation:
		a.Allocation, err = parseAllocation(p)
	case ActionForceMerge:
		a.ForceMerge, err = parseForceMerge(p)
	case ActionIndexPriority:
		a.IndexPriority, err = parseIndexPriority(p)
	case ActionNotification:
		a.Notification, err = parseNotification(p)
	case ActionReplicaCount:
		a.ReplicaCount, err = parseReplicaCount(p)
	case ActionRollup:
		a.Rollup, err = parseRollup(p)
	case ActionRollover:
		a.Rollover, err = parseRollover(p)
	case ActionShrink:
		a.Shrink, err = parseShrink(p)
	case ActionSnapshot:
		a.Snapshot, err = parseSnapshot(p)
	case ActionTransform:
		a.Transform, err = parseTransform(p)
	case ActionConvertToRemote:
		a.ConvertToRemote, err = parseConvertToRemote(p)
	default:
		return invalidField(typ, "Actions")
	}
	return err
}

// body is the JSON under the action's type.
func (a *Action) body() wire.Object {
	switch a.Type {
	case ActionAlias:
		return a.Alias.json()
	case ActionAllocation:
		return a.Allocation.json()
	case ActionForceMerge:
		return wire.Obj("max_num_segments", a.ForceMerge.MaxNumSegments)
	case ActionIndexPriority:
		return wire.Obj("priority", a.IndexPriority.Priority)
	case ActionNotification:
		return a.Notification.json(a.Notification.Template)
	case ActionReplicaCount:
		return wire.Obj("number_of_replicas", a.ReplicaCount.NumberOfReplicas)
	case ActionRollup:
		return wire.Obj("ism_rollup", a.Rollup.json())
	case ActionRollover:
		return a.Rollover.json()
	case ActionShrink:
		return a.Shrink.json()
	case ActionSnapshot:
		return wire.Obj("repository", a.Snapshot.Repository, "snapshot", a.Snapshot.Snapshot)
	case ActionTransform:
		return wire.Obj("ism_transform", a.Transform.json())
	case ActionConvertToRemote:
		return a.ConvertToRemote.json()
	default:
		return wire.Object{}
	}
}

func (a *Action) json(form Form) wire.Object {
	o := wire.Object{}
	o.AddIf(a.Timeout != nil, "timeout", a.Timeout)
	o.Add("retry", wire.Obj("count", a.Retry.Count, "backoff", string(a.Retry.Backoff), "delay", a.Retry.Delay))
	if a.Custom && form != API {
		o.Add("custom", wire.Obj(a.Type, a.body()))
	} else {
		o.Add(a.Type, a.body())
	}
	return o
}

func parseTimeout(p *wire.Parser) (*wire.Duration, error) {
	if p.Token() != wire.String {
		return nil, fault.Illegal("Invalid token: [%s] for ActionTimeout", p.Token())
	}
	return duration(p, "timeout")
}

func parseRetry(p *wire.Parser) (Retry, error) {
	r := defaultRetry
	counted := false
	err := p.Object(func(name string) (err error) {
		switch name {
		case "count":
			r.Count, err = p.Long()
			counted = true
		case "backoff":
			r.Backoff, err = parseBackoff(p)
		case "delay":
			var d *wire.Duration
			if d, err = duration(p, "delay"); err == nil {
				r.Delay = *d
			}
		default:
			err = p.Skip()
		}
		return err
	})
	switch {
	case err != nil:
		return r, err
	case !counted:
		return r, fault.Illegal("ActionRetry count is null")
	case r.Count < 0:
		return r, fault.Illegal("Count for ActionRetry must be a non-negative number")
	}
	return r, nil
}

func parseBackoff(p *wire.Parser) (Backoff, error) {
	s, err := p.Text()
	if err != nil {
		return "", err
	}
	switch b := Backoff(strings.ToLower(s)); b {
	case Exponential, Linear, Constant:
		return b, nil
	}
	return "", fault.Illegal("No enum constant org.opensearch.indexmanagement.spi.indexstatemanagement.model.ActionRetry.Backoff.%s", strings.ToUpper(s))
}
