// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"
	"unique"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/schedule"
)

// Job is the managed-index document: one index and the copy of the policy it runs.
type Job struct {
	Name, Index, UUID string
	Enabled           bool
	Schedule          Schedule
	// LastUpdated is in epoch milliseconds.
	LastUpdated int64
	// EnabledTime is in epoch milliseconds; nil while the job is disabled.
	EnabledTime       *int64
	PolicyID          string
	PolicySeqNo       int64
	PolicyPrimaryTerm int64
	Policy            *Policy
	ChangePolicy      *ChangePolicy
	Jitter            float64
}

// Schedule is when the native plugin runs the job.
type Schedule struct {
	// Start is in epoch milliseconds.
	Start  int64
	Period int64
	Unit   string // "Minutes"
	// Raw is the schedule as it is stored, where it is not an interval.
	Raw json.RawMessage
}

// Next is the first instant strictly after t at which the schedule fires; the zero time if it never does.
func (s Schedule) Next(t time.Time) time.Time {
	if s.Raw != nil {
		p := wire.NewParser(s.Raw)
		if p.NextExpect(wire.StartObject) != nil {
			return time.Time{}
		}
		c, err := schedule.ParseCron(p)
		if err != nil {
			return time.Time{}
		}
		return c.Next(t)
	}
	interval := s.Interval()
	start := time.UnixMilli(s.Start).UTC()
	switch {
	case interval <= 0:
		return time.Time{}
	case t.Before(start):
		return start
	}
	return start.Add((t.Sub(start)/interval + 1) * interval)
}

// ChangePolicy is a policy change that waits to be applied.
type ChangePolicy struct {
	PolicyID string
	State    *string
	User     json.RawMessage
	IsSafe   bool
}

// NewJob is the document that attaches a policy to an index. interval is in minutes.
func NewJob(index, uuid string, policy *Policy, seqNo, primaryTerm int64, interval int, jitter float64, now time.Time) *Job {
	ms := now.UnixMilli()
	return &Job{
		Name: index, Index: index, UUID: uuid, Enabled: true,
		Schedule:    Schedule{Start: ms, Period: int64(interval), Unit: "Minutes"},
		LastUpdated: ms, EnabledTime: &ms,
		PolicyID: policy.ID, PolicySeqNo: seqNo, PolicyPrimaryTerm: primaryTerm, Policy: policy,
		Jitter: jitter,
	}
}

// Enable returns a copy of the job that is switched on.
func (j *Job) Enable(now time.Time) *Job {
	out := *j
	ms := now.UnixMilli()
	out.Enabled, out.EnabledTime, out.LastUpdated = true, &ms, ms
	return &out
}

// Disable returns a copy of the job that is switched off.
func (j *Job) Disable(now time.Time) *Job {
	out := *j
	out.Enabled, out.EnabledTime, out.LastUpdated = false, nil, now.UnixMilli()
	return &out
}

// WithPolicy returns a copy of the job that runs another policy and has no pending change. When it was last updated stays: the
// plugin counts the calls of its APIs and the job's being disabled.
func (j *Job) WithPolicy(p *Policy, seqNo, primaryTerm int64) *Job {
	out := *j
	out.PolicyID, out.PolicySeqNo, out.PolicyPrimaryTerm, out.Policy = p.ID, seqNo, primaryTerm, p
	out.ChangePolicy = nil
	return &out
}

// withInterval returns a copy of the job that runs every so many minutes, or nil if it does.
func (j *Job) withInterval(minutes int) *Job {
	if j.Schedule.Raw != nil || minutes == 0 || j.Schedule.Period == int64(minutes) {
		return nil
	}
	out := *j
	out.Schedule.Period, out.Schedule.Unit = int64(minutes), "Minutes"
	return &out
}

// ReadJob reads a stored job document. Numbers that clients wrote as texts are accepted; an unknown member is refused.
func ReadJob(source []byte) (*Job, error) { return Policies{}.ReadJob(source) }

// Policies are those that the jobs run which were read by one reader: thousands of jobs share one, which is parsed and kept once.
type Policies map[[sha256.Size]byte]*Policy

// ReadJob is as [ReadJob], but for the job's policy: it is that of the jobs read before, if it is the same.
func (known Policies) ReadJob(source []byte) (*Job, error) {
	j := &Job{}
	var policy json.RawMessage
	err := readWrapped(source, "managed_index", func(p *wire.Parser, name string) (err error) {
		if name == "policy" && p.Token() != wire.Null {
			policy, err = p.Raw()
			return err
		}
		return j.field(p, name)
	})
	switch {
	case err != nil:
		return nil, err
	case policy == nil:
		return nil, fault.Illegal("ManagedIndexConfig policy is null")
	}
	if j.Name == j.Index {
		j.Name = j.Index // one text
	}
	j.Policy, err = known.policy(j.PolicyID, policy)
	return j, err
}

func (known Policies) policy(id string, text json.RawMessage) (*Policy, error) {
	key := sha256.Sum256(append([]byte(id+"\x00"), text...))
	if p := known[key]; p != nil {
		return p, nil
	}
	parser := wire.NewParser(text)
	if _, err := parser.Next(); err != nil {
		return nil, err
	}
	p, err := ParseBarePolicy(parser, 0)
	if err != nil {
		return nil, err
	}
	p.ID = id
	known[key] = p
	return p, nil
}

// readWrapped reads {"<kind>":{...}}.
func readWrapped(source []byte, kind string, field func(*wire.Parser, string) error) error {
	return wire.ReadObject(source, func(p *wire.Parser, name string) error {
		if name != kind {
			return p.Skip()
		}
		return p.Object(func(name string) error { return field(p, name) })
	})
}

func (j *Job) field(p *wire.Parser, name string) (err error) {
	switch name {
	case "name":
		j.Name, err = p.Text()
	case "index":
		j.Index, err = p.Text()
	case "index_uuid":
		j.UUID, err = p.Text()
	case "enabled":
		j.Enabled, err = p.Bool()
	case "schedule":
		j.Schedule, err = parseSchedule(p)
	case "last_updated_time":
		j.LastUpdated, err = p.Long()
	case "enabled_time":
		j.EnabledTime, err = longOrNull(p)
	case "policy_id":
		j.PolicyID, err = sharedText(p)
	case "policy_seq_no":
		j.PolicySeqNo, err = p.Long()
	case "policy_primary_term":
		j.PolicyPrimaryTerm, err = p.Long()
	case "policy": // null; see ReadJob
	case "change_policy":
		j.ChangePolicy, err = parseStoredChange(p)
	case "jitter":
		if p.Token() != wire.Null {
			j.Jitter, err = p.Double()
		}
	default:
		err = invalidField(name, "ManagedIndexConfig")
	}
	return err
}

// sharedText is a text that many documents have alike, and that is kept once.
func sharedText(p *wire.Parser) (string, error) {
	text, err := p.Text()
	return unique.Make(text).Value(), err
}

func longOrNull(p *wire.Parser) (*int64, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	return long(p)
}

func parseSchedule(p *wire.Parser) (Schedule, error) {
	var s Schedule
	err := p.Object(func(kind string) (err error) {
		if kind != "interval" {
			s.Raw, err = p.Raw()
			return err
		}
		return p.Object(func(name string) (err error) {
			switch name {
			case "start_time":
				s.Start, err = p.Long()
			case "period":
				s.Period, err = p.Long()
			case "unit":
				s.Unit, err = sharedText(p)
			default:
				err = p.Skip() // schedule_delay
			}
			return err
		})
	})
	return s, err
}

// units of a schedule.
var scheduleUnits = map[string]time.Duration{
	"millis": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour,
}

// Interval is the length of time between two runs of the native plugin; 0 if it is none.
func (s Schedule) Interval() time.Duration {
	return time.Duration(s.Period) * scheduleUnits[strings.ToLower(s.Unit)]
}

func parseStoredChange(p *wire.Parser) (*ChangePolicy, error) {
	if p.Token() == wire.Null {
		return nil, nil
	}
	c := &ChangePolicy{}
	err := p.Object(func(name string) (err error) {
		switch name {
		case "policy_id":
			c.PolicyID, err = p.Text()
		case "state":
			c.State, err = p.TextOrNull()
		case "user":
			c.User, err = rawObjectOrNull(p)
		case "is_safe":
			c.IsSafe, err = p.Bool()
		default:
			err = p.Skip()
		}
		return err
	})
	return c, err
}

// JSON is the stored form of a pending change.
func (c *ChangePolicy) JSON() any {
	if c == nil {
		return nil
	}
	return wire.Obj("policy_id", c.PolicyID, "state", c.State, "user", c.User, "is_safe", c.IsSafe)
}

// MarshalJSON is the stored document.
func (j *Job) MarshalJSON() ([]byte, error) { return wire.Marshal(j) }

// JSONObject is the stored document.
func (j *Job) JSONObject() wire.Object {
	schedule := any(wire.Obj("interval", wire.Obj("start_time", j.Schedule.Start, "period", j.Schedule.Period, "unit", j.Schedule.Unit)))
	if j.Schedule.Raw != nil {
		schedule = wire.Obj("cron", j.Schedule.Raw)
	}
	return wire.Obj("managed_index", wire.Obj(
		"name", j.Name, "enabled", j.Enabled, "index", j.Index, "index_uuid", j.UUID, "schedule", schedule,
		"last_updated_time", j.LastUpdated, "enabled_time", j.EnabledTime,
		"policy_id", j.PolicyID, "policy_seq_no", j.PolicySeqNo, "policy_primary_term", j.PolicyPrimaryTerm,
		"policy", j.Policy.JSON(Stored, false), "change_policy", j.ChangePolicy.JSON(), "jitter", dimension.Double(j.Jitter)))
}
