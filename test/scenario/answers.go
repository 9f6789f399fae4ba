// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"sync"

	"github.com/opensteward/steward/wire"
)

// Answers stand in for a cluster where a scenario says so. The zero value passes everything on.
type Answers struct {
	mu   sync.Mutex
	list []ownAnswer // the last that fits counts
}

type ownAnswer struct {
	method, pattern string
	status          int // 0: the cluster's own
	body            []byte
}

// Answer is part of [Backend].
func (a *Answers) Answer(method, pattern string, status int, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, ownAnswer{method, pattern, status, body})
}

// to finds the answer to a request.
func (a *Answers) to(r *http.Request) (ownAnswer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.list) - 1; i >= 0; i-- {
		if o := a.list[i]; o.method == r.Method && wire.Match(o.pattern, r.URL.Path) {
			return o, o.status != 0
		}
	}
	return ownAnswer{}, false
}

// Before puts the answers before a cluster.
func (a *Answers) Before(next http.RoundTripper) http.RoundTripper { return answering{a, next} }

type answering struct {
	answers *Answers
	next    http.RoundTripper
}

// RoundTrip is part of http.RoundTripper.
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	o, found := a.answers.to(r)
	if !found {
		return a.next.RoundTrip(r)
	}
	if r.Body != nil {
		defer r.Body.Close()
	}
	body := bytes.ReplaceAll(o.body, []byte("{name}"), []byte(path.Base(r.URL.Path)))
	return &http.Response{
		StatusCode: o.status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}
