// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"

	"github.com/opensteward/steward/engine/ml"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s mlAPI) modelRoutes(rt *rest.Router) {
	rt.Handle("POST", mlBase+"/models/_register", s.registerModel)
	mlResource(rt, "models", "model_id", s.ML.GetModel, s.ML.DeleteModel)
	rt.Handle("PUT", mlBase+"/models/{model_id}", s.update("model_id", s.ML.UpdateModel))
	rt.Handle("POST", mlBase+"/models/{model_id}/_deploy", s.deploy)
	rt.Handle("POST", mlBase+"/models/{model_id}/_undeploy", s.undeploy)
	rt.Handle("POST", mlBase+"/models/_undeploy", s.undeploy)
	rt.Handle("POST", mlBase+"/models/{model_id}/_predict", s.predict)
	rt.Handle("POST", mlBase+"/_predict/{algorithm}/{model_id}", s.predict)
}

func (s mlAPI) registerModel(r *rest.Request) (rest.Action, error) {
	deploy := r.Bool("deploy", false)
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		made, err := s.ML.RegisterModel(ctx, body, deploy)
		if err != nil {
			return nil, err
		}
		o := wire.Obj("task_id", made.Task, "status", "CREATED")
		o.AddIf(made.Remote, "model_id", made.Model)
		return rest.OK(o), nil
	}, nil
}

// mlTargets are what the bodies of deploying and undeploying name.
type mlTargets struct{ models, nodes []string }

func readMLTargets(r *rest.Request) (t mlTargets, err error) {
	body, err := r.Body()
	if err != nil || body == nil {
		return t, err
	}
	err = wire.ReadObject(body, func(p *wire.Parser, name string) (err error) {
		switch name {
		case "model_ids":
			t.models, err = p.Texts()
		case "node_ids":
			t.nodes, err = p.Texts()
		default:
			err = p.Skip()
		}
		return err
	})
	return t, err
}

func (s mlAPI) deploy(r *rest.Request) (rest.Action, error) {
	id := r.Path("model_id")
	t, err := readMLTargets(r)
	if err != nil {
		return nil, err
	}
	if len(t.nodes) > 0 {
		return nil, fault.Illegal("Don't allow custom deployment plan")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		task, err := s.ML.Deploy(ctx, id)
		return rest.OK(wire.Obj("task_id", task, "task_type", "DEPLOY_MODEL", "status", "CREATED")), err
	}, nil
}

// undeploy undeploys the model of the path, those of the body, or all.
func (s mlAPI) undeploy(r *rest.Request) (rest.Action, error) {
	t, err := readMLTargets(r)
	if err != nil {
		return nil, err
	}
	if id := r.Path("model_id"); id != "" {
		t.models = []string{id}
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if len(t.models) == 0 {
			if t.models, err = s.ML.Deployed(ctx); err != nil {
				return nil, err
			}
		}
		stats, err := s.ML.Undeploy(ctx, t.models)
		return rest.OK(wire.Obj(query.NodeID, wire.Obj("stats", stats))), err
	}, nil
}

func (s mlAPI) predict(r *rest.Request) (rest.Action, error) {
	id := r.Path("model_id")
	r.Path("algorithm") // the model knows
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	in, err := ml.ParseInput(body)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		out, err := s.ML.Predict(ctx, id, in)
		if err != nil {
			return nil, err
		}
		return &rest.Response{Status: http.StatusOK, Body: out}, nil
	}, nil
}
