// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"sync"

	"github.com/opensteward/steward/clock"
)

// activity holds the clock while anybody is busy with one workflow. Whoever waits for the clock is not busy.
type activity struct {
	clock   clock.Clock
	mu      sync.Mutex
	busy    int
	release func()
}

func (a *activity) enter() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy == 0 {
		a.release = a.clock.Hold()
	}
	a.busy++
}

func (a *activity) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy--
	if a.busy == 0 {
		a.release()
	}
}
