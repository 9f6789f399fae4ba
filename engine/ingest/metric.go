// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"sync/atomic"
	"time"

	"github.com/opensteward/steward/wire"
)

// metric counts what went through a pipeline or a processor.
type metric struct{ count, failed, current, nanos atomic.Int64 }

// begin counts a document; the function it returns is called with the outcome.
func (m *metric) begin() func(err error) {
	started := time.Now()
	m.current.Add(1)
	return func(err error) {
		m.current.Add(-1)
		m.count.Add(1)
		m.nanos.Add(int64(time.Since(started)))
		if err != nil {
			m.failed.Add(1)
		}
	}
}

func (m *metric) json() wire.Object {
	return wire.Obj("count", m.count.Load(), "time_in_millis", time.Duration(m.nanos.Load()).Milliseconds(), "current", m.current.Load(),
		"failed", m.failed.Load())
}

// add adds the counts of another metric.
func (m *metric) add(other *metric) {
	m.count.Add(other.count.Load())
	m.failed.Add(other.failed.Load())
	m.current.Add(other.current.Load())
	m.nanos.Add(other.nanos.Load())
}

func (s *step) name() string {
	if s.tag != "" {
		return s.typ + ":" + s.tag
	}
	return s.typ
}

// each calls fn for the pipelines of these ids that are stored.
func (s *Service) each(ids []string, fn func(id string, p *Pipeline)) error {
	for _, id := range ids {
		p, err := s.Find(id)
		if err != nil {
			return err
		}
		if p != nil {
			fn(id, p)
		}
	}
	return nil
}

// Stats tells what went through the stored pipelines of these ids since the start, as the statistics of a node do.
func (s *Service) Stats(ids []string) (wire.Object, error) {
	list := wire.Object{}
	err := s.each(ids, func(id string, p *Pipeline) {
		steps := []wire.Object{}
		for _, one := range p.steps {
			steps = append(steps, wire.Obj(one.name(), wire.Obj("type", one.typ, "stats", one.metric.json())))
		}
		list.Add(id, append(p.metric.json(), wire.Obj("processors", steps)...))
	})
	return wire.Obj("total", s.total.json(), "pipelines", list), err
}

// Summary tells how many of these pipelines there are and what went through their processors, by type.
func (s *Service) Summary(ids []string) (wire.Object, error) {
	byType := map[string]*metric{}
	err := s.each(ids, func(_ string, p *Pipeline) {
		for _, one := range p.steps {
			if byType[one.typ] == nil {
				byType[one.typ] = &metric{}
			}
			byType[one.typ].add(&one.metric)
		}
	})
	types := wire.Object{}
	for _, typ := range Types() {
		if m := byType[typ]; m != nil {
			types.Add(typ, m.json())
		}
	}
	return wire.Obj("number_of_pipelines", len(ids), "processor_stats", types), err
}
