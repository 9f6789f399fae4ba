// SPDX-License-Identifier: Apache-2.0

package flowapi

import (
	"net/http"

	"github.com/opensteward/steward/flow"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// steps lists what step types need and give.
func (a *API) steps(r *rest.Request) (rest.Action, error) {
	names := list(r.Param("workflow_step", ""))
	body := wire.Object{}
	for _, name := range names {
		t := flow.Step(name)
		if t == nil || t.Internal {
			return nil, flow.Errorf(http.StatusBadRequest, "Failed to retrieve workflow step json.")
		}
		body.Add(name, describe(*t))
	}
	if len(names) == 0 {
		for _, t := range flow.Steps {
			body.AddIf(!t.Internal, t.Name, describe(t))
		}
	}
	return rest.Now(rest.OK(body)), nil
}

func describe(t flow.StepType) wire.Object {
	o := wire.Obj("inputs", texts(t.Inputs), "outputs", texts(t.Outputs), "required_plugins", texts(t.Plugins))
	o.AddIf(t.Timeout != 0, "timeout", wire.HumanDuration(t.Timeout))
	return o
}

// texts is a list that is never null.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
