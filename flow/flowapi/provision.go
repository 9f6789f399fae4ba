// SPDX-License-Identifier: Apache-2.0

package flowapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// provision begins to make what a workflow describes. Every parameter of the query that is not of this program's own and
// every member of the body is a substitution value.
func (a *API) provision(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	o, timed, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	o.Resume = r.Bool("resume", false)
	dry := r.Bool("dry_run", false)
	values := r.Unread()
	if timed {
		values["wait_for_completion_timeout"] = r.Param("wait_for_completion_timeout", "")
	}
	if err := addBody(r, values); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		o.Params = append(o.Params, flow.Param{Name: name, Value: values[name]})
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if dry {
			answer, err := a.service.DryRun(ctx, id, o)
			return rest.OK(answer), worded(err, unworded)
		}
		st, err := a.service.Provision(ctx, id, o)
		if errors.Is(err, provision.ErrAlready) {
			return rest.OK(st.Short()), nil
		}
		return begun(id, st, worded(err, unworded))
	}, nil
}

// addBody adds the members of a body to the values of the query.
func addBody(r *rest.Request, values map[string]string) error {
	body, err := r.Body()
	if err != nil || body == nil {
		return err
	}
	p := wire.NewParser(body)
	if _, err := p.Next(); err != nil {
		return errBody(err)
	}
	if p.Token() != wire.StartObject {
		return p.Expect(wire.StartObject)
	}
	err = p.Object(func(name string) error {
		if p.Token() != wire.String {
			return flow.Errorf(http.StatusBadRequest, "Request body fields must have string values")
		}
		if slices.Contains(ownParams, name) {
			return flow.Errorf(http.StatusBadRequest, "The parameter [%s] is not a substitution value; it belongs to the query", name)
		}
		if _, twice := values[name]; twice {
			return flow.Errorf(http.StatusBadRequest, "Duplicate key %s", name)
		}
		v, err := p.Text()
		values[name] = v
		return err
	})
	return errBody(err)
}

func errBody(err error) error {
	if err == nil || flow.IsOwn(err) {
		return err
	}
	e := flow.Errorf(http.StatusBadRequest, "Request body parsing failed")
	e.Err = err
	return e
}

// deprovision takes away what a workflow made. The parameter goes by both spellings of the documentation.
func (a *API) deprovision(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	allowed := list(strings.Join([]string{r.Param("allow_delete", ""), r.Param("allow-delete", "")}, ","))
	return func(ctx context.Context) (*rest.Response, error) {
		if err := a.service.Deprovision(ctx, id, allowed); err != nil {
			return nil, worded(err, unworded)
		}
		return rest.OK(wire.Obj("workflow_id", id)), nil
	}, nil
}

// cancel stops a workflow that is being provisioned at its next step boundary.
func (a *API) cancel(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	return func(ctx context.Context) (*rest.Response, error) {
		st, err := a.service.Cancel(ctx, id)
		if err != nil {
			return nil, worded(err, unworded)
		}
		return rest.OK(st.Short()), nil
	}, nil
}

// status tells a workflow's state: the short form, all of it, and the progress of its steps.
func (a *API) status(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	all, steps := r.Bool("all", false), r.Bool("steps", false)
	return func(ctx context.Context) (*rest.Response, error) {
		st, err := a.service.State(ctx, id)
		if err != nil {
			return nil, worded(err, "Failed to get workflow status.")
		}
		body := st.Short()
		if all {
			body = st.All()
		}
		if steps {
			progress, err := a.service.Steps(ctx, id)
			if err != nil {
				return nil, worded(err, "Failed to get workflow status.")
			}
			body.Add("steps", progress)
		}
		return rest.OK(body), nil
	}, nil
}
