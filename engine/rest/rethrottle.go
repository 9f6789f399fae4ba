// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) rethrottleRoutes(rt *rest.Router) {
	for _, job := range []string{"_reindex", "_update_by_query", "_delete_by_query"} {
		rt.Handle("POST", "/"+job+"/{task_id}/_rethrottle", s.rethrottle)
	}
}

// rethrottle changes the rate of a job by query that runs.
func (s *Server) rethrottle(r *rest.Request) (rest.Action, error) {
	id, group := r.Path("task_id"), r.Param("group_by", "nodes")
	if !r.Has("requests_per_second") {
		return nil, fault.Illegal("requests_per_second is a required parameter")
	}
	rate, err := rateParam(r)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (*rest.Response, error) {
		t, err := s.tasks.Find(id)
		if err != nil {
			return nil, err
		}
		if t == nil || t.Rethrottle == nil {
			return rest.OK(notReached(id, "missing")), nil
		}
		t.Rethrottle(rate)
		return s.grouped([]*tasks.Task{t}, group, true)
	}, nil
}

// setRate changes how many documents the job may write in a second; 0 for no limit.
func (job *byQuery) setRate(rate float64) {
	job.mu.Lock()
	defer job.mu.Unlock()
	job.rate = rate
	for _, p := range job.parts {
		p.setRate(rate / float64(len(job.parts)))
	}
}

// setRate changes the part's share, for a pause that it is in too.
func (p *part) setRate(rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
	close(p.changed)
	p.changed = make(chan struct{})
}

// pace is the part's rate and what is closed when it changes.
func (p *part) pace() (rate float64, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate, p.changed
}
