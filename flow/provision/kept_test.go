// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"testing"

	"github.com/opensteward/steward/flow"
)

func TestASecretThatBeginsWithAnotherIsMaskedWhole(t *testing.T) {
	mask := masker(&flow.Workflow{}, []flow.Param{{Name: "a", Value: "secret"}, {Name: "b", Value: `secret-and "more"`}})
	got := mask(`secret-and "more"; {"b":"secret-and \"more\""}; secret`)
	if want := `***; {"b":"***"}; ***`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
