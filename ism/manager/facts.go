// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
)

// decide reads the facts of the ready entries, all together, and asks for each what its policy wants.
func (s *sweep) decide(ctx context.Context, ready []*entry) ([]decided, error) {
	if err := s.refreshDetails(ctx, ready); err != nil {
		return nil, err
	}
	if err := s.readHealth(ctx); err != nil {
		return nil, err
	}
	out := make([]decided, 0, len(ready))
	for _, e := range ready {
		if !e.hasJob() || e.unread() || slices.Contains(s.inventory.unreadable, e.name()) {
			continue // without a job, or until its documents and its index's metadata can be read again
		}
		d := decided{entry: e, input: s.input(e)}
		if s.watches(e) {
			d.again, d.input.Meta = true, d.input.Meta.Again()
		}
		d.needs = ism.Needs(d.input)
		out = append(out, d)
	}
	if err := s.readRollovers(ctx, out); err != nil {
		return nil, err
	}
	if err := s.readStats(ctx, out); err != nil {
		return nil, err
	}
	if err := s.readValidated(ctx, out); err != nil {
		return nil, err
	}
	return s.decideEach(out), nil
}

// decideEach asks for each entry what its policy wants. One whose decision panics is left to a later sweep, so that it holds up no
// other.
func (s *sweep) decideEach(list []decided) []decided {
	out := list[:0]
	for _, d := range list {
		err := fault.Guard(s.log, "decision", func() error { d.move = ism.Next(d.input); return nil })
		if err != nil {
			s.log.Error("nothing is decided", "index", d.entry.name(), "err", err)
			s.retry(d.entry)
			continue
		}
		out = append(out, d)
	}
	return out
}

// refreshDetails reads again what may have changed since: the indices that steps have just worked on, and those whose
// details are older than the inventory's view of the cluster.
func (s *sweep) refreshDetails(ctx context.Context, ready []*entry) error {
	var names []string
	for _, e := range ready {
		i := s.inventory.byUUID[e.uuid]
		if e.stale || i == nil || i.read != s.inventory.mark.Version {
			names = append(names, e.name())
		}
	}
	if err := s.look(ctx, names); err != nil {
		return err
	}
	for _, e := range ready {
		e.stale = false
		s.gone = s.gone || s.inventory.byUUID[e.uuid] == nil
	}
	return nil
}

// readHealth reads the cluster's health, once in a sweep that has something to do.
func (s *sweep) readHealth(ctx context.Context) error {
	if s.healthRead {
		return nil
	}
	status, err := s.opts.Client.Health(ctx, "")
	s.red, s.healthRead = status == "red", err == nil
	if s.red {
		s.reds++
	} else {
		s.reds = 0
	}
	return err
}

// input is everything known of an entry without a request.
func (s *sweep) input(e *entry) ism.Input {
	in := ism.Input{Job: *e.job(), Meta: e.meta(), Config: s.settings.config, Now: s.now}
	in.Facts.Red = s.red
	if c := in.Job.ChangePolicy; c != nil {
		if p, ok := s.docs.policies[c.PolicyID]; ok {
			in.Change, in.ChangeSeqNo, in.ChangePrimaryTerm = p.policy, p.version.SeqNo, p.version.PrimaryTerm
		}
	}
	i := s.inventory.byUUID[e.uuid]
	if i == nil {
		return in
	}
	in.Facts = s.inventory.facts(i, s.opts.OnlyWriteAlias)
	in.Facts.Red = s.red
	return in
}

// facts are those that the cluster's metadata tells.
func (v *inventory) facts(i *indexState, onlyWriteAlias bool) ism.Facts {
	f := ism.Facts{
		Exists: true, Open: i.open, Created: i.created(), DataStream: i.dataStream != "", RolloverSkip: i.rolloverSkip,
		Aliases: slices.Collect(maps.Keys(i.aliases)), Target: v.target(i, onlyWriteAlias),
	}
	alias, has := i.aliases[f.Target]
	f.HasTarget, f.MarkedWrite = has, alias.Write != nil && *alias.Write
	f.WriteIndex = v.isWriteIndex(i, f.Target)
	f.TargetIndices = v.aliases[f.Target].indices
	return f
}

func (m *Manager) readRollovers(ctx context.Context, list []decided) error {
	names := needing(list, ism.NeedRolloverInfo)
	if len(names) == 0 {
		return nil
	}
	infos, err := m.opts.Client.RolloverInfo(ctx, names)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].needs&ism.NeedRolloverInfo != 0 {
			at := infos[list[i].entry.name()]
			if at == nil {
				at = map[string]time.Time{}
			}
			list[i].input.Facts.RolledOver = at
		}
	}
	return nil
}

// errClosed is what a closed index answers when its numbers are asked for.
var errClosed = fault.New(http.StatusBadRequest, "index_closed_exception", "closed")

func (m *Manager) readStats(ctx context.Context, list []decided) error {
	names := needing(list, ism.NeedStats)
	if len(names) == 0 {
		return nil
	}
	stats, err := m.opts.Client.Stats(ctx, names)
	if err != nil && action.Unanswered(err) {
		return err
	}
	for i := range list {
		if list[i].needs&ism.NeedStats == 0 {
			continue
		}
		f := &list[i].input.Facts
		st, ok := stats[list[i].entry.name()]
		switch {
		case err != nil:
			f.StatsError = err
		case !f.Open:
			f.StatsError = errClosed
		case ok:
			f.Stats = numbersOf(st)
		}
	}
	return nil
}

func numbersOf(st opensearch.IndexStats) *ism.Stats {
	return &ism.Stats{
		Docs: st.Docs, PrimaryBytes: st.PrimaryBytes,
		MaxShard: st.MaxShard, MaxShardSize: st.MaxShardSize, Failures: st.Failures,
	}
}

// needing are the names of the indices whose decision asks for a fact.
func needing(list []decided, need ism.Need) []string {
	var names []string
	for _, d := range list {
		if d.needs&need != 0 {
			names = append(names, d.entry.name())
		}
	}
	return names
}
