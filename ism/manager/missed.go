// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"time"

	"github.com/opensteward/steward/opensearch"
)

// missed are the indices whose jobs the cluster did not take: while the config index is blocked, or it is too busy. They are
// tried again when the cluster has changed, and otherwise after a pause.
type missed struct {
	uuids []string
	mark  opensearch.Mark // of the cluster when they were tried last
	tries int             // in a row
	at    time.Time       // real time of the next one
}

// take are those that are to be tried now.
func (m *missed) take(mark opensearch.Mark) []string {
	if len(m.uuids) == 0 || mark == m.mark && time.Now().Before(m.at) {
		return nil
	}
	uuids := m.uuids
	m.uuids = nil
	return uuids
}

// plan sets the next try, after one was made.
func (m *missed) plan(mark opensearch.Mark) {
	switch {
	case len(m.uuids) == 0:
		m.tries = 0
	case mark != m.mark || !time.Now().Before(m.at):
		m.tries++
		m.mark, m.at = mark, time.Now().Add(pause(m.tries))
	}
}
