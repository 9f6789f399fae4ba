// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/opensteward/steward/rollup/dimension"
	"github.com/opensteward/steward/wire"
)

// transform writes a document per group.
func (x *run) transform(ctx context.Context) error {
	dates := x.job.targetDates(&x.src.indices[0].mapping)
	x.dates = map[string]bool{}
	for _, m := range dates {
		x.dates[m.Name] = true
	}
	x.prepare.Lock()
	target, err := prepareTransform(ctx, x.client, x.job, dates)
	x.prepare.Unlock()
	if err != nil {
		return err
	}
	x.target = target
	if err := x.computable(); err != nil {
		return err
	}
	if x.job.Continuous {
		return x.modified(ctx)
	}
	if _, err := x.passes(ctx, x.job.Query, x.progress.AfterKey, nil, nil); err != nil {
		return err
	}
	return x.finish(ctx)
}

// modified computes anew the groups of all documents that were written since the last run, and remembers up to where it
// went: the shards' checkpoints from before it began to read.
func (x *run) modified(ctx context.Context) error {
	began := x.now().UnixMilli()
	marks, err := x.src.checkpoints(ctx)
	if err != nil {
		return refusal(err, "Failed to get the shards in the source indices")
	}
	keys, pages, err := x.modifiedKeys(ctx, marks)
	if err != nil {
		return err
	}
	for page := range slices.Chunk(keys, x.job.PageSize) {
		if err := x.recompute(ctx, page); err != nil {
			return err
		}
	}
	p := x.progress.at(StatusStarted, "", x.now())
	p.AfterKey, p.Checkpoints, p.LastTimestamp = nil, marks, &began
	p.Stats.Pages += pages
	p.Stats.SearchMillis += x.src.millis
	return x.save(ctx, p)
}

// modifiedKeys are the keys of the groups that documents were added to, in order. An index is read from where the shard
// that is furthest behind was: a group that is computed once more is the same again.
//
// pages are those that the plugin would read: of each shard its groups, and one that finds nothing more. Every shard of an
// index counts as having all of the index's groups.
func (x *run) modifiedKeys(ctx context.Context, marks map[string]int64) (keys [][]any, pages int64, err error) {
	found := map[string][]any{}
	for i := range x.src.indices {
		idx := &x.src.indices[i]
		from, shards := x.behind(idx.name, marks)
		if shards == 0 {
			continue
		}
		part := &source{client: x.src.client, indices: []sourceIndex{*idx}}
		query := wire.Obj("bool", wire.Obj("filter", []any{
			x.job.Query, wire.Obj("range", wire.Obj("_seq_no", wire.Obj("gt", from))),
		}))
		var g *grouping
		begin := func() { g = &grouping{groupers: x.groupers, limit: math.MaxInt32} }
		err := part.scan(ctx, query, begin, func(d *document) { g.add(d) })
		x.src.millis += part.millis
		if err != nil {
			return nil, 0, refusal(err, "Failed to get the modified buckets in source indices")
		}
		pages += int64(shards * ((len(g.table)+x.job.PageSize-1)/x.job.PageSize + 1))
		for text, b := range g.table {
			found[text] = b.key
		}
	}
	return slices.SortedFunc(maps.Values(found), compareKeys), pages, nil
}

// behind is from which sequence number on an index has documents that were not transformed, and in how many shards.
func (x *run) behind(index string, marks map[string]int64) (from int64, shards int) {
	from = math.MaxInt64
	prefix := "[" + index + "]["
	for shard, mark := range marks {
		if len(shard) < len(prefix) || shard[:len(prefix)] != prefix {
			continue
		}
		done, known := x.progress.Checkpoints[shard]
		if !known {
			done = -1
		}
		if mark > done {
			from = min(from, done)
			shards++
		}
	}
	return from, shards
}

// recompute groups the documents of these keys, and writes the groups.
func (x *run) recompute(ctx context.Context, keys [][]any) error {
	for chunk := range slices.Chunk(keys, maxClauses) {
		only := map[string]bool{}
		should := make([]any, len(chunk))
		for i, key := range chunk {
			only[keyText(key)] = true
			should[i] = x.bucketQuery(key)
		}
		query := wire.Obj("bool", wire.Obj("filter", []any{x.job.Query}, "should", should, "minimum_should_match", 1))
		g, err := x.collect(ctx, query, nil, nil, only)
		if err != nil {
			return err
		}
		list, _ := g.buckets()
		x.pending = append(x.pending, list...)
	}
	if len(x.pending) == 0 {
		return nil
	}
	return x.flush(ctx, len(x.pending), func(p *Progress, _ []any) { p.AfterKey = nil })
}

// maxClauses is how many groups one query names: fewer than OpenSearch's limit of clauses.
const maxClauses = 200

// bucketQuery finds at least the documents of a key.
func (x *run) bucketQuery(key []any) wire.Object {
	var filter, without []any
	for i, v := range key {
		d := x.job.Groups[i]
		switch value := v.(type) {
		case nil:
			without = append(without, wire.Obj("exists", wire.Obj("field", d.SourceField)))
		case int64:
			end := value + 1
			if d.Kind == dimension.DateHistogram {
				end = x.groupers[i].dates.next(value)
			}
			if x.src.indices[0].mapping.field(d.SourceField).isDate() {
				filter = append(filter, between(d.SourceField, &value, &end))
				continue
			}
			filter = append(filter, wire.Obj("term", wire.Obj(d.SourceField, value)))
		case float64:
			if d.Kind == dimension.Histogram {
				// a little more than the interval, for what rounding may have lost
				slack := d.Interval / 1000
				filter = append(filter, wire.Obj("range", wire.Obj(d.SourceField, wire.Obj("gte", value-slack, "lte", value+d.Interval+slack))))
				continue
			}
			filter = append(filter, wire.Obj("term", wire.Obj(d.SourceField, value)))
		default:
			filter = append(filter, wire.Obj("term", wire.Obj(d.SourceField, value)))
		}
	}
	o := wire.Object{}
	o.AddIf(filter != nil, "filter", filter)
	o.AddIf(without != nil, "must_not", without)
	return wire.Obj("bool", o)
}
