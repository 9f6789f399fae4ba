// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/action"
	"github.com/opensteward/steward/opensearch"
)

// NeverManaged reports whether an index is kept out of every policy, whatever a pattern or setting says: our own
// indices and the plugins'.
func NeverManaged(name string) bool {
	return name == ConfigIndex || name == action.LockIndex || strings.HasPrefix(name, ".plugins-") || strings.HasPrefix(name, ".steward")
}

// Claimable is the name by which a template may claim an index: that of its data stream if it has one. free is false for
// an index that no template may claim.
func Claimable(name, dataStream string, hidden bool) (lookup string, free bool) {
	if dataStream != "" {
		return dataStream, !NeverManaged(name)
	}
	return name, !hidden && !strings.HasPrefix(name, ".") && !NeverManaged(name)
}

// enrol attaches indices that a policy's template asks for and forgets those that are gone.
func (s *sweep) enrol(ctx context.Context) error {
	if s.gone {
		if err := s.forget(ctx); err != nil {
			return err
		}
	}
	if s.reenable && s.settings.config.Enabled {
		if err := s.enable(ctx); err != nil {
			return err
		}
		s.reenable = false
	}
	if !s.enrolAt.IsZero() && !s.now.Before(s.enrolAt) {
		s.enrolAll, s.enrolAt = true, time.Time{}
	}
	if !s.settings.config.Enabled {
		s.added = nil // all are looked at when the plugin is enabled again
		return nil
	}
	s.added = append(s.added, s.missed.take(s.inventory.mark)...)
	candidates := s.candidates()
	if err := s.attach(ctx, candidates); err != nil {
		return err
	}
	s.added, s.enrolAll = nil, false
	s.missed.plan(s.inventory.mark)
	return nil
}

// candidates are the indices that may have to be attached: the new ones, or all where policies, settings or our view
// of the cluster have changed.
func (s *sweep) candidates() []*indexState {
	var out []*indexState
	consider := func(i *indexState) {
		if e := s.docs.entries[i.uuid]; e != nil && (e.hasJob() || e.unreadJob()) {
			return
		}
		if p := s.template(i); p != nil && !s.later(i, p) {
			out = append(out, i)
		}
	}
	if s.enrolAll {
		for _, i := range s.inventory.byUUID {
			consider(i)
		}
		return out
	}
	for _, uuid := range s.added {
		if i := s.inventory.byUUID[uuid]; i != nil {
			consider(i)
		}
	}
	return out
}

// later reports whether an index has to wait for its policy. A template may have a time before its policy was stored, and
// so claim indices that were there already; at native pace the plugin's own sweep comes by for them.
func (s *sweep) later(i *indexState, p *storedPolicy) bool {
	stored := time.UnixMilli(p.policy.LastUpdated)
	next := stored.Add(s.settings.sweepPeriod)
	if !s.native() || !i.created().Before(stored) || !s.now.Before(next) {
		return false
	}
	s.enrolAt = sooner(s.enrolAt, next)
	return true
}

// template is the policy whose template claims an index, or nil. The checks are the plugin's, in its order.
func (s *sweep) template(i *indexState) *storedPolicy {
	lookup, free := Claimable(i.name, i.dataStream, i.hidden)
	if !free || !i.autoManage || restricted(s.settings.restricted, lookup) {
		return nil
	}
	return s.docs.match(lookup, i.created())
}

// restricted reports whether the whole name matches; without a pattern everything is.
func restricted(pattern *regexp.Regexp, name string) bool {
	return pattern == nil || pattern.MatchString(name)
}

// attach creates the jobs of candidates, whose details are read once more unless they are as new as the inventory.
func (s *sweep) attach(ctx context.Context, candidates []*indexState) error {
	var old []string
	for _, i := range candidates {
		if i.read != s.inventory.mark.Version {
			old = append(old, i.name)
		}
	}
	if _, err := s.inventory.reread(ctx, s.opts.Client, old); err != nil {
		return err
	}
	for part := range slices.Chunk(candidates, maxBatch) {
		if err := s.attachSome(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) attachSome(ctx context.Context, candidates []*indexState) error {
	var writes []write
	var entries []*entry
	for _, i := range candidates {
		i = s.inventory.byUUID[i.uuid]
		if i == nil {
			continue
		}
		p := s.template(i)
		if p == nil {
			continue
		}
		e := &entry{uuid: i.uuid}
		if known := s.docs.entries[i.uuid]; known != nil {
			e = known // it has metadata, left over from an earlier policy
		}
		job := ism.NewJob(i.name, i.uuid, p.policy, p.version.SeqNo, p.version.PrimaryTerm,
			s.settings.config.JobInterval, s.settings.jitter, s.now)
		writes, entries = append(writes, jobWrite(e, job)), append(entries, e)
		writes = append(writes, staleMetadata(e)...)
	}
	refused, err := s.store(ctx, writes)
	for _, e := range entries {
		if !e.hasJob() {
			s.missed.uuids = append(s.missed.uuids, e.uuid)
			continue
		}
		if refused[e] {
			continue // somebody was faster
		}
		s.docs.entries[e.uuid] = e
		s.ready(e)
		s.sum.Enrolled++
		s.log.Info("attached", "index", e.name(), "policy", e.policy.ID)
	}
	return err
}

// staleMetadata deletes metadata that an earlier policy left behind.
func staleMetadata(e *entry) []write {
	writes := forgetWrites(e)
	return slices.DeleteFunc(writes, func(w write) bool { return w.op.ID == e.uuid })
}

// forget deletes the documents of indices that no longer exist, and metadata without a job. An index whose metadata a block
// hides is there, and of one whose job cannot be read nothing is known.
func (s *sweep) forget(ctx context.Context) error {
	var names []string
	var gone []*entry
	busy := false
	for _, e := range s.docs.entries {
		if e.unreadJob() || e.hasJob() && s.inventory.has(e) {
			continue
		}
		if e.running {
			busy = true
			continue
		}
		gone = append(gone, e)
		if e.hasJob() {
			names = append(names, e.name())
		}
	}
	// Look once more before anything is deleted.
	if err := s.look(ctx, names); err != nil {
		return err
	}
	var writes []write
	for _, e := range gone {
		if !e.hasJob() || !s.inventory.has(e) {
			if meta := deleting(e, s.now); meta != nil {
				s.history.last(e, meta, s.now)
			}
			writes = append(writes, s.unlocks(e)...)
			writes = append(writes, forgetWrites(e)...)
			if e.starting || e.keeps { // its step may have stored what it was about to do
				writes = append(writes, dropIntention(e.uuid, opensearch.Version{}))
			}
		}
	}
	refused, err := s.store(ctx, writes)
	for _, e := range gone {
		if !e.hasJob() && !e.hasMeta() && !refused[e] {
			s.queue.remove(e)
			delete(s.docs.entries, e.uuid)
			s.sum.Forgot++
		}
	}
	s.gone = busy
	return err
}

// look reads the details of indices by name; those that turn out to be new are candidates.
func (s *sweep) look(ctx context.Context, names []string) error {
	slices.Sort(names)
	f, err := s.inventory.reread(ctx, s.opts.Client, slices.Compact(names))
	s.added = append(s.added, f.added...)
	return err
}

// enable switches those jobs on again that were switched off with the plugin: the ones that are neither completed nor
// failed.
func (s *sweep) enable(ctx context.Context) error {
	var writes []write
	for _, e := range s.docs.entries {
		if !e.hasJob() || e.enabled || !e.hasMeta() || e.done {
			continue
		}
		writes = append(writes, jobWrite(e, e.job().Enable(s.now)))
	}
	refused, err := s.store(ctx, writes)
	for _, w := range writes {
		if !refused[w.entry] {
			s.ready(w.entry)
		}
	}
	return err
}
