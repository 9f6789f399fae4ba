// SPDX-License-Identifier: Apache-2.0

package unreliable

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"
)

// A Mishap is what can happen to one request.
type Mishap int

// The mishaps.
const (
	RefusedConnection Mishap = iota // the cluster never sees it
	LostAnswer                      // the cluster does it, and nobody learns of it
	LateAnswer                      // others overtake it
	TooMany                         // 429
	Unavailable                     // 503
	CutAnswer                       // its body ends in the middle
	Mishaps                         // how many there are
)

// String is what happens.
func (m Mishap) String() string {
	return [...]string{"refused connection", "lost answer", "late answer", "429", "503", "cut answer"}[m]
}

// Faulty is a transport on which one request meets a mishap. It is safe for concurrent use.
type Faulty struct {
	next   http.RoundTripper
	mishap Mishap
	at     int

	mu    sync.Mutex
	calls int
}

// NewFaulty returns one before next; the request is the at-th, from 1, and with 0 none.
func NewFaulty(next http.RoundTripper, mishap Mishap, at int) *Faulty {
	return &Faulty{next: next, mishap: mishap, at: at}
}

// Calls is how many requests there were.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// RoundTrip is part of [http.RoundTripper].
func (f *Faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.calls++
	hit := f.calls == f.at
	f.mu.Unlock()
	if !hit {
		return f.next.RoundTrip(r)
	}
	switch f.mishap {
	case RefusedConnection:
		return nil, ErrLost
	case LostAnswer:
		return LoseAnswer(f.next, r)
	case TooMany:
		return Refuse(r, http.StatusTooManyRequests, "rejected_execution_exception"), nil
	case Unavailable:
		return Refuse(r, http.StatusServiceUnavailable, "cluster_manager_not_discovered_exception"), nil
	}
	res, err := f.next.RoundTrip(r)
	if err != nil {
		return res, err
	}
	if f.mishap == CutAnswer {
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), brokenReader{}))
		return res, err
	}
	<-time.After(30 * time.Millisecond)
	return res, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
