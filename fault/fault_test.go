// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"errors"
	"testing"
)

func TestARefusalOfWhatIsNotSupportedIsOne(t *testing.T) {
	err := Unsupported("[x] of a search")
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != "illegal_argument_exception: [x] of a search is not supported by the embedded engine" {
		t.Error(err)
	}
	if errors.Is(Illegal("no"), errors.ErrUnsupported) {
		t.Error("another error is one too")
	}
}
