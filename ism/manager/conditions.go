// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/wire"
)

// Waiting is a managed index as its documents say.
type Waiting struct {
	Job  *ism.Job
	Meta *ism.Metadata // nil before the first move
}

// CurrentConditions are the conditions that waiting rollovers compare, as they are now, by uuid: explain shows them
// instead of the stored ones, since waiting writes nothing. Indices that wait for nothing of the kind are left out, and
// at native pace all of them, since each run stores what it saw. It takes one request, or none.
func (m *Manager) CurrentConditions(ctx context.Context, list []Waiting) (map[string]wire.Object, error) {
	now := m.opts.Clock.Now()
	inputs := map[string]ism.Input{} // by name
	var names []string
	for _, w := range list {
		if w.Job == nil || w.Meta == nil {
			continue
		}
		in := ism.Input{Job: *w.Job, Meta: w.Meta, Now: now}
		in.Facts.Created = w.Meta.Created
		if ism.CurrentConditions(in) == nil {
			continue
		}
		inputs[w.Job.Index] = in
		if ism.Needs(in)&ism.NeedStats != 0 {
			names = append(names, w.Job.Index)
		}
	}
	out := make(map[string]wire.Object, len(inputs))
	if len(inputs) == 0 || m.native() {
		return out, nil
	}
	stats, err := m.opts.Client.Stats(ctx, append([]string{}, names...))
	if err != nil {
		return nil, err
	}
	for name, in := range inputs {
		if st, ok := stats[name]; ok {
			in.Facts.Stats = numbersOf(st)
		} else if ism.Needs(in)&ism.NeedStats != 0 {
			continue // closed or gone: the stored ones are the last known
		}
		out[in.Job.UUID] = ism.CurrentConditions(in)
	}
	return out, nil
}
