// SPDX-License-Identifier: Apache-2.0

package rollup

import (
	"context"

	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// previewed is how many documents a preview shows (the plugin's figure).
const previewed = 10

// preview answers with the first documents that a transform would write. It stores nothing.
func (h handlers) preview(r *rest.Request) (rest.Action, error) {
	body, err := r.RequireBody()
	if err != nil {
		return nil, err
	}
	j, err := Parse(h.kind, "", body, h.now(), true)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		documents, err := preview(ctx, &run{Runner: &Runner{client: h.o.Client}, job: j})
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("documents", documents)), nil
	}, nil
}

func preview(ctx context.Context, x *run) ([]wire.Object, error) {
	var err error
	if x.src, err = checkedSource(ctx, x.client, x.job); err != nil {
		return nil, err
	}
	if err := x.aim(); err != nil {
		return nil, err
	}
	x.nameDates()
	var g *grouping
	begin := func() { g = &grouping{groupers: x.groupers, fields: x.fields, limit: previewed} }
	if err := x.src.scan(ctx, x.job.Query, begin, func(d *document) { g.add(d) }); err != nil {
		return nil, err
	}
	list, _ := g.buckets()
	out := make([]wire.Object, len(list))
	for i, b := range list {
		out[i] = x.document(b)
	}
	return out, nil
}
