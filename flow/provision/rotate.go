// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"fmt"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/secret"
	"github.com/opensteward/steward/wire"
)

// rotate seals everything with the key that encrypts now, so that older keys can go. What cannot be opened stays as it
// is, and is told.
func (s *Service) rotate(ctx context.Context) error {
	if s.o.Keys == nil {
		return nil
	}
	err := s.scan(ctx, TemplateIndex, nil, func(d opensearch.Document) error {
		t, err := flow.Parse(d.Source)
		if err != nil || !s.outdated(t) {
			return nil
		}
		return s.resealTemplate(ctx, d.ID)
	})
	if err != nil {
		return err
	}
	return s.scan(ctx, lease.Index, wire.Obj("exists", wire.Obj("field", "run.open")), func(d opensearch.Document) error {
		run, err := parseRun(d.Source)
		if err != nil || run.Workflow == "" || s.working(run.Workflow) != nil {
			return nil
		}
		return s.resealRun(ctx, storedRun{run, d.Version, true})
	})
}

// outdated reports whether a stored template has a credential that another key has sealed.
func (s *Service) outdated(t *flow.Template) bool {
	old := false
	_ = credentials(t, func(_, value string) (string, error) { // it only looks
		old = old || secret.Sealed(value) && !s.o.Keys.Current(value)
		return value, nil
	})
	return old
}

func (s *Service) resealTemplate(ctx context.Context, id string) error {
	return again(func() error {
		stored, err := s.readTemplate(ctx, id)
		if err != nil {
			return err
		}
		t, err := s.opened(id, stored.Template)
		if err == nil {
			t, err = s.sealed(id, t)
		}
		if err != nil {
			s.log.Error("the credentials of a workflow cannot be encrypted with the new key", "workflow", id, "err", err)
			return nil
		}
		return s.writeTemplate(ctx, id, t, stored.version)
	})
}

// resealRun seals what a run has kept. One that somebody writes meanwhile is sealed with the new key by that.
func (s *Service) resealRun(ctx context.Context, run storedRun) error {
	changed := false
	reseal := func(text *string, place string) error {
		if !secret.Sealed(*text) || s.o.Keys.Current(*text) {
			return nil
		}
		plain, err := s.o.Keys.Open(*text, place)
		if err == nil {
			*text, err = s.o.Keys.Seal(plain, place)
			changed = true
		}
		return err
	}
	err := reseal(&run.Kept, runPrefix+run.Workflow)
	for _, n := range run.Nodes {
		if err == nil {
			err = reseal(&n.Outputs, runPrefix+run.Workflow+"/"+n.ID)
		}
	}
	switch {
	case err != nil:
		s.log.Error("what a run has kept cannot be encrypted with the new key", "workflow", run.Workflow, "err", err)
		return nil
	case !changed:
		return nil
	}
	if err := s.writeRun(ctx, &run); err != nil && !isConflict(err) {
		return fmt.Errorf("encrypt what a run has kept: %w", err)
	}
	return nil
}
