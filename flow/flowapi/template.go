// SPDX-License-Identifier: Apache-2.0

package flowapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/flow/provision"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// creation is a request to create or to update a workflow.
type creation struct {
	id                                   string // "" creates
	validate                             bool
	provision, reprovision, updateFields bool
	useCase                              string
	timed                                bool
	request                              provision.Request
	template                             *flow.Template // nil with updateFields
	body                                 []byte
}

// onFailure is the parameter that says what becomes of what a failed run has made.
const onFailure = "on_failure"

// permitted are the parameters that a request without provision may have, in the order in which the plugin lists them.
const permitted = "use_case, pretty, workflow_id, provision, reprovision, format, error_trace, human, update_fields, wait_for_completion_timeout, filter_path, validation"

// ownParams are parameters that the plugin does not have; they are never substitution values.
var ownParams = []string{"dry_run", "resume", onFailure}

// create makes a workflow of a template, or replaces the template of one.
func (a *API) create(r *rest.Request) (rest.Action, error) {
	err := a.checkEnabled(r.HTTP.Context(), "This API is disabled. To enable it, set [plugins.flow_framework.enabled] to true.")
	if err != nil {
		return nil, err
	}
	c, err := readCreation(r)
	if err != nil {
		return nil, err
	}
	if err := a.readTemplate(r, c); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if c.id == "" {
			return a.created(ctx, c)
		}
		return a.updated(ctx, c)
	}, nil
}

// readCreation reads the parameters and checks which go together.
func readCreation(r *rest.Request) (*creation, error) {
	c := &creation{
		id: r.Path("workflow_id"), useCase: r.Param("use_case", ""), validate: r.Param("validation", "all") == "all",
		provision: r.Bool("provision", false), reprovision: r.Bool("reprovision", false), updateFields: r.Bool("update_fields", false),
	}
	var err error
	if c.request, c.timed, err = readRequest(r); err != nil {
		return nil, err
	}
	for name, v := range r.Unread() {
		c.request.Params = append(c.request.Params, flow.Param{Name: name, Value: v})
	}
	return c, c.check(r.HTTP.Method == http.MethodPost)
}

// check refuses parameters that do not go together.
func (c *creation) check(creates bool) error {
	extra := len(c.request.Params) > 0 || len(c.request.Given) > 0 && !c.reprovision
	only := slices.IndexFunc(c.request.Given, func(name string) bool { return name != onFailure })
	switch {
	case only >= 0:
		return flow.Errorf(http.StatusBadRequest, "The parameter [%s] is only for provisioning what is stored already.", c.request.Given[only])
	case extra && (!c.provision || c.reprovision):
		return flow.Errorf(http.StatusBadRequest, "Only the parameters [%s] are permitted unless the provision parameter is set to true.", permitted)
	case c.provision && c.updateFields:
		return flow.Errorf(http.StatusBadRequest, "You can not use both the provision and update_fields parameters in the same request.")
	case c.reprovision && creates:
		return flow.Errorf(http.StatusBadRequest, "You can not use the reprovision parameter to create a new template.")
	case c.reprovision && c.useCase != "":
		return flow.Errorf(http.StatusBadRequest, "You cannot use the reprovision and use_case parameters in the same request.")
	case c.timed && !c.provision && !c.reprovision:
		return flow.Errorf(http.StatusBadRequest, "Request parameter 'wait_for_completion_timeout' is not allowed unless the 'provision' or 'reprovision' parameter is set to true.")
	case c.reprovision && c.updateFields:
		return flow.Errorf(http.StatusBadRequest, "You can not use both the reprovision and update_fields parameters in the same request.")
	}
	return nil
}

// errContent is what the plugin says of a body that it cannot read.
func errContent(cause error) error {
	e := flow.Errorf(http.StatusBadRequest, "IOException: template content invalid for specified Content-Type.")
	e.Err = cause
	return e
}

// readTemplate reads the body: a template, fields of one, or the parameters of a use case.
func (a *API) readTemplate(r *rest.Request, c *creation) error {
	body, err := r.Body()
	if fault.HasStatus(err, http.StatusNotAcceptable) {
		return err // a type of content that no API reads
	}
	if c.useCase != "" {
		if err != nil {
			return flow.Errorf(http.StatusBadRequest,
				"failure parsing request body when a use case is given, make sure to provide a map with values that are either Strings, Arrays, or Map of Strings to Strings")
		}
		if body, err = a.o.UseCase(c.useCase, body); err != nil {
			return err
		}
	}
	if err != nil || body == nil {
		return errContent(err)
	}
	c.body = body
	if c.updateFields && c.id != "" {
		return nil
	}
	if c.updateFields { // a new template, of these fields only
		if _, err := (&flow.Template{}).UpdateFields(body); err != nil {
			return err
		}
	}
	c.template, err = flow.Parse(body)
	return err
}

// created answers 201, or 202 if the workflow is being provisioned.
func (a *API) created(ctx context.Context, c *creation) (*rest.Response, error) {
	id, err := a.service.Create(ctx, c.template, c.validate)
	if err != nil {
		return nil, worded(err, "Failed to create or update workflow")
	}
	if !c.provision {
		return &rest.Response{Status: http.StatusCreated, Body: wire.Obj("workflow_id", id)}, nil
	}
	st, err := a.service.Provision(ctx, id, c.request)
	if err != nil && !provision.IsUnknownState(err) {
		return nil, located(worded(err, "Provisioning failed."), id)
	}
	return begun(id, st, err)
}

// located is an error that tells, in a header, where the workflow is that was made all the same.
func located(err error, id string) error {
	e := *fault.Of(err)
	e.Header = e.Header.Clone()
	if e.Header == nil {
		e.Header = http.Header{}
	}
	e.Header.Set("Location", workflows+"/"+id)
	return &e
}

// updated answers 201, or 202 if provision or reprovision was given.
func (a *API) updated(ctx context.Context, c *creation) (*rest.Response, error) {
	var err error
	switch {
	case c.reprovision:
		st, err := a.service.Reprovision(ctx, c.id, c.template, c.validate, c.request)
		return begun(c.id, st, worded(err, "Reprovisioning failed for workflow "+c.id))
	case c.updateFields:
		err = a.service.UpdateFields(ctx, c.id, c.body)
	default:
		err = a.service.Update(ctx, c.id, c.template, c.validate)
	}
	if err != nil {
		return nil, worded(err, unworded)
	}
	if !c.provision {
		return &rest.Response{Status: http.StatusCreated, Body: wire.Obj("workflow_id", c.id)}, nil
	}
	st, err := a.service.Provision(ctx, c.id, c.request)
	return begun(c.id, st, worded(err, "Provisioning failed."))
}

// readRequest reads how to provision. timed is true if a time to wait is given.
func readRequest(r *rest.Request) (o provision.Request, timed bool, err error) {
	o.Wait = r.Duration("wait_for_completion_timeout", -1)
	if o.Wait < 0 {
		o.Wait = -time.Nanosecond
	}
	switch v := r.Param(onFailure, ""); v {
	case "":
	case "rollback":
		o.Rollback = true
	default:
		return o, false, flow.Errorf(http.StatusBadRequest, "Unknown value for on_failure: [%s]; the only one is [rollback].", v)
	}
	for _, name := range ownParams {
		if r.Has(name) {
			o.Given = append(o.Given, name)
		}
	}
	return o, o.Wait >= 0, nil
}

// begun is the answer to a request to provision.
func begun(id string, st *provision.State, err error) (*rest.Response, error) {
	switch {
	case provision.IsUnknownState(err):
		return &rest.Response{Status: http.StatusAccepted, Body: wire.Obj("workflow_id", id, "error", "Workflow timed out, failed to fetch current state", "state", "UNKNOWN")}, nil
	case err != nil:
		return nil, err
	case st != nil:
		return &rest.Response{Status: http.StatusAccepted, Body: st.Short()}, nil
	}
	return &rest.Response{Status: http.StatusAccepted, Body: wire.Obj("workflow_id", id)}, nil
}

func (a *API) get(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	return func(ctx context.Context) (*rest.Response, error) {
		t, err := a.service.Template(ctx, id)
		if err != nil {
			return nil, worded(err, unworded)
		}
		return rest.OK(t), nil
	}, nil
}

func (a *API) remove(r *rest.Request) (rest.Action, error) {
	id := r.Path("workflow_id")
	whole := r.Bool("clear_status", false)
	return func(ctx context.Context) (*rest.Response, error) {
		answer, err := a.service.Delete(ctx, id, whole)
		if err != nil {
			return nil, worded(err, unworded)
		}
		return rest.OK(answer), nil
	}, nil
}

// list splits at commas and drops what is empty.
func list(text string) (items []string) {
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
