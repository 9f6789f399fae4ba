// SPDX-License-Identifier: Apache-2.0

package simulated

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire/setting"
)

// managed is an index that a policy runs.
type managed struct {
	job  *ism.Job
	meta *ism.Metadata // nil before the first move
	due  time.Time     // of the last wait; zero if only a change ends it
}

// enough is how many moves an index may make at one instant; more go round in a circle.
const enough = 1000

// Advance moves the clock from one due instant to the next.
func (c *Cluster) Advance(d time.Duration) error {
	target := c.now.Add(d)
	for {
		if err := c.settle(); err != nil {
			return err
		}
		next := target
		for _, m := range c.managed {
			if !m.due.IsZero() && m.due.Before(next) {
				next = m.due
			}
		}
		if c.now.Equal(target) {
			return nil
		}
		c.now = next
	}
}

// settle makes all moves that can be made now.
func (c *Cluster) settle() error {
	maps.DeleteFunc(c.managed, func(uuid string, _ *managed) bool { return c.byUUID(uuid) == nil })
	if err := c.enrol(); err != nil {
		return err
	}
	for _, uuid := range slices.Sorted(maps.Keys(c.managed)) {
		for n := 0; ; n++ {
			moved, err := c.move(uuid)
			if err != nil {
				return err
			}
			if !moved {
				break
			}
			if n > enough {
				return fmt.Errorf("%s goes round in a circle", c.managed[uuid].job.Index)
			}
		}
	}
	if c.unenrolled() != nil {
		return c.settle() // a rollover made an index that a template claims
	}
	return nil
}

// move makes one move of an index. It returns false if the index waits or is gone.
func (c *Cluster) move(uuid string) (moved bool, err error) {
	m := c.managed[uuid]
	if m == nil {
		return false, nil
	}
	in := c.input(m)
	move := ism.Next(in)
	if move.Kind == ism.Wait {
		m.due = move.Due
		if !m.due.IsZero() && !m.due.After(c.now) {
			return false, fmt.Errorf("%s waits for %s, which is past", m.job.Index, m.due)
		}
		return false, nil
	}
	if move.Job != nil {
		if m.job, err = rewritten(move.Job, ism.ReadJob); err != nil {
			return false, err
		}
	}
	if move.Meta == nil {
		return true, nil
	}
	stored := move.Meta
	if move.Kind == ism.Run {
		result, err := c.execute(c.byUUID(uuid), in, move)
		if err != nil {
			return false, err
		}
		stored = ism.Finish(move, result, c.now)
	}
	if c.byUUID(uuid) == nil {
		delete(c.managed, uuid)
		return false, nil
	}
	m.meta, err = rewritten(stored, ism.ReadMetadata)
	return true, err
}

// rewritten writes a document and reads it again, as a store does.
func rewritten[T json.Marshaler](doc T, read func([]byte) (T, error)) (T, error) {
	text, err := doc.MarshalJSON()
	if err != nil {
		return doc, err
	}
	return read(text)
}

func (c *Cluster) byUUID(uuid string) *index {
	for _, i := range c.indices {
		if i.uuid == uuid {
			return i
		}
	}
	return nil
}

// input is what deciding is given. Facts that cost a request are there only if they were asked for.
func (c *Cluster) input(m *managed) ism.Input {
	in := ism.Input{Job: *m.job, Meta: m.meta, Config: c.config(), Now: c.now}
	if change := m.job.ChangePolicy; change != nil {
		if p, ok := c.policies[change.PolicyID]; ok {
			in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm = p.policy, p.seqNo, 1
		}
	}
	i := c.byUUID(m.job.UUID)
	if i == nil {
		return in
	}
	f := &in.Facts
	f.Exists, f.Open, f.Created = true, i.open, i.created
	f.Aliases = slices.Sorted(maps.Keys(i.aliases))
	f.Target, f.DataStream = i.setting("rollover_alias"), i.stream != ""
	if f.DataStream {
		f.Target = i.stream
	}
	f.RolloverSkip = i.setting("rollover_skip") == "true"
	marked, has := i.aliases[f.Target]
	f.HasTarget, f.MarkedWrite = has, marked != nil && *marked
	f.WriteIndex = f.HasTarget && c.writes(i, f.Target)
	for _, other := range c.indices {
		if _, has := other.aliases[f.Target]; has {
			f.TargetIndices++
		}
	}
	needs := ism.Needs(in)
	if needs&ism.NeedRolloverInfo != 0 {
		f.RolledOver = i.rolledOver
	}
	switch {
	case needs&ism.NeedStats == 0:
	case !i.open:
		f.StatsError = fault.New(http.StatusBadRequest, "index_closed_exception", "closed")
	default:
		f.Stats = &ism.Stats{Docs: i.docs, PrimaryBytes: i.bytes(), MaxShardSize: i.bytes()}
	}
	return in
}

var registry = setting.NewRegistry(ism.Settings()...)

const prefix = "plugins.index_state_management."

func (c *Cluster) view() setting.View { return setting.View{Registry: registry, Values: c.settings} }

func (c *Cluster) config() ism.Config {
	v := c.view()
	return ism.Config{
		Enabled: v.Bool(prefix + "enabled"), AllowList: v.List(prefix + "allow_list"),
		JobInterval: int(v.Int(prefix + "job_interval")), Validate: v.Bool(prefix + "action_validation.enabled"),
	}
}

// enrol attaches the indices that templates claim.
func (c *Cluster) enrol() error {
	for {
		i := c.unenrolled()
		if i == nil {
			return nil
		}
		if err := c.attach(i, *c.claim(i)); err != nil {
			return err
		}
	}
}

// unenrolled is an index that a template claims and no policy runs yet, or nil.
func (c *Cluster) unenrolled() *index {
	if !c.config().Enabled {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.indices)) {
		if i := c.indices[name]; c.managed[i.uuid] == nil && c.claim(i) != nil {
			return i
		}
	}
	return nil
}

// claim is the policy whose template claims an index, or nil.
func (c *Cluster) claim(i *index) *storedPolicy {
	lookup, hidden := i.name, strings.HasPrefix(i.name, ".") || i.settings["index.hidden"] == "true"
	if i.stream != "" {
		lookup, hidden = i.stream, false
	}
	if hidden || i.setting("auto_manage") == "false" {
		return nil
	}
	var best *storedPolicy
	highest := -1
	for _, id := range slices.Sorted(maps.Keys(c.policies)) {
		p := c.policies[id]
		if priority, ok := p.policy.TemplatePriority(lookup, i.created); ok && priority > highest {
			best, highest = &p, priority
		}
	}
	return best
}

func (c *Cluster) attach(i *index, p storedPolicy) error {
	v := c.view()
	job := ism.NewJob(i.name, i.uuid, p.policy, p.seqNo, 1, int(v.Int(prefix+"job_interval")), v.Double(prefix+"jitter"), c.now)
	job, err := rewritten(job, ism.ReadJob)
	c.managed[i.uuid] = &managed{job: job}
	return err
}
