// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// resolveIndex tells what names mean: indices, aliases and data streams by themselves, not what is behind them. A name
// that means nothing is passed over.
func (s *Server) resolveIndex(r *rest.Request) (rest.Action, error) {
	names := r.List("name")
	o := r.IndexOptions(getOptions)
	for i, name := range names {
		resolved, err := wire.ResolveDateMath(name, s.Clock.Now())
		if err != nil {
			return nil, err
		}
		names[i] = resolved
	}
	return func(context.Context) (*rest.Response, error) {
		state := s.Catalog.State()
		x := nameExpander{names, o}
		indices := []wire.Object{}
		for _, i := range state.SortedIndices() {
			if x.takes(i.Name, i.Hidden(), !i.Closed && o.Open || i.Closed && o.Closed) {
				indices = append(indices, resolvedIndex(i))
			}
		}
		return rest.OK(wire.Obj("indices", indices, "aliases", x.aliases(state), "data_streams", x.streams(state))), nil
	}, nil
}

// nameExpander decides which names a list of expressions means.
type nameExpander struct {
	expressions []string
	options     wire.IndexOptions
}

// takes reports whether a name is meant: by itself, or by a pattern. matchable says whether patterns take its kind.
func (x nameExpander) takes(name string, hidden, matchable bool) bool {
	taken, patterns := false, false
	for _, e := range x.expressions {
		pattern, minus := strings.CutPrefix(e, "-")
		switch {
		case minus && patterns:
			taken = taken && !wire.Match(pattern, name)
		case e == name:
			taken = true
		case wire.IsPattern(e):
			patterns = true
			visible := !hidden || x.options.Hidden || strings.HasPrefix(name, ".") && strings.HasPrefix(e, ".")
			taken = taken || matchable && visible && wire.Match(e, name)
		}
	}
	return taken
}

// expands reports whether patterns mean anything at all.
func (x nameExpander) expands() bool { return x.options.Open || x.options.Closed }

func (x nameExpander) aliases(state *catalog.State) []wire.Object {
	behind, shown := map[string][]string{}, map[string]bool{}
	for _, i := range state.SortedIndices() {
		for name, alias := range i.Aliases {
			behind[name] = append(behind[name], i.Name)
			shown[name] = shown[name] || x.takes(name, alias.Hidden(), x.expands())
		}
	}
	out := []wire.Object{}
	for _, name := range sorted(behind) {
		if shown[name] {
			out = append(out, wire.Obj("name", name, "indices", behind[name]))
		}
	}
	return out
}

func (x nameExpander) streams(state *catalog.State) []wire.Object {
	out := []wire.Object{}
	for _, name := range sorted(state.DataStreams) {
		if d := state.DataStreams[name]; x.takes(name, false, x.expands()) {
			out = append(out, wire.Obj("name", name, "backing_indices", d.Indices, "timestamp_field", d.TimestampField))
		}
	}
	return out
}

func resolvedIndex(i *catalog.Index) wire.Object {
	attributes := []string{"open"}
	if i.Closed {
		attributes[0] = "closed"
	}
	if i.Hidden() {
		attributes = append(attributes, "hidden")
	}
	slices.Sort(attributes)
	o := wire.Obj("name", i.Name)
	o.AddIf(len(i.Aliases) > 0, "aliases", aliasNames(i))
	o.Add("attributes", attributes)
	o.AddIf(i.DataStream != "", "data_stream", i.DataStream)
	return o
}
