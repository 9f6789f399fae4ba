// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"testing"

	"github.com/opensteward/steward/test/unreliable"
)

func TestAClusterThatFailsEveryTenthRequestOnlyTakesLonger(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w := newWorld(t, backend(t), chain)
			stop := w.run(unreliable.NewFlaky(w.transport, seed, seed))
			defer stop()
			w.wait("the chain to end", w.chainEnded)
			if diff := w.chainDifference(); diff != "" {
				t.Error(diff)
			}
			w.wait("the whole history", func() bool { return w.recordsDifference() == "" })
		})
	}
}
