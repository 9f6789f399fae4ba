// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/ism/manager"
)

// simulated is a cluster whose indices are nothing but names and settings, and whose only documents are those of the
// config index and of the index of the lease.
type simulated struct {
	*documents
	names   []string
	created time.Time

	countMu sync.Mutex
	counts  map[string]int
}

// countPath tells how many requests there were since it was asked last.
const countPath = "/_bench/requests"

func newSimulated(n int) *simulated {
	s := &simulated{documents: newDocuments(), created: time.Now(), counts: map[string]int{}}
	for i := range n {
		s.names = append(s.names, nameOf(i))
	}
	return s
}

// serveSimulated is the process that simulates a cluster. It prints where it answers, and ends with a signal.
func serveSimulated(n int) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("a simulated cluster is ready at http://%s\n", l.Addr())
	server := &http.Server{Handler: newSimulated(n), ReadHeaderTimeout: time.Minute}
	return server.Serve(l)
}

func uuidOf(name string) string { return "uuid-of-" + name }

// ServeHTTP is part of http.Handler.
func (s *simulated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == countPath {
		respond(w, http.StatusOK, s.takeCounts())
		return
	}
	s.count(r)
	if status, a, err := s.serve(r); err != nil {
		respond(w, http.StatusInternalServerError, answer{"status": 500, "error": answer{"type": "simulation", "reason": err.Error()}})
		return
	} else if a != nil {
		respond(w, status, a)
		return
	}
	expression, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	listed := map[string]json.RawMessage{}
	for part := range strings.SplitSeq(expression, ",") {
		for _, name := range s.meant(part) {
			listed[name] = s.describe(name, what)
		}
	}
	respond(w, http.StatusOK, listed)
}

func (s *simulated) count(r *http.Request) {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	s.counts[r.Method+" "+r.URL.Path]++
}

func (s *simulated) takeCounts() map[string]int {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	taken := s.counts
	s.counts = map[string]int{}
	return taken
}

// meant are the indices that a part of an expression means.
func (s *simulated) meant(part string) []string {
	switch part {
	case "_all", "*":
		return append(slices.Clone(s.names), manager.ConfigIndex)
	case "bench-*":
		return s.names
	case manager.ConfigIndex:
		return []string{part}
	}
	if i, found := slices.BinarySearch(s.names, part); found {
		return s.names[i : i+1]
	}
	return nil
}

func (s *simulated) describe(name, what string) json.RawMessage {
	uuid := `"index.uuid":"` + uuidOf(name) + `"`
	switch what {
	case "_alias":
		return json.RawMessage(`{"aliases":{}}`)
	case "_settings/index.uuid":
		return json.RawMessage(`{"settings":{` + uuid + `}}`)
	}
	return json.RawMessage(fmt.Sprintf(`{"aliases":{},"settings":{%s,"index.creation_date":"%d","index.hidden":"%v"}}`,
		uuid, s.created.UnixMilli(), strings.HasPrefix(name, ".")))
}

func nameOf(i int) string { return fmt.Sprintf("bench-%06d", i) }
