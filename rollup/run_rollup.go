// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"

	"github.com/opensteward/steward/wire"
)

const (
	// fewDocuments and manyDocuments are how many documents one pass over a span of time should read.
	fewDocuments  = 20_000
	manyDocuments = 200_000
	// maxSpan is how many buckets of time one pass covers at most.
	maxSpan = 1 << 16
)

// rollup rolls documents up, in the order of time.
func (x *run) rollup(ctx context.Context) error {
	var err error
	if x.target, err = Resolve(ctx, x.client, x.job.Target, map[string]any{"source_index": x.job.Source}); err != nil {
		return refusal(err, "")
	}
	x.prepare.Lock()
	err = prepareRollup(ctx, x.client, x.job, x.target)
	x.prepare.Unlock()
	if err != nil {
		return err
	}
	if err := x.computable(); err != nil {
		return err
	}
	if x.job.Continuous {
		return x.continuous(ctx)
	}
	return x.once(ctx)
}

func (x *run) dateField() string { return x.groups[0].SourceField }

// once rolls up everything there is: first what has no date, which comes first in the order of keys, then span by span.
func (x *run) once(ctx context.Context) error {
	after := x.progress.AfterKey
	if after == nil || after[0] == nil {
		missing := wire.Obj("bool", wire.Obj("must_not", []any{wire.Obj("exists", wire.Obj("field", x.dateField()))}))
		if err := x.pass(ctx, missing, after, nil, nil); err != nil {
			return err
		}
		after = nil
	}
	var from *int64
	if after != nil {
		if ms, ok := after[0].(int64); ok {
			from = &ms
		}
	}
	_, err := x.spans(ctx, from, nil, after, nil)
	if err != nil {
		return err
	}
	return x.finish(ctx)
}

// spans goes through time from from (nil: the first document) to limit (nil: the last one), span by span, passing over
// time without documents. after is the key after which the first span goes on. It returns where it ended: limit, or
// from which on there are no documents.
func (x *run) spans(ctx context.Context, from, limit *int64, after []any, next func(*Progress, []any)) (int64, error) {
	dates, width := x.groupers[0].dates, 1
	for {
		first, ok, err := x.src.earliest(ctx, x.dateField(), from)
		if err != nil {
			return 0, refusal(err, "")
		}
		if start := dates.floor(first); !ok || limit != nil && start >= *limit {
			if limit != nil {
				return *limit, nil
			}
			return 0, nil
		}
		span := Window{Start: dates.floor(first)}
		for {
			span.End = dates.after(span.Start, width)
			if limit != nil {
				span.End = min(span.End, *limit)
			}
			read, err := x.span(ctx, span, after, next)
			if err != nil {
				return 0, err
			}
			after = nil
			switch {
			case read < fewDocuments && width < maxSpan:
				width *= 2
			case read > manyDocuments && width > 1:
				width /= 2
			}
			span.Start = span.End
			if read == 0 || limit != nil && span.Start >= *limit {
				break
			}
		}
		from = &span.Start
	}
}

// span rolls up one span of time and reports how many documents it read.
func (x *run) span(ctx context.Context, span Window, after []any, next func(*Progress, []any)) (read int64, err error) {
	query := between(x.dateField(), &span.Start, &span.End)
	return x.passes(ctx, query, after, &span, next)
}

// pass is passes for who does not ask how many documents were read.
func (x *run) pass(ctx context.Context, query any, after []any, within *Window, next func(*Progress, []any)) error {
	_, err := x.passes(ctx, query, after, within, next)
	return err
}

// passes groups the documents of a query in as many passes as it takes, and writes whole pages.
func (x *run) passes(ctx context.Context, query any, after []any, within *Window, next func(*Progress, []any)) (read int64, err error) {
	for {
		g, err := x.collect(ctx, query, after, within, nil)
		if err != nil {
			return 0, err
		}
		read = g.read
		list, more := g.buckets()
		x.pending = append(x.pending, list...)
		if err := x.flushPages(ctx, next); err != nil {
			return 0, err
		}
		if !more {
			return read, nil
		}
		after = list[len(list)-1].key
	}
}

// continuous rolls up all windows that are over, their delay included.
func (x *run) continuous(ctx context.Context) error {
	dates := x.groupers[0].dates
	limit := dates.floor(x.now().UnixMilli() - value(x.job.Delay) - 1)
	start := x.progress.Window.Start
	if start >= limit {
		return nil
	}
	next := func(p *Progress, last []any) {
		if ms, ok := last[0].(int64); ok {
			p.Window = &Window{ms, dates.next(ms)}
		}
	}
	end, err := x.spans(ctx, &start, &limit, x.progress.AfterKey, next)
	if err != nil {
		return err
	}
	if n := len(x.pending); n > 0 {
		if err := x.flush(ctx, n, next); err != nil {
			return err
		}
	}
	p := x.progress.at(StatusStarted, "", x.now())
	p.AfterKey = nil
	p.Stats.Pages++ // the one that found nothing more
	p.Stats.SearchMillis += x.src.millis
	p.Window = &Window{end, dates.next(end)}
	return x.save(ctx, p)
}
