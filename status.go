// SPDX-License-Identifier: Apache-2.0

package steward

import (
	"context"
	"net/http"
	"time"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// statusAPI serves GET /_plugins/_steward/status: what the program is and what its reconciler is doing.
func (s *Steward) statusAPI() *rest.Router {
	router := rest.NewRouter(s.version())
	router.Handle(http.MethodGet, "/_plugins/_steward/status", func(*rest.Request) (rest.Action, error) {
		return func(context.Context) (*rest.Response, error) { return rest.OK(s.status()), nil }, nil
	})
	return router
}

func (s *Steward) status() wire.Object {
	mode := "embedded"
	if !s.o.embedded() {
		mode = "cluster"
	}
	m := s.manager.Status()
	ism := wire.Obj("managed_indices", m.Managed, "waiting", m.Waiting, "running_steps", m.Running)
	ism.AddIf(!m.NextDue.IsZero(), "next_due", m.NextDue.Format(time.RFC3339Nano))
	ism.AddIf(!m.LastSweep.IsZero(), "last_sweep", m.LastSweep.Format(time.RFC3339Nano))
	ism.AddIf(m.LastError != "", "last_error", m.LastError)
	return wire.Obj("version", Version(), "mode", mode, "leader", m.Leading, "fence", m.Fence, "ism", ism)
}
