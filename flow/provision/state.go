// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"encoding/json"
	"slices"

	"github.com/opensteward/steward/wire"
)

// The states of a workflow, and its progress.
const (
	NotStarted   = "NOT_STARTED"
	Provisioning = "PROVISIONING"
	Failed       = "FAILED"
	Completed    = "COMPLETED"

	inProgress = "IN_PROGRESS"
	done       = "DONE"
)

// State is the plugin's state document of a workflow.
type State struct {
	WorkflowID string          `json:"workflow_id"`
	Error      string          `json:"error"`
	State      string          `json:"state"`
	Progress   string          `json:"provisioning_progress"`
	Start      int64           `json:"provision_start_time"` // epoch milliseconds; 0 means absent, as End
	End        int64           `json:"provision_end_time"`
	User       json.RawMessage `json:"user"`
	Outputs    json.RawMessage `json:"user_outputs"`
	// Resources are in the order in which they came to be; nil means that the member is absent.
	Resources  []Resource `json:"resources_created"`
	TenantID   string     `json:"tenant_id"`
	Principals []string   `json:"all_shared_principals"`
}

// newState is the state of a workflow that was never provisioned.
func newState(id, tenant string, user json.RawMessage) State {
	return State{WorkflowID: id, State: NotStarted, Progress: NotStarted, TenantID: tenant, User: user}
}

// Short is what the API says of a state unless it is asked for all.
func (s State) Short() wire.Object {
	o := wire.Obj("workflow_id", s.WorkflowID)
	o.AddIf(s.Error != "", "error", s.Error)
	o.Add("state", s.State)
	o.AddIf(len(s.Resources) > 0, "resources_created", s.Resources)
	return o
}

// All is the whole state as the API shows it.
func (s State) All() wire.Object { return s.object(len(s.Resources) > 0) }

// MarshalJSON is the state as it is stored: there an empty list of resources stands.
func (s State) MarshalJSON() ([]byte, error) { return s.object(s.Resources != nil).MarshalJSON() }

func (s State) object(resources bool) wire.Object {
	o := wire.Obj("workflow_id", s.WorkflowID)
	o.AddIf(s.Error != "", "error", s.Error)
	o.Add("state", s.State)
	o.Add("provisioning_progress", s.Progress)
	o.AddIf(s.Start != 0, "provision_start_time", s.Start)
	o.AddIf(s.End != 0, "provision_end_time", s.End)
	o.AddIf(len(s.User) > 0, "user", s.User)
	o.AddIf(len(s.Outputs) > 0, "user_outputs", s.Outputs)
	o.AddIf(resources, "resources_created", s.Resources)
	o.AddIf(s.TenantID != "", "tenant_id", s.TenantID)
	o.AddIf(len(s.Principals) > 0, "all_shared_principals", s.Principals)
	return o
}

// add appends a resource unless it stands there already.
func (s *State) add(r Resource) {
	if !slices.Contains(s.Resources, r) {
		s.Resources = append(s.Resources, r)
	}
}

// remove takes a resource off.
func (s *State) remove(r Resource) {
	s.Resources = slices.DeleteFunc(slices.Clone(s.Resources), func(o Resource) bool { return o == r })
}

// begin marks a state as being provisioned since start.
func (s *State) begin(start int64) {
	s.State, s.Progress, s.Start, s.End, s.Error = Provisioning, inProgress, start, 0, ""
	if s.Resources == nil {
		s.Resources = []Resource{}
	}
}

// finish marks a state as ended; text is the failure's, or "".
func (s *State) finish(end int64, text string) {
	s.State, s.Progress, s.Error, s.End = Completed, done, text, end
	if text != "" {
		s.State, s.Progress = Failed, Failed
	}
}
