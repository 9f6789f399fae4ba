// SPDX-License-Identifier: Apache-2.0

package test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward"
	"github.com/opensteward/steward/clock"
	"github.com/opensteward/steward/opensearch"
)

// calendar stands between a program with a virtual clock and a real cluster, whose time stamps are the machine's: it
// puts each instant that an answer tells in the program's time. A virtual clock stands still while anything is done, so
// it is enough to know where it stood at each request: an index that was created in the course of one was created at
// that instant. Before the first request the program's time went by as the machine's did.
type calendar struct {
	clock *clock.Virtual

	mu sync.Mutex
	// moves are where the clock was found to stand elsewhere than before, in order; the first is that of the start.
	moves []move
}

// move is an instant of the machine's clock since which the virtual one has stood at another.
type move struct{ machine, virtual time.Time }

// InVirtualTime gives a program a clock that only the test moves. In front of a real cluster it lets it see the
// cluster's time stamps as that clock's. Its history is not rolled over by age there, which the cluster would measure by its
// own clock, and so refuse again and again.
func InVirtualTime(c *clock.Virtual) func(*steward.Options) {
	return func(o *steward.Options) {
		o.Clock = c
		if len(o.Cluster.URLs) == 0 {
			return
		}
		o.Settings = maps.Clone(o.Settings)
		if o.Settings == nil {
			o.Settings = map[string]string{}
		}
		o.Settings["plugins.index_state_management.history.max_age"] = "10000d"
		k, outer := newCalendar(c, time.Now()), o.Transport
		o.Transport = func(next http.RoundTripper) http.RoundTripper {
			next = translating{k, next}
			if outer != nil {
				next = outer(next)
			}
			return next
		}
	}
}

func newCalendar(c *clock.Virtual, now time.Time) *calendar {
	k := &calendar{clock: c}
	k.note(now)
	return k
}

// note remembers where the clock stands, if it has moved.
func (k *calendar) note(machine time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	if n := len(k.moves); n == 0 || !k.moves[n-1].virtual.Equal(now) {
		k.moves = append(k.moves, move{machine.Truncate(time.Millisecond), now})
	}
}

// virtual is where the clock stood at an instant of the machine's.
func (k *calendar) virtual(machine time.Time) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.moves) - 1; i >= 0; i-- {
		if m := k.moves[i]; !m.machine.After(machine) {
			return m.virtual
		}
	}
	first := k.moves[0]
	return first.virtual.Add(machine.Sub(first.machine))
}

// stamps are the time stamps that a cluster puts in its answers: the creation of an index, its rollover, and the
// beginning and the end of a snapshot.
var stamps = regexp.MustCompile(`("(?:index\.)?creation_date" ?: ?"|"time" ?: ?|"(?:start|end)_time_in_millis" ?: ?)(\d{13})\b`)

// translate puts the time stamps of an answer in the program's time.
func (k *calendar) translate(body []byte) []byte {
	return stamps.ReplaceAllFunc(body, func(found []byte) []byte {
		at := len(found) - 13
		ms, err := strconv.ParseInt(string(found[at:]), 10, 64)
		if err != nil {
			return found
		}
		return strconv.AppendInt(found[:at:at], k.virtual(time.UnixMilli(ms)).UnixMilli(), 10)
	})
}

// translating is the way to a cluster through a calendar.
type translating struct {
	calendar *calendar
	next     http.RoundTripper
}

// RoundTrip is part of http.RoundTripper.
func (t translating) RoundTrip(r *http.Request) (*http.Response, error) {
	t.calendar.note(time.Now())
	r = r.Clone(r.Context())
	r.Header.Set("Accept-Encoding", "identity") // what is compressed cannot be read
	res, err := t.next.RoundTrip(r)
	if err != nil || r.Method == http.MethodHead {
		return res, err
	}
	if strings.HasSuffix(r.URL.Path, "/_close") {
		t.awaitShards(r.Context())
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	body = t.calendar.translate(body)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Del("Content-Length")
	return res, nil
}

// awaitShards lets no time pass while the shards of an index that was closed start again, in which the cluster is red.
func (t translating) awaitShards(ctx context.Context) {
	call := opensearch.Call{Method: http.MethodGet, Path: "/_cluster/health", Query: url.Values{"wait_for_status": {"yellow"}, "timeout": {"5s"}}}
	_ = opensearch.NewClient(t.next).Do(ctx, call, nil) // it may be red for other reasons
}
