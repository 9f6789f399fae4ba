// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"slices"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

func (s *Server) rolloverRoutes(rt *rest.Router) {
	rt.Handle("POST", "/{index}/_rollover", s.rollover)
	rt.Handle("POST", "/{index}/_rollover/{new_index}", s.rollover)
}

func (s *Server) rollover(r *rest.Request) (rest.Action, error) {
	req := catalog.RolloverRequest{Target: r.Path("index"), NewIndex: r.Path("new_index"), DryRun: r.Bool("dry_run", false)}
	timeouts(r)
	wait, err := catalog.ParseActiveShards(r.Param("wait_for_active_shards", ""))
	if err != nil {
		return nil, err
	}
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := parseRollover(body, &req); err != nil {
			return nil, err
		}
	}
	req.New.ActiveShards = wait
	return func(ctx context.Context) (*rest.Response, error) {
		res, err := s.Catalog.Rollover(ctx, req)
		if err != nil {
			return nil, err
		}
		conditions := wire.Object{}
		for _, c := range res.Conditions {
			conditions.Add(c.String(), c.Met)
		}
		return rest.OK(wire.Obj("acknowledged", res.RolledOver, "shards_acknowledged", res.RolledOver && res.Index.Acknowledges(wait),
			"old_index", res.OldIndex, "new_index", res.NewIndex, "rolled_over", res.RolledOver, "dry_run", req.DryRun,
			"conditions", conditions)), nil
	}, nil
}

func parseRollover(body []byte, req *catalog.RolloverRequest) error {
	return wire.ReadObject(body, func(p *wire.Parser, name string) error {
		if name != "conditions" {
			return newIndexMember(p, name, &req.New)
		}
		err := p.Object(func(name string) error {
			c, err := parseCondition(p, name)
			req.Conditions = append(req.Conditions, c)
			return err
		})
		return p.FailedField("rollover", "conditions", err)
	})
}

// rolloverConditions are the names of conditions.
var rolloverConditions = []string{"max_age", "max_docs", "max_size"}

func parseCondition(p *wire.Parser, name string) (c catalog.Condition, err error) {
	if !slices.Contains(rolloverConditions, name) {
		return c, p.UnknownField("conditions", name, rolloverConditions...)
	}
	c.Name = name
	if c.Value, err = p.Text(); err != nil {
		return c, err
	}
	return c, p.FailedField("conditions", name, c.Check())
}
