// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"

	"github.com/opensteward/steward/fault"
)

func newDrop(*Service, *config) processor {
	return func(context.Context, *Document) (bool, error) { return false, nil }
}

func newFail(_ *Service, c *config) processor {
	message := c.template("message")
	return changing(func(d *Document) error {
		text, err := message.render(d)
		if err != nil {
			return err
		}
		return fault.New(500, "fail_processor_exception", "%s", text)
	})
}

// callType is the processor that runs another pipeline.
const callType = "pipeline"

func newCall(s *Service, c *config) processor {
	name := c.template("name")
	return func(ctx context.Context, d *Document) (bool, error) {
		id, err := name.render(d)
		if err != nil {
			return false, err
		}
		p, err := s.Find(id)
		if err != nil {
			return false, err
		}
		if p == nil {
			return false, fault.IllegalState("Pipeline processor configured for non-existent pipeline [%s]", id)
		}
		return p.Run(ctx, d)
	}
}

func newForeach(s *Service, c *config) processor {
	field, ignoreMissing := c.text("field"), c.flag("ignore_missing", false)
	body := c.asObject("processor", c.need("processor"))
	if c.err != nil {
		return nil
	}
	if len(body.members) != 1 {
		c.wrong("processor", "Must specify exactly one processor type")
		return nil
	}
	inner, err := s.parseStep(body.members[0].Name, body.members[0].Value)
	if err != nil {
		c.fail(relocated(err, c.typ, c.tag))
		return nil
	}
	return func(ctx context.Context, d *Document) (bool, error) {
		values, err := d.getList(field, ignoreMissing)
		if err != nil || values == nil {
			if err == nil && !ignoreMissing {
				err = fault.Illegal("field [%s] is null, cannot loop over its elements.", field)
			}
			return err == nil, err
		}
		return forEach(ctx, d, field, values, inner)
	}
}

// forEach runs a step on each item, which it finds at _ingest._value.
func forEach(ctx context.Context, d *Document, field string, values *List, inner *step) (bool, error) {
	out := &List{}
	for _, item := range values.items {
		before, _ := d.ingest.Get("_value")
		d.ingest.Set("_value", item)
		keep, err := inner.execute(ctx, d)
		after, _ := d.ingest.Get("_value")
		d.ingest.Set("_value", before)
		if err != nil || !keep {
			return false, err
		}
		out.items = append(out.items, after)
	}
	return true, d.set(field, out)
}

// relocated says that an error is of another processor, as OpenSearch does for one inside another.
func relocated(e *fault.Error, typ, tag string) *fault.Error {
	out := *e
	out.Fields = nil
	for _, f := range e.Fields {
		if f.Name != "processor_type" && f.Name != "processor_tag" {
			out.Fields = append(out.Fields, f)
		}
	}
	return located(&out, typ, tag, "")
}
