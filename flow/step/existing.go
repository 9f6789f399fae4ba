// SPDX-License-Identifier: Apache-2.0

package step

import (
	"net/http"

	"github.com/opensteward/steward/flow"
)

// keep are the inputs that say what becomes of a resource that was there before.
var keep = []string{"adopt", "overwrite"}

// wants reads a flag among the inputs; absent means false.
func wants(in flow.Inputs, name string) (bool, error) {
	if !in.Has(name) {
		return false, nil
	}
	return boolean(text(in, name))
}

// existing decides what becomes of a resource that is there and was not made by this attempt: it is taken as it is
// (take), written over (neither), or the step fails.
func existing(in flow.Inputs, equal bool, kind, id string) (take bool, err error) {
	adopt, err := wants(in, "adopt")
	if err != nil {
		return false, err
	}
	overwrite, err := wants(in, "overwrite")
	switch {
	case err != nil:
		return false, err
	case adopt || equal && !overwrite:
		return true, nil
	case overwrite:
		return false, nil
	}
	return false, failed(http.StatusBadRequest, nil,
		"The %s [%s] exists and differs from the one of this node; it is not written over unless the node says so with [adopt] or [overwrite]", kind, id)
}
