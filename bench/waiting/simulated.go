// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/opensteward/steward/ism/manager"
)

// simulated is a cluster whose indices are nothing but names and settings, and whose only documents are those of the
// config index.
type simulated struct {
	*documents
	names   []string
	created time.Time
}

func newSimulated(n int) *simulated {
	s := &simulated{documents: &documents{byID: map[string]*document{}}, created: time.Now()}
	for i := range n {
		s.names = append(s.names, nameOf(i))
	}
	return s
}

func uuidOf(name string) string { return "uuid-of-" + name }

// RoundTrip is part of http.RoundTripper.
func (s *simulated) RoundTrip(r *http.Request) (*http.Response, error) {
	if a, known, err := s.serve(r); known {
		if err != nil {
			return nil, err
		}
		return respond(r, a)
	}
	expression, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	listed := map[string]json.RawMessage{}
	for part := range strings.SplitSeq(expression, ",") {
		for _, name := range s.meant(part) {
			listed[name] = s.describe(name, what)
		}
	}
	return respond(r, listed)
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
