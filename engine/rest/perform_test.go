// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/rest"
)

func TestATaskThatPanicsHasFailedAndTheServerGoesOn(t *testing.T) {
	s := &Server{Clock: clock.Real{}, Logger: slog.New(slog.DiscardHandler)}
	request := &rest.Request{HTTP: httptest.NewRequestWithContext(t.Context(), "POST", "/_reindex", nil)}
	_, err := s.perform(t.Context(), request, tasks.Work{Action: "indices:data/write/reindex"}, func(context.Context) (*rest.Response, error) {
		panic("a mistake in the program")
	}, true)
	if f := fault.Of(err); f.Status != 500 || f.Reason != "internal error" {
		t.Errorf("%v", err)
	}
	if len(s.tasks.List(nil)) > 0 {
		t.Error("the task still runs")
	}
	s.Stop()
}
