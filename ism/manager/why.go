// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"

	"github.com/opensteward/steward/ism"
)

// Why says of each managed index, by uuid, why it does not move, as the cluster stands now; nil for one that nothing
// holds up. It takes a few requests for all of them.
func (m *Manager) Why(ctx context.Context, list []Candidate) (map[string]*ism.Why, error) {
	view, err := m.Settings(ctx)
	if err != nil {
		return nil, err
	}
	settings := m.viewSettings(view)
	var asked []decided
	for _, c := range list {
		if c.Job == nil {
			continue
		}
		in := ism.Input{Job: *c.Job, Meta: c.Meta, Config: settings.config, Now: m.opts.Clock.Now()}
		asked = append(asked, decided{entry: c.entry(), input: in, needs: ism.Needs(in)})
	}
	if err := m.readFacts(ctx, list, asked, view.Values["cluster.remote_store.enabled"] == "true"); err != nil {
		return nil, err
	}
	if err := m.readStats(ctx, asked); err != nil {
		return nil, err
	}
	health, err := m.opts.Client.Health(ctx, "")
	if err != nil {
		return nil, err
	}
	out := make(map[string]*ism.Why, len(asked))
	for _, d := range asked {
		d.input.Facts.Red = health == "red"
		out[d.entry.uuid] = ism.Explained(d.input, settings.watch && !m.native())
	}
	return out, nil
}
