// SPDX-License-Identifier: Apache-2.0

package ism

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"github.com/opensteward/steward/wire"
)

// Packed documents are those of indices that wait: whoever keeps a hundred thousand of them keeps them as texts of about a
// tenth of the size, and unpacks the one it looks at. A packed document is for the memory of one process, never for a
// disk. Unpacked, it is stored and decided on exactly as before.

// PackJob packs a job but for its policy. uuid and index are those of the entry that keeps it.
func PackJob(j *Job, uuid, index string) string {
	c := packer{names: [2]string{uuid, index}}
	j.pack(&c)
	return string(c.out)
}

// UnpackJob unpacks a job; uuid and index are those it was packed with, and p is its policy.
func UnpackJob(packed, uuid, index string, p *Policy) *Job {
	j := &Job{Policy: p}
	j.pack(&packer{in: packed, reading: true, names: [2]string{uuid, index}})
	return j
}

// PackMetadata packs metadata. uuid and index are those of the entry that keeps it.
func PackMetadata(m *Metadata, uuid, index string) string {
	c := packer{names: [2]string{uuid, index}}
	m.pack(&c)
	return string(c.out)
}

// UnpackMetadata unpacks metadata; uuid and index are those it was packed with.
func UnpackMetadata(packed, uuid, index string) *Metadata {
	m := &Metadata{}
	m.pack(&packer{in: packed, reading: true, names: [2]string{uuid, index}})
	return m
}

func (j *Job) pack(c *packer) {
	c.text(&j.Name)
	c.text(&j.Index)
	c.text(&j.UUID)
	c.bool(&j.Enabled)
	c.int(&j.Schedule.Start)
	c.int(&j.Schedule.Period)
	c.text(&j.Schedule.Unit)
	c.raw(&j.Schedule.Raw)
	c.int(&j.LastUpdated)
	optional(c, &j.EnabledTime, c.int)
	c.text(&j.PolicyID)
	c.int(&j.PolicySeqNo)
	c.int(&j.PolicyPrimaryTerm)
	optional(c, &j.ChangePolicy, func(p *ChangePolicy) {
		c.text(&p.PolicyID)
		optional(c, &p.State, c.text)
		c.raw(&p.User)
		c.bool(&p.IsSafe)
	})
	jitter := int64(math.Float64bits(j.Jitter))
	if c.int(&jitter); c.reading {
		j.Jitter = math.Float64frombits(uint64(jitter))
	}
}

func (m *Metadata) pack(c *packer) {
	c.text(&m.Index)
	c.text(&m.UUID)
	c.text(&m.PolicyID)
	optional(c, &m.PolicySeqNo, c.int)
	optional(c, &m.PolicyPrimaryTerm, c.int)
	c.bool(&m.PolicyCompleted)
	c.bool(&m.RolledOver)
	c.text(&m.RolledOverIndexName)
	c.time(&m.Created)
	c.text(&m.TransitionTo)
	optional(c, &m.State, func(s *StateMeta) {
		c.text(&s.Name)
		c.time(&s.StartTime)
	})
	optional(c, &m.Action, func(a *ActionMeta) { a.pack(c) })
	optional(c, &m.Step, func(s *StepMeta) {
		c.text(&s.Name)
		c.time(&s.StartTime)
		c.text(&s.Status)
	})
	c.bool(&m.Retry.Failed)
	c.int(&m.Retry.ConsumedRetries)
	m.Info.pack(c)
}

func (a *ActionMeta) pack(c *packer) {
	c.text(&a.Name)
	c.time(&a.StartTime)
	index := int64(a.Index)
	if c.int(&index); c.reading {
		a.Index = int(index)
	}
	c.bool(&a.Failed)
	c.int(&a.ConsumedRetries)
	optional(c, &a.LastRetry, c.int)
	optional(c, &a.Properties, func(p *Properties) {
		optional(c, &p.MaxNumSegments, func(n *int) {
			wide := int64(*n)
			if c.int(&wide); c.reading {
				*n = int(wide)
			}
		})
		optional(c, &p.SnapshotName, c.text)
		optional(c, &p.RollupID, c.text)
		optional(c, &p.HasRollupFailed, c.bool)
		c.raw(&p.Shrink)
		c.raw(&p.Transform)
	})
}

// pack keeps texts as such, and other values as they are written, which is how they are read from a document.
func (i *Info) pack(c *packer) {
	n := int64(len(*i))
	if *i == nil {
		n = -1
	}
	c.int(&n)
	if c.reading && n >= 0 {
		*i = make(Info, n)
	}
	for k := range *i {
		member := (*i)[k]
		c.text(&member.Name)
		text, is := member.Value.(string)
		if c.bool(&is); is {
			c.text(&text)
			member.Value = text
		} else {
			raw, _ := wire.Marshal(member.Value) // it was marshalled when the document was stored
			c.raw((*json.RawMessage)(&raw))
			member.Value = json.RawMessage(raw)
		}
		if c.reading {
			(*i)[k] = member
		}
	}
}

// packer writes fields or reads them, by one and the same description of a document. While it writes, it changes nothing of it.
type packer struct {
	out     []byte
	in      string
	reading bool
	names   [2]string
}

// frequent are texts that most documents have, beside the names of their own.
var frequent = []string{
	"", "Minutes", "message", ActionTransition, "attempt_transition_step",
	StatusStarting, StatusConditionNotMet, StatusFailed, StatusCompleted, StatusTimedOut,
}

var frequentAt = func() map[string]int {
	at := make(map[string]int, len(frequent))
	for i, text := range frequent {
		at[text] = i
	}
	return at
}()

// text writes a number that is odd for a known text and even for the length of another one that follows.
func (c *packer) text(s *string) {
	if c.reading {
		*s = c.readText()
		return
	}
	known, is := frequentAt[*s]
	switch {
	case is:
		known += len(c.names)
	case *s == c.names[0]:
		known, is = 0, true
	case *s == c.names[1]:
		known, is = 1, true
	}
	if is {
		c.out = binary.AppendUvarint(c.out, uint64(known)<<1|1)
		return
	}
	c.out = binary.AppendUvarint(c.out, uint64(len(*s))<<1)
	c.out = append(c.out, *s...)
}

func (c *packer) readText() (s string) {
	n := c.uvarint()
	switch known := int(n >> 1); {
	case n&1 == 0:
		s, c.in = c.in[:n>>1], c.in[n>>1:]
		return s
	case known < len(c.names):
		return c.names[known]
	default:
		return frequent[known-len(c.names)]
	}
}

func (c *packer) uvarint() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		b := c.in[0]
		c.in = c.in[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

// int writes small numbers of both signs short.
func (c *packer) int(n *int64) {
	if c.reading {
		u := c.uvarint()
		*n = int64(u>>1) ^ -int64(u&1)
		return
	}
	c.out = binary.AppendVarint(c.out, *n)
}

func (c *packer) bool(b *bool) {
	n := int64(0)
	if *b {
		n = 1
	}
	if c.int(&n); c.reading {
		*b = n == 1
	}
}

// time keeps milliseconds, as documents do.
func (c *packer) time(t *time.Time) {
	known := !t.IsZero()
	if c.bool(&known); !known {
		return
	}
	ms := t.UnixMilli()
	c.int(&ms)
	if c.reading {
		*t = time.UnixMilli(ms).UTC()
	}
}

func (c *packer) raw(r *json.RawMessage) {
	known := *r != nil
	if c.bool(&known); !known {
		return
	}
	text := string(*r)
	c.text(&text)
	if c.reading {
		*r = json.RawMessage(text)
	}
}

// optional is for what may be absent.
func optional[T any](c *packer, v **T, fields func(*T)) {
	known := *v != nil
	if c.bool(&known); !known {
		return
	}
	if c.reading {
		*v = new(T)
	}
	fields(*v)
}
