// SPDX-License-Identifier: Apache-2.0

package unreliable

import (
	"context"
	"net/http"
	"sync"
)

// Mortal is the transport of a process that dies: none of its requests arrives from one on. It is safe for concurrent use.
type Mortal struct {
	next  http.RoundTripper
	mu    sync.Mutex
	left  int
	after bool
	died  chan struct{}
	once  sync.Once
}

// NewMortal returns the transport of a process that dies at its n-th request: before that is sent, or, with after, while
// its answer is on the way.
func NewMortal(next http.RoundTripper, n int, after bool) *Mortal {
	return &Mortal{next: next, left: n, after: after, died: make(chan struct{})}
}

// RoundTrip is part of [http.RoundTripper]. A request that has arrived is carried out: nothing comes late.
func (m *Mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.left--
	left := m.left
	m.mu.Unlock()
	r = r.WithContext(context.WithoutCancel(r.Context()))
	if left > 0 {
		return m.next.RoundTrip(r)
	}
	defer m.end()
	if left == 0 && m.after {
		return LoseAnswer(m.next, r)
	}
	return nil, ErrLost
}

func (m *Mortal) end() { m.once.Do(func() { close(m.died) }) }

// Die makes it dead at once.
func (m *Mortal) Die() {
	m.mu.Lock()
	m.left = 0
	m.mu.Unlock()
	m.end()
}

// Died is closed when it is dead.
func (m *Mortal) Died() <-chan struct{} { return m.died }

// Dead reports whether it is dead.
func (m *Mortal) Dead() bool {
	select {
	case <-m.died:
		return true
	default:
		return false
	}
}
