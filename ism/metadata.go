// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/opensteward/steward/wire"
)

// The statuses of a step.
const (
	StatusStarting        = "starting"
	StatusConditionNotMet = "condition_not_met"
	StatusFailed          = "failed"
	StatusCompleted       = "completed"
	StatusTimedOut        = "timed_out"
)

// Metadata is how far a policy has got with an index.
type Metadata struct {
	Index, UUID, PolicyID string
	// PolicySeqNo and PolicyPrimaryTerm are nil if the policy could not be loaded.
	PolicySeqNo, PolicyPrimaryTerm *int64
	PolicyCompleted                bool
	RolledOver                     bool
	RolledOverIndexName            string
	// Created is when the index was created; zero if unknown.
	Created      time.Time
	TransitionTo string
	State        *StateMeta
	Action       *ActionMeta
	Step         *StepMeta
	Retry        RetryInfo
	Info         Info // nil if absent
}

// StateMeta is the state an index is in.
type StateMeta struct {
	Name      string
	StartTime time.Time
}

// ActionMeta is the action that runs or ran last.
type ActionMeta struct {
	Name string
	// StartTime is zero between the retry API and the next run.
	StartTime       time.Time
	Index           int // place in the state's actions; -1 for the transition
	Failed          bool
	ConsumedRetries int64
	// LastRetry is zero before the first retry, and nil after the retry API.
	LastRetry  *int64
	Properties *Properties
}

// StepMeta is the step that runs or ran last.
type StepMeta struct {
	Name      string
	StartTime time.Time
	Status    string
}

// RetryInfo says whether the policy itself failed.
type RetryInfo struct {
	Failed          bool
	ConsumedRetries int64
}

// Properties are what an action keeps from step to step.
type Properties struct {
	MaxNumSegments  *int
	SnapshotName    *string
	RollupID        *string
	HasRollupFailed *bool
	Shrink          json.RawMessage
	Transform       json.RawMessage
}

// Info is what explain shows as info: members in order, "message" first.
type Info wire.Object

// Message is an info with only a message.
func Message(text string) Info { return Info{{Name: "message", Value: text}} }

// With returns the info with one member added or replaced.
func (i Info) With(name string, value any) Info {
	out := slices.Clone(i)
	for n := range out {
		if out[n].Name == name {
			out[n].Value = value
			return out
		}
	}
	return append(out, wire.Member{Name: name, Value: value})
}

// Text is a member's text, "" if it has none.
func (i Info) Text(name string) string {
	for _, m := range i {
		if s, ok := m.Value.(string); ok && m.Name == name {
			return s
		}
	}
	return ""
}

// MarshalJSON writes the members in order.
func (i Info) MarshalJSON() ([]byte, error) { return wire.Marshal(i) }

// JSONObject is the info itself.
func (i Info) JSONObject() wire.Object { return wire.Object(i) }

// UnmarshalJSON reads an object. Texts are kept as such, other values as they are written.
func (i *Info) UnmarshalJSON(body []byte) error {
	p := wire.NewParser(body)
	if _, err := p.Next(); err != nil {
		return err
	}
	info, err := parseInfo(p)
	*i = info
	return err
}

func parseInfo(p *wire.Parser) (Info, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	info := Info{}
	err := p.Object(func(name string) (err error) {
		var v any
		if p.Token() == wire.String {
			v, err = p.Text()
		} else {
			v, err = p.Raw()
		}
		info = append(info, wire.Member{Name: name, Value: v})
		return err
	})
	return info, err
}

// Failed reports whether the index needs a person, or the cause gone: the policy or its action failed for good.
func (m *Metadata) Failed() bool {
	return m.Retry.Failed || (m.Action != nil && m.Action.Failed)
}

// Done reports whether nothing is left to do: the policy is completed or failed.
func (m *Metadata) Done() bool { return m.PolicyCompleted || m.Failed() }

// WithInfo is the metadata with another info.
func (m *Metadata) WithInfo(info Info) *Metadata {
	out := m.clone()
	out.Info = info
	return out
}

// clone copies the metadata, so that a move never changes what is stored.
func (m *Metadata) clone() *Metadata {
	out := *m
	if m.State != nil {
		s := *m.State
		out.State = &s
	}
	if m.Action != nil {
		a := *m.Action
		out.Action = &a
	}
	if m.Step != nil {
		s := *m.Step
		out.Step = &s
	}
	out.Info = slices.Clone(m.Info)
	return &out
}

// ReadMetadata reads a stored metadata document. Unknown members are ignored, as in the plugin.
func ReadMetadata(source []byte) (*Metadata, error) {
	m := &Metadata{}
	err := readWrapped(source, "managed_index_metadata", func(p *wire.Parser, name string) error { return m.field(p, name) })
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Metadata) field(p *wire.Parser, name string) (err error) {
	if p.Token() == wire.Null {
		return nil
	}
	switch name {
	case "index":
		m.Index, err = p.Text()
	case "index_uuid":
		m.UUID, err = p.Text()
	case "policy_id":
		m.PolicyID, err = sharedText(p)
	case "policy_seq_no":
		m.PolicySeqNo, err = long(p)
	case "policy_primary_term":
		m.PolicyPrimaryTerm, err = long(p)
	case "policy_completed":
		m.PolicyCompleted, err = p.Bool()
	case "rolled_over":
		m.RolledOver, err = p.Bool()
	case "rolled_over_index_name":
		m.RolledOverIndexName, err = p.Text()
	case "index_creation_date":
		m.Created, err = instant(p)
	case "transition_to":
		m.TransitionTo, err = p.Text()
	case "state":
		m.State = &StateMeta{}
		err = p.Object(func(name string) error { return m.State.field(p, name) })
	case "action":
		m.Action = &ActionMeta{}
		err = p.Object(func(name string) error { return m.Action.field(p, name) })
	case "step":
		m.Step = &StepMeta{}
		err = p.Object(func(name string) error { return m.Step.field(p, name) })
	case "retry_info":
		err = p.Object(func(name string) error { return m.Retry.field(p, name) })
	case "info":
		m.Info, err = parseInfo(p)
	default:
		err = p.Skip()
	}
	return err
}

// instant is epoch milliseconds; null and negative mean unknown.
func instant(p *wire.Parser) (time.Time, error) {
	if p.Token() == wire.Null {
		return time.Time{}, nil
	}
	ms, err := p.Long()
	if ms < 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), err
}

func (r *RetryInfo) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "failed":
		r.Failed, err = p.Bool()
	case "consumed_retries":
		r.ConsumedRetries, err = p.Long()
	default:
		err = p.Skip()
	}
	return err
}

func (s *StateMeta) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "name":
		s.Name, err = sharedText(p)
	case "start_time":
		s.StartTime, err = instant(p)
	default:
		err = p.Skip()
	}
	return err
}

func (s *StepMeta) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "name":
		s.Name, err = sharedText(p)
	case "start_time":
		s.StartTime, err = instant(p)
	case "step_status":
		s.Status, err = p.Text()
		s.Status = unique.Make(strings.ToLower(s.Status)).Value()
	default:
		err = p.Skip()
	}
	return err
}

func (a *ActionMeta) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "name":
		a.Name, err = sharedText(p)
	case "start_time":
		a.StartTime, err = instant(p)
	case "index":
		if p.Token() != wire.Null {
			a.Index, err = p.Int()
		}
	case "failed":
		a.Failed, err = p.Bool()
	case "consumed_retries":
		a.ConsumedRetries, err = p.Long()
	case "last_retry_time":
		a.LastRetry, err = longOrNull(p)
	case "action_properties":
		if p.Token() != wire.Null {
			a.Properties, err = parseProperties(p)
		}
	default:
		err = p.Skip()
	}
	return err
}

func parseProperties(p *wire.Parser) (*Properties, error) {
	out := &Properties{}
	err := p.Object(func(name string) (err error) {
		if p.Token() == wire.Null {
			return nil
		}
		switch name {
		case "max_num_segments":
			out.MaxNumSegments, err = integer(p)
		case "snapshot_name":
			out.SnapshotName, err = text(p)
		case "rollup_id":
			out.RollupID, err = text(p)
		case "has_rollup_failed":
			out.HasRollupFailed, err = boolean(p)
		case "shrink_action_properties":
			out.Shrink, err = p.Raw()
		case "transform_action_properties":
			out.Transform, err = p.Raw()
		default:
			err = p.Skip()
		}
		return err
	})
	return out, err
}

func (p *Properties) json() wire.Object {
	o := wire.Object{}
	o.AddIf(p.MaxNumSegments != nil, "max_num_segments", p.MaxNumSegments)
	o.AddIf(p.SnapshotName != nil, "snapshot_name", p.SnapshotName)
	o.AddIf(p.RollupID != nil, "rollup_id", p.RollupID)
	o.AddIf(p.HasRollupFailed != nil, "has_rollup_failed", p.HasRollupFailed)
	o.AddIf(p.Shrink != nil, "shrink_action_properties", p.Shrink)
	o.AddIf(p.Transform != nil, "transform_action_properties", p.Transform)
	return o
}

// millis is epoch milliseconds, or null.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func (s *StateMeta) json() wire.Object {
	return wire.Obj("name", s.Name, "start_time", millis(s.StartTime))
}

func (s *StepMeta) json() wire.Object {
	return wire.Obj("name", s.Name, "start_time", millis(s.StartTime), "step_status", s.Status)
}

func (a *ActionMeta) json() wire.Object {
	o := wire.Obj("name", a.Name, "start_time", millis(a.StartTime), "index", a.Index, "failed", a.Failed,
		"consumed_retries", a.ConsumedRetries, "last_retry_time", a.LastRetry)
	if a.Properties != nil {
		o.Add("action_properties", a.Properties.json())
	}
	return o
}

func (r RetryInfo) json() wire.Object {
	return wire.Obj("failed", r.Failed, "consumed_retries", r.ConsumedRetries)
}

// object is a value's JSON object, or null if there is no value.
func object[T any](v *T, json func(*T) wire.Object) any {
	if v == nil {
		return nil
	}
	return json(v)
}

// textOrNull is null for "".
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// MarshalJSON is the stored document.
func (m *Metadata) MarshalJSON() ([]byte, error) { return wire.Marshal(m) }

// JSONObject is the stored document: all members, null where absent.
func (m *Metadata) JSONObject() wire.Object {
	return wire.Obj("managed_index_metadata", wire.Obj(
		"index", m.Index, "index_uuid", m.UUID, "policy_id", m.PolicyID,
		"policy_seq_no", m.PolicySeqNo, "policy_primary_term", m.PolicyPrimaryTerm,
		"policy_completed", m.PolicyCompleted, "rolled_over", m.RolledOver,
		"rolled_over_index_name", textOrNull(m.RolledOverIndexName),
		"index_creation_date", millis(m.Created), "transition_to", textOrNull(m.TransitionTo),
		"state", object(m.State, (*StateMeta).json), "action", object(m.Action, (*ActionMeta).json),
		"step", object(m.Step, (*StepMeta).json), "retry_info", m.Retry.json(), "info", m.Info))
}

// Explain is the part of an explain answer that the metadata gives, from "index" to "info".
func (m *Metadata) Explain() wire.Object {
	o := wire.Obj("index", m.Index, "index_uuid", m.UUID, "policy_id", m.PolicyID)
	o.AddIf(m.PolicySeqNo != nil, "policy_seq_no", m.PolicySeqNo)
	o.AddIf(m.PolicyPrimaryTerm != nil, "policy_primary_term", m.PolicyPrimaryTerm)
	if m.RolledOver || (m.Action != nil && m.Action.Name == ActionRollover) {
		o.Add("rolled_over", m.RolledOver)
		o.AddIf(m.RolledOverIndexName != "", "rolled_over_index_name", m.RolledOverIndexName)
	}
	o.AddIf(!m.Created.IsZero(), "index_creation_date", millis(m.Created))
	if m.PolicyCompleted {
		o.Add("policy_completed", true)
		return o
	}
	if m.TransitionTo != "" {
		o.Add("transition_to", m.TransitionTo)
	} else {
		o.AddIf(m.State != nil, "state", object(m.State, (*StateMeta).json))
		o.AddIf(m.Action != nil, "action", object(m.Action, (*ActionMeta).json))
		o.AddIf(m.Step != nil, "step", object(m.Step, (*StepMeta).json))
	}
	o.Add("retry_info", m.Retry.json())
	o.AddIf(m.Info != nil, "info", m.Info)
	return o
}
