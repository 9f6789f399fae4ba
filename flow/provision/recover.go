// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/lease"
	"github.com/opensteward/steward/opensearch"
	"github.com/opensteward/steward/wire"
)

// unbegunFor is how long a state may say PROVISIONING without a run before its request is taken for dead, where other
// processes take requests too.
const unbegunFor = 30 * time.Second

// recover works on everything that is open and that nobody in this process works on. It does nothing while another
// process holds the lease.
func (s *Service) recover(ctx context.Context) error {
	if _, held := s.o.Lease.Held(); !held {
		s.marks = nil
		return nil
	}
	if moved, err := s.moved(ctx); err != nil || !moved {
		return err
	}
	if err := s.lookAround(ctx); err != nil {
		s.marks = nil
		return err
	}
	return nil
}

// moved reports whether a document of runs or states has changed since the last look, which is cheap to ask; or whether
// there is something to wait for.
func (s *Service) moved(ctx context.Context) (bool, error) {
	moved := s.marks == nil || len(s.unbegun) > 0
	marks, err := s.client.MaxSeqNo(ctx, lease.Index, StateIndex)
	if err != nil {
		return false, err
	}
	moved = moved || !maps.Equal(marks, s.marks)
	s.marks = marks
	return moved, nil
}

// lookAround takes up what is open and puts back what did not begin.
func (s *Service) lookAround(ctx context.Context) error {
	if !s.rotated {
		if err := s.rotate(ctx); err != nil {
			return err
		}
		s.rotated = true
	}
	open, err := s.openRuns(ctx)
	if err != nil {
		return err
	}
	for id, run := range open {
		if x := s.working(id); x != nil {
			x.rec.notice(run)
			continue
		}
		if err := s.takeUp(ctx, id); err != nil {
			return err
		}
	}
	return s.recoverUnbegun(ctx, open)
}

// openRuns are the open runs by the ids of their workflows.
func (s *Service) openRuns(ctx context.Context) (map[string]storedRun, error) {
	open := map[string]storedRun{}
	return open, s.scan(ctx, lease.Index, wire.Obj("term", wire.Obj("run.open", true)), func(d opensearch.Document) error {
		run, err := parseRun(d.Source)
		if err == nil {
			open[run.Workflow] = storedRun{run, d.Version, true}
		}
		return err
	})
}

// scan refreshes an index and reads the documents that a query finds; a missing index has none.
func (s *Service) scan(ctx context.Context, index string, query any, fn func(opensearch.Document) error) error {
	if err := s.client.Refresh(ctx, index); err != nil {
		return err
	}
	err := s.client.Scan(ctx, index, query, fn)
	if fault.Is(err, "index_not_found_exception") {
		return nil
	}
	return err
}

// takeUp goes on with an open run.
func (s *Service) takeUp(ctx context.Context, id string) error {
	defer s.locks.lock(id)()
	if s.working(id) != nil {
		return nil
	}
	run, err := readRun(ctx, s.client, id)
	if err != nil || !run.found || !run.Open {
		return err
	}
	st, err := s.readState(ctx, id)
	switch {
	case err != nil:
		return err
	case !st.found:
		return ignoreConflict(s.deleteRun(ctx, id, run.version))
	case run.Goal != goalDeprovision && st.Progress != inProgress: // it ended, and only that was not stored
		run.closeRun(st.State.State == Completed)
		err := s.writeRun(ctx, &run)
		if isConflict(err) {
			return nil
		}
		return err
	}
	s.log.Info("going on with a workflow", "workflow", id, "goal", run.Goal)
	s.launch(run, st)
	return nil
}

// recoverUnbegun puts workflows back whose request died after it had marked the state and before it stored the run, or
// before it opened it again. Nothing was made since.
func (s *Service) recoverUnbegun(ctx context.Context, open map[string]storedRun) error {
	seen := map[string]time.Time{}
	err := s.scan(ctx, StateIndex, wire.Obj("term", wire.Obj("state", Provisioning)), func(d opensearch.Document) error {
		if open[d.ID].found || s.working(d.ID) != nil {
			return nil
		}
		since, known := s.unbegun[d.ID]
		if !known {
			since = time.Now()
		}
		seen[d.ID] = since
		if !s.o.Alone && time.Since(since) < unbegunFor {
			return nil
		}
		var st State
		if err := json.Unmarshal(d.Source, &st); err != nil {
			return err
		}
		return s.putBack(ctx, d.ID)
	})
	s.unbegun = seen
	return err
}

func (s *Service) putBack(ctx context.Context, id string) error {
	defer s.locks.lock(id)()
	st, err := s.readState(ctx, id)
	if err != nil || st.Progress != inProgress || s.working(id) != nil {
		return err
	}
	run, err := readRun(ctx, s.client, id)
	if err != nil || run.found && run.Open {
		return err
	}
	if run.found && run.Start == st.Start && run.Kept != "" {
		run.reopen()
		if err := s.writeRun(ctx, &run); err != nil {
			return ignoreConflict(err)
		}
		s.launch(run, st)
		return nil
	}
	if len(st.Resources) == 0 {
		st.State = newState(id, st.TenantID, st.User)
	} else {
		st.finish(s.now(), "The provisioning was interrupted before any step began")
	}
	s.log.Info("a provisioning had not begun", "workflow", id, "state", st.State.State)
	return ignoreConflict(s.writeState(ctx, &st))
}

func ignoreConflict(err error) error {
	if isConflict(err) {
		return nil
	}
	return err
}

// claimedBesides reports whether a workflow other than this one has recorded a resource.
func (s *Service) claimedBesides(id string) func(ctx context.Context, resource, resourceID string) (bool, error) {
	return func(ctx context.Context, resource, resourceID string) (claimed bool, err error) {
		err = s.scan(ctx, StateIndex, nil, func(d opensearch.Document) error {
			var st State
			if err := json.Unmarshal(d.Source, &st); err != nil {
				return err
			}
			for _, r := range st.Resources {
				claimed = claimed || d.ID != id && r.Type == resource && r.ID == resourceID
			}
			return nil
		})
		return claimed, own(err, "Failed to look for the workflow of %s %s", resource, resourceID)
	}
}
