// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"

	"github.com/opensteward/steward/engine/ml"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

const mlBase = "/_plugins/_ml"

// mlAPI is the part of ML Commons that workflows and pipelines need; see package ml.
type mlAPI struct {
	*Server
	ML *ml.Service
}

// RegisterML adds the routes of ML Commons to a router.
func (s *Server) RegisterML(rt *rest.Router, service *ml.Service) {
	mlAPI{s, service}.routes(rt)
}

func (s mlAPI) routes(rt *rest.Router) {
	rt.Handle("POST", mlBase+"/connectors/_create", s.create("connector_id", s.ML.CreateConnector))
	mlResource(rt, "connectors", "connector_id", s.ML.GetConnector, s.ML.DeleteConnector)
	rt.Handle("PUT", mlBase+"/connectors/{connector_id}", s.update("connector_id", s.ML.UpdateConnector))

	rt.Handle("POST", mlBase+"/model_groups/_register", s.registerGroup)
	mlResource(rt, "model_groups", "model_group_id", s.ML.GetGroup, s.ML.DeleteGroup)
	rt.Handle("PUT", mlBase+"/model_groups/{model_group_id}", s.updateGroup)

	s.modelRoutes(rt)

	mlResource(rt, "tasks", "task_id", s.ML.GetTask, s.ML.DeleteTask)

	rt.Handle("POST", mlBase+"/agents/_register", s.create("agent_id", s.ML.RegisterAgent))
	mlResource(rt, "agents", "agent_id", s.ML.GetAgent, s.ML.DeleteAgent)

	rt.Handle("GET", mlBase+"/tools", func(*rest.Request) (rest.Action, error) {
		return rest.Now(rest.OK(ml.ListTools())), nil
	})
	rt.Handle("GET", mlBase+"/tools/{tool_name}", func(r *rest.Request) (rest.Action, error) {
		tool, err := ml.GetTool(r.Path("tool_name"))
		return rest.Now(rest.OK(tool)), err
	})
	for path, collection := range map[string]ml.Collection{
		"connectors": ml.Connectors, "models": ml.Models, "model_groups": ml.ModelGroups, "tasks": ml.Tasks, "agents": ml.Agents,
	} {
		for _, method := range []string{"GET", "POST"} {
			rt.Handle(method, mlBase+"/"+path+"/_search", s.search(collection))
		}
	}
	for _, route := range mlRefused {
		rt.Handle(route[0], mlBase+route[1], refuse)
	}
}

// mlRefused are APIs of ML Commons that are not here.
var mlRefused = [][2]string{
	{"GET", "/stats"},
	{"GET", "/stats/{stat}"},
	{"GET", "/{nodeId}/stats"},
	{"GET", "/{nodeId}/stats/{stat}"},
	{"POST", "/stats"},
	{"GET", "/profile"},
	{"GET", "/profile/models"},
	{"GET", "/profile/models/{model_id}"},
	{"GET", "/profile/tasks"},
	{"GET", "/profile/tasks/{task_id}"},
	{"POST", "/_train/{algorithm}"},
	{"POST", "/_train_predict/{algorithm}"},
	{"POST", "/_execute/{algorithm}"},
	{"POST", "/models/meta"},
	{"POST", "/models/_register_meta"},
	{"POST", "/models/{model_id}/upload_chunk/{chunk_number}"},
	{"POST", "/models/{model_id}/_batch_predict"},
	{"POST", "/models/{model_id}/_predict/stream"},
	{"POST", "/connectors/{connector_id}/_execute"},
	{"POST", "/agents/{agent_id}/_execute"},
	{"POST", "/agents/{agent_id}/_execute/stream"},
	{"PUT", "/agents/{agent_id}"},
	{"POST", "/tools/_execute/{tool_name}"},
	{"POST", "/tasks/{task_id}/_cancel_batch"},
	{"POST", "/_batch_ingestion"},
	{"POST", "/memory"},
	{"GET", "/memory"},
	{"GET", "/memory/{memory_id}"},
	{"DELETE", "/memory/{memory_id}"},
	{"POST", "/memory_containers/_create"},
	{"GET", "/config/{config_id}"},
	{"POST", "/controllers/{model_id}"},
	{"GET", "/controllers/{model_id}"},
	{"POST", "/prompts"},
}

// mlResource adds reading and deleting of one sort of resource.
func mlResource[T any](rt *rest.Router, path, param string, get func(id string) (T, error), remove func(context.Context, string) (ml.Written, error)) {
	pattern := mlBase + "/" + path + "/{" + param + "}"
	rt.Handle("GET", pattern, func(r *rest.Request) (rest.Action, error) {
		id := r.Path(param)
		r.Ignore("return_content")
		return func(context.Context) (*rest.Response, error) {
			resource, err := get(id)
			return rest.OK(resource), err
		}, nil
	})
	rt.Handle("DELETE", pattern, func(r *rest.Request) (rest.Action, error) {
		id := r.Path(param)
		return func(ctx context.Context) (*rest.Response, error) { return mlWritten(remove(ctx, id)) }, nil
	})
}

// mlWritten answers a change as the document APIs do, always with 200.
func mlWritten(w ml.Written, err error) (*rest.Response, error) {
	if err != nil {
		return nil, err
	}
	return rest.OK(writeAnswer(w.Index, w.Outcome, "true")), nil
}

// create makes a resource and answers with its id.
func (s mlAPI) create(name string, create func(context.Context, []byte) (string, error)) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		body, err := r.RequireBody()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (*rest.Response, error) {
			id, err := create(ctx, body)
			return rest.OK(wire.Obj(name, id)), err
		}, nil
	}
}

func (s mlAPI) update(param string, update func(context.Context, string, []byte) (ml.Written, error)) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		id := r.Path(param)
		body, err := r.RequireBody()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (*rest.Response, error) { return mlWritten(update(ctx, id, body)) }, nil
	}
}

func (s mlAPI) registerGroup(r *rest.Request) (rest.Action, error) {
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		id, err := s.ML.RegisterGroup(ctx, body)
		return rest.OK(wire.Obj("model_group_id", id, "status", "CREATED")), err
	}, nil
}

func (s mlAPI) updateGroup(r *rest.Request) (rest.Action, error) {
	id := r.Path("model_group_id")
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		return rest.OK(wire.Obj("status", "Updated")), s.ML.UpdateGroup(ctx, id, body)
	}, nil
}

// search searches one sort of resource. Where nothing was ever made, nothing is found.
func (s mlAPI) search(collection ml.Collection) rest.Handler {
	return func(r *rest.Request) (rest.Action, error) {
		req := query.NewRequest()
		body, err := bodyOrSource(r)
		if err != nil {
			return nil, err
		}
		if body != nil {
			if err := req.ParseRequest(body); err != nil {
				return nil, err
			}
		}
		req.Version, req.SeqNo = true, true
		req.Source.Excludes = append(req.Source.Excludes, collection.Hidden()...)
		return func(ctx context.Context) (*rest.Response, error) {
			var targets []query.Target
			if s.Catalog.State().Indices[string(collection)] != nil {
				list, release, err := s.targets([]string{string(collection)}, searchOptions, nil)
				if err != nil {
					return nil, err
				}
				defer release()
				targets = list
			}
			res, err := query.Execute(ctx, targets, req, s.Clock.Now())
			if err != nil {
				return nil, err
			}
			return rest.OK(res.JSON("")), nil
		}, nil
	}
}
