// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/opensteward/steward/test/unreliable"
)

func TestAClusterThatFailsEveryTenthRequestOnlyTakesLonger(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			chainEndsWell(t, func(next http.RoundTripper) http.RoundTripper { return unreliable.NewFlaky(next, seed, seed) })
		})
	}
}

func TestAReconcilerThatPanicsAtEveryTwentiethRequestOnlyTakesLonger(t *testing.T) {
	chainEndsWell(t, func(next http.RoundTripper) http.RoundTripper { return unreliable.NewPanicky(next, 1) })
}

// chainEndsWell runs the chain over a transport to its end.
func chainEndsWell(t *testing.T, over func(next http.RoundTripper) http.RoundTripper) {
	t.Helper()
	w := newWorld(t, backend(t), chain)
	stop := w.run(over(w.transport))
	defer stop()
	w.wait("the chain to end", w.chainEnded)
	if diff := w.chainDifference(); diff != "" {
		t.Error(diff)
	}
	w.wait("the whole history", func() bool { return w.recordsDifference() == "" })
}
