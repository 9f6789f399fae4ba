// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"strconv"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/opensearch"
)

// Candidate is an index with what its documents say.
type Candidate struct {
	Info opensearch.IndexInfo
	Waiting
}

// Validations say of each index, by uuid, whether the action that it would run next can succeed, as the cluster stands
// now. It takes a few requests for all of them.
func (m *Manager) Validations(ctx context.Context, list []Candidate) (map[string]ism.Validation, error) {
	view, err := m.Settings(ctx)
	if err != nil {
		return nil, err
	}
	config := m.viewSettings(view).config
	var checked []decided
	var types []string
	out := make(map[string]ism.Validation, len(list))
	for _, c := range list {
		out[c.Info.UUID] = ism.NoValidation
		if c.Job == nil || c.Meta == nil {
			continue
		}
		typ := ism.NextAction(c.Job, c.Meta)
		d := decided{entry: c.entry(), needs: ism.ValidationNeeds(typ, config)}
		checked, types = append(checked, d), append(types, typ)
	}
	if err := m.readFacts(ctx, list, checked, view.Values["cluster.remote_store.enabled"] == "true"); err != nil {
		return nil, err
	}
	for i, d := range checked {
		out[d.entry.uuid] = ism.Validate(types[i], d.entry.name(), d.input.Facts, config)
	}
	return out, nil
}

// readFacts reads the facts of indices that no sweep looks at.
func (m *Manager) readFacts(ctx context.Context, list []Candidate, checked []decided, remoteStore bool) error {
	if len(checked) == 0 {
		return nil
	}
	listed, err := m.opts.Client.IndexNames(ctx)
	if err != nil {
		return err
	}
	v := &inventory{aliases: usesOf(listed)}
	facts := make(map[string]ism.Facts, len(list))
	for _, c := range list {
		facts[c.Info.UUID] = v.facts(newIndexState(c.Info, 0), m.opts.OnlyWriteAlias)
	}
	for i := range checked {
		checked[i].input.Facts = facts[checked[i].entry.uuid]
	}
	if err := m.readRollovers(ctx, checked); err != nil {
		return err
	}
	return m.readValidatedFacts(ctx, checked, remoteStore)
}

func (s *sweep) readValidated(ctx context.Context, list []decided) error {
	return s.readValidatedFacts(ctx, list, s.settings.values["cluster.remote_store.enabled"] == "true")
}

// readValidatedFacts reads what only validating asks for.
func (m *Manager) readValidatedFacts(ctx context.Context, list []decided, remoteStore bool) error {
	if err := m.readHeap(ctx, list); err != nil {
		return err
	}
	if err := m.readAbilities(ctx, list); err != nil {
		return err
	}
	names := needing(list, ism.NeedScale)
	if len(names) == 0 {
		return nil
	}
	infos, err := m.opts.Client.Indices(ctx, names)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].needs&ism.NeedScale != 0 {
			list[i].input.Facts.Scale = scaleOf(infos[list[i].entry.name()].Settings, remoteStore)
		}
	}
	return nil
}

func scaleOf(settings map[string]string, remoteStore bool) ism.Scale {
	replicas, err := strconv.Atoi(settings["index.number_of_search_only_replicas"])
	if err != nil {
		replicas = 0 // not set
	}
	return ism.Scale{
		RemoteStore: remoteStore, SegmentReplication: settings["index.replication.type"] == "SEGMENT", SearchReplicas: replicas,
	}
}

func (m *Manager) readHeap(ctx context.Context, list []decided) error {
	if len(needing(list, ism.NeedHeap)) == 0 {
		return nil
	}
	percent, err := m.opts.Client.HeapPercent(ctx)
	for i := range list {
		list[i].input.Facts.HeapPercent = percent
	}
	return err
}

func (m *Manager) readAbilities(ctx context.Context, list []decided) error {
	if len(needing(list, ism.NeedAbilities)) == 0 {
		return nil
	}
	var can ism.Abilities
	var err error
	if can.Replicate, err = m.opts.Client.HasReplication(ctx); err == nil {
		can.SearchSnapshots, err = m.opts.Client.HasRole(ctx, "search", "warm")
	}
	for i := range list {
		list[i].input.Facts.Can = can
	}
	return err
}
