// SPDX-License-Identifier: Apache-2.0

package ismapi

import (
	"context"

	"github.com/opensteward/steward/ism"
	"github.com/opensteward/steward/ism/manager"
	"github.com/opensteward/steward/wire"
)

// validations say, by uuid, whether the actions that the targets would run next can succeed.
func (a *API) validations(ctx context.Context, targets []*target) (map[string]ism.Validation, error) {
	return a.o.Manager.Validations(ctx, candidates(targets))
}

func candidates(targets []*target) []manager.Candidate {
	list := make([]manager.Candidate, len(targets))
	for i, t := range targets {
		list[i] = manager.Candidate{Info: t.IndexInfo, Waiting: manager.Waiting{Job: t.job, Meta: t.meta}}
	}
	return list
}

func validationJSON(v ism.Validation) wire.Object {
	return wire.Obj("validation_message", v.Message, "validation_status", v.Status)
}
