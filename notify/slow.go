// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"sync"
	"time"
)

const (
	// slowFor is how long (real time) an endpoint that has not answered in time is taken to be down: messages to it are
	// tried once, and briefly, so that they hold up no others.
	slowFor = 30 * time.Second
	// briefly is how long such a try may take.
	briefly = 5 * time.Second
	// maxSlow bounds how many endpoints are remembered.
	maxSlow = 1000
)

// slow are the endpoints that have not answered in time a moment ago, by host and port.
type slow struct {
	mu    sync.Mutex
	hosts map[string]time.Time // when that was
}

// is reports whether an endpoint is taken to be down.
func (s *slow) is(host string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found := s.hosts[host]
	return found && now.Sub(at) < slowFor
}

// note remembers whether an endpoint has answered in time.
func (s *slow) note(host string, answered bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answered {
		delete(s.hosts, host)
		return
	}
	if s.hosts == nil || len(s.hosts) >= maxSlow {
		s.hosts = map[string]time.Time{}
	}
	s.hosts[host] = now
}
