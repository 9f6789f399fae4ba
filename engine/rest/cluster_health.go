// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// healthPoll is how often a health request that waits looks again.
const healthPoll = 20 * time.Millisecond

// health counts copies of shards. Every primary is active, no replica is: there is one node to put them on.
type health struct {
	primaries, unassigned int
	missing               bool // an index that was asked for does not exist
	// cluster are the same figures of all indices.
	cluster *health
}

func healthOf(indices []*catalog.Index) health {
	var h health
	for _, i := range indices {
		h.add(i)
	}
	return h
}

// stateHealth is the health of all indices of one state.
type stateHealth struct {
	state *catalog.State
	health
}

// healthOfAll is that of all indices, which is counted once for each state.
func (s *Server) healthOfAll(state *catalog.State) health {
	if last := s.health.Load(); last != nil && last.state == state {
		return last.health
	}
	h := &stateHealth{state: state}
	for _, i := range state.Indices {
		h.add(i)
	}
	s.health.Store(h)
	return h.health
}

func (h *health) add(i *catalog.Index) {
	shards := i.Shards()
	h.primaries += shards
	h.unassigned += shards * i.Replicas()
}

func (h health) status() string {
	switch {
	case h.missing:
		return "red"
	case h.unassigned > 0:
		return "yellow"
	}
	return "green"
}

// percent is the share of copies that are active: of the whole cluster, unless all of these are.
func (h health) percent() float64 {
	if h.cluster != nil && h.unassigned > 0 {
		return h.cluster.percent()
	}
	if h.primaries == 0 {
		return 100
	}
	return 100 * float64(h.primaries) / float64(h.primaries+h.unassigned)
}

// priorities are those of changes that wait for their turn.
var priorities = []string{"IMMEDIATE", "URGENT", "HIGH", "NORMAL", "LOW", "LANGUID"}

// healthRequest is what a health request asks for.
type healthRequest struct {
	expressions []string
	options     wire.IndexOptions
	level       string
	timeout     time.Duration
	waits       []func(health) bool
}

func (s *Server) clusterHealth(r *rest.Request) (rest.Action, error) {
	req, err := readHealth(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		indices, h, ok, err := s.awaitHealth(ctx, req)
		if err != nil {
			return nil, err
		}
		status := http.StatusOK
		if !ok {
			status = http.StatusRequestTimeout
		}
		return &rest.Response{Status: status, Body: s.healthJSON(indices, h, !ok, req.level)}, nil
	}, nil
}

func readHealth(r *rest.Request) (*healthRequest, error) {
	req := &healthRequest{expressions: r.List("index"), level: r.Param("level", "cluster")}
	req.options = r.IndexOptions(wire.IndexOptions{Open: true, Closed: true, Hidden: true, IgnoreUnavailable: true, AllowNoIndices: true})
	req.timeout = r.Duration("timeout", 30*time.Second)
	r.ManagerTimeout()
	r.IgnoreBools("local", "wait_for_no_relocating_shards", "wait_for_no_initializing_shards")
	events := strings.ToUpper(r.Param("wait_for_events", "languid"))
	if !slices.Contains(priorities, events) { // no change ever waits, so there is nothing to wait for
		return nil, fault.Illegal("No enum constant org.opensearch.common.Priority.%s", events)
	}
	if r.Param("awareness_attribute", "") != "" && req.level != "awareness_attributes" {
		return nil, fault.Validation("level=awareness_attributes is required with awareness_attribute parameter")
	}
	r.Ignore("ensure_node_commissioned")
	return req, req.readWaits(r)
}

func (req *healthRequest) readWaits(r *rest.Request) error {
	if text := r.Param("wait_for_status", ""); text != "" {
		order := []string{"green", "yellow", "red"}
		want := slices.Index(order, strings.ToLower(text))
		if want < 0 {
			return fault.Illegal("No enum constant org.opensearch.cluster.health.ClusterHealthStatus.%s", strings.ToUpper(text))
		}
		req.waits = append(req.waits, func(h health) bool { return slices.Index(order, h.status()) <= want })
	}
	if text := r.Param("wait_for_nodes", ""); text != "" {
		enough, err := oneNodeIs(text)
		if err != nil {
			return err
		}
		req.waits = append(req.waits, func(health) bool { return enough })
	}
	if text := r.Param("wait_for_active_shards", ""); text != "" {
		n, err := catalog.ParseActiveShards(text)
		if err != nil {
			return err
		}
		req.waits = append(req.waits, func(h health) bool {
			if n == catalog.AllShards {
				return h.unassigned == 0
			}
			return h.primaries >= n
		})
	}
	return nil
}

// oneNodeIs reads wait_for_nodes ("1", ">=3", "lt(2)") and reports whether one node fulfils it.
func oneNodeIs(text string) (bool, error) {
	compare := []struct {
		prefix, call string
		holds        func(n int) bool
	}{
		{">=", "ge(", func(n int) bool { return 1 >= n }},
		{"<=", "le(", func(n int) bool { return 1 <= n }},
		{">", "gt(", func(n int) bool { return 1 > n }},
		{"<", "lt(", func(n int) bool { return 1 < n }},
		{"", "", func(n int) bool { return n == 1 }},
	}
	for _, c := range compare {
		number, ok := strings.CutPrefix(text, c.prefix)
		if c.call != "" && strings.HasPrefix(text, c.call) {
			number, ok = strings.TrimSuffix(strings.TrimPrefix(text, c.call), ")"), true
		}
		if !ok {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return false, fault.New(http.StatusBadRequest, "number_format_exception", "For input string: \"%s\"", number)
		}
		return c.holds(n), nil
	}
	return false, nil
}

// awaitHealth looks until all that is waited for holds (ok), or the time is up.
func (s *Server) awaitHealth(ctx context.Context, req *healthRequest) (indices []*catalog.Index, h health, ok bool, err error) {
	deadline := time.NewTimer(req.timeout)
	defer deadline.Stop()
	again := time.NewTicker(healthPoll)
	defer again.Stop()
	for {
		if indices, h, err = s.lookHealth(req); err != nil {
			return nil, h, false, err
		}
		ok = !h.missing
		for _, holds := range req.waits {
			ok = ok && holds(h)
		}
		if ok {
			return indices, h, true, nil
		}
		select {
		case <-ctx.Done():
			return nil, h, false, ctx.Err()
		case <-deadline.C:
			return indices, h, false, nil
		case <-again.C:
		}
	}
}

func (s *Server) lookHealth(req *healthRequest) ([]*catalog.Index, health, error) {
	state, now := s.Catalog.State(), s.Clock.Now()
	indices, err := state.Resolve(req.expressions, req.options, now)
	if err != nil {
		return nil, health{}, err
	}
	h := healthOf(indices)
	if len(req.expressions) > 0 {
		all := s.healthOfAll(state)
		h.cluster = &all
		_, err := state.Resolve(req.expressions, wire.IndexOptions{Open: true, Closed: true, Hidden: true, AllowNoIndices: true}, now)
		h.missing = fault.Is(err, "index_not_found_exception")
	}
	return indices, h, nil
}

func (s *Server) healthJSON(indices []*catalog.Index, h health, timedOut bool, level string) wire.Object {
	o := wire.Obj(
		"cluster_name", s.clusterName(), "status", h.status(), "timed_out", timedOut, "number_of_nodes", 1, "number_of_data_nodes", 1,
		"discovered_master", true, "discovered_cluster_manager", true, "active_primary_shards", h.primaries,
		"active_shards", h.primaries, "relocating_shards", 0, "initializing_shards", 0, "unassigned_shards", h.unassigned,
		"delayed_unassigned_shards", 0, "number_of_pending_tasks", 0, "number_of_in_flight_fetch", 0,
		"task_max_waiting_in_queue_millis", 0, "active_shards_percent_as_number", decimal(h.percent()))
	switch level {
	case "awareness_attributes":
		o.Add("awareness_attributes", wire.Object{})
	case "indices", "shards":
		list := wire.Object{}
		for _, index := range indices {
			list.Add(index.Name, indexHealth(index, level == "shards"))
		}
		o.Add("indices", list)
	}
	return o
}

func indexHealth(index *catalog.Index, shards bool) wire.Object {
	h := healthOf([]*catalog.Index{index})
	o := wire.Obj("status", h.status(), "number_of_shards", index.Shards(), "number_of_replicas", index.Replicas(),
		"active_primary_shards", h.primaries, "active_shards", h.primaries, "relocating_shards", 0, "initializing_shards", 0,
		"unassigned_shards", h.unassigned)
	if !shards {
		return o
	}
	list := wire.Object{}
	for n := range index.Shards() {
		list.Add(strconv.Itoa(n), wire.Obj("status", h.status(), "primary_active", true, "active_shards", 1, "relocating_shards", 0,
			"initializing_shards", 0, "unassigned_shards", index.Replicas()))
	}
	o.Add("shards", list)
	return o
}

// decimal is a floating-point number as Java writes it: with a decimal point always.
type decimal float64

// MarshalJSON writes "75.0" for 75.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

func (d decimal) String() string {
	text := strconv.FormatFloat(float64(d), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
