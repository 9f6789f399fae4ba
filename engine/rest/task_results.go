// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

// tasksIndex keeps the results of tasks that nobody waited for.
const tasksIndex = ".tasks"

const tasksMapping = `{"dynamic":"strict","_meta":{"version":5},"properties":{"completed":{"type":"boolean"},
"task":{"properties":{"action":{"type":"keyword"},"cancellable":{"type":"boolean"},"cancelled":{"type":"boolean"},
"cancellation_time_millis":{"type":"long"},"id":{"type":"long"},"parent_task_id":{"type":"keyword"},"node":{"type":"keyword"},
"running_time_in_nanos":{"type":"long"},"start_time_in_millis":{"type":"long"},"type":{"type":"keyword"},
"status":{"type":"object","enabled":false},"description":{"type":"text"},"headers":{"type":"object","enabled":false},
"resource_stats":{"type":"object","enabled":false}}},"response":{"type":"object","enabled":false},"error":{"type":"object","enabled":false}}}`

// perform does work as a task. If wait is set the answer is that of the work, else the task's id, and the result is
// kept. The work goes on when the request's client has gone.
func (s *Server) perform(ctx context.Context, r *rest.Request, w tasks.Work, run rest.Action, wait bool) (*rest.Response, error) {
	w.OpaqueID = opaqueID(r)
	inner, t, end := s.tasks.Begin(context.WithoutCancel(ctx), w)
	release := s.Clock.Hold()
	var res *rest.Response
	var err error
	begun := s.tasks.Go(func() {
		defer release()
		defer end()
		err = fault.Guard(s.Logger, w.Action, func() (err error) {
			res, err = run(inner)
			return err
		})
		if errors.Is(err, context.Canceled) {
			err = fault.New(http.StatusInternalServerError, "task_cancelled_exception", "by user request")
		}
		if !wait {
			s.keepResult(context.WithoutCancel(ctx), t, res, err)
		}
	})
	if !begun {
		end()
		release()
		return nil, fault.New(http.StatusServiceUnavailable, "node_closed_exception", "node closed")
	}
	if !wait {
		return rest.OK(wire.Obj("task", t.ID())), nil
	}
	select {
	case <-t.Done():
		return res, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Stop cancels what runs in the background, waits for it, and forgets the searches that are kept for further pages.
func (s *Server) Stop() {
	s.tasks.Stop()
	s.scrolls.dropAll()
}

// keepResult stores how a task ended, unless the server is about to close: then the task is lost with its node.
func (s *Server) keepResult(ctx context.Context, t *tasks.Task, res *rest.Response, err error) {
	if s.tasks.Stopped() {
		return
	}
	body := wire.Obj("completed", true, "task", t.JSON(true))
	if err != nil {
		body.Add("error", fault.Of(err))
	} else {
		body.Add("response", res.Body)
	}
	if err := s.storeResult(ctx, t.ID(), body); err != nil {
		s.Logger.Error("store the result of a task", "task", t.ID(), "err", err)
	}
}

func (s *Server) storeResult(ctx context.Context, id string, body wire.Object) error {
	source, err := wire.Marshal(body)
	if err != nil {
		return err
	}
	if s.Catalog.State().Indices[tasksIndex] == nil {
		_, err := s.Catalog.CreateIndex(ctx, tasksIndex, catalog.NewIndex{
			Settings: catalog.SettingsChange{Set: setting.Values{
				"index.number_of_shards": "1", "index.number_of_replicas": "0", "index.auto_expand_replicas": "0-1", "index.priority": "2147483647",
			}},
			Mappings: json.RawMessage(tasksMapping), ActiveShards: 1,
		})
		if err != nil && !fault.Is(err, "resource_already_exists_exception") {
			return err
		}
	}
	op := shard.Operation{Op: shard.OpIndex, ID: id, Source: source}
	index, _, err := s.writeTarget(ctx, tasksIndex, false, false, op)
	if err != nil {
		return err
	}
	outcomes, err := s.Docs.Write(ctx, index, []shard.Operation{op})
	if err != nil {
		return err
	}
	return outcomes[0].Err
}

// storedTask is the answer about a task that has ended.
func (s *Server) storedTask(id string) (*rest.Response, error) {
	index := s.Catalog.State().Indices[tasksIndex]
	if index == nil {
		return nil, noTask(id)
	}
	doc, ok, _, err := s.Docs.Get(index, id, "")
	if err != nil || !ok {
		if err == nil {
			err = noTask(id)
		}
		return nil, err
	}
	return rest.OK(json.RawMessage(doc.Source)), nil
}
