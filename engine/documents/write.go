// SPDX-License-Identifier: Apache-2.0

package documents

import (
	"context"
	"fmt"
	"strconv"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
)

// maxID is the longest document id in bytes (OpenSearch's limit).
const maxID = 512

// Outcome is what became of a write, and in which shard.
type Outcome struct {
	shard.Outcome
	Shard int
}

// Write applies operations to an index, in order, and returns when they are on disk. Operations on one shard share a
// transaction. A document that does not fit its index's mapping has Err set, as has one whose condition does not hold.
func (s *Store) Write(ctx context.Context, index *catalog.Index, ops []shard.Operation) ([]Outcome, error) {
	g, err := s.group(index)
	if err != nil {
		return nil, err
	}
	out := make([]Outcome, len(ops))
	byShard := make(map[int][]int, 1)
	for i := range ops {
		op := &ops[i]
		if err := s.admit(ctx, &index, op); err != nil {
			out[i].Err = err
			continue
		}
		n := Route(index, routingOf(op))
		out[i].Shard = n
		byShard[n] = append(byShard[n], i)
	}
	for n, members := range byShard {
		if err := s.apply(ctx, g.slots[n], ops, members, out); err != nil {
			for _, i := range members {
				out[i].Err = err
			}
		}
	}
	s.schedule(g)
	return out, nil
}

func routingOf(op *shard.Operation) string {
	if op.Routing != "" {
		return op.Routing
	}
	return op.ID
}

// admit checks an operation before it is written; index becomes the grown one where the document brings fields.
func (s *Store) admit(ctx context.Context, index **catalog.Index, op *shard.Operation) error {
	switch {
	case op.ID == "":
		return fault.Validation("an id must not be empty")
	case len(op.ID) > maxID:
		return fault.Validation(fmt.Sprintf("id [%s] is too long, must be no longer than %d bytes but was: %d", op.ID, maxID, len(op.ID)))
	case op.Routing == "" && (*index).Mapping.RoutingRequired():
		return fault.New(400, "routing_missing_exception", "routing is required for [%s]/[%s]", (*index).Name, op.ID).
			With("index_uuid", (*index).UUID).With("index", (*index).Name)
	case op.Op == shard.OpDelete:
		return nil
	}
	for {
		grown, err := (*index).Mapping.Check(op.ID, op.Source)
		if grown == nil || err != nil {
			return err
		}
		body, err := grown.MarshalJSON()
		if err != nil {
			return err
		}
		// somebody else may have grown it in another way meanwhile: look again
		next, err := s.grower.GrowMapping(ctx, (*index).UUID, body)
		if err != nil {
			return err
		}
		*index = next
	}
}

func (s *Store) apply(ctx context.Context, sl *slot, ops []shard.Operation, members []int, out []Outcome) error {
	batch := make([]shard.Operation, len(members))
	for i, m := range members {
		batch[i] = ops[m]
	}
	return s.with(sl, func(sh *shard.Shard) error {
		if err := s.keepUp(sl.group, sh); err != nil {
			return err
		}
		outcomes, err := sh.Apply(ctx, batch)
		if err != nil {
			return err
		}
		for i, m := range members {
			out[m].Outcome = outcomes[i]
		}
		return nil
	})
}

// Get reads a document in real time. number is the shard it was looked for in.
func (s *Store) Get(index *catalog.Index, id, routing string) (doc shard.Document, ok bool, number int, err error) {
	g, err := s.group(index)
	if err != nil {
		return doc, false, 0, err
	}
	if routing == "" {
		routing = id
	}
	number = Route(index, routing)
	err = s.with(g.slots[number], func(sh *shard.Shard) (err error) {
		doc, ok, err = sh.Get(id)
		return err
	})
	return doc, ok, number, err
}

func (s *Store) countNoop(index *catalog.Index, number int) error {
	g, err := s.group(index)
	if err != nil {
		return err
	}
	return s.with(g.slots[number], func(sh *shard.Shard) error {
		sh.CountNoop()
		return nil
	})
}

// Update reads a document, lets change make a new source of it (nil: nothing to do), and writes that, provided that
// nobody else has written it meanwhile; otherwise it tries again, tries times. change gets nil if there is no document,
// and decides itself whether that is an error.
func (s *Store) Update(ctx context.Context, index *catalog.Index, op shard.Operation, tries int, change func(*shard.Document) ([]byte, error)) (Outcome, error) {
	for {
		doc, ok, number, err := s.Get(index, op.ID, op.Routing)
		if err != nil {
			return Outcome{}, err
		}
		var current *shard.Document
		next := op
		next.Op = shard.OpCreate
		if ok {
			current = &doc
			next.Op = shard.OpIndex
			if !op.Conditional {
				next.Conditional, next.IfSeqNo, next.IfPrimaryTerm = true, doc.SeqNo, doc.PrimaryTerm
			}
		}
		if next.Source, err = change(current); err != nil {
			return Outcome{Shard: number}, err
		}
		if next.Source == nil {
			if err := s.countNoop(index, number); err != nil {
				return Outcome{Shard: number}, err
			}
			return Outcome{Outcome: shard.Outcome{Result: "noop", Document: doc}, Shard: number}, nil
		}
		out, err := s.Write(ctx, index, []shard.Operation{next})
		if err != nil {
			return Outcome{}, err
		}
		if !fault.Is(out[0].Err, "version_conflict_engine_exception") || op.Conditional || tries <= 0 {
			return out[0], nil
		}
		tries--
	}
}

// Target makes an index searchable until release is called. routing limits it to the shards of those routings.
func (s *Store) Target(index *catalog.Index, filter query.Query, routing []string) (t query.Target, release func(), err error) {
	g, err := s.group(index)
	if err != nil {
		return t, nil, err
	}
	s.look(g)
	wanted := map[int]bool{}
	for _, r := range routing {
		wanted[Route(index, r)] = true
	}
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	t = query.Target{Index: index.Name, UUID: index.UUID, Mapping: index.Mapping, Filter: filter, MaxResultWindow: resultWindow(index)}
	for _, sl := range g.slots {
		if len(routing) > 0 && !wanted[sl.number] {
			continue
		}
		sh, done, err := s.acquire(sl)
		if err != nil {
			release()
			return t, nil, err
		}
		releases = append(releases, done)
		t.Shards, t.Numbers = append(t.Shards, sh), append(t.Numbers, sl.number)
	}
	return t, release, nil
}

// resultWindow is the index's setting; 0 if it has none.
func resultWindow(index *catalog.Index) int {
	n, err := strconv.Atoi(index.Settings["index.max_result_window"])
	if err != nil {
		return 0
	}
	return n
}
