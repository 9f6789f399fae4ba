// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/opensearch"
)

// Create stores a template as a new workflow and returns its id. validate checks all its graphs first.
func (s *Service) Create(ctx context.Context, t *flow.Template, validate bool) (id string, err error) {
	if err := s.validate(ctx, t, validate); err != nil {
		return "", err
	}
	if err := s.checkCount(ctx); err != nil {
		return "", err
	}
	if err := ensureIndices(ctx, s.client); err != nil {
		return "", err
	}
	id = newID()
	t.Created = s.now()
	t.LastUpdated, t.LastProvisioned, t.User = t.Created, 0, nil
	sealed, err := s.sealed(id, t)
	if err != nil {
		return "", err
	}
	ctx, cancel := s.detached() // both documents or none
	defer cancel()
	if err := s.writeTemplate(ctx, id, sealed, opensearch.Version{}); err != nil {
		return "", own(err, "Failed to save use case template")
	}
	st := storedState{State: newState(id, t.TenantID, nil)}
	return id, own(s.writeState(ctx, &st), "Failed to save workflow state")
}

// validate checks all graphs of a template, if that is wanted.
func (s *Service) validate(ctx context.Context, t *flow.Template, wanted bool) error {
	if !wanted {
		return nil
	}
	for i := range t.Workflows {
		if _, err := s.plan(ctx, "", &t.Workflows[i]); err != nil {
			return own(err, "Workflow validation failed for template %s", t.Name)
		}
	}
	return nil
}

// checkCount refuses one workflow more than there may be.
func (s *Service) checkCount(ctx context.Context) error {
	v, err := s.o.Settings(ctx)
	if err != nil {
		return own(err, "Unable to fetch the workflows")
	}
	if err := s.client.Refresh(ctx, TemplateIndex); err != nil {
		return own(err, "Unable to fetch the workflows")
	}
	var answer struct{ Count int64 }
	err = s.client.Do(ctx, opensearch.Call{Method: http.MethodGet, Path: opensearch.Path(TemplateIndex, "_count")}, &answer)
	limit := v.Int(settingMaxWorkflows)
	switch {
	case fault.Is(err, "index_not_found_exception"):
		return nil
	case err != nil:
		return own(err, "Unable to fetch the workflows")
	case answer.Count >= limit:
		return flow.Errorf(http.StatusBadRequest, "Maximum workflows limit reached: %d", limit)
	}
	return nil
}

// existingTemplate reads the template that is to be updated.
func (s *Service) existingTemplate(ctx context.Context, id string) (storedTemplate, error) {
	stored, err := s.readTemplate(ctx, id)
	if err == errNoIndex { //nolint:errorlint // it is never wrapped
		err = errNoTemplates(id)
	}
	return stored, err
}

// Update replaces the template of a workflow that is not provisioned.
func (s *Service) Update(ctx context.Context, id string, t *flow.Template, validate bool) error {
	if _, err := s.existingTemplate(ctx, id); err != nil {
		return err
	}
	if err := s.validate(ctx, t, validate); err != nil {
		return err
	}
	return again(func() error {
		stored, err := s.existingTemplate(ctx, id)
		if err != nil {
			return err
		}
		st, err := s.readState(ctx, id)
		if err != nil {
			return own(err, "Failed to get template: %s", id)
		}
		if st.progress() != NotStarted {
			return flow.Errorf(http.StatusBadRequest,
				"The template can not be updated unless its provisioning state is NOT_STARTED: %s. Deprovision the workflow to reset the state.", id)
		}
		t.Created, t.LastUpdated, t.LastProvisioned = stored.Created, s.now(), stored.LastProvisioned
		t.TenantID, t.User = stored.TenantID, nil
		sealed, err := s.sealed(id, t)
		if err != nil {
			return err
		}
		return s.updated(s.writeTemplate(ctx, id, sealed, stored.version), id)
	})
}

// updated words the failure of an update; a conflict stays what it is, to be tried again.
func (s *Service) updated(err error, id string) error {
	if isConflict(err) {
		return err
	}
	return own(err, "Failed to update workflow %s in template index", id)
}

// UpdateFields merges the metadata fields of body into a workflow's template, whatever its state.
func (s *Service) UpdateFields(ctx context.Context, id string, body []byte) error {
	return again(func() error {
		stored, err := s.existingTemplate(ctx, id)
		if err != nil {
			return err
		}
		merged, err := stored.UpdateFields(body)
		if err != nil {
			return err
		}
		merged.LastUpdated = s.now()
		return s.updated(s.writeTemplate(ctx, id, merged, stored.version), id)
	})
}

// Template is a workflow's template, without credentials.
func (s *Service) Template(ctx context.Context, id string) (*flow.Template, error) {
	stored, err := s.readTemplate(ctx, id)
	if err == errNoIndex { //nolint:errorlint // it is never wrapped
		return nil, flow.Errorf(http.StatusNotFound, "There are no templates in the global_context")
	}
	if err != nil {
		return nil, err
	}
	return Redacted(stored.Template), nil
}

// State is a workflow's state.
func (s *Service) State(ctx context.Context, id string) (State, error) {
	doc, err := s.client.Get(ctx, StateIndex, id, "")
	if err != nil {
		return State{}, flowError(err, http.StatusNotFound, "Failed to get workflow status of: %s", id)
	}
	if !doc.Found {
		return State{}, errNoStatus(id)
	}
	var st State
	if err := json.Unmarshal(doc.Source, &st); err != nil {
		return State{}, flowError(err, http.StatusInternalServerError, "Failed to parse workflowState: %s", id)
	}
	return st, nil
}

// Step is the progress of one node, as the API shows it.
type Step struct {
	ID       string         `json:"workflow_step_id"`
	Type     string         `json:"workflow_step_name"`
	Status   string         `json:"status"`
	Start    int64          `json:"start_time,omitempty"` // epoch milliseconds, as End
	End      int64          `json:"end_time,omitempty"`
	Attempts int            `json:"attempts"`
	Adopted  bool           `json:"adopted,omitempty"`
	Error    *failureRecord `json:"error,omitempty"`
}

// Steps is the progress of the nodes of a workflow's last run, in the plan's order.
func (s *Service) Steps(ctx context.Context, id string) ([]Step, error) {
	steps := []Step{}
	show := func(d *runDocument) {
		for _, n := range d.Nodes {
			steps = append(steps, Step{n.ID, n.Type, n.Status, n.Start, n.End, n.Attempts, n.Adopted, n.Error})
		}
	}
	if x := s.working(id); x != nil {
		x.rec.look(func(d *runDocument, _ *State) { show(d) })
		return steps, nil
	}
	run, err := readRun(ctx, s.client, id)
	if err != nil {
		return nil, own(err, "Failed to get workflow status of: %s", id)
	}
	if run.found {
		show(run.runDocument)
	}
	return steps, nil
}

// Delete deletes a workflow's template, and its state if whole says so or it has no resources. A workflow that is being
// provisioned is refused: what it makes would be forgotten. answer is the cluster's own.
func (s *Service) Delete(ctx context.Context, id string, whole bool) (answer json.RawMessage, err error) {
	st, err := s.readState(ctx, id)
	if err != nil {
		return nil, own(err, "Failed to delete template %s", id)
	}
	if st.found && st.Progress == inProgress {
		return nil, flow.Errorf(http.StatusBadRequest,
			"The workflow can not be deleted while its provisioning state is IN_PROGRESS: %s. Cancel or deprovision the workflow first.", id)
	}
	if _, err := s.readTemplate(ctx, id); err == errNoIndex { //nolint:errorlint // it is never wrapped
		return nil, flow.Errorf(http.StatusNotFound, "There are no templates in the global context")
	}
	written, err := s.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: TemplateIndex, ID: id}, "true")
	if err != nil {
		return nil, flowError(err, http.StatusInternalServerError, "Failed to delete template %s", id)
	}
	if !st.found || !whole && len(st.Resources) > 0 {
		return written.Raw, nil
	}
	if _, err := s.client.Write(ctx, opensearch.Write{Op: opensearch.OpDelete, Index: StateIndex, ID: id, If: st.version}, ""); err != nil {
		s.log.Warn("the state of a deleted workflow stays", "workflow", id, "err", err)
		return written.Raw, nil
	}
	if err := s.deleteRun(ctx, id, opensearch.Version{}); err != nil {
		s.log.Warn("the run of a deleted workflow stays", "workflow", id, "err", err)
	}
	return written.Raw, nil
}
