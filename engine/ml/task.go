// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/fault"
)

// Task is what became of a registration or a deployment.
type Task struct {
	ModelID  string   `json:"model_id,omitempty"`
	Type     string   `json:"task_type"`
	Function string   `json:"function_name"`
	State    string   `json:"state"`
	Nodes    []string `json:"worker_node"`
	Created  int64    `json:"create_time"`
	Updated  int64    `json:"last_update_time"`
	Error    string   `json:"error,omitempty"`
	Async    bool     `json:"is_async"`
}

// The types of tasks.
const (
	registering = "REGISTER_MODEL"
	deploying   = "DEPLOY_MODEL"
)

// The states of tasks: as a request is told, and as it is by then.
const (
	created   = "CREATED"
	completed = "COMPLETED"
	failed    = "FAILED"
)

// record stores how a task ended and returns its id.
func (s *Service) record(ctx context.Context, typ, function, model string, failure error) (string, error) {
	now := s.now()
	t := Task{
		ModelID: model, Type: typ, Function: function, State: completed, Nodes: []string{s.o.Node},
		Created: now, Updated: now, Async: typ == deploying || function != remote,
	}
	if failure != nil {
		t.State, t.Error = failed, fault.Of(failure).Reason
	}
	id := newID()
	return id, s.insert(ctx, Tasks, id, t)
}

// GetTask returns a task.
func (s *Service) GetTask(id string) (*Task, error) {
	var t Task
	ok, err := s.read(Tasks, id, &t)
	if err == nil && !ok {
		err = notFound("Failed to find task")
	}
	return &t, err
}

// DeleteTask removes a task.
func (s *Service) DeleteTask(ctx context.Context, id string) (Written, error) {
	switch _, err := s.GetTask(id); {
	case fault.HasStatus(err, http.StatusNotFound):
		return Written{}, notFound("Failed to find task")
	case err != nil:
		return Written{}, err
	}
	return s.remove(ctx, Tasks, id)
}
