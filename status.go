// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"
	"net/http"
	"time"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// statusAPI serves GET /_plugins/_steward/status: what the program is and what its reconciler is doing.
func (s *Steward) statusAPI() *rest.Router {
	router := rest.NewRouter(s.version())
	router.Handle(http.MethodGet, "/_plugins/_steward/status", func(*rest.Request) (rest.Action, error) {
		return func(context.Context) (*rest.Response, error) { return rest.OK(s.status()), nil }, nil
	})
	router.Handle(http.MethodGet, clockPath, func(*rest.Request) (rest.Action, error) {
		return func(context.Context) (*rest.Response, error) { return rest.OK(s.time()), nil }, nil
	})
	router.Handle(http.MethodPost, clockPath, s.advance)
	return router
}

// clockPath is where a virtual clock is moved.
const clockPath = "/_plugins/_steward/clock"

// time is what the clock says.
func (s *Steward) time() wire.Object {
	now := s.o.Clock.Now().UTC()
	_, virtual := s.o.Clock.(*clock.Virtual)
	return wire.Obj("now", now.Format("2006-01-02T15:04:05.000Z"), "now_in_millis", now.UnixMilli(), "virtual", virtual)
}

// advance moves a virtual clock, running everything due on the way in order, and answers when that is done.
func (s *Steward) advance(r *rest.Request) (rest.Action, error) {
	v, virtual := s.o.Clock.(*clock.Virtual)
	if !virtual {
		return nil, fault.Illegal("the clock is the machine's: start with --virtual-time to move it")
	}
	by, err := readAdvance(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		s.moving.Lock()
		defer s.moving.Unlock()
		if err := s.keepTime(v.Now().Add(by)); err != nil {
			return nil, err
		}
		if err := v.Advance(ctx, by); err != nil {
			return nil, err
		}
		return rest.OK(s.time()), nil
	}, nil
}

// maxAdvance is as far as the clock moves at once: a hundred years.
const maxAdvance = 100 * 365 * 24 * time.Hour

func readAdvance(r *rest.Request) (by time.Duration, err error) {
	body, err := r.RequireBody()
	if err != nil {
		return 0, err
	}
	given := false
	err = wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if name != "advance" {
			return fault.Illegal("unknown field [%s]", name)
		}
		text, err := p.Text()
		if err != nil {
			return fault.Illegal("[advance] has to be a time value")
		}
		d, err := wire.ParseDuration(text, name)
		by, given = d.Value(), true
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case !given:
		return 0, fault.Illegal("[advance] is missing")
	case by < 0 || by > maxAdvance:
		return 0, fault.Illegal("[advance] has to be between 0 and 36500d")
	}
	return by, nil
}

func (s *Steward) status() wire.Object {
	mode := "embedded"
	if !s.o.embedded() {
		mode = "cluster"
	}
	m := s.manager.Status()
	ism := wire.Obj("managed_indices", m.Managed, "waiting", m.Waiting, "ready", m.Ready, "running_steps", m.Running, "unrecorded_changes", m.Unrecorded)
	ism.AddIf(!m.NextDue.IsZero(), "next_due", m.NextDue.Format(time.RFC3339Nano))
	ism.AddIf(!m.LastSweep.IsZero(), "last_sweep", m.LastSweep.Format(time.RFC3339Nano))
	ism.AddIf(m.LastError != "", "last_error", m.LastError)
	ism.AddIf(m.Refused != "", "refused_writes", m.Refused)
	return wire.Obj("version", Version(), "mode", mode, "leader", m.Leading, "fence", m.Fence, "ism", ism)
}
